"""A recording against its lesson as it is now: what a tape itself shows, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lab.lesson.model import Lesson
from lab.run.runner import run_lesson
from lab.schema.diagnostics import Problems
from lab.session.compare_recording import check_recording, differences
from lab.tape.find import tapes
from lab.tape.tape import Header, Recorder, Tape, load
from lab.terminal.redact import Redactor
from lab.world.entries import Captured, Checked, CommandBegan, Entry, Fact, StepMoved
from lab.world.journal import Journal
from tests.course import LESSONS, recording
from tests.doubles.driver import ModelDriver
from tests.unit.test_lessons import PLAYED, reset

COURSE = {lesson.id: lesson for lesson in LESSONS}
RECORDED = tapes()


def plain(id: str) -> dict[str, Any]:
    return COURSE[id].model_dump(exclude_unset=True, mode="json")


def changed(id: str, change: Callable[[dict[str, Any]], object]) -> Lesson:
    """The lesson, another from now on."""
    data = plain(id)
    change(data)
    return Lesson.model_validate(data, strict=False)


def step(data: dict[str, Any], id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in data["steps"] if each["id"] == id)
    return found


def told(id: str, change: Callable[[dict[str, Any]], object]) -> list[str]:
    return [each.words for each in differences(recording(id), changed(id, change))]


@pytest.mark.parametrize("id", COURSE)
def test_every_shipped_recording_shows_its_lesson_as_it_is(id: str) -> None:
    assert check_recording(RECORDED[id]).header.lesson == id


@pytest.mark.parametrize("id", COURSE)
def test_a_step_with_another_command_or_act_is_told(id: str) -> None:
    """Of every step of every lesson, but for the learner's turns: any way is right there."""
    for each in (one for one in COURSE[id].steps if not one.your_turn):

        def change(data: dict[str, Any], id: str = each.id) -> None:
            one = step(data, id)
            if one.pop("act", None) is None:
                one["run"] = f"{one['run'].rstrip()} --and-more"
            else:
                one["act"] = {"heal": "node3"}

        (sentence,) = told(id, change)
        assert sentence.startswith(f"step `{each.id}`: the lesson now ")


def test_what_a_lesson_says_and_explains_may_change() -> None:
    def change(data: dict[str, Any]) -> None:
        data.update(title="Another", about="else", minutes=9)
        for each in data["steps"]:
            each.update(title="Another", text="else", notes="more", hints=[{"say": "look"}], bound=900.0, after="seen")
            if "choices" in each.get("question", {"choices": ()}):  # the answer to another one is a value
                each.update(question={"name": "bet", "text": "Where?", "choices": ["here", "there"], "answer": "here"})

    assert told("reconciliation", change) == []


def test_another_solution_is_told_and_none_is_held_against_nothing() -> None:
    def turn(data: dict[str, Any], **more: str) -> None:
        one = step(data, "up")
        del one["run"]
        one.pop("ways", None)
        one.update(more)

    no_exit = "step `up`: the lesson no longer checks that the command ends with exit status 0"
    assert told("scaling", turn) == [no_exit]
    assert told("scaling", lambda data: turn(data, solution="docker service scale web=6")) == [no_exit]
    other = told("scaling", lambda data: turn(data, solution="docker service scale web=7"))
    assert other == ["step `up`: the lesson now runs `docker service scale web=7`", no_exit]


def test_steps_that_are_new_gone_or_in_another_order_are_told() -> None:
    first, second, third = (each.id for each in COURSE["scaling"].steps[:3])
    assert told("scaling", lambda data: step(data, second).update(id="other")) == [
        "step `other`: the lesson now has this step, and the recording does not",
        f"step `{second}`: the lesson no longer has this step",
    ]
    swapped = told("scaling", lambda data: data["steps"].insert(0, data["steps"].pop(1)))
    assert [sentence for sentence in swapped if "in another order" in sentence] == [
        "the lesson's steps now come in another order: "
        + ", ".join([second, first, third, *(s.id for s in COURSE["scaling"].steps[3:])])
    ]


