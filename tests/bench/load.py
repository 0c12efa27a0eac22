"""The load generator at several rates, and `hey` doing the same beside it, to the same small local server.

The two are not quite the same load. The lab's is open: a request is due at its time, and its latency counts from then
on, to the reach of its bucket. `hey` has 10 workers that each wait for their answer, and counts from when it sent, so
a late answer is not seen as such. `wrk` has no rate to be held to, and is left out.
"""

from __future__ import annotations

import csv
import io
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

WORKERS = 10
"""hey's `-q` is per worker: this many times that is the rate."""

Row = dict[str, Any]


def bench_load(rates: Sequence[float] = (50, 200, 500), seconds: float = 10) -> list[Row]:
    """Rows by rate and generator: requests a second asked for and achieved, how many failed, latencies in ms, how late
    at the most a request was sent (not known of hey), and CPU seconds a second."""
    with _server() as port:
        return [make(rate, seconds, port) for rate in rates for make in (_lab, _hey)]


def _lab(rate: float, seconds: float, port: int) -> Row:
    argv = [sys.executable, "-m", "tests.bench.load_maker", str(rate), str(seconds), str(port)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=seconds + 60)
    return {"by": "lab", "asked": rate, **json.loads(done.stdout)}


def _hey(rate: float, seconds: float, port: int) -> Row:
    row: Row = {"by": "hey", "asked": rate}
    hey = shutil.which("hey")
    if hey is None:
        return {**row, "missing": "apt-get install hey"}
    argv = [hey, "-z", f"{seconds:g}s", "-c", str(WORKERS), "-q", f"{rate / WORKERS:g}"]
    before = _spent()
    done = subprocess.run(
        [*argv, "-disable-keepalive", "-o", "csv", f"http://127.0.0.1:{port}/"],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    spent = _spent() - before
    answers = list(csv.DictReader(io.StringIO(done.stdout)))
    took = sorted(1000 * float(answer["response-time"]) for answer in answers)
    return {
        **row,
        "achieved": round(len(took) / seconds, 1),
        "bad": sum(not 200 <= int(answer["status-code"]) < 400 for answer in answers),
        **{f"p{share}_ms": round(took[share * (len(took) - 1) // 100], 1) for share in (50, 95, 99) if took},
        "cpu_s_per_s": round(spent / seconds, 3),
    }


def _spent() -> float:
    """CPU seconds of the child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def _server() -> Iterator[int]:
    """The local server's port."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield int(child.stdout.readline())
        finally:
            child.stdin.close()
