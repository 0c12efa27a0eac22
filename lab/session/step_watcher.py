"""Watches the step whose page is shown, so that it passes whatever brings its state."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lab.errors import LabError
from lab.lesson.model import Lesson, Step
from lab.run.open_step import OpenStep, open_step
from lab.run.results import StepResult
from lab.session.cluster_driver import ClusterDriver
from lab.world.entries import ActDone
from lab.world.world import World

Wanted = tuple[Lesson, Step, World]

_AGAIN = 1.0
"""Seconds until a step that could not be opened, since no manager answered, is tried again."""

_AFTER_FAILURE = 10.0
"""Seconds until a step is watched again after a failure that nobody expected."""

_LOOK = 0.5
"""Seconds between two evaluations of the checks while the journal has no news for the step."""


class StepWatcher:
    """A thread, from `start` to `close`, that watches one step at a time.

    `passed` gets the result of a step that came true; `watch` and `pause` wait until it has returned, and after them no
    other step passes.
    """

    def __init__(self, driver: ClusterDriver, passed: Callable[[Lesson, StepResult], None]) -> None:
        self._driver, self._passed = driver, passed
        self._wanted: Wanted | None = None
        self._number = 0
        self._turn = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="open step", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def watch(self, lesson: Lesson, step: Step) -> None:
        """Watch this step from now on, from a new baseline, and no other."""
        self._set((lesson, step, self._driver.journal.world))

    def pause(self) -> None:
        """Watch none."""
        self._set(None)

    def close(self) -> None:
        """End soon. Returns at once."""
        self._closed = True
        self._set(None)

    def _set(self, wanted: Wanted | None) -> None:
        with self._turn:
            self._wanted, self._number = wanted, self._number + 1
            self._turn.notify_all()

    def _run(self) -> None:
        while not self._closed:
            with self._turn:
                self._turn.wait_for(lambda: self._wanted is not None or self._closed)
                wanted, number = self._wanted, self._number
            if wanted is None:
                continue
            try:
                self._watch(wanted, number)
            except Exception as error:  # noqa: BLE001  thread boundary: one failure must not end the watching
                self._driver.journal.write(ActDone(f"the step {wanted[1].id} could not be watched: {error}"))
                self._wait(number, _AFTER_FAILURE)

    def _watch(self, wanted: Wanted, number: int) -> None:
        try:
            opened = open_step(wanted[0], wanted[1], self._driver, wanted[2])
        except LabError:  # The header says that no manager answers; Enter says which value is missing.
            self._wait(number, _AGAIN)
            return
        while self._number == number:
            if opened.look():
                self._finish(opened, wanted, number)
                return
            self._driver.journal.wait(lambda world: self._number != number or opened.has_news(world), _LOOK)

    def _wait(self, number: int, seconds: float) -> None:
        """Wait, or until another step is wanted."""
        with self._turn:
            self._turn.wait_for(lambda: self._number != number, timeout=seconds)

    def _finish(self, opened: OpenStep, wanted: Wanted, number: int) -> None:
        """Pass the step, unless another is wanted by now."""
        with self._turn:
            if self._number == number:
                self._wanted, self._number = None, number + 1
                self._passed(wanted[0], opened.finish())
