"""The app: first paint, cost at rest, from a container's death to the changed frame, cost of one pane update."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial

from tests.bench.term import screen
from tests.doubles.engine import fake_cluster

Figures = Mapping[str, float | int | str]


def first_paint(runs: int = 9) -> Figures:
    """Seconds from starting the program to its first words on a pty, beside a minimal Textual app, turn about."""
    minimal, lab = [], []
    for _ in range(runs):
        with screen("-m", "tests.bench.minimal") as it:
            minimal.append(it.until(lambda text: "minimal is ready" in text) - it.began)
        with screen("-m", "lab.cli", "replay", "reconciliation") as it:
            lab.append(it.until(lambda text: "REPLAY" in text) - it.began)
    base, ours = statistics.median(minimal), statistics.median(lab)
    return {"minimal_s": round(base, 3), "lab_s": round(ours, 3), "ratio": round(ours / base, 2), "runs": runs}


def at_rest(seconds: float = 30.0) -> Figures:
    """CPU and memory of the live app when nothing moves: a swarm of 4 nodes and 8 tasks, panes shown."""
    with fake_cluster() as (swarm, engines):
        swarm.create("web", 4)
        swarm.create("app", 4)
        urls = [f"{e.node}={e.endpoint.url}" for e in engines]
        with screen("-m", "tests.bench.live_app", *urls) as it:
            it.until(lambda text: "web" in text and "app" in text)
            it.drain(8.0)
            percent, mib = it.cost(seconds)
    return {"cpu_percent_of_a_core": round(percent, 2), "resident_mib": round(mib, 1), "seconds": seconds}


def death_to_frame(times: int = 40) -> Figures:
    """Milliseconds from a container's death (the engine's event) to the app's frame that shows it, end to end: the
    engine's HTTP API, the source, the journal, the world, the pane, the pty."""
    took: list[float] = []
    with fake_cluster() as (swarm, engines):
        swarm.create("web", 4)
        urls = [f"{e.node}={e.endpoint.url}" for e in engines]
        with screen("-m", "tests.bench.live_app", *urls) as it:
            it.until(lambda text: "web" in text)
            it.drain(5.0)
            for number in range(times):
                slot = number % 4 + 1
                victim = next(
                    id for id, t in swarm.tasks.items() if t["Slot"] == slot and t["Status"]["State"] == "running"
                )
                word = f"exit {30 + number}"
                began = time.perf_counter()
                swarm.crash(victim, 30 + number)
                took.append((it.until(partial(_says, word), 20.0) - began) * 1000)
                # Every other death hits the source while it rests, as most do; every other while it still looks fast.
                it.drain(5.0 if number % 2 else 0.7)
    took.sort()
    return {
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[int(0.95 * (len(took) - 1))], 1),
        "worst_ms": round(took[-1], 1),
        "deaths": times,
    }


def _says(word: str, text: str) -> bool:
    return word in text


def pane_update() -> Figures:
    """Milliseconds for one changed task to be on the screen, by how many tasks there are; each in its own process."""
    figures: dict[str, float] = {}
    for tasks in (10, 100, 1_000, 10_000):
        code = (
            f"from tests.bench.pane_update import bench_update; import json; print(json.dumps(bench_update({tasks})))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
        figures[f"{tasks}_tasks_ms"] = round(float(json.loads(done.stdout)), 2)
    return figures
