"""A reset on a cluster whose machines end: before it, under way, one, two and all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from lab import file_lock
from lab.cluster import api, lab_paths
from lab.cluster.link_faults import LinkFault
from lab.cluster.machine_faults import MachineFault
from lab.cluster.model import Cluster
from lab.cluster.snapshot import Snapshot
from lab.cluster.vm import state
from lab.engine.endpoint import Endpoint
from lab.errors import BusyError, EngineError, InputError, MissingError, WaitError
from lab.lesson.checkpoint import checkpoint_before
from lab.lesson.model import Lesson
from lab.reset.settle import MachinesEnded
from lab.session import checkpoint_snapshots
from lab.session import reset_to as reset
from lab.session.cluster_driver import ClusterDriver
from lab.session.reset_to import reset_to
from lab.session.run import reset_cluster
from lab.world.entries import ActDone, Entry
from lab.world.world import World
from tests.course import LESSONS
from tests.doubles.driver import ModelDriver
from tests.unit.test_cluster_machine import a_lab

SCALING = next(lesson for lesson in LESSONS if lesson.id == "scaling")


class Saved:
    """The snapshots of a cluster, as far as a reset asks."""

    def __init__(self, *found: Snapshot) -> None:
        self.found = found

    def all(self) -> tuple[Snapshot, ...]:
        return self.found


class OwnCluster:
    """The lab's own four machines, as far as a reset asks."""

    name, made_by_lab, provider = "default", True, "vm"

    def __init__(self) -> None:
        self.snapshots: Saved | None = None

    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(Endpoint(f"node{n}", "manager" if n <= 3 else "worker", "tcp://127.0.0.1:1") for n in range(1, 5))


class Machines(ModelDriver):
    """A driver of machines that end at given turns of the model's time, whoever waits meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.own = OwnCluster()
        self.cluster = cast(Cluster, self.own)
        self.edge = SimpleNamespace(domain="localhost", acme="pebble", email="", http_port=1, https_port=2, images="")
        self.restored: list[str] = []
        self.locked = False
        self.ends: dict[int, tuple[str, ...]] = {}
        self.powered_on: list[tuple[str, ...]] = []
        self.turns = 0
        self.said: list[str] = []
        self.journal.read(self._note)

    def _note(self, entry: Entry, _: World) -> None:
        if isinstance(entry.fact, ActDone):
            self.said.append(entry.fact.action)

    def _turn(self) -> None:
        self.turns += 1
        for name in self.ends.pop(self.turns, ()):
            self.swarm.power(name, False)
        super()._turn()

    def look(self, bound: float = 60.0) -> None:
        if not any(self.swarm.powered[f"node{n}"] for n in (1, 2, 3)):
            raise EngineError("no manager answers")
        super().look(bound)

    def power_on(self, nodes: Sequence[str]) -> None:
        self.powered_on.append(tuple(nodes))
        for name in nodes:
            self.swarm.power(name, True)

    def end_autolock(self) -> bool:
        was, self.locked = self.locked, False
        return was

    def rejoin(self, nodes: Collection[str]) -> tuple[str, ...]:
        back = tuple(name for name in self.outside if name in nodes)
        for name in back:
            self.swarm.nodes[f"id-{name}"] = self.outside.pop(name)
        return back

    def restore(self, snapshot: str) -> None:
        """The world of the snapshot is the one that a reset by the API would end in."""
        self.restored.append(snapshot)
        made, self.own.snapshots = self.own.snapshots, None
        put_back(self, by="api")
        self.own.snapshots = made

    def settings(self) -> dict[str, str]:
        return {"ACME_DIR": "/nowhere"}

    def volumes(self) -> list[tuple[str, str]]:
        return []

    def outdated_volumes(self) -> frozenset[str]:
        return frozenset()

    def list_untrusted(self, hosts: Collection[str]) -> list[str]:
        return []

    def there(self) -> bool:
        """All nodes are ready, and the lesson's service runs in full."""
        ready = all(node["Status"]["State"] == "ready" for node in self.swarm.nodes.values())
        return ready and self.journal.world.swarm.converged


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    yield tmp_path


