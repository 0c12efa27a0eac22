"""What one update of the cluster pane costs: `python -m tests.bench.pane_update 10 100 1000 10000`."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

from textual.app import App, ComposeResult

import lab.tui
from lab.tui.cluster.widget import ClusterGrid
from lab.tui.theme import DARK
from lab.world.entries import Entry, SwarmChanged
from lab.world.journal import Journal
from lab.world.swarm import Node, Service, ServiceSpec, Task

_NODES, _SLOTS = 5, 250


class Bench(App[None]):
    """The pane alone."""

    CSS_PATH = Path(lab.tui.__file__).with_name("lab.tcss")

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        yield ClusterGrid(id="cluster")


def task(number: int, attempt: int, state: str, at: float) -> Task:
    """The attempt at the slot of that number, counted over all services."""
    service, slot = divmod(number, _SLOTS)
    node = f"n{(number + attempt) % _NODES + 1}"
    return Task(f"t{number}.{attempt}", f"s{service:03d}", slot + 1, node, state, "running", at, at)


def journal(tasks: int) -> Journal:
    """A swarm of five nodes with so many tasks running, in services of at most 250."""
    nodes = tuple(Node(f"n{i}", f"node{i}", "manager", "ready", leader=i == 1) for i in range(1, _NODES + 1))
    services = tuple(
        Service(f"s{i:03d}", f"service{i:03d}", ServiceSpec("nginx:1.26"), min(_SLOTS, tasks - i * _SLOTS))
        for i in range(-(-tasks // _SLOTS))
    )
    made = Journal(clock=lambda: 0.0)
    running = tuple(task(number, 1, "running", 1.0) for number in range(tasks))
    made.put(Entry(1.0, SwarmChanged("node1", nodes, services, running, first=True)))
    return made


async def _measure(tasks: int, rounds: int) -> list[float]:
    made, app = journal(tasks), Bench()
    took: list[float] = []
    async with app.run_test(size=(120, 40)) as pilot:
        pane = app.query_one(ClusterGrid)
        pane.show(made.world)
        await pilot.pause()
        for place in range(rounds):
            # Slots in view, slots out of view; a crash and its replacement, then the replacement's running.
            number = place % 4 if place % 3 else (place * 37) % tasks
            state = "preparing" if place % 2 else "running"
            began = time.process_time()
            made.put(Entry(2.0 + place, SwarmChanged("node1", tasks=(task(number, 2 + place, state, 2.0 + place),))))
            pane.show(made.world, made.world.dirty)
            await pilot.pause()
            took.append((time.process_time() - began) * 1000)
    return took


def bench_update(tasks: int, rounds: int = 60) -> float:
    """Milliseconds of CPU, the median, from one changed task in the journal to the pane's painted frame: the fold,
    the pane and Textual's own part in it."""
    return statistics.median(asyncio.run(_measure(tasks, rounds)))


if __name__ == "__main__":
    for given in sys.argv[1:] or ("10", "100", "1000", "10000"):
        print(f"{given:>6} tasks  {bench_update(int(given)):6.2f} ms")
