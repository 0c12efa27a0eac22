"""The DNS pane: whose record is answered and why, where the clients go, and that any world can be drawn."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from lab.tui.appearance import Appearance
from lab.tui.panes.dns import view
from lab.tui.spans import plain, width
from lab.world.dns import EndpointChecked, ZoneServed
from lab.world.entries import Entry
from lab.world.world import World, fold, fold_all
from tests.strategies import entries
from tests.tui import demo, dns
from tests.tui.pictures import Compare, after, app_on
from tests.tui.test_appearance import bare
from tests.tui.test_snapshots_views import ALL, named


def drawn(world: World, room: int = 76, height: int = 30) -> list[str]:
    return plain(view.lines(world, room, height, world.at)).splitlines()


def line(shown: list[str], begin: str) -> str:
    return next(each for each in shown if each.lstrip("→ ").startswith(begin))


def test_the_healthy_are_answered_and_the_others_say_why_not() -> None:
    shown = drawn(dns.world())
    assert line(shown, "10.77.0.11").startswith("→") and "● healthy" in line(shown, "10.77.0.11")
    dead = line(shown, "10.77.0.14")
    assert not dead.startswith("→") and "✘ unhealthy" in dead and "connection refused" in dead
    assert any("-p 20053" in each for each in shown)


def test_a_node_that_is_about_to_change_says_how_far_it_is() -> None:
    world = dns.world()
    for at in (190.0, 191.0):
        world = fold(world, Entry(at, EndpointChecked("node1", False, 502, 9.0)))
        world = fold(world, Entry(at, EndpointChecked("node4", True, 200, 9.0)))
    shown = drawn(world)
    assert "2 of 3 bad" in line(shown, "10.77.0.11") and "2 of 3 good" in line(shown, "10.77.0.14")


def test_each_kind_has_a_curve_of_the_requests_that_met_a_dead_node() -> None:
    shown = drawn(dns.world())
    obeys, keeps, tries = (next(e for e in shown if e.startswith(name) and "···" in e) for name in view.NAMED.values())
    assert keeps.endswith("▂") and obeys.endswith("·") and tries.endswith("·")
    assert 0 < obeys.count("▂") == tries.count("░") < keeps.count("▂")
    assert any("the lab powered node4 off" in each for each in shown)
    table = [each for each in shown if "of 1" in each]
    assert any(each.startswith("try the next") and " 0 of " in each for each in table)


def test_in_a_narrow_place_no_number_and_no_heading_is_cut_off() -> None:
    world = dns.world()
    counts = line(drawn(world, 76), "cache for ever").split("✘")[-1].split()
    for room in (54, 55, 56):
        shown = drawn(world, room)
        told = line(shown, "cache for ever").split("✘")[-1].replace("/", " of ").split()
        assert told == counts, room
        assert any("Met a node that did not answer" in each and each.endswith("until now") for each in shown)
        assert all(len(each) <= room for each in shown)


@pytest.mark.parametrize("room", range(54, 80))
def test_in_a_narrow_place_the_checks_are_told_in_fewer_words_and_none_is_cut_off(room: int) -> None:
    world = dns.world()
    world = fold(world, Entry(190.0, EndpointChecked("node1", True, 200, 120.0)))
    world = fold(world, Entry(191.0, EndpointChecked("node2", False, 502, 9.0)))
    world = fold(world, Entry(192.0, EndpointChecked("node3", False, why="connection reset by peer")))
    shown = drawn(world, room)
    records = [line(shown, f"10.77.0.1{n}") for n in (1, 2, 3, 4)]
    assert not any("…" in each for each in records)
    words = ("200", "502", "reset", "refused")
    assert [word for word, each in zip(words, records, strict=True) if word in each] == [*words]
    assert all(re.search(r" \d+ s( ago)?$", each) for each in records)
    assert all(len(each) <= room for each in shown)


def test_a_connection_that_ends_within_tls_is_told_in_plain_words() -> None:
    why = "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1006)"
    ends = [Entry(190.0 + n, EndpointChecked("node3", False, why=why)) for n in range(3)]
    world = fold_all(ends, dns.world())
    assert "connection closed" in line(drawn(world), "10.77.0.13")
    assert world.changes[-1].text == "DNS: node3 is unhealthy (connection closed)"


@pytest.mark.parametrize("room", [36, 66, 76, 190])
def test_nothing_is_said_by_colour_alone(room: int) -> None:
    assert not bare(view.lines(dns.world(), room, 40, dns.world().at), ("bad", "why", "move"))


def test_when_none_is_healthy_it_says_that_all_are_answered() -> None:
    checks = [Entry(1.0, EndpointChecked(f"node{n}", False)) for n in (1, 2, 3, 4) for _ in range(3)]
    shown = drawn(fold_all([Entry(0.0, dns.ZONE), *checks]))
    assert any("fails open" in each for each in shown)
    assert all(line(shown, record.address).startswith("→") for record in dns.RECORDS)


def test_without_a_server_it_says_what_would_be_here_or_what_is_in_the_way() -> None:
    assert "serves the demo's names" in " ".join(drawn(World()))
    why = "port 20053 of this machine is taken"
    taken = fold_all([Entry(0.0, replace(dns.ZONE, state="taken", why=why))])
    assert why in " ".join(drawn(taken))


def test_when_it_is_off_it_is_shown_as_it_was() -> None:
    off = fold(dns.world(), Entry(200.0, ZoneServed("off")))
    shown = drawn(off)
    assert "As it was" in shown[0] and "✘ unhealthy" in line(shown, "10.77.0.14")


@given(entries, st.integers(1, 200), st.integers(1, 60), st.floats(0, 1e9))
def test_any_world_fits(some: tuple[Entry, ...], room: int, height: int, now: float) -> None:
    for shown in (view.lines(fold_all(some), room, height, now), view.lines(dns.world(), room, height, now)):
        assert all(width(each) <= room for each in shown)


@pytest.mark.parametrize(("size", "theme"), ALL, ids=named(ALL))
def test_the_view(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    stage = demo.stage()
    told = tuple(Entry(120.0 + entry.at, entry.fact) for entry in dns.entries())
    shown = after(stage, words=("cache for ever", "✘ unhealthy"), entries=told)

    async def before(pilot: Pilot[Any]) -> None:
        await after(stage, "n")(pilot)
        pilot.app.action_view("dns")  # type: ignore[attr-defined]
        await shown(pilot)

    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=before)