def put_back(driver: Machines, lesson: Lesson = SCALING, *, dry_run: bool = False, by: reset.By = "auto") -> reset.Done:
    return reset_to(cast(ClusterDriver, driver), lesson, dry_run=dry_run, by=by)


def a_snapshot(driver: Machines, name: str = "scaling.start", *, unfit: str = "", digest: str = "") -> Snapshot:
    digest = digest or checkpoint_snapshots.digest_of(checkpoint_before(SCALING, None), cast(ClusterDriver, driver))
    about = {checkpoint_snapshots.DIGEST: digest}
    return Snapshot(name, "checkpoint", datetime.now(UTC), 1, about=about, unfit=unfit)


def test_a_snapshot_of_the_start_is_restored_and_what_it_holds_is_verified() -> None:
    driver = Machines()
    driver.own.snapshots = Saved(a_snapshot(driver, "other.start"), a_snapshot(driver))
    done = put_back(driver)
    assert (done.by, driver.restored) == ("snapshot", ["scaling.start"])
    assert done.actions == ("restore the snapshot scaling.start",)
    assert driver.there()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "scaling.up", "digest": "0" * 16}, "there is no snapshot of it yet"),
        ({"unfit": "is of another swarm"}, "its snapshot is of another swarm"),
        ({"digest": "0" * 16}, "another version of the lesson"),
    ],
)
def test_one_that_does_not_fit_is_never_restored_and_the_api_way_says_why(change: dict[str, str], why: str) -> None:
    driver = Machines()
    driver.own.snapshots = Saved(a_snapshot(driver, **change))
    done = put_back(driver)
    assert (done.by, driver.restored) == ("api", [])
    assert why in done.why
    assert driver.there()
    with pytest.raises(InputError, match="cannot be reset to by a snapshot") as caught:
        put_back(driver, by="snapshot")
    assert "--by api" in caught.value.remedy


def test_a_provider_without_snapshots_says_so_and_the_api_way_goes_on() -> None:
    driver = Machines()
    done = put_back(driver)
    assert (done.by, done.why) == ("api", "a cluster of the provider vm has no snapshots")
    assert driver.there()


def test_a_cluster_that_is_there_already_is_left_as_it_is() -> None:
    driver = Machines()
    put_back(driver, by="api")
    driver.own.snapshots = Saved(a_snapshot(driver))
    done = put_back(driver)
    assert (done.by, done.actions, driver.restored) == ("api", (), [])
    driver.swarm.power("node4", False)
    assert put_back(driver).by == "snapshot", "one machine off is reason enough"


def test_the_same_start_under_another_name_is_as_good() -> None:
    driver = Machines()
    driver.own.snapshots = Saved(a_snapshot(driver, "reconciliation.start"))
    assert put_back(driver).by == "snapshot"
    assert driver.restored == ["reconciliation.start"]


def test_by_the_api_no_snapshot_is_looked_at() -> None:
    driver = Machines()
    driver.own.snapshots = Saved(a_snapshot(driver))
    assert put_back(driver, by="api").by == "api"
    assert driver.restored == []


def test_where_the_api_fails_a_snapshot_that_there_is_is_the_remedy() -> None:
    class Silent(Machines):
        def look(self, bound: float = 60.0) -> None:
            raise EngineError("no manager answers")

    driver = Silent()
    with pytest.raises(EngineError) as caught:
        put_back(driver, by="api")
    assert "snapshot" not in caught.value.remedy
    driver.own.snapshots = Saved(a_snapshot(driver))
    with pytest.raises(EngineError) as caught:
        put_back(driver, by="api")
    assert caught.value.remedy == "swarmlab reset --to scaling --by snapshot"


