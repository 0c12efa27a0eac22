"""The audience's board: its share of a core with one viewer and with two hundred, and how late they see the talk."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping

import psutil

from lab import paths
from lab.session.talk.talk_socket import TalkSocket
from lab.session.talk.talk_views import BoardView
from lab.tape.find import find_tape
from lab.tape.tape import load
from lab.tui.pane_picture import pane_svg
from lab.world.world import World, fold

VIEWERS = (1, 200)
SECONDS = 20.0
APART = 0.2
"""Seconds between two pictures, as in a talk."""
_SENT = re.compile(rb"sent ([0-9.]+)")


def board() -> Mapping[str, float]:
    """Show a recorded update to viewers; return the shares of a core in per cent, and the delays in milliseconds."""
    figures: dict[str, float] = {}
    before = os.environ.get(paths.STATE)
    with tempfile.TemporaryDirectory(prefix="swb-") as state:
        os.environ[paths.STATE] = state
        talk = TalkSocket("bench", "board", (), lambda _: None)
        talk.open()
        try:
            for viewers in VIEWERS:
                share, delays = asyncio.run(_measure(talk, viewers))
                figures[f"share_of_a_core_{viewers}_viewers_percent"] = round(share, 1)
                figures[f"p95_{viewers}_viewers_ms"] = round(statistics.quantiles(delays, n=20)[-1], 1)
        finally:
            talk.close()
            if before is None:
                del os.environ[paths.STATE]
            else:
                os.environ[paths.STATE] = before
    return figures


async def _measure(talk: TalkSocket, viewers: int) -> tuple[float, list[float]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "lab.cli", "board", "--name", "bench", "--port", str(port)]
    delays: list[float] = []
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as child:
        try:
            reading = [asyncio.create_task(_view(port, delays)) for _ in range(viewers)]
            while not talk.heard or len(delays) < viewers:
                talk.publish(_picture("", 0))
                await asyncio.sleep(APART)
                if any(task.done() for task in reading):
                    for at, task in enumerate(reading):
                        if task.done():
                            reading[at] = asyncio.create_task(_view(port, delays))
            delays.clear()
            process, began = psutil.Process(child.pid), time.monotonic()
            used = sum(process.cpu_times()[:2])
            for number, picture in enumerate(_pictures()):
                if time.monotonic() - began > SECONDS:
                    break
                talk.publish(_picture(picture, number))
                await asyncio.sleep(APART)
            share = 100 * (sum(process.cpu_times()[:2]) - used) / (time.monotonic() - began)
            for task in reading:
                task.cancel()
        finally:
            child.terminate()
    return share, delays


async def _view(port: int, delays: list[float]) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    except OSError:
        await asyncio.sleep(APART)
        return
    writer.write(f"GET /events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode())
    while line := await reader.readline():
        if found := _SENT.search(line):
            delays.append(1000 * (time.time() - float(found[1])))


def _picture(picture: str, number: int) -> BoardView:
    text = f"sent {time.time():.4f}"
    return BoardView(place=number % 9, count=9, talk="bench", lesson="", title="A step", text=text, picture=picture)


def _pictures() -> Iterator[str]:
    """Yield the load pane of a recorded update, again and again."""
    while True:
        world, looked = World(), 0.0
        for entry in load(find_tape("rolling-update")).entries:
            world = fold(world, entry)
            if entry.at - looked >= APART:
                looked = entry.at
                yield pane_svg(world, "load")
