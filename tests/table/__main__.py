"""`make table`: what each event costs with each recipe, to table.json and as a Markdown table.

Cells measured before, in the same file, stay: a table can be made in several runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from lab.cluster import api
from lab.errors import InputError, LabError
from lab.session.describe_lesson import find_lesson
from lab.session.run import open_driver
from tests.table import cells, measure
from tests.table.cells import Cell
from tests.table.events import EVENTS, read_event
from tests.table.recipes import RECIPES, read_recipe, recipe_lesson

#: The lesson whose start has Traefik and the application.
BASE = "rolling-update"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write after each cell, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.table", description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", default=",".join(RECIPES), help="with commas; + joins precautions to one recipe")
    parser.add_argument("--events", default=",".join(EVENTS), help="with commas")
    parser.add_argument("--missing", action="store_true", help="only cells that the file has no figures of")
    parser.add_argument("--within", type=float, metavar="S", help="begin no cell that may end after so many seconds")
    parser.add_argument("--rate", type=float, help="requests a second")
    parser.add_argument("--name", default=api.DEFAULT, help="the lab")
    parser.add_argument("-o", "--output", type=Path, default=Path("table.json"))
    args = parser.parse_args(argv)
    try:
        asked = cells.choose(_list(args.recipes, read_recipe), _list(args.events, read_event))
        before = cells.read(args.output)
        there = {(cell.recipe, cell.event) for cell in before if cell.figures is not None}
        asked = [each for each in asked if not (args.missing and each in there)]
        with api.at_work(args.name, "measuring a table"):
            found = _measure_all(args, asked, before)
    except LabError as error:
        print(f"{error.sentence}{f'; {error.remedy}' if error.remedy else ''}", file=sys.stderr)
        return 2
    print(cells.markdown(found))
    return 0 if all(cell.figures is not None for cell in found if (cell.recipe, cell.event) in asked) else 1


def _measure_all(args: argparse.Namespace, asked: Sequence[tuple[str, str]], before: Sequence[Cell]) -> list[Cell]:
    began, longest = time.monotonic(), 0.0
    found, base = list(before), find_lesson(BASE)
    if base is None:
        raise InputError(f"there is no lesson {BASE}")
    with open_driver(args.name, look=False, events=False) as driver:
        status, rate = driver.cluster.status(), args.rate or measure.choose_rate(driver)
    machine = {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "acceleration": status.acceleration,
        "nodes": len(status.nodes),
    }
    for recipe, event in asked:
        cell_began = time.monotonic()
        say = _sayer(f"{recipe}, {event}", began)
        about = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "rate": rate}
        if args.within and cell_began - began + longest > args.within:
            cell = Cell(recipe, event, why="the time given was over", about=about)
        else:
            try:
                figures = measure.measure(args.name, recipe_lesson(recipe, base), event, rate, say)
                cell = Cell(recipe, event, figures, about=about)
            except LabError as error:
                cell = Cell(recipe, event, why=error.sentence, about=about)
        took = time.monotonic() - cell_began
        longest = max(longest, took)
        say(f"{cell.text} ({took:.0f} s)")
        found = cells.merge(found, [cell])
        cells.write(args.output, machine, found)
    if asked and not (args.within and time.monotonic() - began > args.within):
        measure.reset(args.name, recipe_lesson(asked[-1][0], base), _sayer("at the end", began))
    return found


def _list(text: str, read: Callable[[str], str]) -> list[str]:
    return [read(word.strip()) for word in text.split(",")]


def _sayer(what: str, began: float) -> Callable[[str], None]:
    return lambda text: print(f"{time.monotonic() - began:6.0f} s  {what}: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
