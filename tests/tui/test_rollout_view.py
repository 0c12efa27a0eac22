"""The rollout's view: slots by version, how delay and monitor pass, failures, and that any world can be drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.panes.rollout import view
from lab.tui.spans import plain, width
from lab.world.entries import EngineEvent, Entry, Fact, SwarmChanged
from lab.world.manager_clock import clock_ahead
from lab.world.swarm import STATES, Service, ServiceSpec, Task, UpdateConfig, UpdateStatus
from lab.world.world import World, fold, fold_all
from tests.builders import NODES, crash
from tests.strategies import entries

EPOCH = 1_700_000_000.0
"""The managers' clock when the journal began."""
POLICY = UpdateConfig(1, 2.0, "start-first", "pause", 5.0, 0.25)


def backend(state: str = "", message: str = "", digest: str = "new", image: str = "node:20", **more: float) -> Service:
    """app_backend, its update in that state since second 10 of the journal."""
    spec = ServiceSpec(image, replicas=3, update=POLICY)
    times = {"started": EPOCH + 10 if state else 0.0, "completed": EPOCH + more["completed"] if more else 0.0}
    return Service("b", "app_backend", spec, 3, status=UpdateStatus(state, message, **times), template_digest=digest)


def task(slot: int, digest: str, state: str, changed: float, created: float | None = None, **more: object) -> Task:
    """A task of app_backend; its times are the journal's seconds."""
    made = EPOCH + (changed if created is None else created)
    desired = "shutdown" if state in STATES[STATES.index("complete") :] else "running"
    id = f"{slot}.{digest}.{made}"
    base = Task(
        id, "b", slot, f"n{slot}", state, desired, made, EPOCH + changed, image="node:20", template_digest=digest
    )
    return replace(base, **more)  # type: ignore[arg-type]


OLD = tuple(task(slot, "old", "running", 2.0, 1.0) for slot in (1, 2, 3))
BEGAN = SwarmChanged("node1", NODES, (backend(digest="old"),), OLD, first=True)
GONE = task(1, "old", "shutdown", 13.5, 1.0)


def world(*told: tuple[float, Fact]) -> World:
    return fold_all([Entry(3.0, BEGAN), *(Entry(at, fact) for at, fact in told)])


def shown(now: World, at: float, room: int = 118) -> str:
    return plain(view.lines(now, room, 30, at))


def updating(*tasks: Task, **more: object) -> SwarmChanged:
    return SwarmChanged("node1", services=(replace(backend("updating"), **more),), tasks=tasks)  # type: ignore[arg-type]


def test_without_a_service_it_says_what_would_stand_here() -> None:
    assert "No service is deployed" in shown(World(), 1.0)


def test_a_service_never_updated_is_a_quiet_line() -> None:
    assert shown(world(), 4.0).splitlines() == ["▌app_backend  node:20" + "3 of 3 run, no update".rjust(97)]


def test_an_update_under_way_says_what_it_waits_for() -> None:
    text = shown(world((10.5, updating(task(1, "new", "preparing", 10.3, 10.1)))), 12.5)
    assert "◑ updating for 2 s" in text and "0 of 3 new" in text
    assert "node:20: same image, other settings" in text
    assert "◑◌◌  ◑ 1 on its way  ◌ 2 old" in text
    assert "▸ waits for app_backend.1 to run: it is preparing on node1" in text
    assert "1 ◑ new preparing node1   ◌ old running   node1" in text and "3 ◌ old running   node3" in text
    for part in ("1 at a time", "2 s between", "watched 5 s", "start-first", "on failure pause", "allowed 25 %"):
        assert part in text


def test_delay_and_monitor_pass() -> None:
    now = world((13.0, updating(task(1, "new", "running", 13.0, 10.1), replace(GONE, changed=EPOCH + 12.9))))
    text = shown(now, 14.2)
    assert "waits 2 s between batches: 1.2 s have passed" in text
    assert "1 ● new running   node1   watched ▮▯▯▯▯ 1.2 of 5 s" in text
    assert "takes the next of 2 old tasks" in shown(now, 16.0)
    assert "watched" not in shown(now, 19.0).partition("on failure")[2]


