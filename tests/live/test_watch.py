"""The journal on a real swarm: a crash is seen with its cause and its replacement; the real engine keeps the contract
that the double of `tests/doubles/engine.py` is written to."""

from __future__ import annotations

import pytest

from lab.cluster.model import Cluster
from lab.engine.client import connect
from lab.session.cluster_driver import ClusterDriver
from lab.watch.swarm_diff import Versions, poll_swarm
from lab.world.entries import EngineEvent, Entry, SwarmChanged
from lab.world.swarm import Task
from lab.world.world import World
from tests.doubles.engine import FakeEngine, InstantSwarm
from tests.live.conftest import Say

pytestmark = pytest.mark.timeout(3000)
BOUND = 300.0


def test_a_crash_is_in_the_journal_with_its_replacement(cluster: Cluster, driver: ClusterDriver, say: Say) -> None:
    entries: list[Entry] = []
    driver.journal.read(lambda entry, _: entries.append(entry))
    driver.run("docker service rm crashed", bound=BOUND)
    driver.run("docker service create --detach --no-resolve-image --name crashed --replicas 2 nginx:1.26", bound=BOUND)

    def all_run(world: World) -> bool:
        service = world.swarm.service("crashed")
        return service is not None and world.swarm.running.get(service.id) == 2

    assert driver.journal.wait(all_run, BOUND), driver.journal.world.changes
    world = driver.journal.world
    service = world.swarm.service("crashed")
    assert service is not None
    victim = world.swarm.live_tasks(service.id)[0]
    driver.run(f"docker kill {victim.container}", node=world.swarm.node_name(victim.node), bound=BOUND)
    assert driver.journal.wait(lambda w: w.swarm.tasks[victim.id].state == "failed", BOUND), (
        driver.journal.world.changes
    )
    assert driver.journal.wait(all_run, BOUND), driver.journal.world.changes
    deaths = [e for e in entries if isinstance(e.fact, EngineEvent) and e.fact.task == victim.id]
    assert any(e.fact.action == "die" and e.fact.exit == 137 for e in deaths if isinstance(e.fact, EngineEvent))
    told = [change.text for change in driver.journal.world.changes]
    name, where = world.swarm.task_name(victim), world.swarm.node_name(victim.node)
    line = next(text for text in told if text.startswith(f"{name} failed on {where} (exit 137)"))
    say(f"in the journal: {line}")
    driver.run("docker service rm crashed", bound=BOUND)


def test_the_double_keeps_the_real_engines_contract(cluster: Cluster, driver: ClusterDriver) -> None:
    """The same look, at the real engine and at the double: the same kinds of facts, filled alike. What a
    swarm does with its tasks is in `tests/live/test_contract.py`."""
    swarm = InstantSwarm()
    swarm.create("crashed", 2)
    fake = FakeEngine(swarm, "node1")
    driver.run("docker service create --detach --no-resolve-image --name crashed --replicas 2 nginx:1.26", bound=BOUND)
    assert driver.journal.wait(lambda w: bool(w.swarm.service("crashed")) and w.swarm.converged, BOUND)
    real = cluster.endpoints()[0]
    try:
        for endpoint, by in ((real, "real"), (fake.endpoint, "double")):
            client = connect(endpoint, 30.0)
            try:
                fact, seen = poll_swarm(client.api, endpoint.node, Versions())
                again, _ = poll_swarm(client.api, endpoint.node, seen)
            finally:
                client.close()
            assert fact is not None, by
            assert again is None, by
            _filled(fact, by)
    finally:
        fake.stop()
    driver.run("docker service rm crashed", bound=BOUND)


def _filled(fact: SwarmChanged, by: str) -> None:
    assert fact.first, by
    assert [n.name for n in sorted(fact.nodes, key=lambda n: n.name)] == ["node1", "node2", "node3", "node4"], by
    assert [n.role for n in fact.nodes].count("manager") == 3, by
    assert all(n.state == "ready" and n.address and n.engine for n in fact.nodes), by
    service = next(s for s in fact.services if s.name == "crashed")
    assert (service.spec.image, service.desired, service.spec.mode) == ("nginx:1.26", 2, "replicated"), by
    running: list[Task] = [t for t in fact.tasks if t.service == service.id and t.state == "running"]
    assert sorted(t.slot for t in running) == [1, 2], by
    assert all(t.container and t.node and t.created <= t.changed for t in running), by
