"""The lab's load generator in a process of its own, so that what it costs is its own: argv is RATE SECONDS PORT.
Prints one JSON object. Latencies are to the reach of their bucket, a factor of 1.41."""

from __future__ import annotations

import json
import sys
import time

from lab.engine.endpoint import Endpoint
from lab.watch.load.maker import LoadMaker
from lab.world.entries import Entry, LoadReport
from lab.world.journal import Journal
from lab.world.load import LoadSpec, latencies, percentile
from lab.world.world import World


def measure(rate: float, seconds: float, port: int) -> dict[str, float]:
    """Make the load for so long."""
    journal, told = Journal(), list[LoadReport]()

    def keep(entry: Entry, _: World) -> None:
        if isinstance(entry.fact, LoadReport):
            told.append(entry.fact)

    journal.read(keep)
    maker = LoadMaker(journal, [Endpoint("node1", "manager", "", published={8080: ("127.0.0.1", port)})])
    began, cpu = time.perf_counter(), time.process_time()
    maker.start(LoadSpec(rate, port=8080, https=False))
    time.sleep(seconds)
    took = time.perf_counter() - began
    maker.close()
    cpu = time.process_time() - cpu
    load, found = journal.world.load, latencies(told)
    return {
        "achieved": round(load.sent / took, 1),
        "bad": load.bad,
        **{f"p{share}_ms": round(percentile(found, share / 100), 1) for share in (50, 95, 99)},
        "late_ms": max(fact.late for fact in told),
        "cpu_s_per_s": round(cpu / took, 3),
    }


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))))
