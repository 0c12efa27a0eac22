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


CHOICES = "question: {name: guess, text: Where?, choices: [here, there, 'no'], answer: "


@pytest.mark.parametrize("answer", ["there", "1", '"there"'])
def test_the_right_choice_is_named_by_its_text_or_its_place(tmp_path: Path, answer: str) -> None:
    (question, _) = (step.question for step in read(tmp_path, with_step(CHOICES + answer + "}")).steps)
    assert question is not None
    assert (question.choices, question.answer) == (("here", "there", "no"), "there")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (CHOICES + "3}", "there is no choice 3: they are counted from 0 to 2"),
        (CHOICES + "-1}", "there is no choice -1: they are counted from 0 to 2"),
        (CHOICES + "ther}", "'ther' is none of the choices; did you mean 'there'?"),
        (CHOICES + "[1]}", "'answer' must be a text, not [1]"),
        (CHOICES + "1, usual: 3}", "usual goes with a number, not with choices"),
        (CHOICES + "1, because: '{{gues}}'}", "{{gues}} is used before it is captured"),
        ("question: {name: guess, text: W, choices: [a, b]}", "choices need an answer: the right one"),
        ("question: {name: guess, text: W, choices: [a], answer: a}", "needs at least two choices"),
        ("question: {name: guess, text: W, choices: [], answer: a}", "needs at least two choices"),
        ("question: {name: guess, text: W, choices: [a, a], answer: a}", "has the choice 'a' twice"),
        ("question: {name: guess, text: W, choices: [a, b, c, d, e, f, g], answer: a}", "is too long: at most 6"),
        (
            "question: {name: guess, text: W, choices: ['1', '2', '3'], answer: 1}",
            "the text of another; write the text",
        ),
        ("question: {name: guess, text: W, choices: [1, 2], answer: 1}", "'choices' must be a text, not 1"),
        ("question: {name: guess, text: W, answer: 1}", "'answer' must be a text, not 1"),
        ("question: {name: guess, text: W, answer: a}", "an answer goes with choices; a number is measured"),
        ("question: {name: rate, text: W}", "the name rate is taken already"),
        ("question: {name: guess, text: 'Why {{guess}}?'}", "{{guess}} is used before it is captured"),
    ],
)
def test_what_is_wrong_with_a_question(tmp_path: Path, line: str, reason: str) -> None:
    found = wrong(tmp_path, with_step(line))
    assert [(n, r) for n, r in found if n == 11 and reason in r], found


def test_a_choice_is_known_to_no_command_and_a_number_is(tmp_path: Path) -> None:
    """Nobody is asked for a choice in a run."""
    number = with_step("question: {name: guess, text: W}").replace("docker service ls", "echo {{guess}}")
    assert wrong(tmp_path, number) == []
    choice = with_step(CHOICES + "1}").replace("docker service ls", "echo {{guess}}")
    assert wrong(tmp_path, choice) == [(10, "{{guess}} is used before it is captured")]
