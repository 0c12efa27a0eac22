"""A running machine's control socket (QMP): short connections, since it serves one client at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from lab.errors import LabError

_BOUND = 10.0


def execute(folder: Path, command: str, arguments: Mapping[str, object] | None = None) -> object:
    """Run one QMP command on the machine in `folder` and return its result. Raises LabError."""
    return asyncio.run(_execute(folder, command, arguments))


def set_link(folder: Path, *, up: bool) -> None:
    """Plug the LAN cable in, or unplug it. Idempotent."""
    execute(folder, "set_link", {"name": "lan-card", "up": up})


def power_off(folder: Path) -> None:
    """End the machine at once, as if its plug were pulled; what was already written to its disk is kept."""
    execute(folder, "quit")


async def _execute(folder: Path, command: str, arguments: Mapping[str, object] | None) -> object:
    from qemu.qmp import ConnectError, QMPClient, QMPError  # slow to import: needed only for a running machine

    client = QMPClient(folder.name)
    # A socket's address has at most 107 bytes; through a descriptor of its folder the path is always short.
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        async with asyncio.timeout(_BOUND):
            await client.connect(f"/proc/self/fd/{descriptor}/qmp")
            try:
                return await client.execute(command, dict(arguments) if arguments else None)
            finally:
                await client.disconnect()
    except (QMPError, OSError, EOFError) as error:
        # A machine that is told to quit may be gone before it has answered.
        if command == "quit" and not isinstance(error, ConnectError | TimeoutError):
            return None
        raise LabError(
            f"the machine {folder.name} does not take the command {command}: {error or type(error).__name__}",
            remedy="swarmlab status",
        ) from error
    finally:
        os.close(descriptor)
