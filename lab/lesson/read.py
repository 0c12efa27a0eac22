"""One YAML file as a lesson or the syllabus, with a line and a sentence for everything that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from lab import paths
from lab.errors import InputError
from lab.lesson.challenge import Challenge, fill_challenge, place_in_file
from lab.lesson.model import Lesson, Step
from lab.lesson.notes import notes_markdown
from lab.lesson.syllabus import Syllabus
from lab.schema import diagnostics, document, template
from lab.schema.diagnostics import Problems
from lab.schema.document import Document, Place
from lab.schema.value import Value

V = TypeVar("V", bound=Value)


@dataclass(frozen=True)
class ParsedFile(Generic[V]):
    """A file's value and the document it was read from, for problems that appear only in relation to other files."""

    value: V
    document: Document

    def problem(self, reason: str, *place: str | int) -> InputError:
        """Return an error about a place in the file."""
        return InputError(reason, path=self.document.path, line=self.document.line(place))


def read_lesson(path: Path, text: str | None = None) -> ParsedFile[Lesson]:
    """Read a lesson file, or `text` as its content. Raises Problems with everything that is wrong."""
    return _model(Lesson, path, _lesson_problems, text)


def read_challenge(path: Path, text: str | None = None) -> ParsedFile[Challenge]:
    """Read a challenge's file, or `text` as its content. Raises Problems with everything that is wrong."""
    return _model(Challenge, path, _challenge_problems, text)


def read_syllabus(path: Path) -> ParsedFile[Syllabus]:
    """Read the syllabus file. Raises Problems."""
    return _model(Syllabus, path, _syllabus_problems)


def _model(
    model: type[V], path: Path, more: Callable[[ParsedFile[V]], Iterator[InputError]], text: str | None = None
) -> ParsedFile[V]:
    try:
        doc = document.read(path, text)
        plain = json.dumps(doc.data)
        read = ParsedFile(
            model.model_validate_json(plain, context={"folder": path.parent, "stacks": paths.stacks()}), doc
        )
    except ValidationError as error:
        raise Problems(list(diagnostics.model_problems(model, error, doc))) from None
    except InputError as problem:
        raise Problems([problem]) from None
    if problems := diagnostics.limit_problems(diagnostics.take_first(more(read), path), path):
        raise Problems(problems)
    return read


def _lesson_problems(read: ParsedFile[Lesson]) -> Iterator[InputError]:
    """Yield the problems that no single part of a lesson can detect."""
    value, doc, at = read.value, read.document, read.problem
    if value.needs.managers > value.needs.nodes:
        yield at("needs more managers than nodes", "needs")
    seen: dict[str, int] = {}
    asked: set[str] = set()
    known = set(template.GIVEN)
    now = value.start
    for index, step in enumerate(value.steps):
        if step.id in seen:
            line = doc.line(("steps", seen[step.id], "id"))
            yield at(f"duplicate step id {step.id}; first used in line {line}", "steps", index, "id")
        seen.setdefault(step.id, index)
        yield from (at(wrong, "steps", index, *place) for wrong, place in _unknown(step, known))
        if step.question is not None and step.question.name in known | asked | step.capture.keys():
            yield at(f"the name {step.question.name} is taken already", "steps", index, "question", "name")
        yield from (at(wrong, "steps", index, "promises", n, "text") for n, wrong in _unsaid(step, value))
        asked |= {step.question.name} if step.question else set()
        known |= {*step.capture, *_list_said(step)}
        if step.leaves is not None:
            try:
                now = step.leaves.apply_to(now)
            except ValidationError as error:
                first = dict(error.errors(include_url=False)[0])
                inner: Place = error.errors()[0]["loc"]
                wrong = f"the checkpoint after this step makes no sense: {diagnostics.describe_error(first, inner)}"
                yield at(wrong, "steps", index, "leaves", *inner)
    yield from (at(wrong, *place) for wrong, place in _around(value, known))


def _challenge_problems(read: ParsedFile[Challenge]) -> Iterator[InputError]:
    """Yield what is wrong with the lessons that a challenge becomes, one for each cause."""
    value, at = read.value, read.problem
    for index, variant in enumerate(value.variants):
        if variant.id in {each.id for each in value.variants[:index]}:
            yield at(f"{variant.id} stands twice", "variants", index, "id")
        try:
            fill_challenge(value, {name: options[0] for name, options in value.picks.items()}, variant)
        except ValidationError as error:
            first = dict(error.errors(include_url=False)[0])
            inner: Place = error.errors()[0]["loc"]
            place = place_in_file(inner)
            yield at(diagnostics.describe_error(first, inner), *(place or ("variants", index)))
            return


