"""When requests are due, and what is counted: laws."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.watch.load.schedule import LoadStats, Schedule

rates = st.floats(0.5, 1000)


@given(st.lists(st.tuples(rates, st.floats(0, 20)), min_size=1, max_size=6))
def test_a_pace_owes_what_its_rates_make(parts: list[tuple[float, float]]) -> None:
    schedule, now, owed, number = Schedule(100.0, parts[0][0]), 100.0, 0.0, 0
    for rate, seconds in parts:
        schedule = schedule.change_rate(now, rate)
        now, owed = now + seconds, owed + rate * seconds
        while schedule.due(number) <= now:
            number += 1
        assert owed - 0.01 <= number <= owed + 1.01


@given(st.lists(st.tuples(st.sampled_from([0, 200, 302, 404, 502]), st.floats(0, 1e5)), max_size=60))
def test_a_tally_adds_up(ends: list[tuple[int, float]]) -> None:
    tally = LoadStats(0.0)
    for status, seconds in ends:
        tally.send(0.0)
        tally.end(seconds, 0.0, "node1", status)
    fact = tally.report(1e5, running=True, rate=1.0, target="", in_flight=0)
    assert fact.sent == len(ends) == fact.good + fact.bad
    assert (sum(fact.counts), sum(fact.bad_counts)) == (fact.good, fact.bad)
    assert len(fact.failures) == min(20, fact.bad)
