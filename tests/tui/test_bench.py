"""What `make bench` measures on the tests' engines can be measured."""

from __future__ import annotations

from tests.bench.app import at_rest


def test_the_live_app_of_the_bench_shows_its_swarm() -> None:
    figures = at_rest(seconds=0.5)
    assert isinstance(figures["resident_mib"], float)
    assert figures["resident_mib"] > 1
