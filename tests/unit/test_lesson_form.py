"""The form of a lesson: what a step may say and ask besides its command, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.lesson.course import check_paths, load_lesson
from lab.lesson.model import Lesson
from tests.unit.test_lesson_load import GOOD

STEP = "    run: docker service ls\n"
"""The line of the first step after which tests put theirs: line 10."""


def read(tmp_path: Path, text: str) -> Lesson:
    path = tmp_path / "good.yaml"
    path.write_text(text)
    return load_lesson(path)


def wrong(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    path = tmp_path / "good.yaml"
    path.write_text(text)
    return [(problem.line, problem.reason) for problem in check_paths([path])[0]]


def with_step(*lines: str) -> str:
    """The good lesson with lines in its first step, from line 11 on."""
    return GOOD.replace(STEP, STEP + "".join(f"    {line}\n" for line in lines))


def test_what_was_seen_may_name_what_the_command_printed(tmp_path: Path) -> None:
    capture = "capture: {id: {output: '(x)'}}"
    lesson = read(tmp_path, with_step(capture, "after: It is {{id}}."))
    assert lesson.steps[0].after == "It is {{id}}."
    assert wrong(tmp_path, with_step(capture, "after: It is {{idd}}.")) == [
        (12, "{{idd}} is used before it is captured; did you mean 'id'?")
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("after: 3", "'after' must be a text, not 3"),
        ("after: ''", "'after' is empty"),
        ("afte: x", "step 1 has the unknown key 'afte'; did you mean 'after'?"),
    ],
)
def test_what_is_wrong_in_a_step_is_told_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    assert wrong(tmp_path, with_step(line)) == [(11, reason)]
