"""The swarm source, through the journal that it writes, over engines that speak the real API."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
import requests

from lab.engine.endpoint import Endpoint
from lab.errors import EngineError
from lab.watch.source import describe_error
from lab.watch.swarm import SwarmSource
from lab.world.entries import EngineEvent, Entry
from lab.world.journal import Journal
from lab.world.world import World
from tests.doubles.engine import FakeEngine, InstantSwarm, fake_cluster

BOUND = 30.0


def connect(endpoint: Endpoint, timeout: float) -> docker.DockerClient:
    return docker.DockerClient(base_url=endpoint.url, version="1.44", timeout=int(timeout))


class Watched:
    def __init__(self, swarm: InstantSwarm, engines: list[FakeEngine]) -> None:
        self.swarm, self.engines = swarm, engines
        self.journal = Journal()
        self.entries: list[Entry] = []
        self.journal.read(lambda entry, _: self.entries.append(entry))
        self.source = SwarmSource(self.journal, tuple(e.endpoint for e in engines), connect)

    def wait(self, until: object, what: str) -> None:
        assert callable(until)
        assert self.journal.wait(until, BOUND), f"{what}; the world: {self.journal.world}"


def web_runs(world: World, tasks: int) -> bool:
    return world.swarm.service("web") is not None and world.swarm.running.get("svc-web") == tasks


@pytest.fixture
def watched() -> Iterator[Watched]:
    with fake_cluster() as (swarm, engines):
        it = Watched(swarm, engines)
        it.source.start()
        yield it
        it.source.close()


def test_first_look_shows_all_and_tells_no_news(watched: Watched) -> None:
    watched.source.look()
    world = watched.journal.world
    assert sorted(n.name for n in world.swarm.nodes.values()) == ["node1", "node2", "node3", "node4"]
    assert [n.role for n in world.swarm.nodes.values()].count("manager") == 3
    assert world.link.state == "live"
    assert world.changes == ()


def test_a_crash_is_told_with_its_replacement(watched: Watched) -> None:
    watched.swarm.create("web", 3)
    watched.wait(lambda w: web_runs(w, 3), "3 tasks of web run")
    victim = watched.journal.world.swarm.live_tasks("svc-web")[2]
    watched.swarm.crash(victim.id)
    watched.wait(lambda w: w.swarm.tasks[victim.id].state == "failed", "the task is seen to fail")
    watched.wait(lambda w: web_runs(w, 3), "3 tasks of web run")
    told = [change.text for change in watched.journal.world.changes]
    assert any("web.3 failed on node3 (exit 137)" in text for text in told), told


def test_an_event_is_in_the_journal_with_the_engines_own_time(watched: Watched) -> None:
    watched.swarm.create("web", 1)
    watched.wait(lambda w: web_runs(w, 1), "1 tasks of web run")
    task = watched.journal.world.swarm.live_tasks("svc-web")[0]
    watched.swarm.crash(task.id, 1)
    watched.wait(lambda w: any(e.action == "die" for _, e in w.swarm.events), "the death is told")
    died = next(e.fact for e in watched.entries if isinstance(e.fact, EngineEvent) and e.fact.action == "die")
    assert (died.task, died.exit) == (task.id, 1)
    assert died.at > 0


def test_what_goes_is_forgotten(watched: Watched) -> None:
    watched.swarm.create("web", 2)
    watched.wait(lambda w: web_runs(w, 2), "2 tasks of web run")
    watched.swarm.remove("web")
    watched.wait(lambda w: not w.swarm.services and not w.swarm.tasks and not w.swarm.attempts, "web is forgotten")
    told = [change.text for change in watched.journal.world.changes]
    assert "service web was removed" in told, told


def test_a_network_that_an_engine_drops_later_than_the_managers_is_forgotten(watched: Watched) -> None:
    id = watched.swarm.create_named("networks", "inside")["Id"]
    watched.source.look()
    assert id in watched.journal.world.swarm.objects
    del watched.swarm.named["networks"][id]
    watched.swarm.tell("network", "destroy", id, "inside")
    watched.wait(lambda w: id not in w.swarm.objects, "the network is forgotten")


def test_a_manager_that_becomes_reachable_is_seen_though_no_version_changes(watched: Watched) -> None:
    watched.source.look()
    node = watched.swarm.nodes["id-node3"]
    node["ManagerStatus"] = {**node["ManagerStatus"], "Reachability": "unreachable"}
    watched.source.look()
    seen = watched.journal.world.swarm.node("node3")
    assert seen is not None and seen.reachability == "unreachable"


def test_when_its_manager_dies_it_goes_on_through_another(watched: Watched) -> None:
    watched.source.look()
    watched.engines[0].stop()
    watched.swarm.create("web", 1)
    watched.wait(lambda w: w.link.node == "node2" and w.swarm.service("web") is not None, "node2 is asked instead")


def test_what_a_restored_swarm_holds_is_read_again_whatever_its_versions(watched: Watched) -> None:
    watched.swarm.create("web", 1)
    watched.wait(lambda w: w.swarm.service("web") is not None, "web is seen")
    watched.source.look()
    watched.swarm.services["svc-web"]["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] = "nginx:1.24"
    watched.engines[0].stop()
    watched.source.wake()
    watched.wait(lambda w: "1.24" in "".join(s.spec.image for s in w.swarm.services.values()), "the other is seen")


def test_silence_is_stale_and_ends_by_itself() -> None:
    with fake_cluster(1) as (swarm, engines):
        watched = Watched(swarm, engines)
        watched.source.start()
        watched.source.look()
        engines[0].broken = True
        watched.source.wake()
        watched.wait(lambda w: w.link.state == "stale", "nonsense counts as silence")
        assert "not as its API promises" in watched.journal.world.link.why
        with pytest.raises(EngineError, match="no manager answered"):
            watched.source.look(bound=0.2)
        engines[0].broken = False
        watched.wait(lambda w: w.link.state == "live", "it recovers")
        watched.source.close()


def test_an_engine_that_is_silent_is_told_without_sockets_and_pools() -> None:
    pool = "HTTPSConnectionPool(host='127.0.0.1', port=20300): Read timed out. (read timeout=12.0)"
    assert describe_error(requests.ReadTimeout(pool)) == "no answer in time"
    assert describe_error(requests.ConnectTimeout(pool)) == "no connection in time"
    assert describe_error(requests.ConnectionError(pool)) == "no connection"
    assert describe_error(ConnectionError("reset by peer")) == "ConnectionError: reset by peer"


def test_a_still_swarm_is_asked_slowly_and_one_request_at_a_time(watched: Watched) -> None:
    watched.source.look()
    in_all = len(watched.engines[0].asked)
    watched.source.look()
    # One look is at most six questions: nodes, services, tasks, networks, secrets, configs.
    assert len(watched.engines[0].asked) - in_all <= 12
    assert not {p for e in watched.engines[1:] for p in e.asked} - {"/events", "/version", "/_ping"}


def test_the_world_is_the_same_whoever_looks_again(watched: Watched) -> None:
    watched.swarm.create("web", 3)
    watched.wait(lambda w: web_runs(w, 3), "3 tasks of web run")
    before = watched.journal.world
    again = Watched(watched.swarm, watched.engines)
    again.source.start()
    again.source.look()
    again.source.close()

    def seen(world: World) -> tuple[object, ...]:
        return world.swarm.nodes, world.swarm.services, world.swarm.tasks, world.swarm.attempts, world.swarm.running

    assert seen(again.journal.world) == seen(before)
