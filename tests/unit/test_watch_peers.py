"""How each node sees the others: what the engines of a swarm answer, and what their machines tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from lab.cluster.vm import agent, reach
from lab.engine.client import connect
from lab.errors import LabError
from lab.watch.peers import PeerSource
from lab.watch.source import PollInterval
from lab.world.entries import Entry, PeersSeen, PeerView
from lab.world.journal import Journal
from tests.doubles.engine import FakeEngine, InstantSwarm, fake_cluster

NAMES = ("node1", "node2", "node3", "node4")
Took = Mapping[str, Mapping[str, float | None]]


class Watched:
    """A source over a swarm whose engines and ways a test can change."""

    def __init__(self, swarm: InstantSwarm, engines: list[FakeEngine]) -> None:
        self.swarm, self.engines = swarm, engines
        self.took: Took = {}
        self.journal = Journal()
        self.facts: list[PeersSeen] = []
        self.journal.read(self._note)
        endpoints = tuple(engine.endpoint for engine in engines)
        pace = PollInterval(fast=0.05, slow=0.05, most=0.2, gap=0.01)
        self.source = PeerSource(self.journal, endpoints, connect, lambda: self.took, pace=pace)

    def _note(self, entry: Entry, _: object) -> None:
        if isinstance(entry.fact, PeersSeen):
            self.facts.append(entry.fact)

    def see(self, holds: Callable[[dict[str, PeerView]], bool]) -> dict[str, PeerView]:
        """Wait until the nodes' views are so, and return them by node."""

        def so(peers: PeersSeen | None) -> bool:
            return peers is not None and holds({view.node: view for view in peers.views})

        assert self.journal.wait(lambda world: so(world.peers), 60), self.journal.world.peers
        peers = self.journal.world.peers
        assert peers is not None
        return {view.node: view for view in peers.views}


@pytest.fixture
def watched() -> Iterator[Watched]:
    with fake_cluster() as (swarm, engines):
        one = Watched(swarm, engines)
        one.source.start()
        yield one
        one.source.close()


def test_of_a_whole_swarm_one_leads_and_the_others_follow(watched: Watched) -> None:
    views = watched.see(lambda views: len(views) == 4)
    assert [views[name].answer for name in NAMES] == ["leads", "follows", "follows", "worker"]
    assert {views[name].leader for name in NAMES[:3]} == {"node1"}
    for _ in range(3):
        watched.source.look(60)
    assert len(watched.facts) == 1, "nothing has changed"


def test_a_manager_that_is_cut_off_says_so_itself_and_its_machine_who_is_gone(watched: Watched) -> None:
    watched.engines[2].leaderless = True
    others = [name for name in NAMES if name != "node3"]
    watched.took = {
        **{name: {other: None if other == "node3" else 2.0 for other in NAMES if other != name} for name in others},
        "node3": dict.fromkeys(others, None),
    }
    views = watched.see(lambda views: views["node3"].answer == "no-leader" and bool(views["node3"].misses))
    assert "too few managers are online" in views["node3"].why
    assert views["node3"].misses == ("node1", "node2", "node4")
    assert views["node1"].misses == ("node3",)
    assert views["node1"].reaches == ("node2", "node4")
    watched.engines[2].leaderless = False
    watched.took = {}
    watched.see(lambda views: views["node3"].answer == "follows" and not views["node1"].misses)


def test_an_engine_that_is_gone_or_answers_nonsense_is_silent(watched: Watched) -> None:
    watched.see(lambda views: views["node2"].answer == "follows")
    watched.engines[1].stop()
    watched.engines[2].instead["/nodes"] = b'[{"ManagerStatus": 7}]'
    views = watched.see(lambda views: views["node2"].answer == "silent" == views["node3"].answer)
    assert views["node2"].why == "ConnectionError"
    assert views["node1"].answer == "leads"


def test_what_the_machines_say_is_read_whatever_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"node1": "10.0.0.2:7946=12 10.0.0.3:7946=-", "node2": "nonsense = = 10.0.0.1:7946=x", "node3": ""}

    class Said:
        def __init__(self, folder: Path) -> None:
            self.folder = folder

        def __enter__(self) -> Said:
            if self.folder.name == "node4":
                raise LabError("it is off")
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def ask(self, word: str, value: str, bound: float) -> str:
            assert word == "reach"
            return said[self.folder.name]

    monkeypatch.setattr(agent, "connect", Said)
    addresses = {f"node{n}": f"10.0.0.{n}" for n in (1, 2, 3)}
    folders = {Path(f"/x/node{n}"): {k: v for k, v in addresses.items() if k != f"node{n}"} for n in (1, 2, 3, 4)}
    assert reach.ask_all(folders) == {
        "node1": {"node2": 12.0, "node3": None},
        "node2": {"node1": None, "node3": None},
        "node3": {"node1": None, "node2": None},
    }
    assert reach.ask_all({}) == {}