def test_other_checks_and_captures_are_told() -> None:
    def change(data: dict[str, Any]) -> None:
        one = next(each for each in data["steps"] if each.get("capture"))
        one["capture"] = {"surely_new": next(iter(one["capture"].values())), **one["capture"]}
        one["then"] = [{"node": {"name": "node2", "state": "down"}}, *one["then"][1:], {"exists": {"secret": "x"}}]

    sentences = told("first-service", change)
    assert any("the lesson now captures `surely_new`" in sentence for sentence in sentences)
    assert any("the lesson now checks that node2" in sentence for sentence in sentences)
    assert any("the lesson now checks that" in sentence and "x" in sentence for sentence in sentences)
    fewer = told("app-stack", lambda data: [each["then"].pop() for each in data["steps"] if len(each["then"]) > 1])
    assert any("the lesson no longer checks that" in sentence for sentence in fewer)
    gone = told("first-service", lambda data: [each.pop("capture", None) for each in data["steps"]])
    assert gone and all("the lesson no longer captures" in sentence for sentence in gone)


def test_another_load_is_told() -> None:
    lesson = COURSE["rolling-update"]
    loads = [each.id for each in lesson.steps if each.act is not None and each.act.load is not None]
    assert loads
    (sentence,) = told("rolling-update", lambda data: step(data, loads[0])["act"]["load"].update(rate=17.0))
    assert ", 17 a second" in sentence


@pytest.mark.parametrize("lesson", PLAYED, ids=[lesson.id for lesson in PLAYED])
def test_what_a_run_writes_is_what_is_looked_for(lesson: Lesson, tmp_path: Path) -> None:
    driver, journal = ModelDriver(), Journal()
    header = Header(title=lesson.title, lesson=lesson.id, recorded=datetime(2026, 11, 22, tzinfo=UTC))
    with Recorder(tmp_path / "a.tape", header, journal, redact=Redactor()):
        stop = driver.journal.read(lambda entry, _: journal.put_all([entry]))
        reset(driver, lesson)  # On the tape, too: without it nobody could tell that a node of the start is lost.
        assert run_lesson(lesson, driver).passed
        stop()
    found = differences(load(tmp_path / "a.tape"), lesson)
    # The model tells a fault in words of its own.
    assert [each.words for each in found if "the lesson now does" not in each.words] == []


def test_a_value_that_is_masked_on_the_tape_matches() -> None:
    lesson = changed("scaling", lambda data: data.update(steps=[step(data, "where") | {"run": "use {{token}} now"}]))
    (only,) = lesson.steps

    def tape(typed: str, token: str) -> Tape:
        header = Header(title="t", lesson=lesson.id, recorded=datetime(2026, 11, 22, tzinfo=UTC))
        facts: tuple[Fact, ...] = (
            Captured("token", token),
            StepMoved(lesson.id, only.id, "begun"),
            *(Checked(lesson.id, only.id, i, c.sentence, False, "", "before") for i, c in enumerate(only.checks)),
            CommandBegan(1, "node1", typed, only.id),
        )
        return Tape(header, tuple(Entry(float(at), fact) for at, fact in enumerate(facts)))

    assert differences(tape("use abc now", "abc"), lesson) == ()
    assert differences(tape("use 'a b' now", "a b"), lesson) == ()
    assert differences(tape("use ••••• now", "•••••"), lesson) == ()
    assert differences(tape("use '•••••' now", "•••••"), lesson) == ()
    assert len(differences(tape("use ••••• then", "•••••"), lesson)) == 1
    assert len(differences(tape("use abd now", "abc"), lesson)) == 1


def test_the_sentence_names_the_tape_the_step_and_what_to_do(tmp_path: Path) -> None:
    tape = recording("secrets")
    fact = next(entry.fact for entry in tape.entries if isinstance(entry.fact, CommandBegan))
    journal = Journal(clock=lambda: 0.0)
    with Recorder(tmp_path / "secrets.tape", tape.header, journal, redact=Redactor()):
        other = replace(fact, text="docker ps")
        journal.put_all(replace(e, fact=other) if e.fact is fact else e for e in tape.entries)
    with pytest.raises(Problems) as caught:
        check_recording(tmp_path / "secrets.tape")
    (problem,) = caught.value.problems
    assert problem.sentence.startswith(f"{tmp_path}/secrets.tape:")
    assert f"step `{fact.step}`: the lesson now runs `" in problem.sentence
    assert problem.sentence.endswith("record it again: swarmlab record secrets")


def test_a_tape_of_a_lesson_that_is_not_in_the_course_is_only_checked_as_a_tape(tmp_path: Path) -> None:
    tape = recording("secrets")
    header = tape.header.model_copy(update={"lesson": "somebody-elses"})
    journal = Journal(clock=lambda: 0.0)
    with Recorder(tmp_path / "a.tape", header, journal, redact=Redactor()):
        journal.put_all(tape.entries)
    assert check_recording(tmp_path / "a.tape").header.lesson == "somebody-elses"
