"""A run over surfaces: what was tried, what was found, and how each find is repeated."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.desk import private_place
from tests.fuzz.shrink import SECONDS, shrunk
from tests.fuzz.surface import Fault, Surface, tried

Say = Callable[[str], None]
EVERY = 15.0
"""Seconds between two lines of progress."""


@dataclass
class Find:
    """One kind of fault on one surface: the first input of it made small, where it is kept, how often it came."""

    fault: Fault
    origin: str
    file: Path
    times: int = 1


@dataclass
class Tried:
    """What came of one surface."""

    surface: Surface
    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    finds: dict[str, Find] = field(default_factory=dict)

    @property
    def faults(self) -> int:
        """How many inputs broke the law."""
        return sum(find.times for find in self.finds.values())


def over(surface: Surface, seed: str, count: int, say: Say, *, shrink: float = SECONDS) -> Tried:
    """Try the known inputs and `count` drawn ones; each new kind of fault is made small, kept and told at once."""
    found = Tried(surface)
    told = began = time.monotonic()
    with private_place():
        for index in range(-len(surface.known), count):
            known = index < 0
            value = surface.known[index] if known else surface.nth(seed, index)
            origin = f"known input {index + len(surface.known)}" if known else f"seed {seed}, index {index}"
            before = time.monotonic()
            fault = tried(surface, value)
            now = time.monotonic()
            found.inputs, found.slowest = found.inputs + 1, max(found.slowest, now - before)
            if fault is not None and fault.kind in found.finds:
                found.finds[fault.kind].times += 1
            elif fault is not None:
                found.finds[fault.kind] = _find(surface, value, fault, origin, len(found.finds) + 1, shrink)
                say(f"{surface.name}: {fault.kind} ({origin})")
            if not known and now - told > EVERY:
                told = now
                say(f"{surface.name}: {max(0, index + 1)} of {count} inputs, {len(found.finds)} kinds of fault")
    found.seconds = time.monotonic() - began
    return found


def _find(surface: Surface, value: Any, fault: Fault, origin: str, number: int, seconds: float) -> Find:
    def fails(smaller: Any) -> bool:
        again = tried(surface, smaller)
        return again is not None and again.kind == fault.kind

    small = shrunk(value, fails, seconds)
    file = Path(tempfile.mkdtemp(prefix="swarmlab-fuzz-find-")) / f"{surface.name}-{number}.json"
    kept = {"surface": surface.name, "kind": fault.kind, "origin": origin, "input": small}
    file.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return Find(tried(surface, small) or fault, origin, file)


def again(file: Path, surfaces: Iterable[Surface], say: Say) -> int:
    """Try an input that was kept; the answer is an exit code."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    surface = next(each for each in surfaces if each.name == kept["surface"])
    with private_place():
        fault = tried(surface, kept["input"])
    say(f"{surface.name}: {'nothing is wrong' if fault is None else fault.kind}")
    if fault is not None:
        say(fault.told)
    return 0 if fault is None else 1


def shares(surfaces: tuple[Surface, ...], inputs: int) -> dict[str, int]:
    """How many inputs each surface gets of that many."""
    whole = sum(surface.share for surface in surfaces)
    return {surface.name: max(1, round(inputs * surface.share / whole)) for surface in surfaces}


def report(results: Iterable[Tried]) -> str:
    """A table by surface, and for each find what it is and the command that repeats it."""
    lines = [f"{'SURFACE':<16} {'INPUTS':>7} {'FAULTS':>7} {'KINDS':>6} {'SECONDS':>8} {'SLOWEST':>8}"]
    told: list[str] = []
    for one in results:
        name = one.surface.name
        lines.append(
            f"{name:<16} {one.inputs:>7} {one.faults:>7} {len(one.finds):>6} {one.seconds:>8.1f} {one.slowest:>8.2f}"
        )
        for find in one.finds.values():
            told += [
                "",
                f"{name}: {find.fault.kind}, {find.times} times, first by {find.origin}",
                *(f"    {line}" for line in find.fault.told.splitlines()[-12:]),
                f"  again: {sys.executable} -m tests.fuzz --input {find.file}",
            ]
    return "\n".join((*lines, *told))
