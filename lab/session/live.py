"""A live stage: a lesson on a real cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from types import MappingProxyType

from lab.cluster import api
from lab.cluster.model import Cluster, ClusterStatus
from lab.errors import Cancelled, InputError, LabError
from lab.lesson import progress
from lab.lesson.course import load_course
from lab.lesson.find_challenge import challenges, draw_seed, find_attempts, find_challenge
from lab.lesson.model import Lesson
from lab.lesson.standing import Attempt, Standing
from lab.panes import CLUSTER, find_pane
from lab.run.capture import captures_before
from lab.run.results import StepResult
from lab.run.runner import marks_needed, open_lesson, run_step, sources_needed
from lab.session import UndoOffer
from lab.session.break_silently import begin_load, break_silently
from lab.session.cluster_driver import ClusterDriver
from lab.session.draft import first_changed
from lab.session.reset_to import Done, reset_to
from lab.session.standings import find_drift, find_standings, identify
from lab.session.step_snapshots import StepSaver, find_undo, forget_from, take_back
from lab.session.step_watcher import StepWatcher
from lab.text import count_of
from lab.world.entries import Captured, HintTaken, StepMoved
from lab.world.journal import Journal
from lab.world.load import LoadSpec
from lab.world.traefik_services import open_hosts

#: Seconds that a command which the user typed has: such as one that follows a log, until Ctrl-C.
_BY_HAND = 3600.0
#: Seconds between two characters when the lab types a command that people watch.
TYPING = 0.018


class LiveStage:
    """`lab.session.Stage` on a cluster. One step at a time: a second `play` waits for the first. With `saves`, the
    cluster is saved before each step, while the person reads, so that the step can be taken back. `lessons` are offered
    in place of the course's; the lab does not come back to them by itself."""

    live = True

    def __init__(
        self,
        cluster: Cluster,
        *,
        journal: Journal | None = None,
        typing: float = TYPING,
        saves: bool = False,
        lessons: tuple[Lesson, ...] | None = None,
    ) -> None:
        self.journal = journal or Journal()
        self.cluster = cluster
        status = cluster.status()
        self.title, self._made = format_heading(status), identify(status)
        self.driver = ClusterDriver(cluster, self.journal, typing=typing)
        self._course = load_course() if lessons is None else lessons
        self._in_course = lessons is None
        self._lesson: Lesson | None = None
        self._drawn: dict[str, int] = {}
        self._view = CLUSTER
        self._busy = threading.Lock()
        self._saver = StepSaver(self.driver, self._turn) if saves and cluster.snapshots is not None else None
        self._watcher = StepWatcher(self.driver, self._note_passed)
        self._showing = threading.Lock()
        self._shown, self._offered, self._acts = "", "", False
        self.driver.start()
        self._watcher.start()
        if self._saver is not None:
            self._saver.start()

    def lessons(self) -> tuple[Lesson, ...]:
        """See `Stage.lessons`."""
        return self._course

    def open(self, lesson: str) -> Lesson:
        """See `Stage.open`. Steps passed before are written as passed."""
        found = next((each for each in self._course if each.id == lesson), None) or find_challenge(lesson)
        if found is None:
            raise InputError(
                f"there is no lesson {lesson}", remedy=f"the lessons are: {', '.join(x.id for x in self._course)}"
            )
        self._watcher.pause()
        self._shown = ""
        self._lesson = found
        self.show(self._view)
        self._write_opened(found)
        begin_load(self.driver, found)
        if self._in_course and not found.broken:
            progress.record_opened(self.cluster.name, found.id)
        if not progress.passed_steps(self.cluster.name, found):
            self._forget_from(found)
        self._save_soon(found)
        return found

    def standings(self) -> Mapping[str, Standing]:
        """See `Stage.standings`."""
        return dict(find_standings(self.driver, self._course))

    def challenges(self) -> tuple[Attempt, ...]:
        """See `Stage.challenges`."""
        every = challenges().values() if self._in_course else ()
        return tuple(find_attempts(self.cluster.name, every, self._drawn))

    def begin(self, challenge: str, *, new: bool = False) -> Lesson:
        """See `Stage.begin`."""
        attempt = next((each for each in self.challenges() if each.challenge == challenge), None)
        if attempt is None:
            raise InputError(f"there is no challenge {challenge}", remedy="swarmlab challenge lists them")
        seed, before = draw_seed() if new else attempt.seed, self._lesson
        lesson = self.open(f"{challenge}-{seed}")
        try:
            self.reset()
        except BaseException:
            if before is not None:
                self.open(before.id)
            raise
        progress.record_seed(self.cluster.name, challenge, seed)
        return lesson

    def find_drift(self) -> str:
        """See `Stage.find_drift`."""
        return find_drift(self.driver, self._need_lesson(), self._made)

    def take_hint(self, step: str, hint: str) -> None:
        """See `Stage.take_hint`."""
        lesson = self._need_lesson()
        self.journal.write(HintTaken(lesson.id, step, hint))
        progress.take_hint(self.cluster.name, lesson, step, hint)

    def revise(self, lesson: Lesson) -> bool:
        """See `DraftStage.revise`. Steps that do something else now, and those after them, are to be passed again."""
        turn = self._turn()
        if turn is None:
            return False
        with turn:
            self._watcher.pause()
            before, self._course = self._lesson, (lesson,)
            if before is None or before.id != lesson.id:
                return True
            self._lesson = lesson
            changed = first_changed(before, lesson)
            if changed is not None:
                progress.forget_step(self.cluster.name, lesson, changed)
                self._write_opened(lesson, self.journal.world.lesson.captured)
                self._forget_from(lesson, changed)
        self.show(self._view)
        self._save_soon(lesson)
        self._watch_shown()
        return True

    def play(self, step: str) -> None:
        """See `Stage.play`."""
        lesson = self._need_lesson()
        found = lesson.step(step)
        if found is None:
            raise InputError(f"lesson {lesson.id} has no step {step}")
        self.driver.begin()
        with self._take_turn():
            self._check_stopping()
            if self._has_passed(lesson, step):
                return  # It passed by itself while this waited for its turn.
            if self._saver is not None:
                self._saver.want("", "")
            try:
                with api.at_work(self.cluster.name, f"running step {step} of {lesson.id}"):
                    result = run_step(lesson, found, self.driver, strict=False)
            except Cancelled:
                self.journal.write(StepMoved(lesson.id, step, "failed", "stopped"))
            except LabError as error:
                self.journal.write(StepMoved(lesson.id, step, "failed", str(error)))
            else:
                self._remember(lesson, result)
            # After a step that failed, too: what is then tried by hand can be taken back without the step.
            self._save_soon(lesson)

    @contextmanager
    def _take_turn(self) -> Iterator[None]:
        """Hold the stage's turn, in which no step is watched; afterwards the one whose page is shown is again."""
        with self._busy:
            with self._showing:
                self._acts = True
                self._watcher.pause()
            try:
                yield
            finally:
                self._acts = False
                self._watch_shown()

    def _check_stopping(self) -> None:
        if self.driver.is_stopping():  # while it waited for its turn
            raise Cancelled

    def show_step(self, step: str) -> None:
        """See `Stage.show_step`."""
        self._shown = step
        self._watch_shown()

    def _watch_shown(self) -> None:
        """Watch the step whose page is shown, unless it has passed; none while the stage acts."""
        with self._showing:
            if self._acts:
                return
            lesson = self._lesson
            found = lesson.step(self._shown) if lesson is not None else None
            if lesson is None or found is None or self._has_passed(lesson, found.id):
                self._watcher.pause()
            else:
                self._watcher.watch(lesson, found)

    def _has_passed(self, lesson: Lesson, step: str) -> bool:
        record = self.journal.world.lesson.steps.get((lesson.id, step))
        return record is not None and record.state == "passed"

    def _note_passed(self, lesson: Lesson, result: StepResult) -> None:
        """A step came true by itself, or by what the learner did."""
        if lesson is self._lesson:
            self._remember(lesson, result)
            self._save_soon(lesson)

    def stop(self) -> None:
        """See `Stage.stop`."""
        self.driver.stop()

    def reset(self, step: str = "") -> str:
        """See `Stage.reset`."""
        lesson = self._need_lesson()
        self.driver.begin()
        with self._take_turn():
            self._check_stopping()
            with api.at_work(self.cluster.name, f"resetting to {lesson.id}{step and f':{step}'}"):
                done = reset_to(self.driver, lesson, step or None)
                break_silently(self.driver, lesson, step)
                begin_load(self.driver, lesson)
            progress.forget_step(self.cluster.name, lesson, step)
            progress.record_cluster(self.cluster.name, lesson, self._made)
            self._write_opened(lesson, captures_before(lesson, step, self.journal.world))
            self._forget_from(lesson, step)
            self._save_soon(lesson)
        return describe_reset(done, lesson.id, step)

    def undo(self) -> str:
        """See `Stage.undo`."""
        lesson = self._need_lesson()
        self.driver.begin()
        with self._take_turn():
            self._check_stopping()
            undo, offered = find_undo(self.driver, lesson, self._list_begun(lesson)), self._offered
            if offered not in ("", undo.snapshot.name):
                raise InputError("the cluster has changed since that was asked", remedy="press u again")
            captured = self.journal.world.lesson.captured
            with api.at_work(self.cluster.name, f"going back to {undo.sentence}"):
                take_back(self.driver, undo)
            progress.forget_steps(self.cluster.name, lesson, undo.taken)
            self._write_opened(lesson, captured)
            self._save_soon(lesson)
        return f"The cluster is as it was {undo.sentence}."

    def offer_undo(self) -> UndoOffer:
        """See `Stage.offer_undo`."""
        lesson = self._need_lesson()
        begun, self._offered = self._list_begun(lesson), ""
        try:
            undo = find_undo(self.driver, lesson, begun)
        except InputError as error:
            if not begun:
                raise
            return UndoOffer(f"{error.sentence}; reset to the start of that step instead", begun[-1], resets=True)
        self._offered = undo.snapshot.name
        return UndoOffer(f"to the cluster as it was {undo.sentence}", undo.step)

    def _list_begun(self, lesson: Lesson) -> tuple[str, ...]:
        """Return the ids of the steps that have begun, in the lesson's order."""
        return tuple(step.id for step in lesson.steps if (lesson.id, step.id) in self.journal.world.lesson.steps)

    def keys(self, data: str) -> None:
        """See `Stage.keys`."""
        self.driver.keys(data)

    def type_command(self, text: str) -> None:
        """See `Stage.type_command`. It does not take the stage's turn: a step may wait for this very command."""
        self.driver.run(text, bound=_BY_HAND)

    def show(self, view: str) -> None:
        """See `Stage.show`. What the lesson's own checks and panes need stays watched too."""
        self._view = view
        lesson = self._lesson
        needed, marks = (sources_needed(lesson), marks_needed(lesson)) if lesson is not None else ((), ())
        self.driver.watch({*find_pane(view).needs, *needed}, marks)

    def load(self, rate: float | None) -> None:
        """See `Stage.load`. The load goes to its present target, or to the application, or to the first published
        port."""
        if rate is None:
            self.driver.load(None)
            return
        load_spec = self.driver.load_spec or self._target()
        if load_spec is None:
            raise InputError("there is nothing to send load to yet", remedy="deploy a service that publishes a port")
        self.driver.load(replace(load_spec, rate=rate))

    def answer(self, name: str, value: str) -> None:
        """See `Stage.answer`."""
        self.journal.write(Captured(name, value))

    def _target(self) -> LoadSpec | None:
        world = self.journal.world
        hosts = open_hosts(world)
        ports = sorted(p.published for s in world.swarm.services.values() for p in s.spec.ports if p.published)
        if hosts and 443 in ports:
            return LoadSpec(host=next((h for h in hosts if h.startswith("node-app.")), hosts[0]))
        return LoadSpec(port=ports[0], https=False) if ports else None

    def resize(self, columns: int, rows: int) -> None:
        """See `Stage.resize`."""
        self.driver.resize(columns, rows)

    def close(self) -> None:
        """See `Stage.close`."""
        self._watcher.close()
        if self._saver is not None:
            self._saver.close()
        self.driver.stop()
        self.driver.close()

    def _save_soon(self, lesson: Lesson) -> None:
        """Have the cluster saved before the next step that has not passed."""
        if self._saver is not None:
            passed = progress.passed_steps(self.cluster.name, lesson)
            self._saver.want(lesson.id, next((step.id for step in lesson.steps if step.id not in passed), ""))

    def _forget_from(self, lesson: Lesson, step: str = "") -> None:
        if self._saver is not None:
            with suppress(LabError):  # Another swarmlab is at work on the cluster: what is stale is replaced later.
                forget_from(self.driver, lesson, step)

    def _turn(self) -> AbstractContextManager[None] | None:
        """Return the stage's turn, to be held for a block; None while a step or a reset has it."""
        return _release_after(self._busy) if self._busy.acquire(blocking=False) else None

    def _write_opened(self, lesson: Lesson, captured: Mapping[str, str] = MappingProxyType({})) -> None:
        open_lesson(lesson, self.driver)
        for step in progress.passed_steps(self.cluster.name, lesson):
            self.journal.write(StepMoved(lesson.id, step, "passed"))
        for step, hints in progress.read_record(self.cluster.name, lesson).hints.items():
            for hint in hints:
                self.journal.write(HintTaken(lesson.id, step, hint))
        for name, value in captured.items():
            self.journal.write(Captured(name, value))

    def _need_lesson(self) -> Lesson:
        if self._lesson is None:
            raise InputError("no lesson is open")
        return self._lesson

    def _remember(self, lesson: Lesson, result: StepResult) -> None:
        self.driver.remember(result.created)
        if result.passed:
            progress.pass_step(self.cluster.name, lesson, result.step, self._made)


@contextmanager
def _release_after(lock: threading.Lock) -> Iterator[None]:
    try:
        yield
    finally:
        lock.release()


def format_heading(status: ClusterStatus) -> str:
    """Return the title of a live stage: `default · 4 nodes · vm (tcg)`."""
    how = f"{status.provider} ({status.acceleration})" if status.acceleration else status.provider
    return f"{status.name} · {len(status.nodes)} nodes · {how}"


def describe_reset(done: Done, lesson: str, step: str) -> str:
    """Describe a reset in a sentence."""
    where = f"the start of {lesson}" + (f", step {step}" if step else "")
    if not done.actions:
        return f"The cluster was at {where} already."
    return f"The cluster is at {where}: {count_of(len(done.actions), 'thing')} put right in {done.seconds:.0f} s."
