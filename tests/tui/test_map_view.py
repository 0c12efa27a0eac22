"""The map, as plain text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.panes.map import topology
from lab.tui.panes.map import view as pane
from lab.tui.panes.map.canvas import Box, Canvas
from lab.tui.spans import plain, width
from lab.world.entries import SwarmChanged
from lab.world.swarm import Service
from lab.world.traefik import Traffic
from lab.world.world import World
from tests.tui.edge import NODES, SERVICES, TASKS, deployed, hit, load, service, tasks, traffic, world
from tests.tui.edge_strategies import worlds

ROOMS = [56, 70, 100, 118]


def drawn(now: World, room: int = 118, height: int = 40, at: float = 10.0) -> str:
    return plain(pane.lines(now, room, height, at))


def broken(name: str) -> SwarmChanged:
    """All tasks of a service failed."""
    return SwarmChanged(
        "node1", tasks=tuple(replace(t, state="failed", desired="shutdown") for t in TASKS if t.service == name)
    )


def places(now: World) -> dict[str, list[str]]:
    way = topology.find_way(now)
    groups = {"edge": way.edge, "acme": way.acme, "routed": way.routed, "beside": way.beside}
    named = {key: [one.name for one in group] for key, group in groups.items()}
    return {**named, "behind": [one.name for one, _, _ in way.behind]}


def test_each_service_has_its_place_on_the_way() -> None:
    assert places(deployed()) == {
        "edge": ["edge_traefik"],
        "acme": ["acme_pebble"],
        "routed": ["app_frontend", "echo_echo"],
        "behind": ["app_backend"],
        "beside": ["web"],
    }


def test_what_is_behind_the_backend_is_behind_too_and_what_only_shares_the_edge_is_not() -> None:
    more = (service("db", "postgres", 1, ("w3",)), service("tool", "busybox", 1, ("w1",)))
    backend = replace(SERVICES[3], spec=replace(SERVICES[3].spec, networks=("w2", "w3")))
    now = deployed(SwarmChanged("node1", services=(backend, *more)))
    assert places(now)["behind"] == ["app_backend", "db"] and places(now)["beside"] == ["tool", "web"]
    for room in ROOMS:
        assert "← backend" in drawn(now, room) and "✘┆ 0/1 down" not in drawn(now, room)


def test_another_image_with_traefiks_name_in_its_path_is_not_the_edge() -> None:
    now = deployed(SwarmChanged("node1", services=(service("who", "traefik/whoami:1.10", 1, ("w1",)),)))
    assert places(now)["edge"] == ["edge_traefik"] and "who" in places(now)["beside"]


@pytest.mark.parametrize("room", ROOMS)
def test_the_whole_way_is_drawn(room: int) -> None:
    text = drawn(deployed(), room)
    for said in ("clients", "DNS names", "node1 ★", "node4", "● ready", "traefik", "frontend", "backend", "pebble"):
        assert said in text
    for said in (
        "1/1 running",
        "2/2 running",
        "3/3 running",
        "secret api",
        "config nginx",
        "beside it  ● web 2/2 :8080",
    ):
        assert said in text
    assert "● whole" in text and "✘ down" in text


def test_in_a_wide_room_nothing_is_cut() -> None:
    text = drawn(deployed())
    for said in ("node-app.localhost", "● app_frontend", "on node2, 4", "on node1, 3, 4", "config settings-1"):
        assert said in text
    assert "…" not in text and ":80 :443 :9000" in text and "via app_inside" in text


def test_where_columns_give_way_nodes_stay_whole_and_rates_stand_free() -> None:
    now = deployed(*(load(float(t)) for t in range(1, 11)))
    assert re.search(r"\d/s +╭ node1", drawn(now, 115))
    for room in (100, 104, 110):
        assert drawn(now, room).count("│ ● ready │") == 4 and "node1 ★" in drawn(now, room)


def test_what_passes_stands_on_the_edges() -> None:
    now = deployed(*traffic(100, 580, 3), *(load(float(t), 1 if t == 10 else 0) for t in range(1, 11)))
    for room in (70, 118):
        text = drawn(now, room)
        assert "load: 50/s asked" in text and "48/s" in text and "✘ 3" in text and "✘ 1" in text and "12/s" in text


def test_single_requests_count_for_their_node() -> None:
    now = deployed((9.0, hit("node2")), (9.0, hit("node2", 502)), (9.0, hit("node3", 401)))
    assert topology.to_node(now, NODES[1], 10.0) == topology.Rate(0.2, 1)
    assert topology.to_node(now, NODES[2], 10.0) == topology.Rate(0.1, 0)
    assert not topology.to_node(now, NODES[0], 10.0).known
    assert not topology.from_hits(now, 30.0).known, "after ten seconds they are over"
    assert "requests by hand" in drawn(now) and "no requests now" in drawn(now, at=30.0)


@pytest.mark.parametrize(
    ("rows", "now", "rate"),
    [
        ([], 10.0, topology.Rate(known=False)),
        ([(0.0, 100, 0)], 10.0, topology.Rate(0.0, 0)),
        ([(0.0, 100, 0), (10.0, 150, 2)], 10.0, topology.Rate(5.2, 2)),
        ([(0.0, 100, 0), (12.0, 150, 0)], 14.0, topology.Rate(5.0, 0)),
        ([(0.0, 100, 0), (5.0, 150, 0)], 60.0, topology.Rate(0.0, 0)),
        ([(0.0, 100, 5), (8.0, 20, 1)], 10.0, topology.Rate(2.1, 1)),
        ([(6.0, 100, 0), (8.0, 120, 0)], 10.0, topology.Rate(5.0, 0)),
    ],
)
def test_counters_become_rates(rows: list[tuple[float, int, int]], now: float, rate: topology.Rate) -> None:
    given = tuple((at, Traffic("app@swarm", good=good, bad=bad)) for at, good, bad in rows)
    found = topology.rate_of_counts(given, now)
    assert (round(found.rate, 6), found.bad, found.known) == (rate.rate, rate.bad, rate.known)


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_down_is_seen_to_be_down(room: int) -> None:
    text = drawn(deployed(broken("echo_echo")), room)
    assert "✘ echo_echo" in text and "0/1 down" in text and "┆" in text
    gone = deployed(SwarmChanged("node1", nodes=(replace(NODES[3], state="down"),)))
    text = drawn(gone, room)
    assert "✘ down" in text and "◑" in text and "1/2 running" in text, "tasks on a node that is down do not run"
    assert "0/1 down" in drawn(deployed(broken("edge_traefik")), room)


def test_down_has_the_bad_tone() -> None:
    lines = pane.lines(deployed(broken("echo_echo")), 118, 40, 10.0)
    frames = {tone for line in lines for text, tone in line if "┆" in text}
    assert frames == {"bad"}


def test_many_nodes_and_services_are_laid_in_rows() -> None:
    nodes = tuple(replace(NODES[3], id=f"m{i}", name=f"worker{i}") for i in range(1, 9))
    more = tuple(
        service(f"shop_part{i}", "nginx", 1, ("w1",), labels={f"traefik.http.routers.r{i}.rule": f"Host(`h{i}`)"})
        for i in range(1, 8)
    )
    now = deployed(SwarmChanged("node1", nodes=nodes, services=more, tasks=tasks("shop_part3", 1)))
    for room in ROOMS:
        text = drawn(now, room)
        assert all(f"worker{i}" in text for i in range(1, 9)) and all(f"part{i}" in text for i in range(1, 8))
        assert all(width(line) <= room for line in pane.lines(now, room, 40, 10.0))


def test_a_drained_node_and_an_update_are_told() -> None:
    drained = replace(NODES[1], availability="drain")
    update = replace(SERVICES[2], status=replace(SERVICES[2].status, state="rollback_paused"))
    text = drawn(deployed(SwarmChanged("node1", nodes=(drained,), services=(update,))), 70)
    assert "■ drain" in text and "rollback paused" in text


def test_without_traefik_the_map_says_what_to_deploy() -> None:
    some: tuple[Service, ...] = SERVICES[5:]
    text = drawn(world(SwarmChanged("node1", NODES, some, TASKS, first=True)), 70)
    assert "The map begins with a Traefik" in text and "-c stacks/edge.yaml" in text
    assert "node1 ★" in text and "● web 2/2 :8080" in text
    assert "Nothing has been seen of a cluster yet." in drawn(World(), 70)


def test_where_no_application_is_routed_the_map_says_what_is() -> None:
    dashboard = SERVICES[0]
    bare = replace(dashboard, spec=replace(dashboard.spec, labels={}))
    own = drawn(world(SwarmChanged("node1", NODES, (dashboard,), TASKS, first=True)))
    assert "Only Traefik's own dashboard is routed yet: give a service labels for Traefik." in own
    none = drawn(world(SwarmChanged("node1", NODES, (bare,), TASKS, first=True)))
    assert "Nothing is routed yet: give a service labels for Traefik." in none
    assert "routed yet" not in drawn(deployed())


def test_lines_that_meet_are_joined_and_texts_lie_over_them() -> None:
    canvas = Canvas(13)
    canvas.run(0, 1, 6, 1, "quiet")
    canvas.run(3, 0, 3, 2, "quiet")
    canvas.box(8, 0, 5, Box((("a", ""),)))
    canvas.put(9, 1, (("cut", ""),), 2)
    assert plain(canvas.lines()).splitlines() == ["   ╷    ╭ a ╮", "╶──┼──╴ │c… │", "   ╵    ╰───╯"]


@given(worlds, st.integers(1, 130), st.integers(0, 60))
def test_any_world_keeps_within_the_room(now: World, room: int, height: int) -> None:
    assert all(width(line) <= room for line in pane.lines(now, room, height, now.at))
