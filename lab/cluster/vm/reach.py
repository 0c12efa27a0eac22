"""Which machines reach each other on their own network, as each of them tries it: a TCP connection to the port where
every engine of a swarm listens for the others' gossip."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.cluster.vm import agent
from lab.errors import LabError

PORT = 7946
"""Where the engines' gossip listens, TCP and UDP (docs.docker.com, "Open protocols and ports between the hosts")."""

_BOUND = 8.0


def ask_all(others: Mapping[Path, Mapping[str, str]]) -> Mapping[str, Mapping[str, float | None]]:
    """Return what each machine, by its folder, says of its way to the `others`, by name and address."""
    if not others:
        return {}
    with ThreadPoolExecutor(len(others)) as pool:
        said = pool.map(lambda folder: _ask(folder, others[folder]), others)
    return {folder.name: each for folder, each in zip(others, said, strict=True) if each is not None}


def _ask(folder: Path, others: Mapping[str, str]) -> Mapping[str, float | None] | None:
    try:
        with agent.connect(folder) as one:
            told = one.ask("reach", " ".join(f"{address}:{PORT}" for address in others.values()), bound=_BOUND)
    except LabError:
        return None
    took = dict(word.split("=", 1) for word in told.split() if "=" in word)
    return {name: _milliseconds(took.get(f"{address}:{PORT}", "-")) for name, address in others.items()}


def _milliseconds(text: str) -> float | None:
    return float(text) if text.isdecimal() else None
