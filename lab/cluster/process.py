"""Programs that the lab runs to completion, and processes that it once started and finds again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import psutil

from lab import paths
from lab.errors import CommandError, LabError, WaitError

_POLL = 0.1

LOG = "SWARMLAB_LOG"
"""The variable with the log's path in the environment of every program that `run_program` starts. It identifies what a
killed swarmlab left running; nothing that somebody else started is mistaken for it."""


class Stopped(LabError):
    """Work was abandoned because other work that it belongs to failed or was interrupted."""

    def __init__(self) -> None:
        super().__init__("given up, because what it belongs to failed or was interrupted")


def run_program(
    argv: Sequence[str],
    *,
    log: Path,
    bound: float,
    env: Mapping[str, str] | None = None,
    each: Callable[[str], None] | None = None,
    tick: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
    cwd: Path | None = None,
    attached: bool = False,
    pass_fds: Sequence[int] = (),
) -> None:
    """Run `argv` to completion, with its output appended to `log`.

    `each` is called with every new line of output, `tick` several times a second. `bound` is in seconds. The program
    gets a process group of its own, which is ended as a whole when `stop` is set, at the bound, and on an interrupt; an
    `attached` program stays in this process's group, with its terminal. Descriptors in `pass_fds` stay open in it.
    Raises CommandError, WaitError or Stopped.
    """
    with log.open("ab") as out, log.open("rb") as tail:
        start = tail.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            argv,
            stdin=None if attached else subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": paths.search_path(), **(env or {}), LOG: str(log.absolute())},
            cwd=cwd,
            start_new_session=not attached,
            pass_fds=pass_fds,
        )
        end = time.monotonic() + bound
        try:
            while process.poll() is None:
                if stop is not None and stop.wait(_POLL):
                    raise Stopped
                if stop is None:
                    _wait(process)
                if time.monotonic() > end:
                    raise WaitError(f"`{argv[0]}`", bound, "its end", log=log)
                _hand_over(tail, each)
                if tick is not None:
                    tick()
        finally:
            if process.poll() is None:
                _end(process, group=not attached)
        _hand_over(tail, each)
        if process.returncode:
            tail.seek(start)
            said = tail.read().decode(errors="replace")
            raise CommandError(argv, process.returncode, said, remedy=f"the whole output is in {log}")


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_POLL)
    except subprocess.TimeoutExpired:
        pass


def _hand_over(tail: BinaryIO, each: Callable[[str], None] | None) -> None:
    if each is not None:
        for line in tail:
            each(line.decode(errors="replace").rstrip())


def _end(process: subprocess.Popen[bytes], *, group: bool) -> None:
    """SIGTERM first, so that a program can unmount and delete what it made; then SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            if group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            process.wait(10)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def find_process(identity: str, program: str, *, hint: Path | None = None) -> psutil.Process | None:
    """Return this user's running process that runs `program` with `identity` (random) as an argument, or None.

    `program` is the name of its file, or the module that Python runs. Command lines are public, so neither is trusted
    of another user's process. `hint` is a pid file: it is checked first and never trusted alone, because the pid may
    belong to another program by now.
    """
    if hint is not None and (process := _find_hinted(hint)) is not None and _is(process, identity, program):
        return process
    return next((p for p in psutil.process_iter() if _is(p, identity, program)), None)


def is_own(process: psutil.Process) -> bool:
    """Return whether this user started the process and it runs as this user. Raises psutil.Error.

    Both are checked: a program such as sudo runs as root, and its caller decides what is on its command line.
    """
    uids = process.uids()
    return uids.real == os.getuid() and uids.effective == os.geteuid()


def find_started_below(folder: Path) -> tuple[psutil.Process, ...]:
    """Return the processes that `run_program` started with a log below `folder`, in this program or in a killed one,
    and their descendants. Never this process or one of its ancestors, and none of another user's."""
    above = {os.getpid(), *(one.pid for one in psutil.Process().parents())}
    found: dict[int, psutil.Process] = {}
    for one in psutil.process_iter():
        try:
            log = one.environ().get(LOG) if one.pid not in above and is_own(one) else None
            if log and folder in Path(log).parents:
                found |= {each.pid: each for each in (one, *one.children(recursive=True))}
        except psutil.Error:
            continue
    return tuple(found.values())


def _find_hinted(hint: Path) -> psutil.Process | None:
    try:
        return psutil.Process(int(hint.read_text()))
    except (OSError, ValueError, psutil.Error):
        return None


def _is(process: psutil.Process, identity: str, program: str) -> bool:
    try:
        words = process.cmdline()
        # A program that inspects a machine (a debugger, a pager) may have all its words, but not in first place.
        runs = bool(words) and (Path(words[0]).name == program or ("-m", program) in pairwise(words))
        return runs and identity in words and is_own(process) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def kill(process: psutil.Process, *, bound: float = 10.0) -> None:
    """Kill a process at once (SIGKILL) and wait for its end. psutil compares the start time before it sends the signal.

    Raises LabError when that is not allowed, and WaitError when the process does not end.
    """
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        raise LabError(
            f"the process {process.pid} cannot be ended: it runs as another user", remedy=f"sudo kill {process.pid}"
        ) from None
    if not wait_gone(process, bound):
        raise WaitError(f"process {process.pid}", bound, "its end")


def wait_gone(process: psutil.Process, bound: float) -> bool:
    """Wait up to `bound` seconds for a process to end, and return whether it did. A zombie counts as ended."""
    end = time.monotonic() + bound
    while _alive(process):
        if time.monotonic() > end:
            return False
        time.sleep(_POLL / 2)
    return True


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