def _around(lesson: Lesson, known: set[str]) -> Iterator[tuple[str, Place]]:
    """Yield what is wrong with the texts around the steps: at the lesson's end, every value is known."""
    ids = [step.id for step in lesson.steps]
    for index, item in enumerate(lesson.quiz):
        if item.step not in ids:
            yield f"there is no step {item.step}{diagnostics.did_you_mean(item.step, ids)}", ("quiz", index, "step")
    texts: list[tuple[Place, str, Iterable[str]]] = [(("kubernetes",), lesson.kubernetes or "", template.GIVEN)]
    texts += [(("recap", index), text, known) for index, text in enumerate(lesson.recap)]
    texts += [(("terms", word), text, known) for word, text in lesson.terms.items()]
    for index, item in enumerate(lesson.quiz):
        texts += [(("quiz", index), text, known) for text in (item.ask, *item.choices, item.because or "")]
    for place, text, there in texts:
        for name in template.placeholders(text):
            if name not in there and not template.is_given(name):
                yield f"{{{{{name}}}}} is never captured{diagnostics.did_you_mean(name, there)}", place


def _unsaid(step: Step, lesson: Lesson) -> Iterator[tuple[int, str]]:
    """Yield the promises that no text makes."""
    asks = step.question
    texts = (step.after or "", *((asks.answer or "", asks.because or "") if asks else ()), *lesson.recap)
    for place, promise in enumerate(step.promises):
        if not promise.is_in(texts):
            where = "the step's `after`, its question's answer or `because`, or `recap`"
            yield place, f"no text promises this: it is not in {where}, word for word"


def _unknown(step: Step, known: set[str]) -> Iterator[tuple[str, Place]]:
    """Yield the names used before they are captured. A value from the command's output exists only after the command, a
    question's answer before it."""
    asked, known = known, known | _list_said(step)
    early = {name for name, capture in step.capture.items() if capture.output is None}
    told, asks = set[str](), step.question
    groups: tuple[tuple[Place, Iterable[str], set[str]], ...] = (
        (("text",), (step.title, step.text), known | early),
        (("notes",), (notes_markdown(step.notes),), known | early),
        (("reads",), tuple(block.says for block in step.reads), known | early),
        (("run",), (step.run or "",), known | early),
        (("solution",), (step.solution or "",), known | early),
        (("ways",), step.ways, known | early),
        (("on",), (step.on,), known | early),
        (("question",), (asks.text, *asks.choices) if asks else (), asked | early),
        (("question", "because"), (asks.because or "",) if asks else (), known | step.capture.keys()),
        (("after",), (step.after or "",), known | step.capture.keys()),
        (("act",), template.iter_strings(step.act.model_dump() if step.act else {}), known | early),
        (("capture",), template.iter_strings({k: c.model_dump() for k, c in step.capture.items()}), known),
        (
            ("then",),
            template.iter_strings([c.model_dump(exclude_unset=True) for c in step.then]),
            known | step.capture.keys(),
        ),
        (
            ("promises",),
            template.iter_strings([p.model_dump(exclude_unset=True) for p in step.promises]),
            known | step.capture.keys(),
        ),
        (
            ("keeps",),
            template.iter_strings([c.model_dump(exclude_unset=True) for c in step.keeps]),
            known | step.capture.keys(),
        ),
    )
    for place, texts, there in groups:
        for name in (n for text in texts for n in template.placeholders(text) if n not in there):
            if name not in told and not template.is_given(name):
                told.add(name)
                yield f"{{{{{name}}}}} is used before it is captured{diagnostics.did_you_mean(name, there)}", place


def _list_said(step: Step) -> set[str]:
    """Return the name of the number that the learner says. A choice is known only where somebody is asked."""
    return {step.question.name} if step.question is not None and not step.question.choices else set()


def _syllabus_problems(read: ParsedFile[Syllabus]) -> Iterator[InputError]:
    value = read.value
    groups = {
        "lessons": value.lessons,
        "topics": tuple(topic.id for topic in value.topics),
        "points": tuple(point.id for point in value.points),
        "not_covered": value.not_covered,
    }
    for group, ids in groups.items():
        for index, id in enumerate(ids):
            if id in ids[:index]:
                yield read.problem(f"{id} stands twice", group, index)
