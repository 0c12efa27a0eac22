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
from dataclasses import dataclass
from pathlib import Path

from lab import paths
from lab.errors import InputError, LabError, MissingError, WaitError
from lab.shell.command import count_rows, encode
from lab.shell.environment import environment
from lab.shell.marks import Mark, rc_file
from lab.shell.output import Output, Redacts
from lab.shell.pty import Pty
from lab.terminal.plain_text import Capture, to_plain_text
from lab.world.entries import CommandBegan, CommandEnded, Printed
from lab.world.journal import Journal

READY = 10.0
"""Seconds in which a shell must show its prompt before a command can be typed."""

GRACE = 2.0
"""Seconds that an interrupted command has before it is killed, and a killed one before its shell is."""

CLEAR = b"\x07\x05\x15"
"""Keys that clear bash's line, whatever is on it: abort a search, go to the end, discard."""

PASTE = "\x1b[200~"
"""What a terminal sends before a pasted text when the program asked to be told."""

AGAIN = 0.5
"""Seconds after which Ctrl-C is sent again: bash 5.2 loses one that comes while it draws its prompt."""

SETTLED = 0.1
"""Seconds after a command's begin from which on Ctrl-C reaches it: bash 5.2 loses one that comes earlier, or takes it
for the end of its input and exits."""

_FLOOD = 0.005
"""Seconds of processor time spent on one read. Above this it is a flood, and the reading is slowed down."""


