"""What the lesson's pane says: the opening page, a step's text, the last page."""

from __future__ import annotations

from collections.abc import Iterator

from lab.tui import views
from lab.tui.prose import lines as prose
from lab.tui.reading import readings
from lab.tui.situation import Situation
from lab.tui.spans import Line, Tone, fit, stamp, wrap


def page(s: Situation, room: int) -> tuple[Line, ...]:
    """The page in sight."""
    if s.lesson is None:
        return tuple(_before(s, room))
    if s.step is not None:
        head: Line = ((f"Step {s.page + 1} of {s.count}", "quiet"),)
        title = wrap([(views.filled(s, s.step.title), "head")], room)
        text = prose(views.filled(s, s.step.text), room)
        return (head, *title, (), *text, *readings(s, room), *_question(s, room))
    return tuple(_opening(s, room) if s.page < 0 else _closing(s, room))


def _question(s: Situation, room: int) -> Iterator[Line]:
    """What the step asks first, and what was said to it."""
    if s.question is not None:
        yield ()
        for place, line in enumerate(prose(views.filled(s, s.question.text), room - 2)):
            yield (("  " if place else "? ", "lab"), *line)
        said = s.world.captured.get(s.question.name) if s.world else None
        if said is not None:
            yield (("  You said ", "quiet"), (said, "strong"), (".", "quiet"))


def crowded(s: Situation, room: int) -> tuple[Line, ...]:
    """The page with the step's card under it, for a pane too small to hold both at once."""
    return (*page(s, room), (), (("─" * room, "quiet"),), *views.card(s, room))


def nothing(s: Situation, room: int) -> tuple[Line, ...]:  # noqa: ARG001
    """No lines."""
    return ()


def _before(s: Situation, room: int) -> Iterator[Line]:
    yield (("swarmlab", "head"),)
    yield ()
    words = "The lesson is being opened." if s.busy or not s.ready else "No lesson is open. Press l to choose one."
    yield from wrap([(words, "")], room)


def _opening(s: Situation, room: int) -> Iterator[Line]:
    lesson = s.lesson
    if lesson is None:
        return
    yield from wrap([(lesson.title, "head")], room)
    yield ((f"{lesson.minutes} minutes, {s.count} steps", "quiet"),)
    yield ()
    yield from prose(lesson.about, room)
    yield ()
    yield from _steps(s, room)
    yield ()
    yield ("Enter", "lab"), (" begins.", "")


def _steps(s: Situation, room: int) -> Iterator[Line]:
    marks: dict[str, tuple[str, Tone]] = {
        "passed": ("✔", "run"), "failed": ("✘", "bad"), "running": ("◑", "move"), "stopped": ("■", "move"),
    }  # fmt: skip
    for place, step in enumerate(s.lesson.steps if s.lesson else ()):
        mark, tone = marks.get(s.state(place), ("○", "quiet"))
        record = s.record(place)
        took = f" {record.ended - record.began:6.1f} s" if record and record.ended and mark == "✔" else ""
        title = views.filled(s, step.title)
        yield fit(((f"{mark} ", tone), (f"{place + 1} {title}", "")), ((took, "quiet"),), room)


def _closing(s: Situation, room: int) -> Iterator[Line]:
    if s.lesson is None:
        return
    if s.finished:
        yield from wrap([(f"{s.lesson.title}: done", "head")], room, (("✔ ", "run"),))
        yield ((f"{s.count} steps, every check true, in {stamp(s.elapsed, False)}", "quiet"),)
    else:
        left = sum(s.state(place) != "passed" for place in range(s.count))
        yield (("The end of the lesson", "head"),)
        yield from wrap([(f"{left} of {s.count} steps are not done yet: p goes back to them.", "move")], room)
    yield ()
    yield from _steps(s, room)
    yield ()
    yield from _measured(s, room)
    after = s.next_lesson
    if after is not None:
        yield from wrap(
            [(f" opens the next lesson: {after.title} ({after.minutes} minutes).", "")], room, (("Enter", "lab"),)
        )
    else:
        yield from wrap([("This was the last lesson. ", ""), ("l", "lab"), (" shows them all.", "")], room)


def _measured(s: Situation, room: int) -> Iterator[Line]:
    """The times that this run took: from a task's making to its running, the quickest and the slowest."""
    world = s.world
    if world is None:
        return
    took = [t.changed - t.created for t in world.tasks.values() if t.state == "running" and t.changed > t.created]
    if took:
        text = f"From a task's making to its running: {min(took):.1f} to {max(took):.1f} s, {len(took)} tasks."
        yield from wrap([(text, "")], room, (("measured  ", "quiet"),))
        yield ()
