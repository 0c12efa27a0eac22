"""The check on what was seen on the nodes' own network: an overlay network in clear, and an encrypted one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from lab.checks.base import Baseline
from lab.checks.check import Check
from lab.world.entries import Entry
from lab.world.wire import KEEP_EXCHANGES, KEEP_REPORTS, Carries, Exchange, Flow, WireSeen, fold_wire
from lab.world.world import World, fold

MARK = "clear-text-4711"


def seen(carries: Carries, frames: int, marks: int = 0) -> WireSeen:
    return WireSeen(
        2.0, (Flow("node1", "node2", carries, frames, 100 * frames),), marks=((MARK, marks),) if marks else ()
    )


def world(*facts: WireSeen) -> World:
    now = World()
    for at, fact in enumerate(facts):
        now = fold(now, Entry(float(at), fact))
    return now


def check(**asks: object) -> Check:
    return Check.model_validate({"wire": asks})


PLAIN = check(carries="vxlan", text=MARK, clear=True)
ENCRYPTED = check(carries="esp", frames=5, text=MARK, clear=False)


def test_in_clear_the_text_is_seen_in_vxlan() -> None:
    assert PLAIN.sentence == (
        "1 frame of VXLAN, an overlay network in clear passed between nodes, "
        f"and at least one frame had the text {MARK} in clear"
    )
    assert not PLAIN.evaluate(World(), Baseline()).ok
    assert not PLAIN.evaluate(world(seen("vxlan", 9)), Baseline()).ok
    outcome = PLAIN.evaluate(world(seen("vxlan", 9, 2), seen("gossip", 3)), Baseline())
    assert outcome.ok
    assert outcome.why.endswith(f"{MARK} was in clear in 2 frames")


def test_encrypted_there_are_frames_and_none_has_the_text() -> None:
    few, enough = world(seen("esp", 4)), world(seen("esp", 4), seen("esp", 1))
    assert not ENCRYPTED.evaluate(few, Baseline()).ok
    assert ENCRYPTED.evaluate(enough, Baseline()).ok
    shown = world(seen("esp", 4), seen("esp", 1), seen("vxlan", 1, 1))
    assert not ENCRYPTED.evaluate(shown, Baseline()).ok
    assert ENCRYPTED.condition.is_lost(shown, Baseline())
    assert not ENCRYPTED.condition.is_lost(enough, Baseline())


def test_only_what_passed_since_the_step_began_counts() -> None:
    before = world(seen("vxlan", 9, 2))
    assert not PLAIN.evaluate(before, Baseline(since=before)).ok
    after = fold(before, Entry(9.0, seen("vxlan", 1, 1)))
    assert PLAIN.evaluate(after, Baseline(since=before)).ok
    assert check(carries="vxlan").evaluate(after, Baseline(since=before)).ok
    assert not check(carries="gossip").evaluate(after, Baseline(since=before)).ok


@pytest.mark.parametrize(
    ("asks", "why"),
    [
        ({"carries": "vxlan", "text": MARK}, "text and clear are given together"),
        ({"carries": "vxlan", "clear": True}, "text and clear are given together"),
        ({"carries": "vxlan", "text": "{{secret}}", "clear": True}, "no placeholders"),
        ({"carries": "vxlan", "text": "short", "clear": True}, "at least 8 characters"),
    ],
)
def test_a_wrong_one_is_refused(asks: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        check(**asks)


def test_what_is_kept_is_bounded_and_an_exchange_has_its_time() -> None:
    one = Exchange(1.5, "node1", "node2", 4096, "10.0.0.2", 40_000, "10.0.0.9", 8080)
    now = World().wire
    for at in range(100):
        now = fold_wire(now, float(at), WireSeen(1.0, exchanges=(replace(one, sequence=at + 1),)))
    assert len(now.reports) == KEEP_REPORTS
    assert len(now.exchanges) == KEEP_EXCHANGES
    assert now.exchanges[-1] == (97.5, replace(one, sequence=100))
    assert len(now.recent(99.0, 3.0)) == 4


def test_what_is_reported_again_takes_the_place_of_what_was_known() -> None:
    one = Exchange(0.5, "node1", "node2", 4096, "10.0.0.2", 40_000, "10.0.0.9", 8080, 7, asked=0.1)
    later = replace(one, ago=3.5, answered=3.2, got=10)
    other = replace(one, ago=1.0, turn=1)
    now = fold_wire(World().wire, 10.0, WireSeen(3.0, exchanges=(one,)))
    now = fold_wire(now, 13.0, WireSeen(3.0, exchanges=(later, other)))
    assert now.exchanges == ((9.5, later), (12.0, other))
