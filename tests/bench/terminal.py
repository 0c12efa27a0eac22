"""The terminal pane: how much output it takes in, and how soon a key is seen, beside the same shell in tmux."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from textual.app import App, ComposeResult

import lab.tui
from lab.terminal.sanitize import ScreenFilter
from lab.tui.run_app import prepare_terminal
from lab.tui.theme import DARK
from lab.tui.widgets.emulator import Emulator
from lab.tui.widgets.terminal import Terminal
from tests.bench.term import Screen, screen
from tests.doubles.engine import fake_cluster

Figures = Mapping[str, float | int | str]

SIZE = 4_000_000
"""Characters of each kind of output."""
CHUNK = 16_384
"""Characters that come at a time."""
MISSING = "missing"
_WORDS = (
    "the",
    "manager",
    "assigned",
    "task",
    "web.3",
    "to",
    "node3",
    "and",
    "it",
    "has",
    "been",
    "running",
    "2.4",
    "s",
)
_SEEN = "ЖФЩЭЮЯБДЛЦЧШЪЫЙПГЗ"
"""Letters that nothing else on the screen has; each is typed once into a line, which is painted as a whole."""


def log_lines(coloured: bool) -> str:
    """Lines as of a log, about 90 characters each."""
    rng, lines, length = random.Random(1), list[str](), 0
    while length < SIZE:
        words = rng.choices(_WORDS, k=rng.randint(3, 22))
        stamp, source = f"12:{length % 60:02}:{len(lines) % 60:02}", f"web.{len(lines) % 9}"
        if coloured:
            colour = len(lines) % 256
            stamp, source = f"\x1b[2m{stamp}\x1b[0m", f"\x1b[1;38;5;{colour}m{source}\x1b[0m"
            words[0], words[-1] = f"\x1b[3{colour % 8}m{words[0]}\x1b[39m", f"\x1b[4m{words[-1]}\x1b[24m"
        lines.append(f"{stamp} {source} | {' '.join(words)}\r\n")
        length += len(lines[-1])
    return "".join(lines)


def full_screens() -> str:
    """Screens as of a program that draws each row at its place, in colours, again and again."""
    rng, rows, length = random.Random(3), list[str](), 0
    while length < SIZE:
        y = len(rows) % 37 + 1
        share = rng.random() * 100
        rows.append(
            f"\x1b[{y};1H\x1b[36m{1000 + y:>6}\x1b[39m root  20   0 {rng.randint(1000, 99999):>6}M "
            f"\x1b[1;32m{share:5.1f}\x1b[0m [\x1b[32m{'|' * int(share / 5):<20}\x1b[0m] "
            f"\x1b[33m0:{y:02}\x1b[0m dockerd --host fd://\x1b[K"
        )
        length += len(rows[-1])
    return "".join(rows)


def output() -> Figures:
    """MB of output taken in per second of processor time: by the emulator alone, and by the pane in an app of 120 by 40
    cells, its paints included."""
    figures: dict[str, float] = {}
    for name, text in (("plain", log_lines(False)), ("coloured", log_lines(True)), ("full_screen", full_screens())):
        figures[f"{name}_emulator_mb_s"] = round(SIZE / 1e6 / _emulate(text), 2)
        figures[f"{name}_pane_mb_s"] = round(SIZE / 1e6 / asyncio.run(_show(text)), 2)
    return figures


def _emulate(text: str) -> float:
    clean, emulator = ScreenFilter(mouse=True), Emulator(116, 38)
    began = time.process_time()
    for at in range(0, len(text), CHUNK):
        emulator.feed(clean.feed(text[at : at + CHUNK]))
    return time.process_time() - began


class Bench(App[None]):
    """The pane alone."""

    CSS_PATH = Path(lab.tui.__file__).with_name("lab.tcss")

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        yield Terminal(id="terminal", classes="pane")


async def _show(text: str) -> float:
    prepare_terminal()
    app = Bench()
    async with app.run_test(size=(120, 40)) as pilot:
        pane = app.query_one(Terminal)
        await pilot.pause()
        began = time.process_time()
        for at in range(0, len(text), CHUNK):
            pane.feed("node1", text[at : at + CHUNK])
            while pane.frame():
                await asyncio.sleep(0)
            await asyncio.sleep(0)
        await pilot.pause()
        return time.process_time() - began


def keys(count: int = 100) -> Figures:
    """Milliseconds from a key's press to the letter on the screen, end to end through the app and bash, and the seconds
    that bash needs there to print 4 MB; and the same in tmux."""
    figures: dict[str, float | int | str] = {"keys": count}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "log")
        file.write_text(log_lines(False).replace("\r\n", "\n"), encoding="utf-8")
        with _in_the_lab() as it:
            figures |= _measure("lab", it, file, count)
        if (tmux := shutil.which("tmux")) is None:
            return figures | dict.fromkeys(("tmux_p50_ms", "tmux_p95_ms", "tmux_cat_s"), MISSING)
        with _in_tmux(tmux, folder) as it:
            figures |= _measure("tmux", it, file, count)
    return figures


@contextmanager
def _in_the_lab() -> Iterator[Screen]:
    with fake_cluster() as (_, engines):
        urls = [f"{e.node}={e.endpoint.url}" for e in engines]
        with screen("-m", "tests.bench.live_app", *urls) as it:
            it.until(lambda text: "LIVE" in text)
            it.drain(3.0)
            os.write(it.fd, b"t")
            it.until(lambda text: "$ " in text)
            it.drain(1.0)
            yield it


@contextmanager
def _in_tmux(tmux: str, folder: str) -> Iterator[Screen]:
    socket = str(Path(folder, "socket"))
    with screen(
        "-u",
        "-S",
        socket,
        "-f",
        os.devnull,
        "new-session",
        "exec env LC_ALL=C.UTF-8 PS1='$ ' bash --norc",
        program=tmux,
    ) as it:
        try:
            it.until(lambda text: "$ " in text)
            it.drain(1.0)
            yield it
        finally:
            subprocess.run([tmux, "-S", socket, "kill-server"], check=False, stderr=subprocess.DEVNULL)


def _measure(name: str, it: Screen, file: Path, count: int) -> Figures:
    took, rng = list[float](), random.Random(2)
    for number in range(count):
        letter = _SEEN[number % len(_SEEN)]
        if letter == _SEEN[0]:
            os.write(it.fd, b"\x15")
            it.drain(0.5)
        began = time.perf_counter()
        os.write(it.fd, letter.encode())
        took.append((it.until(lambda text, letter=letter: letter in text, 5.0) - began) * 1000)  # type: ignore[misc]
        it.drain(rng.uniform(0.05, 0.25))
    took.sort()
    os.write(it.fd, f"\x15cat {file}; printf '%s%s\\n' ZZ XX\r".encode())
    began = time.perf_counter()
    seconds = it.until(lambda text: "ZZXX" in text, 120.0) - began
    return {
        f"{name}_p50_ms": round(statistics.median(took), 1),
        f"{name}_p95_ms": round(took[int(0.95 * (len(took) - 1))], 1),
        f"{name}_cat_s": round(seconds, 2),
    }


if __name__ == "__main__":
    for measured in (output, keys):
        print(measured())
