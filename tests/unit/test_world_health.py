"""Route 53's rules for the health of an endpoint, held against what its documentation says of a row of checks."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from lab.world.health import THRESHOLD, Health, answering

checks = st.lists(st.booleans(), max_size=40)


def judged(some: list[bool], threshold: int = THRESHOLD) -> Health:
    health = Health()
    for passed in some:
        health = health.after(passed, threshold)
    return health


@given(checks, st.integers(1, 10))
def test_the_last_row_of_enough_equal_checks_decides_and_before_any_an_endpoint_is_healthy(
    some: list[bool], threshold: int
) -> None:
    decisive = [passed for passed, row in groupby(some) if len(list(row)) >= threshold]
    assert judged(some, threshold).healthy == (decisive[-1] if decisive else True)


@given(checks)
def test_a_single_check_never_changes_the_state_of_a_settled_endpoint(some: list[bool]) -> None:
    health = judged([*some, True, True, True])
    assert health == Health(True, 0)
    assert health.after(False).healthy and health.after(False).after(False).healthy
    assert not health.after(False).after(False).after(False).healthy


@given(checks)
def test_what_is_counted_against_is_the_row_that_contradicts_the_state_and_less_than_the_threshold(
    some: list[bool],
) -> None:
    health = judged(some)
    row = next((len(list(each)) for passed, each in groupby(reversed(some)) if passed != health.healthy), 0)
    assert health.against == (row if some and some[-1] != health.healthy else 0) < THRESHOLD


@given(st.dictionaries(st.sampled_from("abcdef"), checks), st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_only_the_healthy_are_answered_and_all_when_there_is_none(
    seen: dict[str, list[bool]], records: list[str]
) -> None:
    health = {name: judged(some) for name, some in seen.items()}
    answered = answering([(name, name.upper()) for name in records], health)
    healthy = [name for name in records if name not in health or health[name].healthy]
    assert [name.lower() for name in answered] == (healthy or records)
