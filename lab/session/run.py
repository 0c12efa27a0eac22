"""Lessons without a screen: `swarmlab run`, `record` and `reset` on an existing cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lab import __version__
from lab.cluster import api
from lab.cluster.model import Progress, Report, silent
from lab.errors import LabError
from lab.lesson import progress
from lab.lesson.model import Lesson
from lab.run.results import LessonResult
from lab.run.runner import run_lesson
from lab.session.break_silently import begin_load, break_silently
from lab.session.cluster_driver import ClusterDriver
from lab.session.describe_lesson import find_lesson, lesson_text
from lab.session.live import TYPING
from lab.session.reset_to import By, Done, keep_checkpoint, reset_to
from lab.session.standings import identify
from lab.tape.find import SUFFIX
from lab.tape.tape import Header, Recorder
from lab.tape.transcript import Transcript
from lab.terminal.redact import Redactor
from lab.text import count_of
from lab.world.entries import Entry, Progressed
from lab.world.journal import Journal
from lab.world.world import World


@contextmanager
def open_driver(
    name: str,
    journal: Journal | None = None,
    *,
    typing: float = 0.0,
    look: bool = True,
    redactor: Redactor | None = None,
    events: bool = True,
) -> Iterator[ClusterDriver]:
    """Open a driver of the cluster `name` and watch its swarm (and the engines' events, with `events`); with `look`, a
    first look is in the journal.

    `redactor` learns the secrets of the session, for anything else that saves the journal. Raises MissingError when
    there is no such cluster, EngineError when no manager answers the first look.
    """
    driver = ClusterDriver(api.find(name), journal or Journal(), typing=typing, redactor=redactor, events=events)
    driver.start()
    try:
        if look:
            driver.look()
        yield driver
    finally:
        driver.close()


def reset_cluster(
    name: str,
    lesson: Lesson,
    step: str | None,
    *,
    dry_run: bool = False,
    by: By = "auto",
    report: Report = silent,
    held: bool = False,
) -> Done:
    """Reset a cluster to a checkpoint, and report progress to `report`; one that took long is kept as a snapshot. At
    the start of a challenge, break it; `held`: what is broken of the network ends with this process.

    Raises BusyError when another swarmlab is working on it."""
    to = f"{lesson.id}:{step}" if step else lesson.id
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(api.at_work(name, f"resetting to {to}"))
        driver = stack.enter_context(open_driver(name, look=False, events=False))

        def tell(entry: Entry, _: World) -> None:
            if isinstance(entry.fact, Progressed):
                report(Progress(entry.fact.stage, entry.fact.text, entry.fact.done))

        driver.journal.read(tell)
        done = reset_to(driver, lesson, step, dry_run=dry_run, by=by)
        if not dry_run:
            try:
                keep_checkpoint(driver, lesson, step, done, report)
            except LabError as error:  # The cluster is at the checkpoint, which is what was asked for.
                report(Progress("snapshot", f"no snapshot of it was kept: {error.sentence}", 1.0))
            break_silently(driver, lesson, step, held=held)
    if not dry_run:
        progress.forget_step(name, lesson, step or "")
        progress.record_cluster(name, lesson, identify(driver.cluster.status()))
        if lesson.broken is None and find_lesson(lesson.id) is not None:  # Elsewhere it is known by its file alone.
            progress.record_opened(name, lesson.id)
    return done


def go_through(
    name: str, lesson: Lesson, say: Callable[[str], None], *, until: str | None = None, tape: Path | None = None
) -> LessonResult:
    """Reset to the lesson's start, then go through every step strictly: each check false before and true after.

    The transcript goes to `say` as it happens, without the session's secrets. With `tape`, the lesson's journal is
    saved there; an interrupted one too, marked as unfinished.
    """
    # One for the whole session, created before anything is written: the tape also masks what the driver learned for the
    # reset.
    redactor = Redactor()
    with open_driver(name, look=False, redactor=redactor, events=False) as driver:
        reset_to(driver, lesson)
        break_silently(driver, lesson)
    journal, story = Journal(), Transcript(lesson_text(lesson))

    def tell(entry: Entry, _: World) -> None:
        for line in story.lines(entry):
            say(redactor.whole(line))

    journal.read(tell)
    recorder = Recorder(tape, make_header(name, lesson), journal, redact=redactor) if tape is not None else None
    with ExitStack() as stack:
        if recorder is not None:
            stack.enter_context(recorder)
        typing = TYPING if tape else 0.0
        look = lesson.broken is None  # A challenge may leave no manager that answers.
        driver = stack.enter_context(open_driver(name, journal, typing=typing, look=look, redactor=redactor))
        begin_load(driver, lesson)
        result = run_lesson(lesson, driver, until=until)
        driver.remember(id for step in result.steps for id in step.created)
    for line in story.end():
        say(redactor.whole(line))
    if recorder is not None and recorder.left_out:
        say(f"The recording leaves out {count_of(recorder.left_out, 'thing')} that no tape can hold.")
    return result


def record_passed(name: str, lesson: Lesson, say: Callable[[str], None], folder: Path) -> LessonResult:
    """Go through a lesson as `go_through` does, and save its tape in `folder`. The tape of a lesson that did not pass
    is LESSON.failed.tape; an older one stays until the lesson has passed."""
    failed = folder / f"{lesson.id}.failed{SUFFIX}"
    result = go_through(name, lesson, say, tape=failed)
    if result.passed:
        failed.replace(folder / f"{lesson.id}{SUFFIX}")
    return result


def make_header(name: str, lesson: Lesson) -> Header:
    """Return the first line of a recording, for a lesson about to be recorded on a cluster."""
    status = api.find(name).status()
    return Header(
        title=lesson.title,
        lesson=lesson.id,
        recorded=datetime.now(UTC),
        lab=__version__,
        provider=status.provider,
        acceleration=status.acceleration,
        nodes=len(status.nodes),
    )
