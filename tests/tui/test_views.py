"""What the views say, as plain text: no app needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lab.tui.cluster import grid
from lab.tui.cluster.rows import Row, RowIndex
from lab.tui.cluster.widget import ClusterGrid
from lab.tui.lesson import markdown
from lab.tui.panes.map import topology
from lab.tui.spans import Line, Span, clip, fit, format_stamp, plain, width, wrap, wrap_command
from lab.world.entries import Entry, SwarmChanged
from lab.world.swarm import Node, Port, Service, ServiceSpec, Task
from lab.world.world import World, fold
from tests.bench import pane_update
from tests.tui.fake import NODES, first_look, task, update

SPANS = st.lists(st.tuples(st.text(max_size=30), st.sampled_from(["", "run", "code"])), max_size=8)


def world(*facts: object) -> World:
    now = World()
    for place, fact in enumerate(facts):
        now = fold(now, Entry(float(place), fact))  # type: ignore[arg-type]
    return now


def row(line: Line) -> str:
    return "".join(text for text, _ in line)


@given(SPANS, st.integers(4, 60))
def test_wrapping_loses_no_word_and_keeps_within_the_width(spans: list[Span], room: int) -> None:
    lines = wrap(spans, room)
    assert all(width(line) <= max(room, 4) for line in lines)
    everything = "".join(text for text, _ in spans)
    kept = "".join(text for line in lines for text, _ in line)
    assert kept.replace(" ", "") == everything.replace(" ", "").replace("\n", "")


@given(SPANS, SPANS, st.integers(0, 80))
def test_fitting_and_clipping_keep_within_the_width(left: list[Span], right: list[Span], room: int) -> None:
    assert width(clip(tuple(left), room)) <= room
    assert width(fit(tuple(left), tuple(right), room)) <= max(room, width(right))


def test_a_hanging_indent_is_kept() -> None:
    lines = wrap([("web.2 failed on node2 (exit 137); a new task was assigned", "bad")], 30, (("✘ ", "bad"),))
    assert plain(lines).splitlines() == ["✘ web.2 failed on node2 (exit", "  137); a new task was", "  assigned"]


def test_a_broken_command_keeps_its_indentation_and_no_backslash_stands_alone() -> None:
    command = "docker service create --name web --replicas 4 \\\n  --no-resolve-image nginx:1.26"
    assert plain(wrap_command(command, 36, (("$ ", "lab"),))).splitlines() == [
        "$ docker service create --name web",
        "    --replicas 4 \\",
        "    --no-resolve-image nginx:1.26",
    ]


@given(st.lists(st.text(alphabet="ab \\", max_size=30), min_size=1, max_size=5), st.integers(12, 60))
def test_a_wrapped_command_loses_no_word_and_keeps_within_the_width(parts: list[str], room: int) -> None:
    lines = list(wrap_command("\n".join(parts), room, (("$ ", "lab"),)))
    assert all(width(line) <= room for line in lines)
    assert "".join(map(row, lines)).replace(" ", "") == "$" + "".join(parts).replace(" ", "")


def test_times() -> None:
    assert [format_stamp(0), format_stamp(65.28), format_stamp(3725.9), format_stamp(65.9, False)] == [
        "00:00.0",
        "01:05.2",
        "1:02:05.9",
        "01:05",
    ]


def test_markdown_is_laid_out() -> None:
    text = "# Head\n\nA `docker` word and **bold**\nin one paragraph.\n\n- one\n  - two\n\n1. first\n\n"
    assert plain(markdown.render_markdown(text + "> said\n\n```\na  b\n```", 30)).splitlines() == [
        "Head", "", "A docker word and bold in one", "paragraph.", "", "• one", "  • two", "", "1. first", "",
        "▎ said", "", "  a  b",
    ]  # fmt: skip


@given(st.text(max_size=200), st.integers(10, 100))
def test_any_markdown_is_laid_out_within_the_width(text: str, room: int) -> None:
    for line in markdown.render_markdown(text, room):
        assert width(line) <= max(room, 16) + 8


def test_a_slots_history_stands_in_its_nodes_columns() -> None:
    now = world(
        first_look(4),
        SwarmChanged(
            "node1", tasks=(task(2, 1, 2, "failed", 9.0, created=1.0, exit=137), task(2, 2, 4, "running", 9.2))
        ),
    )
    cols = grid.columns(now, 80)
    line = row(grid.slot_row(now, "web", "2", cols))
    assert line[grid.LABEL + cols.width :].startswith("✘ exit 137")
    assert line[grid.LABEL + 3 * cols.width :].startswith("● running")


def test_attempts_on_one_node_are_glyphs_behind_the_newest() -> None:
    tries = tuple(task(1, n, 1, "failed", float(n), created=float(n), exit=1) for n in range(2, 5))
    now = world(first_look(4), SwarmChanged("node1", tasks=(*tries, task(1, 9, 1, "running", 9.0))))
    assert "● running ✘1 ✘1 ✘1 ●" in row(grid.slot_row(now, "web", "1", grid.columns(now, 160)))
    assert "● running ✘✘…" in row(grid.slot_row(now, "web", "1", grid.columns(now, 62)))


def test_an_arrow_runs_from_the_old_node_to_the_new_one_either_way() -> None:
    for old, new, head in ((1, 4, "▶ ◑ preparing"), (4, 1, "◀")):
        gone = task(old, 1, old, "failed", 9.0, created=1.0, exit=137)
        now = world(first_look(4), SwarmChanged("node1", tasks=(gone, task(old, 2, new, "preparing", 9.2))))
        line = row(grid.slot_row(now, "web", str(old), grid.columns(now, 90)))
        assert head in line and "━" in line and "▸" in line


def test_a_task_without_a_node_says_what_it_waits_for() -> None:
    why = "no suitable node (scheduling constraints not satisfied on 4 nodes)"
    now = world(first_look(4), SwarmChanged("node1", tasks=(task(5, 1, 0, "pending", 9.0, error=why),)))
    assert f"◌ pending: {why}" in row(grid.slot_row(now, "web", "5", grid.columns(now, 100)))


def test_a_task_on_a_node_that_is_down_is_lost_not_running() -> None:
    now = world(first_look(4), SwarmChanged("node1", nodes=(replace(NODES[3], state="down"),)))
    cols = grid.columns(now, 80)
    assert "? lost" in row(grid.slot_row(now, "web", "4", cols))
    assert "✘ DOWN" in row(grid.head_row(now, cols)[1])


@pytest.mark.parametrize("columns", [44, 60, 80, 160])
def test_a_task_on_a_node_that_is_gone_is_named_in_its_row(columns: int) -> None:
    away = replace(task(2, 9, 3, "orphaned", 9.0), node="gone0123456789")
    now = world(first_look(4), SwarmChanged("node1", tasks=(away,)))
    one = grid.columns(now, columns)
    assert "orphaned gone012345" in row(grid.slot_row(now, "web", "2", one))
    spread = Service("all", "agent", ServiceSpec("nginx", "global", 0), 0)
    tasks = tuple(replace(away, id=f"a{n}", service="all", slot=0, node=n) for n in (NODES[0].id, "gone0123456789"))
    now = world(first_look(2), SwarmChanged("node1", services=(spread,), tasks=tasks))
    assert "orphaned gone" in row(grid.global_row(now, "all", grid.columns(now, 160)))


def test_a_job_says_how_many_of_its_tasks_are_complete() -> None:
    job = Service("job", "migrate", ServiceSpec("busybox", "replicated-job", 0), 2, total_completions=4)
    tasks = (
        replace(task(1, 1, 1, "running", 9.0), id="j0", service="job", slot=0, desired="complete"),
        replace(task(1, 2, 2, "complete", 9.0), id="j1", service="job", slot=1, desired="complete"),
    )
    now = world(first_look(4), SwarmChanged("node1", services=(job,), tasks=tasks))
    assert row(grid.service_row(now, job, grid.columns(now, 100))).startswith(
        "▌migrate  desired 2  running 1  completed 1/4 ▮▯▯▯  replicated-job"
    )
    assert row(grid.service_row(now, job, grid.columns(now, 40))).startswith("▌migrate  1/2 (1/4)")
    cols = grid.columns(now, 100)
    first = row(grid.slot_row(now, "job", tasks[0].key, cols))
    assert first.startswith("   0  ● running"), "its first slot, which the engine leaves out, is 0"
    assert "✔ complete" in row(grid.slot_row(now, "job", "1", cols))
    assert topology.health(now, job).mark == ("◑", "move")


def test_a_one_shot_that_is_complete_is_not_down() -> None:
    once = Service("once", "once", ServiceSpec("busybox", replicas=1), 1, restart="none")
    done = replace(task(1, 1, 1, "complete", 9.0), id="o1", service="once", desired="shutdown")
    now = world(first_look(4), SwarmChanged("node1", services=(once,), tasks=(done,)))
    line = grid.service_row(now, once, grid.columns(now, 100))
    assert row(line).startswith("▌once  desired 1  running 0  completed 1 ▮")
    assert "move" not in {tone for _, tone in line}
    assert not topology.health(now, once).down


def test_no_image_and_a_port_that_the_engine_chooses() -> None:
    plug = Service("plug", "plug", ServiceSpec("", replicas=1, ports=(Port(0, 80),)), 1)
    now = world(first_look(4), SwarmChanged("node1", services=(plug,)))
    assert row(grid.service_row(now, plug, grid.columns(now, 100))).rstrip() == "▌plug  desired 1  running 0 ▯  :any→80"


def test_a_service_says_desired_against_running_and_its_update() -> None:
    now = world(first_look(4), update())
    line = row(grid.service_row(now, now.swarm.services["web"], grid.columns(now, 100)))
    assert line.startswith("▌web  desired 4  running 3 ▮▮▮▯  update under way  nginx:1.27  :8080→80")
    assert "◍ stopping" in row(grid.slot_row(now, "web", "1", grid.columns(now, 200))) or "◕ ready ◍" in row(
        grid.slot_row(now, "web", "1", grid.columns(now, 200))
    )


@pytest.mark.parametrize("nodes", [1, 4, 7, 12, 40, 200])
@pytest.mark.parametrize("room", [20, 60, 80, 130, 220])
def test_many_nodes_and_narrow_panes_say_less_but_never_too_much(nodes: int, room: int) -> None:
    some = tuple(Node(f"n{i}", f"node{i}", "worker", "ready") for i in range(1, nodes + 1))
    tasks = tuple(replace(task(i, 1, 1, "running", 1.0), node=f"n{i % nodes + 1}") for i in range(1, 9))
    spec = Service("web", "web", ServiceSpec("nginx:1.26", "replicated", 8), 8)
    every = Service("all", "all", ServiceSpec("busybox", "global", 0), nodes)
    spread = tuple(Task(f"g{n.id}", "all", 0, n.id, "running", "running", 1.0, 1.0) for n in some)
    now = world(SwarmChanged("node1", some, (spec, every), (*tasks, *spread), first=True))
    cols = grid.columns(now, room)
    lines = [*grid.head_row(now, cols), grid.service_row(now, spec, cols), grid.slot_row(now, "web", "3", cols)]
    for line in (*lines, grid.global_row(now, "all", cols)):
        assert cell_len(row(line)) == room
    assert "●" in row(grid.slot_row(now, "web", "3", cols))


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(1, 12), st.sampled_from(["running", "failed", "gone", "service", "unservice"])
    ),
    max_size=40,
)


@given(CHANGES)
def test_the_row_index_is_what_a_fresh_one_would_be(changes: list[tuple[int, int, str]]) -> None:
    now, index = world(first_look(0)), RowIndex()
    for number, (service, slot, what) in enumerate(changes):
        id, known = f"s{service}", f"s{service}.{slot}"
        made = Task(known, id, slot, "n1", "running" if what == "running" else "failed", "running", 1.0, 2.0)
        spec = Service(id, f"name{service}", ServiceSpec("x", "global" if service == 3 else "replicated"), 3)
        fact = {
            "gone": SwarmChanged("node1", gone=(known,)),
            "unservice": SwarmChanged("node1", gone=(id,)),
            "service": SwarmChanged("node1", services=(spec,)),
        }.get(what, SwarmChanged("node1", tasks=(made,)))
        now = fold(now, Entry(float(number), fact))
        index.update(now, now.dirty)
    fresh = RowIndex()
    fresh.update(now, {*now.swarm.attempts, *(f"service:{id}" for id in (*now.swarm.services, *now.swarm.slots))})
    rows = [index.at(y) for y in range(len(index))]
    names = [
        now.swarm.services[r.service].name for r in rows if r.what == "service" and r.service in now.swarm.services
    ]
    assert names == sorted(names)
    assert {r for r in rows if r.what != "gap"} == {fresh.at(y) for y in range(len(fresh)) if fresh.at(y).what != "gap"}
    for y, found in enumerate(rows):
        if found.what == "slot":
            assert index.find((found.service, found.key)) == y
        if found.what == "service":
            assert index.find(f"service:{found.service}") == y
    assert index.at(-1) == index.at(10**6) == Row("gap")


async def test_an_update_draws_what_changed_not_what_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    slot_row = grid.slot_row

    def counted(now: World, service: str, key: str, *rest: Any) -> Line:
        drawn.append(key)
        return slot_row(now, service, key, *rest)

    monkeypatch.setattr(grid, "slot_row", counted)
    made, app = pane_update.journal(5000), pane_update.Bench()
    async with app.run_test(size=(120, 40)) as pilot:
        pane = app.query_one(ClusterGrid)
        pane.show(made.world)
        await pilot.pause()
        assert 0 < len(drawn) <= 40, "only the rows in view"
        for number, redrawn in ((3, ["4"]), (4000, [])):
            drawn.clear()
            made.write(SwarmChanged("node1", tasks=(pane_update.task(number, 2, "running", 3.0),)))
            pane.show(made.world, made.world.dirty)
            await pilot.pause()
            assert drawn == redrawn
