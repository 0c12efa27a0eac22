"""A real shell in a real terminal: the lab types commands into it, and so does the user."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from lab import paths
from lab.errors import LabError, MissingError
from lab.shell.environment import environment
from lab.shell.marks import Mark, rc_file
from lab.shell.output import Output, Redacts
from lab.shell.pty import Pty
from lab.shell.shell_state import RunningCommand, ShellState
from lab.shell.typist import READY, Typist
from lab.terminal.plain_text import Capture, to_plain_text
from lab.world.entries import CommandEnded, Printed
from lab.world.journal import Journal

PASTE = "\x1b[200~"
"""What a terminal sends before a pasted text when the program asked to be told."""

SETTLED = 0.1
"""Seconds after a command's begin from which on Ctrl-C reaches it: bash 5.2 loses one that comes earlier, or takes it
for the end of its input and exits."""

_FLOOD = 0.005
"""Seconds of processor time spent on one read. Above this it is a flood, and the reading is slowed down."""


class Shell:
    """A bash on this machine that talks to `node`, in a terminal of its own.

    Its output goes to the journal as Printed facts, redacted; a command, whoever typed it, as CommandBegan and
    CommandEnded. `env` is added to a few variables of the lab's own; the user's start-up files are not read, and no
    history is kept on disk. `ids` counts the commands of a journal. When the shell ends, a new one begins.

    Raises MissingError when there is no bash. All methods may be called from any thread; `run`,
    `wait_for_prompt` and `close` block.
    """

    def __init__(
        self,
        journal: Journal,
        node: str,
        env: Mapping[str, str],
        *,
        columns: int = 100,
        rows: int = 30,
        redact: Redacts,
        ids: Callable[[], int],
        cwd: Path | None = None,
    ) -> None:
        self._journal, self._node, self._redact = journal, node, redact
        self._env, self._cwd = environment(env), cwd
        pty, self._output = self._open(columns, rows)
        self._state = ShellState(journal, node, pty, columns=columns, rows=rows, redact=redact, ids=ids)
        self._typist = Typist(self._state)
        self._thread = threading.Thread(target=self._run_thread, name=f"shell {node}", daemon=True)
        self._thread.start()

    def run(self, text: str, *, step: str = "", bound: float = 120.0, typing: float = 0.0) -> CommandEnded:
        """Type a command (of one or more lines), press Return, and wait for its end, at most `bound` seconds.

        `typing` is the time between two characters, in seconds. Raises InputError for a command that cannot be typed
        or is not complete, and WaitError at the bound, after the command was interrupted, then killed.
        """
        return self._typist.run(text, step=step, bound=bound, typing=typing)

    def send(self, data: str) -> None:
        """Send what the user typed, as the terminal sends it. While the lab types a command, it is dropped."""
        with self._state.news:
            if self._state.typing:
                return
            self._state.touched = True
            pasted, at_prompt = data.partition(PASTE)[2], self._state.prompt
        if pasted and at_prompt:
            self._state.make_room(self._state.pty, pasted.replace("\r", "\n"))
        self._state.pty.write(data.encode("utf-8", "replace"))

    def wait_for_prompt(self, bound: float = READY) -> bool:
        """Wait at most `bound` seconds for the shell's first prompt, and return whether it was shown."""
        return self._state.wait_for(lambda: self._state.prompts > 0 or self._state.closing, bound)

    def interrupt(self) -> None:
        """Send Ctrl-C to the running command, as soon as it would reach it, or stop the lab's typing; do nothing when
        there is neither."""
        with self._state.news:
            self._state.interrupted.set()
            if self._state.running is not None and not self._state.typing:
                self._state.running.cancelled = True
                self._state.pty.wake()

    def resize(self, columns: int, rows: int) -> None:
        """Set the size, in cells."""
        self._state.resize(columns, rows)

    def close(self) -> None:
        """End the shell and everything that it started. Idempotent; takes at most a few seconds."""
        with self._state.news:
            self._state.closing = True
            self._state.news.notify_all()
        self._state.interrupted.set()
        self._state.pty.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(10.0)

    @property
    def pid(self) -> int:
        """The shell's process."""
        return self._state.pty.pid

    def _open(self, columns: int, rows: int) -> tuple[Pty, Output]:
        bash = shutil.which("bash", path=self._env["PATH"]) or shutil.which("bash", path=paths.search_path())
        if bash is None:
            raise MissingError("there is no bash to type commands into", remedy="sudo apt-get install bash")
        word = secrets.token_hex(8)
        try:
            handle, start = tempfile.mkstemp(prefix="swarmlab-", suffix=".rc")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(rc_file(self._node, word))
            self._start_up = Path(start)
        except OSError as error:
            raise LabError(f"the shell's start-up file cannot be written: {error}", remedy="set TMPDIR") from error
        argv = (bash, "--noprofile", "--rcfile", start, "-i")
        pty = Pty(argv, self._env, columns, rows, self._cwd)
        return pty, Output(word, self._redact, self._print)

    def _print(self, text: str) -> None:
        self._journal.write(Printed(self._node, text))

    def _run_thread(self) -> None:
        """Run the shell's thread: it alone reads, and writes the shell's output to the journal."""
        while True:
            with self._outlive_errors():
                self._state.pty.pump(self._read, self._due)
            with self._state.news:
                closing, self._state.prompt = self._state.closing, False
            status = self._state.pty.end()
            with suppress(OSError):
                self._start_up.unlink(missing_ok=True)
            self._end_command(status)
            if closing or not self._again(status):
                break
        with self._state.news:
            self._state.closing = True
            self._state.news.notify_all()

    def _again(self, status: int) -> bool:
        """Open a new shell after one that ended. One that never reached its prompt is not tried again."""
        what = "a new one begins" if self._state.prompts else "it never came to its prompt, and is not started again"
        self._output.say(f"\x1b[0m\r\n[the shell on {self._node} ended with status {status}; {what}]\r\n")
        if not self._state.prompts:
            return False
        try:
            pty, output = self._open(self._state.columns, self._state.rows)
        except LabError as error:
            self._output.say(f"{error}\r\n")
            return False
        with self._state.news:
            self._state.pty, self._output, self._state.prompts = pty, output, 0
            if self._state.closing:
                pty.stop()
        return True

    def _read(self, data: bytes) -> None:
        began = time.thread_time()
        for piece in self._output.pieces(data):
            with self._outlive_errors():
                self._output.take(piece)
            if isinstance(piece, Mark):
                with self._outlive_errors():
                    self._take_mark(piece)
        spent = time.thread_time() - began
        if spent > _FLOOD:
            # The printing program waits for the terminal meanwhile, as for any other, and the rest of the lab goes on.
            time.sleep(min(0.2, 2 * spent))

    def _take_mark(self, mark: Mark) -> None:
        match mark.what:
            case "B":
                self._note_prompt(mark.number)
            case "C":
                self._begin_command(mark)
            case "P":
                self._note_continuation()
            case "D" if mark.number > self._state.prompts:
                self._end_command(mark.status)

    def _due(self) -> float | None:
        with self._outlive_errors():
            pauses = (self._output.due(), self._send_interrupt())
            return min((pause for pause in pauses if pause is not None), default=None)
        return None

    def _send_interrupt(self) -> float | None:
        """Send the Ctrl-C that was asked for; while it is too early for it, return the seconds that are left."""
        with self._state.news:
            running = self._state.running
            if running is None or not running.cancelled or not running.began:
                return None
            if (left := running.began + SETTLED - time.monotonic()) > 0:
                return left
            running.cancelled = False
            self._state.pty.write(b"\x03")
        return None

    @contextmanager
    def _outlive_errors(self) -> Iterator[None]:
        """Report an error with one piece of output in the terminal; the shell's only thread goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  without this thread no command would ever end again
            with suppress(Exception):
                self._output.say(f"\x1b[0m\r\n[this output could not be read: {type(error).__name__}: {error}]\r\n")

    def _begin_command(self, mark: Mark) -> None:
        with self._state.news:
            self._state.prompt = self._state.touched = self._state.unfinished = False
            running = self._state.running
            self._state.give_room_back()
        if running is None:
            self._output.flush()
            running = self._state.start(mark.text, "")
        if not running.began:
            running.began = time.monotonic()
            self._output.capture = Capture()

    def _note_prompt(self, number: int) -> None:
        if number <= self._state.prompts:
            return
        with self._state.news:
            self._state.prompts, self._state.prompt, self._state.unfinished = number, True, False
            self._state.give_room_back()
            self._state.news.notify_all()
        self._output.capture = Capture()

    def _note_continuation(self) -> None:
        with self._state.news:
            self._state.unfinished = True
            if self._state.running is not None:
                self._state.running.incomplete = True
                self._state.news.notify_all()

    def _end_command(self, status: int) -> None:
        """Record the end of the running command, if there is one."""
        running, text = self._state.running, ""
        with self._outlive_errors():
            self._output.tidy()
            self._output.flush()
            text = self._text_of(running) if running else ""
        if running is None:
            return
        ended = CommandEnded(running.id, status, round(time.monotonic() - running.entered, 3), text)
        with self._outlive_errors():
            self._journal.write(ended)
        with self._state.news:
            running.ended, self._state.running = ended, None
            self._state.news.notify_all()

    def _text_of(self, running: RunningCommand) -> str:
        raw = self._output.capture.raw
        if not running.began:  # bash could not parse it: its message follows the echo of the keys
            raw = raw.partition("\x1b[?2004l\r")[2]
        return self._redact.whole(to_plain_text(raw, self._state.columns, self._state.rows))
