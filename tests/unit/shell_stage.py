"""A shell with its journal, and all that it wrote."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import psutil

from lab.shell.shell import Shell
from lab.terminal.redact import Redactor
from lab.world.entries import Entry, Printed
from lab.world.journal import Journal
from lab.world.world import Command

BOUND = 10.0


class Stage:
    """A shell, its journal and all that it wrote."""

    def __init__(self, **env: str) -> None:
        self.journal, self.entries = Journal(), list[Entry]()
        self.journal.read(lambda entry, _: self.entries.append(entry))
        ids = itertools.count(1)
        self.shell = Shell(
            self.journal, "node1", env, redact=Redactor(["correct-horse"]), ids=lambda: next(ids), columns=60, rows=20
        )
        self.run = self.shell.run

    @property
    def printed(self) -> str:
        return "".join(e.fact.text for e in self.entries if isinstance(e.fact, Printed))

    def ended(self, text: str) -> Command:
        """The command of this text that was typed freely, once it has ended."""

        def last() -> Command | None:
            return next((c for c in self.journal.world.commands if c.text == text and c.status is not None), None)

        assert self.journal.wait(lambda _: last() is not None, BOUND), self.printed
        found = last()
        assert found
        return found

    def shows(self, text: str) -> None:
        assert self.journal.wait(lambda _: text in self.printed, BOUND), self.printed


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def soon(so: Callable[[], bool]) -> None:
    until = time.monotonic() + BOUND
    while not so():
        assert time.monotonic() < until
        time.sleep(0.01)
