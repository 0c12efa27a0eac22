"""What a machine says on its console: a file that the emulator appends to, held to a size."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LOG = "serial.log"
"""The console since the machine's power-on, or since it was trimmed."""
BEFORE = "serial.before.log"
"""The end of what was there before that."""

LARGEST = 4 << 20
"""Bytes. A boot says some thousands; whoever is root in a machine may say more than this machine's disk holds."""

_KEPT = 64 << 10


def trim(folder: Path) -> None:
    """Empty the console's file in a machine's folder when it has grown beyond LARGEST, and keep its end beside it."""
    try:
        with (folder / LOG).open("r+b") as file:
            if file.seek(0, os.SEEK_END) <= LARGEST:
                return
            file.seek(-_KEPT, os.SEEK_END)
            end = file.read(_KEPT)
            # The emulator appends: what it says next stands at the beginning. What it said just now is lost.
            file.truncate(0)
    except OSError:
        return
    with suppress(OSError):
        (folder / BEFORE).write_bytes(end)


def read_stages(folder: Path) -> tuple[str, ...]:
    """The lab's own words on the machine's console since its power-on: kernel, disk, network, engine ..."""
    try:
        text = (folder / LOG).read_text(errors="replace")
    except OSError:
        return ()
    return tuple(line.partition("swarmlab: ")[2].strip() for line in text.splitlines() if "swarmlab: " in line)


FAILED = "FAILED "
"""Begins the machine's word for why it cannot boot."""


def read_failure(folder: Path) -> str:
    """Why the machine cannot boot, in its own words; "" while nothing says so."""
    last = (read_stages(folder) or ("",))[-1]
    return last.removeprefix(FAILED) if last.startswith(FAILED) else ""


def read_tail(folder: Path, lines: int = 8) -> str:
    """The last lines on the machine's console."""
    try:
        text = (folder / LOG).read_bytes()[-_KEPT:].decode(errors="replace")
    except OSError:
        return ""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:])
