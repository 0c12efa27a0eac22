"""Lessons and the syllabus, as `check` reads them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from lab import paths
from lab.lesson.course import SYLLABUS
from lab.lesson.model import Lesson
from lab.lesson.syllabus import Syllabus
from lab.schema import document
from tests.fuzz.desk import held
from tests.fuzz.surface import Surface
from tests.fuzz.values import mutated_text, mutated_tree, noise
from tests.fuzz.yaml_text import full, yaml_of

_WORDS = (
    "steps:",
    "\n",
    "  ",
    "- ",
    "id: x",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "<<: *a",
    "!!python/object:x",
    "|\n",
    ": ",
    "#",
)


@cache
def _shipped() -> tuple[tuple[str, Any], ...]:
    files = (file for file in sorted(paths.lessons().glob("*.yaml")) if file.name != SYLLABUS)
    return tuple((file.read_text(encoding="utf-8"), document.read(file).data) for file in files)


@cache
def _full() -> tuple[Any, Any]:
    return full(Lesson), full(Syllabus)


def _draw(rng: Random) -> Any:
    match rng.randrange(20):
        case 0:
            return ["lesson.yaml", noise(rng, _WORDS)]
        case 1:
            text = (paths.lessons() / SYLLABUS).read_text(encoding="utf-8")
            return [SYLLABUS, mutated_text(rng, text)]
        case 2:
            return [SYLLABUS, yaml_of(mutated_tree(rng, _full()[1]))]
        case 3 | 4 | 5:
            return ["lesson.yaml", mutated_text(rng, rng.choice(_shipped())[0])]
        case 6 | 7 | 8 | 9 | 10 | 11:
            return ["lesson.yaml", yaml_of(mutated_tree(rng, _full()[0]))]
        case _:
            # A good lesson of one step, so that what holds between the parts is looked at too.
            lesson = dict(rng.choice(_shipped())[1])
            lesson["steps"] = [rng.choice(lesson["steps"])]
            return ["lesson.yaml", yaml_of(mutated_tree(rng, lesson, 2))]


def _hold(value: Any) -> None:
    name, text = value
    file = Path(Path(name).name)
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        held(["check", str(file)], (0, 2))
    finally:
        file.unlink()


SURFACE = Surface(
    "lessons",
    _draw,
    _hold,
    known=(
        # So many mistakes that saying them all took as long as a hang.
        ["lesson.yaml", "steps: [" + "{}," * 20_000 + "{}]"],
        ["lesson.yaml", '"\\e]0;title\\a\\e[31m": 1\nid: x\nsteps: []\n'],
        ["lesson.yaml", 'id: "\\ud800"\nsteps: []\n'],
    ),
    share=3,
    fast=200,
)
