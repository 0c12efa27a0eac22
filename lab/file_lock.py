"""File locks with one holder at a time, which the kernel releases when the holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import paths
from lab.errors import BusyError, WaitError

_POLL = 0.2


@contextmanager
def hold(path: Path, what: str, *, bound: float = 0.0, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the lock at `path` while the block runs; the file is deleted when the block ends.

    `what` completes "another swarmlab is ...", for others that want the lock meanwhile. With `bound`, wait up to that
    many seconds, and tell `waiting` for whom; otherwise raise BusyError at once. Raises WaitError at the bound.
    """
    paths.make(path.parent)
    end = time.monotonic() + bound
    told = False
    while (descriptor := _take(path, what)) is None:
        holder = f"another swarmlab {_holder(path) or f'is {what}'}"
        if not bound:
            raise BusyError(holder, remedy="wait until it is done, then run the command again")
        if time.monotonic() > end:
            raise WaitError("the other swarmlab", bound, f"its end: {holder}")
        if waiting is not None and not told:
            waiting(f"{holder}; waiting for it")
            told = True
        time.sleep(_POLL)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(path: Path, what: str) -> int | None:
    """Return the descriptor of the locked file, or None when another process holds it."""
    with paths.guard_writes(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The last holder may have deleted the file between our open and our lock; another process may then hold a lock
        # on a new file of that name.
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {what}".encode())
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _holder(path: Path) -> str:
    """Return the holder, such as `(process 123) is resetting to scaling`; "" until the holder has written it."""
    try:
        number, _, what = path.read_text().partition(" ")
    except OSError:
        return ""
    return f"(process {number}) is {what}" if number.isdigit() and what else ""