@dataclass
class _Running:
    """The running command. `entered` is when Return was pressed, and `began` when bash began it (0: not yet), on the
    monotonic clock; `cancelled`: Ctrl-C was asked for, and not sent yet."""

    id: int
    entered: float
    began: float = 0.0
    cancelled: bool = False
    ended: CommandEnded | None = None
    incomplete: bool = False


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
        self._journal, self._node, self._redact, self._ids = journal, node, redact, ids
        self._env = environment(env)
        self._columns, self._rows, self._cwd = columns, rows, cwd
        self._turn = threading.Lock()
        self._news = threading.Condition()
        self._prompt = self._unfinished = self._typing = self._touched = self._closing = False
        self._interrupted = threading.Event()
        self._running: _Running | None = None
        self._prompts = 0
        self._tall = False
        self._pty, self._output = self._open()
        self._thread = threading.Thread(target=self._run_thread, name=f"shell {node}", daemon=True)
        self._thread.start()

    def run(self, text: str, *, step: str = "", bound: float = 120.0, typing: float = 0.0) -> CommandEnded:
        """Type a command (of one or more lines), press Return, and wait for its end, at most `bound` seconds.

        `typing` is the time between two characters, in seconds. Raises InputError for a command that cannot be typed
        or is not complete, and WaitError at the bound, after the command was interrupted, then killed.
        """
        keys = encode(text)
        with self._turn:
            pty = self._need_prompt(min(bound, READY))
            self._make_room(pty, text)
            self._type(pty, keys, typing)
            running = self._enter(pty, text, step)
            if running.ended is None and not self._await(lambda: bool(running.ended or running.incomplete), bound):
                raise self._give_up(running, text, bound)
            if running.ended is None:
                self._cancel(lambda: running.ended is not None, GRACE)
                raise InputError(
                    f"this command is not complete, the shell asks for more: {text.strip()}",
                    remedy="look for a quote or a bracket that is not closed",
                )
            return running.ended

    def send(self, data: str) -> None:
        """Send what the user typed, as the terminal sends it. While the lab types a command, it is dropped."""
        with self._news:
            if self._typing:
                return
            self._touched = True
            pasted, at_prompt = data.partition(PASTE)[2], self._prompt
        if pasted and at_prompt:
            self._make_room(self._pty, pasted.replace("\r", "\n"))
        self._pty.write(data.encode("utf-8", "replace"))

    def wait_for_prompt(self, bound: float = READY) -> bool:
        """Wait at most `bound` seconds for the shell's first prompt, and return whether it was shown."""
        return self._await(lambda: self._prompts > 0 or self._closing, bound)

    def interrupt(self) -> None:
        """Send Ctrl-C to the running command, as soon as it would reach it, or stop the lab's typing; do nothing when
        there is neither."""
        with self._news:
            self._interrupted.set()
            if self._running is not None and not self._typing:
                self._running.cancelled = True
                self._pty.wake()

    def resize(self, columns: int, rows: int) -> None:
        """Set the size, in cells."""
        with self._news:
            self._columns, self._rows, self._tall = max(2, columns), max(2, rows), False
            self._pty.resize(self._columns, self._rows)

    def close(self) -> None:
        """End the shell and everything that it started. Idempotent; takes at most a few seconds."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._interrupted.set()
        self._pty.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(10.0)

    @property
    def pid(self) -> int:
        """The shell's process."""
        return self._pty.pid

    def _open(self) -> tuple[Pty, Output]:
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
        pty = Pty(argv, self._env, self._columns, self._rows, self._cwd)
        return pty, Output(word, self._redact, self._print)

    def _print(self, text: str) -> None:
        self._journal.write(Printed(self._node, text))

    def _run_thread(self) -> None:
        """Run the shell's thread: it alone reads, and writes the shell's output to the journal."""
        while True:
            with self._outlive_errors():
                self._pty.pump(self._read, self._due)
            with self._news:
                closing, self._prompt = self._closing, False
            status = self._pty.end()
            with suppress(OSError):
                self._start_up.unlink(missing_ok=True)
            self._end_command(status)
            if closing or not self._again(status):
                break
        with self._news:
            self._closing = True
            self._news.notify_all()

    def _again(self, status: int) -> bool:
        """Open a new shell after one that ended. One that never reached its prompt is not tried again."""
        what = "a new one begins" if self._prompts else "it never came to its prompt, and is not started again"
        self._output.say(f"\x1b[0m\r\n[the shell on {self._node} ended with status {status}; {what}]\r\n")
        if not self._prompts:
            return False
        try:
            pty, output = self._open()
        except LabError as error:
            self._output.say(f"{error}\r\n")
            return False
        with self._news:
            self._pty, self._output, self._prompts = pty, output, 0
            if self._closing:
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
            case "D" if mark.number > self._prompts:
                self._end_command(mark.status)

    def _due(self) -> float | None:
        with self._outlive_errors():
            pauses = (self._output.due(), self._send_interrupt())
            return min((pause for pause in pauses if pause is not None), default=None)
        return None

    def _send_interrupt(self) -> float | None:
        """Send the Ctrl-C that was asked for; while it is too early for it, return the seconds that are left."""
        with self._news:
            running = self._running
            if running is None or not running.cancelled or not running.began:
                return None
            if (left := running.began + SETTLED - time.monotonic()) > 0:
                return left
            running.cancelled = False
            self._pty.write(b"\x03")
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
        with self._news:
            self._prompt = self._touched = self._unfinished = False
            running = self._running
            self._give_room_back()
        if running is None:
            self._output.flush()
            running = self._start(mark.text, "")
        if not running.began:
            running.began = time.monotonic()
            self._output.capture = Capture()

    def _note_prompt(self, number: int) -> None:
        if number <= self._prompts:
            return
        with self._news:
            self._prompts, self._prompt, self._unfinished = number, True, False
            self._give_room_back()
            self._news.notify_all()
        self._output.capture = Capture()

    def _note_continuation(self) -> None:
        with self._news:
            self._unfinished = True
            if self._running is not None:
                self._running.incomplete = True
                self._news.notify_all()

    def _end_command(self, status: int) -> None:
        """Record the end of the running command, if there is one."""
        running, text = self._running, ""
        with self._outlive_errors():
            self._output.tidy()
            self._output.flush()
            text = self._text_of(running) if running else ""
        if running is None:
            return
        ended = CommandEnded(running.id, status, round(time.monotonic() - running.entered, 3), text)
        with self._outlive_errors():
            self._journal.write(ended)
        with self._news:
            running.ended, self._running = ended, None
            self._news.notify_all()

    def _text_of(self, running: _Running) -> str:
        raw = self._output.capture.raw
        if not running.began:  # bash could not parse it: its message follows the echo of the keys
            raw = raw.partition("\x1b[?2004l\r")[2]
        return self._redact.whole(to_plain_text(raw, self._columns, self._rows))

    def _start(self, text: str, step: str) -> _Running:
        running = _Running(self._ids(), time.monotonic())
        self._journal.write(CommandBegan(running.id, self._node, self._redact.whole(text.strip()), step))
        with self._news:
            self._running = running
        return running

    def _need_prompt(self, bound: float) -> Pty:
        """Wait for a prompt and take it, cleared of what the user had begun to type. Raises WaitError, LabError."""
        self._interrupted.clear()
        with self._news:
            self._news.wait_for(lambda: self._prompt or self._closing, bound)
            if self._prompt and self._unfinished:
                self._prompt = False
                self._cancel(lambda: self._prompt or self._closing, GRACE)
            if self._closing:
                raise LabError(f"the shell on {self._node} is closed", remedy="open the lesson again")
            if not self._prompt:
                raise WaitError(
                    f"the shell on {self._node}",
                    bound,
                    "its prompt; something still runs in it",
                    remedy="end what runs in the terminal (Ctrl-C, or exit for a new shell), then try again",
                )
            self._typing = True
            if self._touched:
                self._pty.write(CLEAR)
            return self._pty

    def _type(self, pty: Pty, keys: list[bytes], typing: float) -> None:
        if typing <= 0:
            pty.write(b"".join(keys))
            return
        for key in keys:
            pty.write(key)
            if self._interrupted.wait(typing):
                return

    def _make_room(self, pty: Pty, text: str) -> None:
        """Have bash take the terminal for a taller one while a command of more rows is on its line: else bash stops at
        the screen's last row, and prints the command's end over it. Now what does not fit scrolls by."""
        rows = count_rows(text, self._columns)
        with self._news:
            if rows > self._rows:
                self._tall = True
                pty.resize(self._columns, rows)

    def _give_room_back(self) -> None:
        if self._tall:
            self._tall = False
            self._pty.resize(self._columns, self._rows)

    def _enter(self, pty: Pty, text: str, step: str) -> _Running:
        """Press Return; or, when the typing was interrupted or its shell has ended, take the command back."""
        running = self._start(text, step)
        with self._news:
            self._typing = False
            if pty is self._pty and not self._interrupted.is_set():
                self._prompt = False
                pty.write(b"\r")
                return running
            running.ended, self._running = CommandEnded(running.id, 130, 0.0), None
            self._give_room_back()
        pty.write(CLEAR)
        self._journal.write(running.ended)
        return running

    def _give_up(self, running: _Running, text: str, bound: float) -> WaitError:
        """End a command that took too long: with Ctrl-C, then by killing it, at last by killing its shell."""
        done = "it was interrupted"
        if not self._cancel(lambda: running.ended is not None, GRACE):
            done = "it was killed"
            self._pty.kill_foreground()
        if not self._await(lambda: running.ended is not None, GRACE):
            done = "its shell was replaced"
            self._pty.kill()
            self._await(lambda: running.ended is not None, GRACE)
        return WaitError(
            f"this command on {self._node}: {text.strip()}",
            bound,
            f"its end; {done}",
            remedy="try it again, or look at what the terminal shows",
        )

    def _cancel(self, so: Callable[[], bool], bound: float) -> bool:
        """Send Ctrl-C repeatedly until `so` holds, for at most `bound` seconds; return whether it does."""
        until = time.monotonic() + bound
        while True:
            self._pty.write(b"\x03")
            if self._await(so, min(AGAIN, max(0.0, until - time.monotonic()))):
                return True
            if time.monotonic() >= until:
                return False

    def _await(self, so: Callable[[], bool], bound: float) -> bool:
        with self._news:
            return self._news.wait_for(so, bound)
