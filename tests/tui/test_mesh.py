"""The mesh view as plain text: no app needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.panes.mesh import view
from lab.tui.panes.mesh.counts import recent, tallies
from lab.tui.spans import Line, plain, width
from lab.world.entries import Entry, Fact, Hit, SwarmChanged
from lab.world.world import World, fold
from tests.tui.fake import NODES, container, mesh_hits, task, web

ROOMS = [40, 56, 70, 118, 160]


def world(*facts: Fact, replicas: int = 4, name: str = "web", at: float = 10.0) -> World:
    """A service with a container in each slot, and after it the facts, a tenth of a second apart."""
    tasks = tuple(task(i, 1, (i - 1) % 4 + 1, "running", 3.0, container=container(i)) for i in range(1, replicas + 1))
    now = fold(World(), Entry(1.0, SwarmChanged("node1", NODES, (web(name=name),), tasks, first=True)))
    for place, fact in enumerate(facts):
        now = fold(now, Entry(at + place / 10, fact))
    return now


def ask(node: int, slot: int, **more: object) -> Hit:
    hit = Hit(f"node{node}", 8080, "/", 200, container(slot)[:12], 12.0)
    return replace(hit, **more)  # type: ignore[arg-type]


def lost(node: int, **more: object) -> Hit:
    return ask(node, 1, status=0, replica="", error="ConnectTimeout: timed out", **more)


def seen(now: World, room: int = 70, height: int = 40, at: float | None = None) -> str:
    return plain(view.lines(now, room, height, now.at if at is None else at))


def rows(text: str, start: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.startswith(start)]


def test_a_cell_counts_who_answered_for_whom() -> None:
    text = seen(world(ask(1, 1), ask(1, 2), ask(1, 2), ask(2, 3)))
    assert rows(text, "asked") == [["asked", "web.1", "web.2", "web.3", "web.4"]]
    assert rows(text, "node1")[0] == ["node1", "1", "2", "·", "·"]
    assert rows(text, "node2")[0] == ["node2", "·", "·", "1", "·"]
    assert "4 in 60 s  12 ms" in text


def test_failures_stand_in_the_row_of_the_node_that_was_asked() -> None:
    text = seen(world(ask(1, 1), lost(4), lost(4), ask(2, 1, status=503)))
    assert rows(text, "node4")[0][-2:] == ["✘", "2"]
    assert rows(text, "node2")[0][-2:] == ["✘", "1"]
    assert "✘" not in rows(text, "node1")[0]
    assert "✘ node4: ConnectTimeout: timed out" in text and "✘ node2: status 503" in text
    tones = {tone for line in view.lines(world(lost(4)), 70, 40, 10.0) for part, tone in line if part.startswith("✘")}
    assert tones == {"bad"}


def test_the_even_share_is_marked_and_a_replica_that_never_answers_is_seen() -> None:
    text = seen(world(*[ask(node, slot) for slot in (1, 2) for node in (1, 2, 3, 4)]))
    assert "┃ even: 25 %" in text
    bars = {line.split()[0]: line for line in text.splitlines() if "%" in line and line.startswith("web.")}
    assert bars["web.1"].split()[-3:] == ["50", "%", "4"] and bars["web.4"].split()[-3:] == ["0", "%", "0"]
    assert len({line.index("┃") for line in bars.values()}) == 1, "even is at the same place everywhere"
    assert bars["web.1"].index("┃") < bars["web.1"].rindex("█"), "twice the even share goes beyond the mark"
    assert "█" not in bars["web.4"]


def test_without_the_height_the_bars_are_in_the_columns() -> None:
    now = world(*mesh_hits())
    tall, short = seen(now, height=60).splitlines(), seen(now, height=14).splitlines()
    assert len(short) < len(tall)
    assert any(line.startswith("share") and "┃" in line for line in short)


def test_with_height_to_spare_the_last_requests_stand_one_by_one() -> None:
    now = world(ask(1, 1), ask(1, 2), lost(3, ms=10_000.0))
    text = seen(now, height=40)
    log = text[text.index("one by one") :].splitlines()[1:]
    assert [line.split()[0] for line in log] == ["node3", "node1", "node1"]
    assert "✘ ConnectTimeout: timed out" in log[0] and "10000 ms" in log[0]
    assert "→ web.2 on node2" in log[1]
    assert len(view.lines(world(*mesh_hits()), 118, 25, 13.0)) == 25, "as many as there is room for"


def test_a_replica_that_was_replaced_stays_beside_its_heir() -> None:
    gone = replace(task(2, 1, 2, "failed", 9.0), container=container(2), desired="shutdown")
    heir = task(2, 2, 3, "running", 9.5, container=container(9))
    text = seen(world(ask(1, 2), ask(1, 2), SwarmChanged("node1", tasks=(gone, heir)), ask(1, 9)))
    assert rows(text, "asked")[0][:4] == ["asked", "web.1", "web.2", "web.2"]
    assert text.splitlines()[3].split()[:3] == ["node1", "gone", "node3"]
    assert rows(text, "node1")[0][:4] == ["node1", "·", "2", "1"]


def test_what_no_task_bears_is_called_as_it_calls_itself() -> None:
    text = seen(world(ask(1, 1, replica="some-host"), ask(1, 1, replica="")))
    assert "some-host" in text and "no name told" in text


def test_the_two_balancers_are_told_apart() -> None:
    now = world(*mesh_hits())
    for room in ROOMS:
        text = seen(now, room)
        assert "Routing mesh" in text and "IPVS" in text
        assert "Through Traefik" in text and "https://node-app" in text and "port 8080 /" in text
    wide = seen(now, 118).splitlines()[0]
    assert "Routing mesh" in wide and "Through Traefik" in wide


def test_through_traefik_it_counts_whom_traefik_chose() -> None:
    hit = ask(1, 1, port=443, host="node-app.localhost", protocol="https", front=container(3)[:12])
    text = seen(world(hit, replace(hit, replica=container(2)[:12]), replace(hit, front="", replica="", status=401)))
    assert rows(text, "node1")[0] == ["node1", "·", "·", "2", "·", "1"]
    assert "behind them  web.1 1, web.2 1" in text
    assert "Traefik itself" in text


def test_each_address_has_its_own_matrix() -> None:
    text = seen(world(ask(1, 1), ask(1, 1, path="/slow"), ask(1, 1, port=9000, path="", protocol="tcp")))
    assert [line.split(" in ")[0].split()[:3] for line in text.splitlines() if line.startswith("port")] == [
        ["port", "8080", "/"],
        ["port", "8080", "/slow"],
        ["port", "9000", "tcp"],
    ]


def test_what_is_older_than_a_minute_counts_no_more_unless_nothing_came_since() -> None:
    now = world(ask(1, 1), at=10.0)
    later = fold(now, Entry(100.0, ask(2, 2)))
    assert "node1 " not in "".join(line for line in seen(later).splitlines(True) if line.startswith("node"))
    old = seen(now, at=95.0)
    assert "The last requests, 85 s ago" in old and rows(old, "node1")[0][1] == "1"


def test_an_empty_view_says_what_will_be_here() -> None:
    assert "every published port is asked" in " ".join(seen(world()).split())
    assert "No service publishes a port yet" in " ".join(seen(World()).split())


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("replicas", [1, 4, 12, 30])
@pytest.mark.parametrize("name", ["web", "a-service-with-a-long-name_backend"])
def test_it_keeps_within_the_width_and_says_what_it_folds(room: int, replicas: int, name: str) -> None:
    hits = [ask(node, slot) for slot in range(1, replicas + 1) for node in (1, 2, 3, 4)]
    now = world(*hits, lost(2), replicas=replicas, name=name)
    for height in (10, 60):
        lines = view.lines(now, room, height, now.at)
        assert all(width(line) <= room for line in lines), plain(lines)
        if replicas == 30 and room < 118:
            assert "+" in row(next(line for line in lines if row(line).startswith("asked")))


def row(line: Line) -> str:
    return "".join(text for text, _ in line)


HITS = st.lists(
    st.tuples(
        st.integers(1, 4), st.integers(0, 6), st.sampled_from([0, 200, 302, 502]), st.sampled_from(["", "a.localhost"])
    ),
    max_size=60,
)


@given(HITS, st.integers(20, 140), st.integers(5, 60))
def test_no_request_is_lost_in_the_count(given: list[tuple[int, int, int, str]], room: int, height: int) -> None:
    hits = [ask(node, slot, status=status, host=host) for node, slot, status, host in given]
    now = world(*hits)
    mine, _ = recent(now, now.at)
    meshed, routed = tallies(now, mine, now.at)
    assert sum(tally.total for tally in (*meshed, *routed)) == len(given)
    assert sum(tally.answered for tally in meshed) == sum(
        1 for _, _, status, host in given if not host and 0 < status < 500
    )
    assert all(width(line) <= max(room, 40) for line in view.lines(now, room, height, now.at))
