"""A process in a pseudo-terminal. When it ends, no process of its session stays behind."""

from __future__ import annotations

import os
import secrets
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pexpect
import psutil

from lab.errors import EngineError, MissingError

SIGN = "SWARMLAB_TERMINAL"
"""The variable that identifies everything started in a terminal, even what left its session."""

FULL = 1_048_576
"""How many bytes may wait to be read by the process. What is typed beyond that is lost, as in a terminal."""


def _listen() -> None:
    """Reset, in the new process, the signals that whoever started the lab may have ignored. A shell never resets a
    signal that was ignored when it started (nohup: SIGHUP; a script's background job: SIGINT; Python: SIGPIPE,
    SIGXFSZ)."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


class Pty:
    """A process that leads a session in a pseudo-terminal of its own. Raises MissingError when it cannot be run.

    One thread calls `pump`; all else may be called from any thread, and never blocks.
    """

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], columns: int, rows: int, cwd: Path | None = None
    ) -> None:
        where = None if cwd is None else str(cwd)
        self._sign = secrets.token_hex(8)
        env = {**env, SIGN: self._sign}
        try:
            self._child = pexpect.spawn(
                argv[0],
                list(argv[1:]),
                env=env,
                dimensions=(rows, columns),
                cwd=where,
                timeout=None,
                preexec_fn=_listen,
            )
        except pexpect.ExceptionPexpect as error:
            raise MissingError(f"{argv[0]} cannot be run: {error}", remedy="sudo apt-get install bash") from error
        except OSError as error:
            raise EngineError(f"no terminal can be opened: {error.strerror}") from error
        self.pid = int(self._child.pid or 0)
        self._fd: int = self._child.child_fd
        os.set_blocking(self._fd, False)
        self._wake_in, self._wake_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._outbox, self._lock = bytearray(), threading.Lock()
        self._over = self._closed = False

    def write(self, data: bytes) -> None:
        """Type `data`."""
        with self._lock:
            if len(self._outbox) + len(data) <= FULL:
                self._outbox += data
        self.wake()

    def wake(self) -> None:
        """Have `pump` call `due` soon."""
        with self._lock, suppress(BlockingIOError):
            if not self._closed:
                os.write(self._wake_out, b".")

    def resize(self, columns: int, rows: int) -> None:
        """Set the size; the foreground process is notified (SIGWINCH)."""
        with self._lock, suppress(OSError):
            if not self._closed:
                self._child.setwinsize(rows, columns)

    def kill_foreground(self) -> bool:
        """Kill what runs in the foreground of the shell, and return whether there was anything."""
        with self._lock, suppress(OSError):
            group = -1 if self._closed else os.tcgetpgrp(self._fd)
            if group > 0 and group != self.pid:
                os.killpg(group, signal.SIGKILL)
                return True
        return False

    def kill(self) -> None:
        """Kill the process itself."""
        with self._lock, suppress(OSError):
            if not self._closed:
                os.kill(self.pid, signal.SIGKILL)

    def pump(self, read: Callable[[bytes], None], due: Callable[[], float | None]) -> None:
        """Pass on the output until the process ends or `stop` is called. `due` is called before every wait: it does
        what is due, and returns how many seconds may pass until it is called again (None: as long as nothing
        happens)."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._fd, selectors.EVENT_READ)
            selector.register(self._wake_in, selectors.EVENT_READ)
            ended = _ended_fd(self.pid)
            if ended is not None:
                selector.register(ended, selectors.EVENT_READ)
            try:
                while not self._over:
                    selector.modify(self._fd, selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outbox else 0))
                    ready = {key.fd for key, _ in selector.select(due())}
                    if self._wake_in in ready:
                        os.read(self._wake_in, 4096)
                    self._send()
                    if self._fd in ready and not self._receive(read):
                        break
                    if ended in ready:
                        self._receive(read, all=True)
                        break
            finally:
                if ended is not None:
                    os.close(ended)

    def stop(self) -> None:
        """Have `pump` return soon."""
        self._over = True
        self.wake()

    def end(self, bound: float = 3.0) -> int:
        """Hang up: end every process of the session, and release its resources. Returns the leader's exit status, or
        128 plus the signal's number when a signal ended it. Takes at most about `bound` seconds."""
        if not self._closed:
            end_session(self.pid, self._sign, bound)
            with self._lock:  # a closed descriptor may be another's file a moment later
                self._closed = True
                with suppress(pexpect.ExceptionPexpect, OSError):
                    self._child.isalive()  # collects the exit status
                    self._child.ptyproc.delayafterclose = 0  # type: ignore[attr-defined]
                    self._child.close(force=True)
                os.close(self._wake_in)
                os.close(self._wake_out)
        if self._child.exitstatus is not None:
            return int(self._child.exitstatus)
        return 128 + int(self._child.signalstatus or signal.SIGHUP)

    def _send(self) -> None:
        with self._lock, suppress(BlockingIOError, OSError):
            if self._outbox:
                sent = os.write(self._fd, self._outbox[:4096])
                del self._outbox[:sent]

    def _receive(self, read: Callable[[bytes], None], *, all: bool = False) -> bool:
        data = b""
        while True:
            try:
                piece = os.read(self._fd, 65_536)
            except BlockingIOError:
                break
            except OSError:  # EIO: nobody has the terminal open any more
                piece = b""
            if not piece:
                if data:
                    read(data)
                return False
            data += piece
            if len(data) >= 65_536:
                if not all:
                    break
                read(data)
                data = b""
        if data:
            read(data)
        return True


def end_session(leader: int, sign: str, bound: float) -> None:
    """End all processes of the session that `leader` leads, and those that left it but still have the sign: SIGHUP
    first, then SIGKILL."""
    left = _members(leader, sign)
    _signal(left, signal.SIGHUP)
    _signal(left, signal.SIGCONT)
    _await_end(left, bound / 6)
    left |= _members(leader, sign)
    _signal(left, signal.SIGKILL)
    _await_end(left, bound / 2)


def _members(leader: int, sign: str) -> set[psutil.Process]:
    found: set[psutil.Process] = set()
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            process = psutil.Process(pid)
            if os.getsid(pid) == leader or process.environ().get(SIGN) == sign:
                found.add(process)
    return found


def _signal(processes: Iterable[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


def _await_end(processes: Iterable[psutil.Process], bound: float) -> None:
    until = time.monotonic() + bound
    while any(map(_lives, processes)) and time.monotonic() < until:
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _ended_fd(pid: int) -> int | None:
    """Return a descriptor that becomes readable when the process ends, where the kernel supports that. A job left in
    the background keeps the terminal open when its shell is gone."""
    opener: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    with suppress(OSError):
        return opener(pid) if opener else None
    return None
