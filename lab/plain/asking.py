"""Questions at the prompt: a numbered list, a number, yes or no. Pure: a typed line is an answer or is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.lesson.question import Question, QuizItem
from lab.lesson.standing import Attempt, describe_attempt
from lab.plain.line import EMPTY, Line, fill_text
from lab.plain.place import Place
from lab.session import UndoOffer

HIGHEST = 9_999_999


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: its lines, the prompt, and `read`, which returns an answer, or None for what is none; `again` then
    says what would be. Enter alone answers `usual`; without one it takes the question back."""

    lines: tuple[Line, ...]
    prompt: str
    read: Callable[[str], str | None]
    again: str
    usual: str | None = None


def before_step(place: Place, question: Question) -> Asked:
    """Return a step's question; the answer is the choice's text, or the number."""
    head = (EMPTY, Line("Before the step:", "head"), Line(fill_text(question.text, place.values), form="markdown"))
    if question.choices:
        return _list(head, [fill_text(each, place.values) for each in question.choices], question.choices)
    usual = place.values.get(question.name, str(question.usual))
    again = f"That is not a whole number from 0 to {HIGHEST}."
    return Asked(head, f"a number, Enter says {usual}, p goes back", _number, again, usual)


def quiz_item(place: Place, number: int, item: QuizItem) -> Asked:
    """Return a question of a lesson's end; the answer is the choice's text."""
    said = f"Question {number} of {len(place.lesson.quiz)}"
    head = (EMPTY, Line(f"{said}:", "head"), Line(fill_text(item.ask, place.values), form="markdown"))
    return _list(head, [fill_text(each, place.values) for each in item.choices], item.choices)


def judge_answer(place: Place, item: QuizItem, answer: str) -> tuple[Line, ...]:
    """Return what is said of an answer to a question of a lesson's end."""
    lines = [Line("That is right.", "good")]
    if answer != item.answer:
        lines = [Line(f"Not so. Right is: {fill_text(item.answer, place.values)}.", "bad")]
        shown = place.lesson.step(item.step)
        if shown is not None:
            number = place.place_of(item.step) + 1
            lines.append(Line(f"Step {number} shows it: {fill_text(shown.title, place.values)}."))
    if item.because:
        lines.append(Line(fill_text(item.because, place.values), form="markdown"))
    return tuple(lines)


def lessons(place: Place | None, known: Sequence[tuple[str, str]], challenges: Sequence[Attempt] = ()) -> Asked:
    """Return the choice of a lesson; the answer is its id. `known` are the ids, each with what is said of it. The
    challenges are begun by a command of their own."""
    ids = [id for id, _ in known]
    here = place.lesson.id if place is not None else ""
    shown = [f"{id}: {about}{' You are here.' if id == here else ''}" for id, about in known]
    told: list[Line] = [EMPTY, Line("The challenges, which swarmlab challenge NAME --plain begins:", "head")]
    for each in challenges:
        state = f", {state}" if (state := describe_attempt(each)) else ""
        told.append(Line(f"{each.challenge}: {each.lesson.title}, {each.lesson.minutes} minutes{state}."))
    return _list((*(told if challenges else ()), EMPTY, Line("The lessons:", "head")), shown, ids)


def reset(place: Place) -> Asked:
    """Return the choice of a point to reset to; the answer is a step's id, or "" for the lesson's start."""
    what = "Put the cluster back" if place.live else "Wind the recording back"
    points = [(place.step.id, "to the start of this step")] if place.step is not None and place.page > 0 else []
    points.append(("", "to the start of the lesson"))
    return _list((Line(f"{what}:"),), [words for _, words in points], [point for point, _ in points])


def undo(offer: UndoOffer) -> Asked:
    """Return the question whether that is to be taken back; the answer is "y"."""
    back = offer.sentence[:1].upper() + offer.sentence[1:] if offer.resets else f"Back {offer.sentence}"
    return Asked((Line(f"{back}?"),), "y or n", _read_yes, "Type y to do it, n to leave it as it is.")


def _list(head: tuple[Line, ...], shown: Sequence[str], answers: Sequence[str]) -> Asked:
    lines = (Line(words, lead=f"{number}. ") for number, words in enumerate(shown, 1))

    def read(typed: str) -> str | None:
        if _is_number(typed) and 1 <= int(typed) <= len(answers):
            return answers[int(typed) - 1]
        return typed if typed and typed in answers else None

    many = f"a number from 1 to {len(answers)}" if len(answers) > 1 else "1"
    return Asked((*head, *lines), f"{many}, Enter alone leaves it", read, f"That is not {many}.")


def _number(typed: str) -> str | None:
    return str(int(typed)) if _is_number(typed) else None


def _is_number(typed: str) -> bool:
    return typed.isascii() and typed.isdigit() and len(typed) <= len(str(HIGHEST))


def _read_yes(typed: str) -> str | None:
    return "y" if typed.lower() in ("y", "yes") else None
