"""A running machine's control socket (QMP): short connections, since it serves one client at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from qemu.qmp import QMPClient

_BOUND = 10.0


def execute(folder: Path, command: str, arguments: Mapping[str, object] | None = None) -> object:
    """Run one QMP command on the machine in `folder` and return its result. Raises LabError."""
    try:
        return asyncio.run(_execute(folder, command, arguments))
    except TimeoutError as error:
        raise LabError(
            f"the machine {folder.name} did not answer in {_BOUND:.0f} s", remedy="swarmlab status"
        ) from error


def set_link(folder: Path, *, up: bool) -> None:
    """Plug the LAN cable in, or unplug it. Idempotent."""
    execute(folder, "set_link", {"name": "lan-card", "up": up})


def power_off(folder: Path) -> None:
    """End the machine at once, as if its plug were pulled; what was already written to its disk is kept."""
    execute(folder, "quit")


async def _execute(folder: Path, command: str, arguments: Mapping[str, object] | None) -> object:
    async with asyncio.timeout(_BOUND), connect(folder) as client:
        return await run(client, folder.name, command, arguments)


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[QMPClient]:
    """Connect to the machine in `folder` for a block. Raises LabError."""
    from qemu.qmp import QMPClient, QMPError  # slow to import: needed only for a running machine

    client = QMPClient(folder.name)
    # A socket's address has at most 107 bytes; through a descriptor of its folder the path is always short.
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        try:
            async with asyncio.timeout(_BOUND):
                await client.connect(f"/proc/self/fd/{descriptor}/qmp")
        except (QMPError, OSError, EOFError) as error:
            raise LabError(
                f"the machine {folder.name} does not answer: {_words(error)}", remedy="swarmlab status"
            ) from error
        try:
            yield client
        finally:
            with suppress(QMPError, OSError, EOFError):
                await client.disconnect()
    finally:
        os.close(descriptor)


async def run(client: QMPClient, node: str, command: str, arguments: Mapping[str, object] | None = None) -> object:
    """Run one command on a machine that is connected. Raises LabError."""
    from qemu.qmp import QMPError  # slow to import: needed only for a running machine

    try:
        return await client.execute(command, dict(arguments) if arguments else None)
    except (QMPError, OSError, EOFError) as error:
        # A machine that is told to quit may be gone before it has answered.
        if command == "quit":
            return None
        raise LabError(
            f"the machine {node} does not take the command {command}: {_words(error)}", remedy="swarmlab status"
        ) from error


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
