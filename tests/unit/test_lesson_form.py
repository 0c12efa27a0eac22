"""The form of a lesson: what a step may say and ask besides its command, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.lesson.course import check_paths, load_lesson
from lab.lesson.model import Lesson
from lab.lesson.notes import notes_markdown
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
        ("notes: 3", "'notes' must be a mapping (key: value), not 3"),
        ("notes: ''", "'notes' is empty"),
        ("notes: {point_at: The dip.}", "'notes' of step 1 has no 'say'"),
        ("notes: {say: S, asks: x}", "'notes' of step 1 has the unknown key 'asks'; did you mean 'ask'?"),
        ("notes: {say: S, ask: 3}", "'ask' must be a text, not 3"),
        ("notes: {say: S, if_it_fails: 'r on {{box}}'}", "{{box}} is used before it is captured"),
        ("ways: docker ps", "'ways' must be a list, not \"docker ps\""),
        ("ways: ['']", "'ways' is empty"),
        ("ways: ['docker kill {{box}}']", "{{box}} is used before it is captured"),
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


QUIZ = "quiz:\n  - {ask: What?, choices: [a, b], answer: 1, because: So., step: "


def test_what_stands_around_the_steps(tmp_path: Path) -> None:
    text = GOOD + "version: 3\nkubernetes: A Deployment.\nrecap: [One., Two.]\nterms: {task: A container.}\n"
    lesson = read(tmp_path, text + QUIZ + "two}\n")
    assert (lesson.version, lesson.kubernetes, lesson.recap) == (3, "A Deployment.", ("One.", "Two."))
    assert (lesson.terms, lesson.quiz[0].answer, lesson.quiz[0].step) == ({"task": "A container."}, "b", "two")
    assert read(tmp_path, GOOD).version == 1


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("version: 0\n", 19, "'version' must be at least 1, not 0"),
        ("version: one\n", 19, "'version' must be a whole number"),
        ("kubernetes: |\n  Two\n  lines\n", 19, "'kubernetes': must be one line"),
        ("kubernetes: '{{box}}'\n", 19, "{{box}} is never captured"),
        ("recap: One.\n", 19, "'recap' must be a list"),
        ("recap:\n  - a\n  - b\n  - c\n  - d\n  - e\n  - f\n", 19, "'recap' is too long: at most 5"),
        ("recap:\n  - a\n  - 'On {{box}}.'\n", 21, "{{box}} is never captured"),
        ("terms:\n  task: 3\n", 20, "'task' must be a text, not 3"),
        ("terms:\n  task: '{{box}}'\n", 20, "{{box}} is never captured"),
        ("terms: [task]\n", 19, "'terms' must be a mapping (key: value)"),
        (QUIZ + "twoo}\n", 20, "there is no step twoo; did you mean 'two'?"),
        (QUIZ + "two, step2: x}\n", 20, "quiz 1 has the unknown key 'step2'; did you mean 'step'?"),
        ("quiz:\n  - {ask: What?, choices: [a, b], answer: c, step: one}\n", 20, "'c' is none of the choices"),
        ("quiz:\n  - {ask: What?, choices: [a, b], step: one}\n", 20, "quiz 1 has no 'answer'"),
        ("quiz:\n  - {ask: 'On {{box}}?', choices: [a, b], answer: a, step: one}\n", 20, "{{box}} is never captured"),
    ],
)
def test_what_is_wrong_around_the_steps(tmp_path: Path, text: str, line: int, reason: str) -> None:
    found = wrong(tmp_path, GOOD + text)
    assert [(n, r) for n, r in found if n == line and reason in r], found


def test_another_way_is_held_to_what_holds_for_the_command(tmp_path: Path) -> None:
    way = "ways: ['docker service ls -q', \"echo '{{box}}'\"]"
    capture = "capture: {box: {service: web, take: container}}"
    assert wrong(tmp_path, with_step(capture, way)) == [
        (7, "step 1: {{box}} stands inside quotes: a captured value is put in as one word, in quotes")
    ]
    assert read(tmp_path, with_step(capture, "ways: ['docker kill {{box}}']")).steps[0].ways == ("docker kill {{box}}",)
    acting = GOOD.replace("    act: {stop: node4}\n", "    act: {stop: node4}\n    ways: [docker ps]\n")
    assert wrong(tmp_path, acting) == [(13, "step 2: ways go with run or solution")]


def test_a_step_without_a_command_is_the_learners_turn(tmp_path: Path) -> None:
    plain, _ = read(tmp_path, GOOD.replace(STEP, "")).steps
    assert plain.your_turn and plain.command is None and plain.checks == plain.then
    solved, acting = read(tmp_path, GOOD.replace(STEP, "    solution: docker ps\n    on: node2\n")).steps
    assert solved.your_turn and solved.command == "docker ps" and not acting.your_turn


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("    then: [{exit: 0}]\n", "exit and output go with run"),
        ("    then: [{output: {contains: x}}]\n", "exit and output go with run"),
        ("    on: node2\n", "on goes with run or solution"),
        ("    ways: [docker ps]\n", "ways go with run or solution"),
        ("    capture: {id: {output: '(x)'}}\n", "a capture from the output goes with run"),
        ("    solution: echo '{{box}}'\n", "{{box}} stands inside quotes"),
        ("    solution: echo {{box}}\n", "{{box}} is used before it is captured"),
        (STEP + "    solution: docker ps\n", "solution goes with a step that has neither run nor act"),
    ],
)
def test_what_is_wrong_with_the_learners_turn(tmp_path: Path, lines: str, reason: str) -> None:
    checks = "    then:\n      - running: {service: web, exactly: 3}\n"
    text = GOOD.replace(STEP, lines)
    found = wrong(tmp_path, text.replace(checks, "", 1) if "then: [" in lines else text)
    assert [r for _, r in found if reason in r], found


def test_notes_are_a_text_or_parts_in_a_fixed_order(tmp_path: Path) -> None:
    parts = "notes: {if_it_fails: Press r., ask: Who?, while_it_runs: Wait., point_at: That., say: This.}"
    found = read(tmp_path, with_step(parts)).steps[0].notes
    assert notes_markdown(found).split("\n\n") == [
        "**Say:** This.",
        "**Point at:** That.",
        "**While it runs:** Wait.",
        "**Ask:** Who?",
        "**If it fails:** Press r.",
    ]
    assert notes_markdown(read(tmp_path, with_step("notes: Only this.")).steps[0].notes) == "Only this."
    assert notes_markdown(None) == ""


def test_a_wrong_part_of_the_notes_is_told_with_its_own_line(tmp_path: Path) -> None:
    assert wrong(tmp_path, with_step("notes:", "  say: S", "  asks: x")) == [
        (13, "'notes' of step 1 has the unknown key 'asks'; did you mean 'ask'?")
    ]


SYLLABUS = "title: T\nlessons: [good]\ntopics:\n  - {id: scaling, title: T, slides: [S]}\npaths:\n"


@pytest.mark.parametrize(
    ("path", "line", "reason"),
    [
        ("  talk: {title: T, minutes: 5, steps: [good, 'good:two']}\n", 0, ""),
        ("  talk:\n    title: T\n    minutes: 5\n    steps:\n      - good\n      - god\n", 11, "no lesson god; did"),
        ("  talk:\n    title: T\n    minutes: 5\n    steps:\n      - good:tow\n", 10, "good has no step tow; did you"),
        ("  talk: {title: T, minutes: 5, steps: []}\n", 6, "'steps' is empty"),
        ("  talk: {title: T, minutes: 5, steps: ['good:']}\n", 6, "'steps' is \"good:\", which is not of the form"),
        ("  talk: {title: T, minute: 5, steps: [good]}\n", 6, "the unknown key 'minute'; did you mean 'minutes'?"),
        ("  The Talk: {title: T, minutes: 5, steps: [good]}\n", 6, "which is not of the form"),
        ("  - {id: talk, title: T, minutes: 5, steps: [good]}\n", 5, "'paths' must be a mapping (key: value)"),
    ],
)
def test_paths_lead_through_lessons_and_steps_that_are_there(tmp_path: Path, path: str, line: int, reason: str) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "syllabus.yaml").write_text(SYLLABUS + path)
    found = [(problem.line, problem.reason) for problem in check_paths([tmp_path])[0]]
    assert [(n, r) for n, r in found if n == line and reason in r] if reason else found == [], found
