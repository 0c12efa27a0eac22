"""The table of what events cost, without a cluster: which cells, what a load's reports say, and the table itself."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from lab.errors import InputError
from lab.lesson.model import Lesson
from lab.session.describe_lesson import find_lesson
from lab.world.entries import Failure, LoadReport, SwarmChanged
from lab.world.load import step
from lab.world.swarm import Node, Service, ServiceSpec, Task, UpdateStatus
from lab.world.world import World
from tests.builders import NODES, saw
from tests.table import cells
from tests.table.__main__ import BASE, main
from tests.table.cells import Cell
from tests.table.events import EVENTS, SERVICE, see_start
from tests.table.figures import Figures, Unmeasured, read_figures
from tests.table.recipes import PRECAUTIONS, RECIPES, describe_recipes, read_recipe, recipe_lesson

ENV = {"ACME_DIR": "/lab"}
GOOD = Figures(300, 0, 0.0, 0.4)
BAD = Figures(300, 12, 2.4, 0.4, reasons={"status 502": 12})


@functools.cache
def base() -> Lesson:
    found = find_lesson(BASE)
    assert found is not None
    return found


def backend(recipe: str) -> ServiceSpec:
    stacks = recipe_lesson(recipe, base()).start.stacks
    return stacks["app"].expect("app", ENV).services[SERVICE]


# --- the recipes


def test_the_plain_recipe_has_no_precaution() -> None:
    spec = backend("plain")
    assert (spec.update.order, spec.health, spec.stop_signal) == ("stop-first", ("NONE",), "SIGKILL")
    assert not [label for label in spec.labels if "retry" in label or "passive" in label or "lbswarm" in label]


@pytest.mark.parametrize("name", PRECAUTIONS)
def test_a_recipe_differs_from_the_plain_one_in_its_precaution_alone(name: str) -> None:
    plain, one = (recipe_lesson(recipe, base()).start for recipe in ("plain", name))
    changed = {
        field: getattr(backend(name), field)
        for field in ServiceSpec.__dataclass_fields__
        if getattr(backend(name), field) != getattr(backend("plain"), field)
    }
    assert {*changed} == {
        "start-first": {"update"},
        "health-check": {"health"},
        "stop-grace": {"stop_signal"},
        "host-mode": set(),
    }.get(name, {"labels"})
    assert (plain.stacks["edge"] != one.stacks["edge"]) is (name == "host-mode")


def test_in_host_mode_http_and_https_leave_the_mesh() -> None:
    edge = recipe_lesson("host-mode", base()).start.stacks["edge"].expect("edge", ENV).services["edge_traefik"]
    assert {port.published: port.mode for port in edge.ports} == {80: "host", 443: "host", 9000: "ingress"}


def test_traefik_asks_the_backend_itself_and_the_frontend_is_not_routed() -> None:
    services = recipe_lesson("plain", base()).start.stacks["app"].expect("app", ENV).services
    assert services["app_frontend"].labels["traefik.enable"] == "false"
    assert services[SERVICE].labels["traefik.http.routers.app-direct.rule"].startswith("Host(`node-app.localhost`)")
    assert {*services[SERVICE].networks} >= {"edge"}


def test_every_recipe_has_a_start_of_its_own() -> None:
    lessons = [recipe_lesson(recipe, base()) for recipe in RECIPES]
    assert len({lesson.id for lesson in lessons}) == len({lesson.start.model_dump_json() for lesson in lessons})


def test_precautions_are_joined_in_their_order_and_a_misspelt_one_is_told() -> None:
    assert read_recipe("retry+start-first") == "start-first+retry"
    assert [read_recipe(recipe) for recipe in RECIPES] == [*RECIPES]
    with pytest.raises(InputError, match="there is no recipe 'startfirst'"):
        read_recipe("startfirst")
    assert [name for name, _ in describe_recipes(["plain", "retry+start-first"])] == ["start-first", "retry"]


# --- which cells


def test_cells_are_chosen_recipe_by_recipe_each_once() -> None:
    assert cells.choose(["b", "a", "b"], ["drain", "update"]) == [
        ("b", "update"),
        ("b", "drain"),
        ("a", "update"),
        ("a", "drain"),
    ]


def test_what_is_not_there_is_told_before_anything_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recipes", "plain", "--events", "flood"]) == 2
    assert "there is no event 'flood'; there are update, crash, drain, off" in capsys.readouterr().err


def test_new_cells_replace_their_like_and_no_failure_replaces_a_figure() -> None:
    before = [Cell("plain", "update", GOOD), Cell("retry", "drain", why="no cluster")]
    new = [Cell("plain", "update", why="busy"), Cell("retry", "drain", BAD), Cell("plain", "crash", why="busy")]
    assert [(c.recipe, c.event, c.figures) for c in cells.merge(before, new)] == [
        ("plain", "update", GOOD),
        ("plain", "crash", None),
        ("retry", "drain", BAD),
    ]


# --- the load's figures


def report(
    at: float, sent: int, good: int, *failed: tuple[float, float], late: float = 1.0
) -> tuple[float, LoadReport]:
    """A report with failures: when each was due, and its milliseconds."""
    failures = tuple(Failure(at - due - ms / 1000, "node1", 502, "", ms) for due, ms in failed)
    steps = ((step(400.0), good),) if good else ()
    return at, LoadReport(True, 5, "x", 0.5, sent, good, len(failed), 0, late, steps=steps, failures=failures)


def test_without_a_failed_request_there_is_no_gap() -> None:
    found = read_figures([report(1.0, 5, 4), report(2.0, 5, 6)], 5)
    assert (found.sent, found.failed, found.gap, round(found.slowest, 1)) == (10, 0, 0.0, 0.4)


def test_the_gap_is_the_longest_row_of_requests_that_failed_by_when_they_were_due() -> None:
    """Whatever each waited for its failure, and in whatever order they are told."""
    row = [(10.0 + n / 5, 20.0) for n in range(6)]
    alone, waited = (5.0, 20.0), (11.2, 2000.0)
    found = read_figures([report(9.0, 30, 29, alone), report(11.5, 7, 0, *row), report(14.0, 3, 3, waited)], 5)
    assert (found.sent, found.failed, found.gap, found.reasons) == (40, 8, 1.4, {"status 502": 8})


def test_requests_that_fail_among_good_ones_are_no_long_gap() -> None:
    thirds = [(10.0 + 3 * n / 5, 20.0) for n in range(10)]
    assert read_figures([report(20.0, 30, 20, *thirds)], 5).gap == 0.2


@pytest.mark.parametrize(
    ("reports", "why"),
    [
        ([], "did not tell how each"),
        ([report(1.0, 5, 4)], "did not tell how each"),
        ([report(1.0, 5, 5, late=2500.0)], "too busy"),
        ([(1.0, LoadReport(True, 5, "x", 0.5, 30, 0, 30))], "more requests failed at once"),
    ],
)
def test_reports_that_do_not_tell_all_are_no_measurement(reports: list[tuple[float, LoadReport]], why: str) -> None:
    with pytest.raises(Unmeasured, match=why):
        read_figures(reports, 5)


# --- the table


def test_the_table_has_a_row_a_recipe_and_says_why_a_cell_has_no_figures() -> None:
    found = [
        Cell("plain", "update", BAD),
        Cell("plain", "off", why="timed out | after\nall"),
        Cell("start-first+retry", "update", GOOD),
    ]
    lines = cells.markdown(found).splitlines()
    assert lines[:4] == [
        "| recipe | update | node off |",
        "| --- | --- | --- |",
        "| plain | 12 of 300, gap 2.4 s, slowest 0.4 s | not measured: timed out / after all |",
        "| start-first + retry | 0 of 300, slowest 0.4 s |  |",
    ]
    assert [line.partition(":")[0] for line in lines if line.startswith("- ")] == ["- start-first", "- retry"]


def test_the_file_gives_back_what_was_written_and_another_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    assert cells.read(file) == []
    found = [Cell("plain", "update", BAD, about={"rate": 5.0}), Cell("plain", "drain", why="busy")]
    cells.write(file, {"cores": 2}, found)
    assert cells.read(file) == found
    file.write_text('{"cells": [{"recipe": "plain", "event": "flood", "figures": null}]}')
    with pytest.raises(InputError, match="is not a table of cells"):
        cells.read(file)


# --- when an event is over


def world(
    *tasks: Task,
    nodes: tuple[Node, ...] = NODES,
    status: UpdateStatus = UpdateStatus(),  # noqa: B008
) -> World:
    service = Service("s", SERVICE, ServiceSpec("backend:1", replicas=3), 3, status=status)
    return saw(World(), SwarmChanged("node1", nodes, (service,), tasks, first=True))


def a_task(id: str, slot: int, node: str, state: str = "running", desired: str = "running") -> Task:
    return Task(id, "s", slot, node, state, desired, 1.0, 2.0, container=f"{id}-container")


OLD = tuple(a_task(f"old{n}", n, f"n{n + 1}") for n in (1, 2, 3))
NEW = tuple(a_task(f"new{n}", n, f"n{n + 1}") for n in (1, 2, 3))


def ended(task: Task, state: str = "shutdown") -> Task:
    return a_task(task.id, task.slot, task.node, state, "shutdown")


def test_the_replica_that_answers_is_the_one_that_is_lost() -> None:
    start = see_start(world(*OLD), "old3-con")
    assert (start.node, start.loses, start.live) == ("node4", "old3", frozenset({"old1", "old2", "old3"}))
    with pytest.raises(InputError, match="no task of app_backend is known"):
        see_start(world(*OLD), "")


def test_an_update_is_over_when_it_is_completed_and_the_old_tasks_have_ended() -> None:
    start, lacks = see_start(world(*OLD), "old3"), EVENTS["update"].lacks
    done = UpdateStatus("completed")
    assert lacks(world(*OLD), start) == "the update is not begun"
    assert lacks(world(*OLD, status=done), start) == "3 of the old tasks still run"
    stopping = (*map(ended, OLD[:2]), a_task("old3", 3, "n4", "running", "shutdown"), *NEW)
    assert lacks(world(*stopping, status=done), start) == "app_backend.3 is running on node4"
    assert lacks(world(*map(ended, OLD), *NEW, status=done), start) == ""


def test_a_crash_is_over_when_another_task_runs() -> None:
    start, lacks = see_start(world(*OLD), "old3"), EVENTS["crash"].lacks
    assert lacks(world(*OLD), start) == "the task on node4 is still taken to run"
    assert lacks(world(*OLD[:2], ended(OLD[2], "failed")), start) == "2 of 3 tasks run"
    assert lacks(world(*OLD[:2], ended(OLD[2], "failed"), NEW[2]), start) == ""


def test_a_drain_and_a_node_that_is_off_are_seen_at_the_node_too() -> None:
    start = see_start(world(*OLD), "old3")
    elsewhere = (*OLD[:2], a_task("old3", 3, "n4", "running", "shutdown"), a_task("new3", 3, "n2"))
    down = (*NODES[:3], Node("n4", "node4", "worker", "down"))
    drained = (*NODES[:3], Node("n4", "node4", "worker", "ready", "drain"))
    assert EVENTS["drain"].lacks(world(*elsewhere), start) == "node4 is not drained"
    assert EVENTS["drain"].lacks(world(*elsewhere, nodes=drained), start) == "app_backend.3 is running on node4"
    assert EVENTS["off"].lacks(world(*elsewhere), start) == "node4 is still taken to be ready"
    assert EVENTS["off"].lacks(world(*elsewhere, nodes=down), start) == ""