def test_the_last_batch_is_watched() -> None:
    new = tuple(task(slot, "new", "running", 11.0 + slot, 10.5 + slot) for slot in (1, 2, 3))
    gone = tuple(task(slot, "old", "shutdown", 12.0 + slot, 1.0) for slot in (1, 2, 3))
    text = shown(world((14.0, updating(*new, *gone))), 15.5)
    assert "●●●  ● 3 new" in text and "watches app_backend.1, app_backend.2 and app_backend.3 for 5 s" in text
    assert "waits for the managers' word" in shown(world((14.0, updating(*new, *gone))), 40.0)


def test_a_pause_says_why_and_what_to_do_and_counts_as_the_engine_does() -> None:
    bad = [task(1, "new", "failed", at, at - 0.4, exit=1, error="non-zero exit (1)") for at in (12.0, 17.0)]
    paused = backend("paused", "update paused due to failure or early termination of task x")
    text = shown(world((18.0, SwarmChanged("node1", services=(paused,), tasks=(*bad, GONE)))), 19.0)
    assert "■ paused" in text and "update paused due to failure" in text
    assert "docker service update --rollback" in text
    assert "✘ 2 of 2 new tasks failed: 1 of 3 slots = 33 %, allowed 25 %: too many" in text
    assert "✘◌◌  ✘ 1 failed  ◌ 2 old" in text and "✘ 2 failed: non-zero exit (1)" in text


def test_a_rollback_makes_the_old_version_the_one_to_come_to() -> None:
    bad = replace(task(1, "new", "failed", 12.0, 11.0, exit=1), image="node:21")
    back = task(1, "old", "running", 16.0, 15.0)
    for state, words in (("rollback_started", "◀ rolling back"), ("rollback_completed", "◀ rolled back")):
        service = backend(state, "rolled back", digest="old")
        text = shown(world((17.0, SwarmChanged("node1", services=(service,), tasks=(GONE, bad, back)))), 18.0)
        assert words in text and "3 of 3 back" in text and "from node:21 back to node:20" in text
        assert "✘ 1 of 1 undone task failed: 1 of 3 slots = 33 %, allowed 25 %: too many" in text


def test_a_completed_update_says_how_long_it_took() -> None:
    done = backend("completed", completed=44.0)
    now = world((44.0, SwarmChanged("node1", services=(done,), tasks=())))
    assert "✔ completed in 34 s" in shown(now, 50.0)


def test_without_digests_images_tell_the_versions() -> None:
    service = replace(backend("updating", digest="", image="node:21"))
    text = shown(world((10.5, SwarmChanged("node1", services=(service,)))), 11.0)
    assert "from node:20 to node:21" in text and "◌◌◌  ◌ 3 old" in text


def test_two_versions_without_an_update_are_told() -> None:
    text = shown(world((10.5, updating(task(1, "new", "running", 11.0), GONE, status=UpdateStatus()))), 20.0)
    assert "▲ tasks of two versions" in text and "no update under way" in text


def test_a_task_without_a_node_says_why() -> None:
    lost = task(1, "new", "pending", 11.0, node="", error="no suitable node (insufficient memory)")
    assert "waits for a node for app_backend.1: no suitable node" in shown(world((11.0, updating(lost))), 12.0)


@pytest.mark.parametrize("room", [56, 70, 118])
def test_many_slots_take_a_short_cell_each(room: int) -> None:
    tasks = tuple(replace(OLD[0], id=f"t{slot}", slot=slot, node=f"n{slot % 4 + 1}") for slot in range(1, 401))
    big = replace(backend("updating"), desired=400)
    text = shown(world((11.0, SwarmChanged("node1", services=(big,), tasks=tasks))), 12.0, room)
    assert "400 old" in text and "… and 160 more" in text
    assert len(text.splitlines()) < 100


def test_slots_that_a_scaling_left_are_not_counted() -> None:
    left = task(4, "old", "failed", 5.0, 1.0, exit=1)
    assert "0 of 3 new" in shown(world((11.0, updating(left))), 12.0)


