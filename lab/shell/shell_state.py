"""What typing into a shell and reading from it share: the prompt, the running command, and the terminal's size."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.shell.command import count_rows
from lab.shell.output import Redacts
from lab.shell.pty import Pty
from lab.world.entries import CommandBegan, CommandEnded
from lab.world.journal import Journal


@dataclass
class RunningCommand:
    """The running command. `entered` is when Return was pressed, and `began` when bash began it (0: not yet), on the
    monotonic clock; `cancelled`: Ctrl-C was asked for, and not sent yet."""

    id: int
    entered: float
    began: float = 0.0
    cancelled: bool = False
    ended: CommandEnded | None = None
    incomplete: bool = False


class ShellState:
    """How a shell stands. What changes is changed under `news`, which is notified when a prompt, a command's end or the
    shell's end may have been waited for.

    `prompt`: a prompt waits for a command, the `prompts`th of this bash; `unfinished`: bash asks for more of a command;
    `typing`: the lab types; `touched`: the user has typed since the last command began; `closing`: no new bash begins.
    """

    def __init__(
        self,
        journal: Journal,
        node: str,
        pty: Pty,
        *,
        columns: int,
        rows: int,
        redact: Redacts,
        ids: Callable[[], int],
    ) -> None:
        self.journal, self.node, self.redact = journal, node, redact
        self._ids = ids
        self.pty, self.columns, self.rows = pty, columns, rows
        self.news = threading.Condition()
        self.interrupted = threading.Event()
        self.prompt = self.unfinished = self.typing = self.touched = self.closing = False
        self.running: RunningCommand | None = None
        self.prompts = 0
        self._tall = False

    def start(self, text: str, step: str) -> RunningCommand:
        """Record that a command is entered, as one of a lesson's `step` or of nobody's ("")."""
        running = RunningCommand(self._ids(), time.monotonic())
        self.journal.write(CommandBegan(running.id, self.node, self.redact.whole(text.strip()), step))
        with self.news:
            self.running = running
        return running

    def wait_for(self, so: Callable[[], bool], bound: float) -> bool:
        """Wait at most `bound` seconds until `so` holds, and return whether it does."""
        with self.news:
            return self.news.wait_for(so, bound)

    def resize(self, columns: int, rows: int) -> None:
        """Set the terminal's size, in cells."""
        with self.news:
            self.columns, self.rows, self._tall = max(2, columns), max(2, rows), False
            self.pty.resize(self.columns, self.rows)

    def make_room(self, pty: Pty, text: str) -> None:
        """Have bash take the terminal for a taller one while a command of more rows is on its line: else bash stops at
        the screen's last row, and prints the command's end over it. Now what does not fit scrolls by."""
        rows = count_rows(text, self.columns)
        with self.news:
            if rows > self.rows:
                self._tall = True
                pty.resize(self.columns, rows)

    def give_room_back(self) -> None:
        """Let the terminal have its own size again."""
        if self._tall:
            self._tall = False
            self.pty.resize(self.columns, self.rows)
