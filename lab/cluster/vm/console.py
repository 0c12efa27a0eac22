"""A machine's console log: a file that the emulator appends to, kept to a limited size."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LOG = "serial.log"
"""The console output since the machine's power-on, or since the file was trimmed."""
BEFORE = "serial.before.log"
"""The end of the output before the file was trimmed."""

LARGEST = 4 << 20
"""Bytes. A boot writes a few thousand; root in a machine may write more than this machine's disk holds."""

_KEPT = 64 << 10


def trim(folder: Path) -> None:
    """Empty the console log in a machine's folder when it has grown beyond LARGEST, and keep its end beside it."""
    try:
        with (folder / LOG).open("r+b") as file:
            if file.seek(0, os.SEEK_END) <= LARGEST:
                return
            file.seek(-_KEPT, os.SEEK_END)
            end = file.read(_KEPT)
            # The emulator appends, so its next output is at the beginning. What it wrote just now is lost.
            file.truncate(0)
    except OSError:
        return
    with suppress(OSError):
        (folder / BEFORE).write_bytes(end)


def read_stages(folder: Path) -> tuple[str, ...]:
    """Return the boot stages reported on the machine's console since its power-on: kernel, disk, network, engine ..."""
    try:
        text = (folder / LOG).read_text(errors="replace")
    except OSError:
        return ()
    return tuple(line.partition("swarmlab: ")[2].strip() for line in text.splitlines() if "swarmlab: " in line)


FAILED = "FAILED "
"""The prefix of the machine's message about why it cannot boot."""


def read_failure(folder: Path) -> str:
    """Return why the machine cannot boot, in its own words; "" when it has reported no failure."""
    last = (read_stages(folder) or ("",))[-1]
    return last.removeprefix(FAILED) if last.startswith(FAILED) else ""


def read_tail(folder: Path, lines: int = 8) -> str:
    """Return the last lines on the machine's console."""
    try:
        text = (folder / LOG).read_bytes()[-_KEPT:].decode(errors="replace")
    except OSError:
        return ""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:])