def test_services_under_update_come_first() -> None:
    other = Service("a", "a_other", ServiceSpec("busybox"), 1)
    text = shown(world((11.0, replace(updating(), services=(backend("updating"), other)))), 12.0)
    assert text.index("▌app_backend") < text.index("▌a_other")


def ahead(now: World) -> float:
    return clock_ahead(now) - EPOCH


def test_the_managers_clock_is_told_from_what_was_seen() -> None:
    assert clock_ahead(World()) == 0
    assert clock_ahead(fold_all(crash())) == pytest.approx(129.5), "the task that ran at 133.0 was seen at 3.5"
    now = world((20.0, EngineEvent("node1", "container", "start", "c", at=EPOCH + 19.9)))
    assert ahead(now) == pytest.approx(-0.1, abs=0.01)
    assert ahead(fold(now, Entry(500.0, BEGAN))) == pytest.approx(-0.1, abs=0.01), "a quiet swarm's clock goes on"


def test_a_state_that_is_only_reported_again_does_not_set_the_managers_clock_forward() -> None:
    """A new leader has the nodes report once more: the task has a new timestamp, and no new line in the timeline."""
    runs = task(1, "new", "running", 6.8, 5.0)
    now = world((7.0, SwarmChanged("node1", tasks=(runs,))))
    assert ahead(now) == pytest.approx(-0.2, abs=0.01)
    now = fold(now, Entry(80.0, SwarmChanged("node2", tasks=(replace(runs, changed=EPOCH + 79.5),))))
    assert ahead(now) == pytest.approx(-0.2, abs=0.01)
    # A task that is to stop has a new timestamp as well.
    now = fold(now, Entry(90.0, SwarmChanged("node2", tasks=(replace(runs, desired="shutdown", changed=EPOCH + 89),))))
    assert ahead(now) == pytest.approx(-0.2, abs=0.01)


some_tasks = st.lists(
    st.builds(
        Task, st.sampled_from([f"t{i}" for i in range(9)]), st.sampled_from(["b", "c"]), st.integers(0, 5),
        st.sampled_from(["", "n1", "n2"]), st.sampled_from(STATES), st.sampled_from(["running", "shutdown", "ready"]),
        st.floats(0, 60), st.floats(0, 60), error=st.text(max_size=30), exit=st.none() | st.integers(0, 255),
        image=st.sampled_from(["", "x:1", "x:2"]), template_digest=st.sampled_from(["", "old", "new"]),
    ),
    max_size=9,
    unique_by=lambda task: task.id,
).map(tuple)  # fmt: skip
_STATES = ("", "updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed", "odd")
some_services = st.builds(
    Service,
    st.sampled_from(["b", "c"]),
    st.text(max_size=80),
    st.builds(
        ServiceSpec,
        st.sampled_from(["x:1", "x:2", "registry.example/" + "long/" * 30]),
        st.sampled_from(["replicated", "global", "replicated-job"]),
        update=st.builds(UpdateConfig, st.integers(0, 3), st.floats(0, 9), monitor=st.floats(0, 9)),
    ),
    st.integers(0, 6),
    status=st.builds(UpdateStatus, st.sampled_from(_STATES), st.text(max_size=60), st.floats(0, 60), st.floats(0, 60)),
    template_digest=st.sampled_from(["", "old", "new"]),
)


@given(entries, st.lists(st.tuples(some_services, some_tasks), max_size=3), st.integers(1, 130), st.floats(0, 600))
def test_any_world_is_drawn_within_its_room(
    some: tuple[Entry, ...], more: list[tuple[Service, tuple[Task, ...]]], room: int, later: float
) -> None:
    now = fold_all(some)
    for service, tasks in more:
        now = fold(now, Entry(now.at + 1, SwarmChanged("node1", services=(service,), tasks=tasks)))
    for line in view.lines(now, room, 20, now.at + later):
        assert width(line) <= room and all(part.isprintable() for part, _ in line)
