"""A machine's memory, to a file and back, by QEMU's own migration.

It is restored in a new emulator process, never in a running one: in one process the emulator's clock does not go back,
so the guests' monotonic clock would jump ahead by all the time since the snapshot, every heartbeat would be late at
once, and the swarm would make every task anew. In a new process the clock begins where it was saved.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.cluster.vm import qmp
from lab.errors import LabError

if TYPE_CHECKING:
    from qemu.qmp import QMPClient

BOUND = 300.0
"""Seconds for saving or loading all machines."""

_POLL = 0.02
_RESUME = 30.0
_UNLIMITED = 1 << 50
_LEVEL = 1
_CHUNK = 1 << 20


def save_all(targets: Mapping[Path, Path], while_paused: Callable[[], None]) -> float:
    """Pause the machines in these folders at one instant, save each one's memory to its file, call `while_paused` (all
    their disks are whole then), and let them go on. Return how many seconds they stood still.

    Whatever fails, the machines go on. Raises LabError.
    """
    try:
        return asyncio.run(asyncio.wait_for(_save_all(targets, while_paused), BOUND))
    except TimeoutError as error:
        raise LabError(f"the machines' memory was not saved within {BOUND:.0f} s", remedy="swarmlab status") from error


def resume_all(folders: Iterable[Path]) -> None:
    """Let the machines in these folders go on, all at one instant. Raises LabError."""
    asyncio.run(_resume_all(tuple(folders)))


async def _resume_all(folders: tuple[Path, ...]) -> None:
    async with AsyncExitStack() as stack:
        clients = [(f.name, await stack.enter_async_context(qmp.connect(f))) for f in folders]
        await asyncio.gather(*(_resume(client, node) for node, client in clients))


async def _resume(client: QMPClient, node: str) -> None:
    """Let a machine go on, whatever saving it was interrupted in: it does not while its memory is still written."""
    from qemu.qmp import Runstate  # slow to import: needed only for a running machine

    end = time.monotonic() + _RESUME
    while True:
        try:
            await qmp.run(client, node, "cont")
            return
        except LabError:
            if time.monotonic() > end or client.runstate is not Runstate.RUNNING:  # it has ended, or never answers
                raise
            with suppress(LabError):
                await qmp.run(client, node, "migrate_cancel")
            await asyncio.sleep(_POLL)


async def _save_all(targets: Mapping[Path, Path], while_paused: Callable[[], None]) -> float:
    async with AsyncExitStack() as stack:
        clients = [(f.name, await stack.enter_async_context(qmp.connect(f)), to) for f, to in targets.items()]
        limits = {"max-bandwidth": _UNLIMITED}
        await asyncio.gather(*(qmp.run(c, node, "migrate-set-parameters", limits) for node, c, _ in clients))
        began = time.monotonic()
        try:
            await asyncio.gather(*(qmp.run(c, node, "stop") for node, c, _ in clients))
            await asyncio.gather(*(_save(c, node, to) for node, c, to in clients))
            await asyncio.to_thread(while_paused)
        finally:
            said = await asyncio.gather(*(_resume(c, node) for node, c, _ in clients), return_exceptions=True)
        stood_still = time.monotonic() - began
        if failed := next((each for each in said if isinstance(each, BaseException)), None):
            raise failed
        return stood_still


async def _save(client: QMPClient, node: str, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        client.send_fd_scm(descriptor)
        await qmp.run(client, node, "getfd", {"fdname": "snapshot"})
    finally:
        os.close(descriptor)
    await qmp.run(client, node, "migrate", {"uri": "fd:snapshot"})
    while True:
        now = await _ask(client, node, "query-migrate")
        match now.get("status"):
            case "completed":
                return
            case "failed" | "cancelled":
                why = now.get("error-desc") or "the emulator does not say why"
                raise LabError(f"the memory of {node} was not saved: {why}", remedy="free some space, then try again")
        await asyncio.sleep(_POLL)


def compress(path: Path) -> Path:
    """Compress a memory file, beside it, then delete it; return the new file."""
    import zstandard  # not needed to find a snapshot

    packed, beside = path.with_name(path.name + ".zst"), path.with_name(f".{path.name}.zst")
    beside.touch(mode=0o600)
    try:
        with path.open("rb") as plain, beside.open("wb") as out:
            zstandard.ZstdCompressor(level=_LEVEL).copy_stream(plain, out, read_size=_CHUNK, write_size=_CHUNK)
        beside.replace(packed)
    finally:
        beside.unlink(missing_ok=True)
    path.unlink()
    return packed


def open_memory(path: Path) -> int:
    """Return a descriptor that a new emulator reads a saved memory from; the caller closes it. A compressed file comes
    through a pipe, which ends early when this program ends: the emulator gives up then."""
    if path.suffix != ".zst":
        return os.open(path, os.O_RDONLY)
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _CHUNK)
    threading.Thread(target=_feed, args=(path, writer), name=f"memory {path.name}", daemon=True).start()
    return reader


def _feed(path: Path, writer: int) -> None:
    import zstandard  # not needed to find a snapshot

    # An emulator that has ended closes the pipe; whoever waits for its memory sees that.
    with suppress(OSError, zstandard.ZstdError), os.fdopen(writer, "wb", buffering=0) as out, path.open("rb") as packed:
        zstandard.ZstdDecompressor().copy_stream(packed, out, read_size=_CHUNK, write_size=_CHUNK)


def wait_loaded(folders: Iterable[Path]) -> None:
    """Wait until the new emulators in these folders have read their machines' memory. Raises LabError."""
    try:
        asyncio.run(asyncio.wait_for(_wait_loaded(tuple(folders)), BOUND))
    except TimeoutError as error:
        raise LabError(f"the machines' memory was not loaded within {BOUND:.0f} s", remedy="swarmlab up") from error


async def _wait_loaded(folders: tuple[Path, ...]) -> None:
    async def one(folder: Path) -> None:
        async with qmp.connect(folder) as client:
            while (await _ask(client, folder.name, "query-status")).get("status") == "inmigrate":
                await asyncio.sleep(_POLL)

    await asyncio.gather(*(one(folder) for folder in folders))


async def _ask(client: QMPClient, node: str, command: str) -> Mapping[str, Any]:
    said: Any = await qmp.run(client, node, command)
    return dict(said)
