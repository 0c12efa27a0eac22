"""Typing a command into a shell, as a person does: at a prompt, key by key, with Ctrl-C for what takes too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from lab.errors import InputError, LabError, WaitError
from lab.shell.command import encode
from lab.shell.pty import Pty
from lab.shell.shell_state import RunningCommand, ShellState
from lab.world.entries import CommandEnded

READY = 10.0
"""Seconds in which a shell must show its prompt before a command can be typed."""

GRACE = 2.0
"""Seconds that an interrupted command has before it is killed, and a killed one before its shell is."""

CLEAR = b"\x07\x05\x15"
"""Keys that clear bash's line, whatever is on it: abort a search, go to the end, discard."""

AGAIN = 0.5
"""Seconds after which Ctrl-C is sent again: bash 5.2 loses one that comes while it draws its prompt."""


class Typist:
    """The lab at a shell's keyboard: one command at a time, whichever thread has it typed."""

    def __init__(self, state: ShellState) -> None:
        self._state = state
        self._turn = threading.Lock()

    def run(self, text: str, *, step: str = "", bound: float = 120.0, typing: float = 0.0) -> CommandEnded:
        """Type a command (of one or more lines), press Return, and wait for its end, at most `bound` seconds.

        `typing` is the time between two characters, in seconds. Raises InputError for a command that cannot be typed
        or is not complete, LabError when the shell is closed, and WaitError without a prompt or at the bound, after
        the command was interrupted, then killed.
        """
        keys = encode(text)
        with self._turn:
            pty = self._need_prompt(min(bound, READY))
            self._state.make_room(pty, text)
            self._type(pty, keys, typing)
            running = self._enter(pty, text, step)
            if running.ended is None and not self._state.wait_for(
                lambda: bool(running.ended or running.incomplete), bound
            ):
                raise self._give_up(running, text, bound)
            if running.ended is None:
                self._cancel(lambda: running.ended is not None, GRACE)
                raise InputError(
                    f"this command is not complete, the shell asks for more: {text.strip()}",
                    remedy="look for a quote or a bracket that is not closed",
                )
            return running.ended

    def _need_prompt(self, bound: float) -> Pty:
        """Wait for a prompt and take it, cleared of what the user had begun to type. Raises WaitError, LabError."""
        self._state.interrupted.clear()
        with self._state.news:
            self._state.news.wait_for(lambda: self._state.prompt or self._state.closing, bound)
            if self._state.prompt and self._state.unfinished:
                self._state.prompt = False
                self._cancel(lambda: self._state.prompt or self._state.closing, GRACE)
            if self._state.closing:
                raise LabError(f"the shell on {self._state.node} is closed", remedy="open the lesson again")
            if not self._state.prompt:
                raise WaitError(
                    f"the shell on {self._state.node}",
                    bound,
                    "its prompt; something still runs in it",
                    remedy="end what runs in the terminal (Ctrl-C, or exit for a new shell), then try again",
                )
            self._state.typing = True
            if self._state.touched:
                self._state.pty.write(CLEAR)
            return self._state.pty

    def _type(self, pty: Pty, keys: list[bytes], typing: float) -> None:
        if typing <= 0:
            pty.write(b"".join(keys))
            return
        for key in keys:
            pty.write(key)
            if self._state.interrupted.wait(typing):
                return

    def _enter(self, pty: Pty, text: str, step: str) -> RunningCommand:
        """Press Return; or, when the typing was interrupted or its shell has ended, take the command back."""
        running = self._state.start(text, step)
        with self._state.news:
            self._state.typing = False
            if pty is self._state.pty and not self._state.interrupted.is_set():
                self._state.prompt = False
                pty.write(b"\r")
                return running
            running.ended, self._state.running = CommandEnded(running.id, 130, 0.0), None
            self._state.give_room_back()
        pty.write(CLEAR)
        self._state.journal.write(running.ended)
        return running

    def _give_up(self, running: RunningCommand, text: str, bound: float) -> WaitError:
        """End a command that took too long: with Ctrl-C, then by killing it, at last by killing its shell."""
        done = "it was interrupted"
        if not self._cancel(lambda: running.ended is not None, GRACE):
            done = "it was killed"
            self._state.pty.kill_foreground()
        if not self._state.wait_for(lambda: running.ended is not None, GRACE):
            done = "its shell was replaced"
            self._state.pty.kill()
            self._state.wait_for(lambda: running.ended is not None, GRACE)
        return WaitError(
            f"this command on {self._state.node}: {text.strip()}",
            bound,
            f"its end; {done}",
            remedy="try it again, or look at what the terminal shows",
        )

    def _cancel(self, so: Callable[[], bool], bound: float) -> bool:
        """Send Ctrl-C repeatedly until `so` holds, for at most `bound` seconds; return whether it does."""
        until = time.monotonic() + bound
        while True:
            self._state.pty.write(b"\x03")
            if self._state.wait_for(so, min(AGAIN, max(0.0, until - time.monotonic()))):
                return True
            if time.monotonic() >= until:
                return False
