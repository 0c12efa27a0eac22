"""Sentences that state figures which neither a check nor a promise proves, for an author to look at.

A figure may as well be a default, a version or an example, so this is a list to read, and never a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lab.errors import InputError
from lab.lesson.model import Lesson, Step
from lab.lesson.promise import one_line
from lab.lesson.read import read_lesson
from lab.schema.document import Place
from lab.schema.template import iter_strings

_WORDS = {
    w: n for n, w in enumerate(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"))
}
_THINGS = (
    "requests?|tasks?|replicas?|nodes?|slots?|managers?|workers?|containers?|certificates?|answers?|addresses|bytes"
)
#: A number of things that a cluster has, with at most two words between.
_FIGURE = re.compile(rf"\b(\d+|{'|'.join(_WORDS)})\b(?: (?:of )?[a-z]+){{0,2}}? (?:{_THINGS})\b", re.IGNORECASE)
_CODE = re.compile(r"`[^`]*`|https?://\S+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\d])")


def find_unproven(paths: Iterable[Path]) -> Iterator[InputError]:
    """Yield such sentences of the lessons in these files and folders, with file and line; what is no lesson, or not a
    valid one, is passed over."""
    for path in (file for top in paths for file in (sorted(top.glob("*.yaml")) if top.is_dir() else (top,))):
        try:
            read = read_lesson(path)
        except InputError:
            continue
        for place, sentence in unproven_figures(read.value):
            yield read.problem(f"nothing proves the figure in “{sentence}”", *place)


def unproven_figures(lesson: Lesson) -> Iterator[tuple[Place, str]]:
    """Yield sentences of `after` and `recap` that state a number of things which no check of theirs has and no promise
    quotes, with their places in the lesson's file."""
    for index, step in enumerate(lesson.steps):
        known = _numbers(step)
        for sentence in _SENTENCE.split(one_line(step.after or "")):
            if not _figures(sentence) <= known and not _is_promised(sentence, lesson):
                yield ("steps", index, "after"), sentence
    everywhere = {number for step in lesson.steps for number in _numbers(step)}
    for index, sentence in enumerate(lesson.recap):
        if not _figures(sentence) <= everywhere and not _is_promised(sentence, lesson):
            yield ("recap", index), one_line(sentence)


def _figures(sentence: str) -> set[int]:
    found = (match[1].lower() for match in _FIGURE.finditer(_CODE.sub("", sentence)))
    return {int(word) if word.isdigit() else _WORDS[word] for word in found}


def _is_promised(sentence: str, lesson: Lesson) -> bool:
    passages = (one_line(promise.text) for step in lesson.steps for promise in step.promises)
    return any(passage in sentence or sentence in passage for passage in passages)


def _numbers(step: Step) -> set[int]:
    """Return the numbers that the step's checks ask for, those in their expressions included."""
    plain = [check.model_dump(exclude_unset=True) for check in step.then]
    texts = (int(word) for text in iter_strings(plain) for word in re.findall(r"\d+", text) if len(word) < 10)
    return {*_integers(plain), *texts}


def _integers(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _integers(item)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value