@pytest.mark.parametrize("dead", [("node4",), ("node1", "node3"), ("node1", "node2", "node3", "node4")])
def test_what_is_off_is_powered_on_first_though_the_managers_do_not_know_yet(dead: tuple[str, ...]) -> None:
    driver = Machines()
    for name in dead:
        driver.swarm.power(name, False)
    done = put_back(driver)
    assert driver.powered_on == [dead]
    assert done.actions[: len(dead)] == tuple(f"power {name} on" for name in dead)
    assert driver.there()


def test_a_node_that_left_the_swarm_is_brought_back_before_anything_is_planned() -> None:
    driver = Machines()
    put_back(driver)
    driver.leave("node4")
    assert "start node4 and wait until it is ready" in put_back(driver, dry_run=True).actions
    assert put_back(driver).actions == ("bring node4 back into the swarm",)
    assert driver.there()


def test_a_node_that_has_just_left_is_brought_back_though_the_managers_still_list_it_as_ready() -> None:
    driver = Machines()
    put_back(driver)
    driver.outside["node4"] = driver.swarm.nodes["id-node4"]
    assert put_back(driver).actions == ("bring node4 back into the swarm",)
    assert put_back(driver).actions == ()


def test_managers_that_lock_themselves_keep_their_own_keys_again() -> None:
    driver = Machines()
    put_back(driver)
    driver.locked = True
    assert put_back(driver).actions == ("end the lock of the managers",)
    assert put_back(driver).actions == ()


def test_a_worker_that_was_promoted_is_a_worker_again() -> None:
    driver = Machines()
    put_back(driver)
    driver.swarm.nodes["id-node4"]["Spec"]["Role"] = "manager"
    driver.swarm.nodes["id-node4"]["Version"]["Index"] += 1
    assert put_back(driver).actions == ("set node4 to active, a worker, no labels",)
    assert driver.swarm.nodes["id-node4"]["Spec"]["Role"] == "worker"


@pytest.mark.parametrize("dead", [("node4",), ("node2", "node4"), ("node1", "node2", "node3", "node4")])
def test_machines_that_end_under_way_are_powered_on_and_the_reset_is_planned_again(dead: tuple[str, ...]) -> None:
    driver = Machines()
    driver.ends[3] = dead
    put_back(driver)
    assert driver.powered_on == [dead]
    assert any("went off meanwhile; planning again" in text and dead[0] in text for text in driver.said)
    assert driver.there()


def test_a_machine_that_ends_again_and_again_ends_the_reset_with_a_sentence() -> None:
    class Doomed(Machines):
        def power_on(self, nodes: Sequence[str]) -> None:
            self.powered_on.append(tuple(nodes))

    driver = Doomed()
    driver.ends[3] = ("node4",)
    with pytest.raises(MachinesEnded, match="the machine of node4 ended during the reset"):
        put_back(driver)
    assert len(driver.powered_on) == reset.ATTEMPTS - 1


def test_faults_of_the_network_and_inside_machines_are_ended_first() -> None:
    driver = Machines()
    driver.faults = (LinkFault("node1", "node2", lost=1), MachineFault("node4", "hang", what="engine"))
    expected = ("heal: the link between node1 and node2 is cut", "heal: engine hangs on node4, stopped by SIGSTOP")
    assert put_back(driver, dry_run=True).actions[:2] == expected
    assert len(driver.faults) == 2
    assert put_back(driver).actions[:2] == expected
    assert not driver.faults


def test_a_preview_says_at_once_that_the_managers_are_off() -> None:
    driver = Machines()
    for name in ("node1", "node2"):
        driver.swarm.power(name, False)
    with pytest.raises(EngineError, match="2 of 3 managers are powered off"):
        put_back(driver, dry_run=True)
    assert driver.powered_on == []


def test_a_preview_names_a_machine_that_is_off_and_touches_nothing() -> None:
    driver = Machines()
    driver.swarm.power("node4", False)
    done = put_back(driver, dry_run=True)
    assert "start node4 and wait until it is ready" in done.actions
    assert driver.powered_on == []


