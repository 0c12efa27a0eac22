"""The cluster: seconds of `up` (cold, booted, from the template) and of `reset` (by the API, by a snapshot), and what a
snapshot costs; on a lab of its own name."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Figures = Mapping[str, float | int | str]
NAME = "bench"
REPEAT = 20


def swarmlab(*args: str, env: Mapping[str, str]) -> tuple[Any, list[tuple[float, str]]]:
    """Run a command; its JSON and its progress lines with the second at which each came."""
    argv = [sys.executable, "-m", "lab.cli", *args, "--name", NAME, "--json"]
    began = time.perf_counter()
    lines: list[tuple[float, str]] = []
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
    ) as child:
        assert child.stderr is not None
        assert child.stdout is not None
        for line in child.stderr:
            lines.append((round(time.perf_counter() - began, 1), line.strip()))
            print(f"    {lines[-1][0]:7.1f} s  {line.strip()}", file=sys.stderr)
        out = child.stdout.read()
    if child.returncode != 0:
        raise RuntimeError(f"swarmlab {' '.join(args)} ended with {child.returncode}: {out}")
    return json.loads(out), lines


def measure(*, cold: bool) -> Figures:
    """Bring a cluster up (cold: with an empty cache, too), run a lesson, reset it twice, take it down."""
    figures: dict[str, float | int | str] = {}
    state = Path(tempfile.mkdtemp(prefix="swb-"))
    env = {"SWARMLAB_STATE": str(state)}
    try:
        if cold:
            cache = Path(tempfile.mkdtemp(prefix="swc-", dir="/var/tmp"))
            try:
                up, _ = swarmlab("up", "--yes", env={**env, "SWARMLAB_CACHE": str(cache)})
                figures["up_cold_s"] = up["seconds"]
                swarmlab("down", env={**env, "SWARMLAB_CACHE": str(cache)})
            finally:
                shutil.rmtree(cache)
        swarmlab("up", "--yes", env=env)  # the cache is there from now on
        swarmlab("down", env=env)
        up, lines = swarmlab("up", "--yes", "--fresh", env=env)
        figures["up_warm_s"] = up["seconds"]
        figures["engines_boot_s"] = max((at for at, line in lines if re.search(r"engine", line)), default=0.0)
        again, _ = swarmlab("up", "--yes", env=env)
        figures["up_when_up_s"] = again["seconds"]
        figures["acceleration"] = up["acceleration"]
        there, _ = swarmlab("reset", "--by", "api", "--to", "scaling", env=env)
        figures["reset_forwards_s"] = there["seconds"]
        back, _ = swarmlab("reset", "--by", "api", "--to", "first-service", env=env)
        figures["reset_backwards_s"] = back["seconds"]
        nothing, _ = swarmlab("reset", "--by", "api", "--to", "first-service", env=env)
        figures["reset_nothing_to_do_s"] = nothing["seconds"]
        demo, _ = swarmlab("reset", "--by", "api", "--to", "rolling-update", env=env)
        figures["reset_to_the_demo_s"] = demo["seconds"]
        figures |= _snapshots(env)
    finally:
        swarmlab("down", env=env)
        shutil.rmtree(state, ignore_errors=True)
    return figures


def _snapshots(env: Mapping[str, str]) -> Figures:
    """Save the demo and restore it, again and again; then start from the template as often."""
    figures: dict[str, float | int | str] = {}
    swarmlab("reset", "--to", "rolling-update", env=env)  # keeps a snapshot of it, if none was kept
    saved, _ = swarmlab("snapshot", "demo", env=env)
    figures["snapshot_stood_still_s"] = round(saved["stood_still"], 2)
    figures["snapshot_mb_a_node"] = round(saved["size"] / 4e6)
    restores = [swarmlab("restore", "demo", env=env)[0]["seconds"] for _ in range(REPEAT)]
    figures |= _spread("restore_the_demo", restores)
    resets = [swarmlab("reset", "--to", "rolling-update", env=env)[0]["seconds"] for _ in range(REPEAT)]
    figures |= _spread("reset_by_snapshot", resets)
    ups = []
    for _ in range(REPEAT):
        swarmlab("down", env=env)
        ups.append(swarmlab("up", "--yes", env=env)[0]["seconds"])
    return {**figures, **_spread("up_from_template", ups)}


def _spread(name: str, seconds: list[float]) -> Figures:
    ordered = sorted(seconds)
    return {f"{name}_p50_s": statistics.median(ordered), f"{name}_p95_s": ordered[int(0.95 * (len(ordered) - 1) + 0.5)]}
