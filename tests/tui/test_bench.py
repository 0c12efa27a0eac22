"""What `make bench` measures on the tests' engines can be measured."""

from __future__ import annotations

from tests.bench.app import death_to_frame


def test_the_live_app_of_the_bench_shows_a_death() -> None:
    figures = death_to_frame(times=1)
    assert figures["deaths"] == 1
    assert isinstance(figures["worst_ms"], float)
