"""The table: its cells, on disk and as Markdown. Pure, but for reading and writing the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import InputError
from tests.table.events import EVENTS
from tests.table.figures import Figures
from tests.table.recipes import RECIPES, describe_recipes


@dataclass(frozen=True)
class Cell:
    """A recipe and an event: the figures, or `why` there are none. `about` says when and how it was measured."""

    recipe: str
    event: str
    figures: Figures | None = None
    why: str = ""
    about: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The cell as the table shows it. Without figures it has no number of requests."""
        if self.figures is None:
            return f"not measured: {self.why}"
        gap = f", gap {self.figures.gap:.1f} s" if self.figures.failed else ""
        return f"{self.figures.failed} of {self.figures.sent}{gap}, slowest {self.figures.slowest:.1f} s"


def choose(recipes: Sequence[str], events: Sequence[str]) -> list[tuple[str, str]]:
    """Return the cells to measure, recipe by recipe, each once."""
    return [(recipe, event) for recipe in dict.fromkeys(recipes) for event in EVENTS if event in events]


def merge(before: Iterable[Cell], new: Iterable[Cell]) -> list[Cell]:
    """Return the cells of both, the new ones in place of their like, in the table's order. One that was not measured
    does not take the place of one that was."""
    found = {(cell.recipe, cell.event): cell for cell in before}
    for cell in new:
        there = found.get((cell.recipe, cell.event))
        if cell.figures is not None or there is None or there.figures is None:
            found[cell.recipe, cell.event] = cell
    order, events = {name: place for place, name in enumerate(RECIPES)}, [*EVENTS]
    return sorted(found.values(), key=lambda c: (order.get(c.recipe, len(order)), c.recipe, events.index(c.event)))


def markdown(cells: Sequence[Cell]) -> str:
    """Return the table: a row a recipe, a column an event. A cell that nobody tried to measure is empty."""
    events = [event for event in EVENTS if any(cell.event == event for cell in cells)]
    found = {(cell.recipe, cell.event): cell for cell in cells}
    recipes = list(dict.fromkeys(cell.recipe for cell in cells))
    lines = [_row("recipe", *(EVENTS[event].title for event in events)), _row(*["---"] * (1 + len(events)))]
    for recipe in recipes:
        texts = [found[recipe, event].text if (recipe, event) in found else "" for event in events]
        lines.append(_row(recipe.replace("+", " + "), *texts))
    lines += [
        "",
        "Failed requests of those sent, the longest time in which every request failed, and the slowest good answer.",
        *(f"- {name}: {says}" for name, says in describe_recipes(recipes)),
    ]
    return "\n".join(lines)


def _row(*texts: str) -> str:
    return f"| {' | '.join(text.replace('|', '/').replace(chr(10), ' ') for text in texts)} |"


def write(path: Path, machine: Mapping[str, object], cells: Sequence[Cell]) -> None:
    """Write the file."""
    data = {"machine": machine, "cells": [asdict(cell) for cell in cells]}
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> list[Cell]:
    """Return the cells of an earlier run; none when there is no file. Raises InputError for a file of another form."""
    if not path.exists():
        return []
    try:
        return [_cell(raw) for raw in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a table of cells ({error})", remedy="name another file with --output"
        ) from None


def _cell(raw: Mapping[str, Any]) -> Cell:
    figures = raw["figures"]
    if raw["event"] not in EVENTS:
        raise ValueError(f"no event {raw['event']}")
    return Cell(**{**raw, "figures": None if figures is None else Figures(**figures)})
