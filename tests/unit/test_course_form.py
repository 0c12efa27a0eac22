"""What every lesson of the course has, so that no learner is left without help, and no speaker without words."""

from __future__ import annotations

from collections import defaultdict

import pytest

from lab import paths
from lab.lesson.hints import POINTER, SOLUTION, list_hints
from lab.lesson.model import Lesson
from lab.lesson.notes import Notes
from lab.tape.tape import load
from lab.world.entries import Checked, StepMoved
from tests.course import LESSONS

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.id for lesson in LESSONS])
#: Seconds that a speaker can be silent.
SILENCE = 10.0


@every_lesson
def test_it_ends_with_what_to_remember_and_three_questions(lesson: Lesson) -> None:
    assert lesson.kubernetes and lesson.terms
    assert len(lesson.recap) >= 3 and len(lesson.quiz) >= 3


@every_lesson
def test_each_step_tells_what_was_seen_and_each_command_another_way(lesson: Lesson) -> None:
    assert [step.id for step in lesson.steps if not step.after] == []
    assert [step.id for step in lesson.steps if step.command and not step.ways] == []


@every_lesson
def test_who_asks_before_anything_is_typed_gets_three_hints(lesson: Lesson) -> None:
    """Before those that every step has: the command's reference and, where it is the learner's turn, a solution."""
    found = defaultdict[str, list[str]](list)
    for entry in load(paths.recordings() / f"{lesson.id}.tape").entries:
        if isinstance(entry.fact, Checked) and entry.fact.phase == "before":
            found[entry.fact.step].append(entry.fact.why)
    told = {step.id: list_hints(step, found[step.id]) for step in lesson.steps if step.command}
    nudges = {step: sum(hint.id not in {POINTER, SOLUTION} for hint in hints) for step, hints in told.items()}
    assert {step: count for step, count in nudges.items() if count < 3} == {}


@every_lesson
def test_the_speaker_has_notes_for_each_step_and_words_for_each_wait(lesson: Lesson) -> None:
    began, took = dict[str, float](), dict[str, float]()
    for entry in load(paths.recordings() / f"{lesson.id}.tape").entries:
        match entry.fact:
            case StepMoved(state="begun") as moved:
                began[moved.step] = entry.at
            case StepMoved(state="passed") as moved:
                took[moved.step] = entry.at - began[moved.step]
    for step in lesson.steps:
        notes = step.notes
        assert isinstance(notes, Notes), step.id
        assert notes.point_at and notes.ask and notes.if_it_fails, step.id
        assert notes.while_it_runs or took[step.id] < SILENCE, step.id
