"""What a transcript tells of a lesson besides its tape: titles, what was to be seen, the ending."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.lesson.question import Question
from lab.schema import template
from lab.session.describe_lesson import after_text, find_lesson, lesson_text
from lab.tape.lesson_text import LessonText
from lab.tape.transcript import Transcript
from lab.tape.wrap_markdown import wrap_markdown
from lab.terminal.sanitize import text_only
from lab.world.entries import Captured, Entry, Fact, LessonOpened, StepMoved
from tests.course import LESSONS

TEXT = LessonText(
    titles={"one": "The first", "two": "The second"},
    afters={"one": "It ran on **{{node}}**."},
    recap=("All is well.", "On {{node}}, " + "too " * 20),
    terms={"task": "One container.", "slot": "A number."},
)


def told(*states: tuple[str, str], text: LessonText = TEXT) -> list[str]:
    """The transcript of steps that moved like this."""
    story = Transcript(text)
    moved = [StepMoved("a", step, state) for step, state in states]  # type: ignore[arg-type]
    facts: tuple[Fact, ...] = (LessonOpened("a"), Captured("node", "node2"), *moved)
    lines = [line for place, fact in enumerate(facts) for line in story.lines(Entry(float(place), fact))]
    return [*lines, *story.end()]


def test_a_step_is_told_with_its_title_and_once_passed_with_what_was_to_be_seen() -> None:
    lines = told(("one", "begun"), ("one", "passed"))
    assert "── one: The first ".ljust(80, "─") in lines
    assert lines[lines.index("✔ one passed after 1.0 s") + 1 :][:2] == ["", "  It ran on **node2**."]
    assert "In short" not in lines, "the second step has not passed"


def test_what_is_read_before_comes_before_the_first_step_and_before_each() -> None:
    text = LessonText(about="All of it.", befores={"one": "Look at {{node}}.\n\n- here\n- there"})
    lines = told(("one", "begun"), ("one", "passed"), ("two", "begun"), text=text)
    first, second = (lines.index(f"── {step} ".ljust(80, "─")) for step in ("one", "two"))
    assert lines[first - 3 : first] == ["", "  All of it.", ""]
    assert lines[first + 1 : second - 1] == [
        "",
        "  Look at node2.",
        "",
        "  - here",
        "  - there",
        "",
        "✔ one passed after 1.0 s",
    ]
    assert lines.count("  All of it.") == 1


def test_what_is_read_before_a_step_waits_for_the_values_that_the_step_captures() -> None:
    story = Transcript(LessonText(befores={"one": "Look at {{place}}."}))
    facts: tuple[Fact, ...] = (LessonOpened("a"), StepMoved("a", "one", "begun"), Captured("place", "node3"))
    told_of = [line for at, fact in enumerate(facts) for line in story.lines(Entry(float(at), fact))]
    assert told_of[-1] == "    place = node3"
    assert [*story.lines(Entry(9.0, StepMoved("a", "one", "passed")))][:3] == ["", "  Look at node3.", ""]
    unfinished = Transcript(LessonText(befores={"one": "Look."}))
    assert not [*unfinished.lines(Entry(0.0, StepMoved("a", "one", "begun")))][2:]
    assert "  Look." in [*unfinished.end()]


GIVEN = {"domain": "localhost", "http_port": "20180", "https_port": "20143", "tcp_port": "20190", "rate": "1"}


@pytest.mark.parametrize(
    ("uses", "line"),
    [
        (None, ["    domain = localhost, http_port = 20180, https_port = 20143, tcp_port = 20190,", "    rate = 1"]),
        (frozenset({"http_port", "rate", "node"}), ["    http_port = 20180, rate = 1"]),
        (frozenset({"node"}), []),
    ],
)
def test_of_the_given_values_those_that_the_lesson_uses_are_told_together(
    uses: frozenset[str] | None, line: list[str]
) -> None:
    facts: list[Fact] = [
        LessonOpened("a"),
        *(Captured(*each) for each in GIVEN.items()),
        StepMoved("a", "one", "begun"),
    ]
    facts.append(Captured("rate", "2"))
    story = Transcript(LessonText(uses=uses))
    lines = [line for at, fact in enumerate(facts) for line in story.lines(Entry(float(at), fact))]
    assert lines == ["", "LESSON a", "════════", *line, "", "── one ".ljust(80, "─"), "    rate = 2"]


def test_a_replay_begins_with_the_lesson_and_not_with_ports() -> None:
    for lesson in LESSONS:
        uses = lesson_text(lesson).uses
        assert uses is not None and uses == lesson_text(lesson, whole=True).uses
        wanted = {name for step in lesson.steps for name in template.placeholders(step.command or "")}
        assert wanted <= uses, lesson.id


def test_a_failed_step_says_nothing_of_it() -> None:
    assert "  It ran on **node2**." not in told(("one", "begun"), ("one", "failed"))


def test_the_ending_comes_when_every_step_has_passed() -> None:
    lines = told(("one", "begun"), ("one", "passed"), ("two", "begun"), ("two", "passed"))
    assert lines[lines.index("In short") - 1 :] == [
        "",
        "In short",
        "  · All is well.",
        f"  · On node2, {'too ' * 15}too",
        "    too too too too",
        "",
        "Terms",
        "  task  One container.",
        "  slot  A number.",
    ]


def test_without_a_lesson_nothing_is_added() -> None:
    assert lesson_text(None) == LessonText() == lesson_text(find_lesson("no-such-lesson"))
    assert "── one ".ljust(80, "─") in told(("one", "begun"), text=LessonText())


def test_a_choice_is_told_with_the_right_one_and_why() -> None:
    plain = {"question": None, "after": None, "ways": ()}
    step = LESSONS[0].steps[0].model_copy(update=plain)
    asks = Question(name="bet", text="Where?", choices=("here", "there"), answer="there", because="It is so.")
    text = after_text(step.model_copy(update={"question": asks, "after": "Seen."}))
    assert text == "Seen.\n\nQuestion: Where?\n\nAnswer: there\n\nIt is so."
    ways = after_text(step.model_copy(update={"ways": ("docker a \\\n  --b", "docker c")}))
    assert ways == "also:\n\n    docker a \\\n      --b\n\nalso: docker c"
    number = Question(name="bet", text="How many?", because="It is so.")
    assert after_text(step.model_copy(update={"question": number})) == "It is so."


def test_a_whole_lesson_asks_before_a_step_and_answers_after_it() -> None:
    asks = Question(name="bet", text="Where?", choices=("here", "there"), answer="there", because="It is so.")
    step = LESSONS[0].steps[0].model_copy(update={"text": "Look.", "question": asks, "after": "Seen.", "ways": ()})
    lesson = LESSONS[0].model_copy(update={"title": "One", "about": "All of it.", "minutes": 1, "steps": (step,)})
    text = lesson_text(lesson.model_copy(update={"kubernetes": "a Pod"}), whole=True)
    assert text.about == "One: 1 minute, 1 step\n\nAll of it.\n\nIn Kubernetes: a Pod"
    assert text.befores == {step.id: "Look.\n\nQuestion: Where?\n\n- here\n- there"}
    assert text.afters == {step.id: "Seen.\n\nAnswer: there\n\nIt is so."}
    assert not lesson_text(lesson).befores


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_lessons_titles_fit_their_line(lesson: object) -> None:
    text = lesson_text(lesson)  # type: ignore[arg-type]
    lines = told(*((step, "begun") for step in text.titles), text=text)
    assert [line for line in lines if len(line) > 80] == []


def test_markdown_is_wrapped_and_stays_markdown() -> None:
    text = """\
A paragraph that was
wrapped early.

- an item that goes on
  in the next line
  - one below it
1. counted

```sh
docker service ls    # as it is
```
"""
    assert list(wrap_markdown(text, 40, "  ")) == [
        "  A paragraph that was wrapped early.",
        "",
        "  - an item that goes on in the next",
        "    line",
        "    - one below it",
        "  1. counted",
        "",
        "  ```sh",
        "  docker service ls    # as it is",
        "  ```",
    ]


@given(st.text(max_size=300), st.integers(1, 100))
def test_any_text_can_be_wrapped(text: str, width: int) -> None:
    lines = list(wrap_markdown(text, width, " "))
    assert all("\n" not in line and "\x1b" not in line for line in lines)
    assert "".join("".join(lines).split()) == "".join(text_only(text).split()), "no word is lost"