def test_a_second_reset_says_who_is_at_work() -> None:
    state.save_state(a_lab())
    work = api.at_work("default", "running scaling")
    with work, pytest.raises(BusyError, match=r"process \d+\) is running scaling") as caught:
        reset_cluster("default", SCALING, None)
    assert caught.value.exit_code == 3
    assert not lab_paths.work_lock_file("default").exists()


def test_work_on_no_cluster_is_missing_and_leaves_nothing() -> None:
    with pytest.raises(MissingError):
        api.at_work("none", "running scaling")
    assert not lab_paths.lab_folder("none").parent.exists()


def test_a_lock_that_was_just_taken_has_words_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with file_lock.hold(path, "first"):
        path.write_text("")
        with pytest.raises(BusyError, match="another swarmlab is second"), file_lock.hold(path, "second"):
            raise AssertionError


class Moved(Machines):
    """Machines whose ACME server has another authority once the reset has come to rest, until the volume is removed."""

    def outdated_volumes(self) -> frozenset[str]:
        gone = self.journal.world.swarm.service("acme_pebble") is None or "edge_acme" in self.volumes_removed[1:]
        return frozenset() if gone else frozenset({"edge_acme"})


def test_certificates_of_an_authority_that_is_gone_are_removed_once_the_cluster_is_there() -> None:
    routes = next(lesson for lesson in LESSONS if lesson.id == "routes-by-labels")
    driver = Moved()
    done = put_back(driver, routes)
    again = "remove service edge_traefik, to make it anew (the volume edge_acme)"
    assert done.actions[-3:] == (again, "remove volume edge_acme", "deploy stack edge (edge.yaml, edge.pebble.yaml)")
    assert driver.there()
    assert "certificates of another authority are kept on edge_acme" in " ".join(driver.said)
    assert put_back(driver, routes).actions == ()
    driver.volumes_removed.clear()
    assert again in put_back(driver, routes, dry_run=True).actions
    driver.own.made_by_lab = False
    assert put_back(driver, routes, dry_run=True).actions == (), "on a cluster that the lab did not make"


class Ordering(Machines):
    """Machines on which an order for a certificate fails as often as `fails` says, and is made once for each deploy of
    Traefik; one that succeeds takes some looks."""

    def __init__(self, fails: int) -> None:
        super().__init__()
        self.fails, self.looks = fails, 0

    def list_untrusted(self, hosts: Collection[str]) -> list[str]:
        self.looks += 1
        failed = self.deployed.count("edge") <= self.fails
        return [f"{host} is served no trusted certificate yet" for host in hosts if failed or self.looks < 3]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No certificate is waited for for longer than the doubles need."""
    for name in ("_ORDER", "BOUND"):
        monkeypatch.setattr(f"lab.session.reset_to.{name}", 0.2)
    monkeypatch.setattr("lab.reset.settle.PAUSE", 0.01)


@pytest.mark.usefixtures("short")
def test_a_reset_ends_only_when_what_the_stacks_serve_is_trusted() -> None:
    routes = next(lesson for lesson in LESSONS if lesson.id == "routes-by-labels")
    driver = Ordering(0)
    assert put_back(driver, routes).actions[-1] == "deploy stack edge (edge.yaml, edge.pebble.yaml)"
    assert driver.looks == 3
    assert driver.deployed.count("edge") == 1


@pytest.mark.usefixtures("short")
def test_an_order_that_failed_is_made_again_by_a_new_traefik_once() -> None:
    routes = next(lesson for lesson in LESSONS if lesson.id == "routes-by-labels")
    driver = Ordering(1)
    again = "remove service edge_traefik, to make it anew (the volume edge_acme)"
    assert again in put_back(driver, routes).actions
    assert driver.deployed.count("edge") == 2
    driver = Ordering(9)
    with pytest.raises(WaitError, match=r"traefik\.localhost is served no trusted certificate yet"):
        put_back(driver, routes)
    assert driver.deployed.count("edge") == 2
