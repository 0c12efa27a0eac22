"""Swarms in trouble: without a quorum, cut in two, with a dead node; and what passed between the nodes."""

from __future__ import annotations

from dataclasses import replace

from lab.world.entries import Entry, Fact, Hit, ManagerLink, PeersSeen, PeerView, SwarmChanged
from lab.world.swarm import Service, ServiceSpec, SwarmObject, Task
from lab.world.wire import Exchange, Flow, WireSeen
from lab.world.world import World, fold_all
from tests.tui.fake import NODES

NAMES = ("node1", "node2", "node3", "node4")
LEADERLESS = "rpc error: code = Unknown desc = The swarm does not have a leader."
LISTED = tuple(replace(node, version=40 + number) for number, node in enumerate(NODES))


def view(node: str, answer: str, *misses: str, told: bool = True) -> PeerView:
    """How a node sees the others: those that it misses, and, if its machine `told`, all others as reached."""
    reaches = tuple(n for n in NAMES if told and n != node and n not in misses)
    leader = {"follows": "node1", "leads": "node1"}.get(answer, "")
    return PeerView(node, answer, LEADERLESS if answer == "no-leader" else "", leader, reaches, misses)  # type: ignore[arg-type]


def _live(**changed: object) -> tuple[Fact, ...]:
    nodes = tuple(replace(n, **changed) if n.name == "node3" else n for n in LISTED)  # type: ignore[arg-type]
    return ManagerLink("live", "node1"), SwarmChanged("node1", nodes=nodes, first=True)


WHOLE: tuple[Fact, ...] = (
    *_live(),
    PeersSeen((view("node1", "leads"), view("node2", "follows"), view("node3", "follows"), view("node4", "worker"))),
)
DEAD: tuple[Fact, ...] = (
    *_live(state="down", reachability="unreachable"),
    PeersSeen(
        (
            view("node1", "leads", "node3"),
            view("node2", "follows", "node3"),
            view("node3", "silent", told=False),
            view("node4", "worker", "node3"),
        )
    ),
)
CUT: tuple[Fact, ...] = (
    *_live(state="down", reachability="unreachable"),
    PeersSeen(
        (
            view("node1", "leads", "node3"),
            view("node2", "follows", "node3"),
            view("node3", "no-leader", "node1", "node2", "node4"),
            view("node4", "worker", "node3"),
        )
    ),
)
NO_QUORUM: tuple[Fact, ...] = (
    *_live(),
    ManagerLink("stale", "node1", f"node1: EngineError: {LEADERLESS}"),
    PeersSeen(
        (
            view("node1", "no-leader", "node2", "node3"),
            view("node2", "silent", told=False),
            view("node3", "silent", told=False),
            view("node4", "worker", "node2", "node3"),
        )
    ),
)

SPEC = ServiceSpec("nginx:1.26", replicas=1)
WEB = Task("t1", "s1", 1, "n4", "running", "running", 1.0, 2.0, container="3f1c9a7be2d4" * 5, addresses=("10.0.0.9",))
NETWORKS = (
    SwarmObject("network", "w0", "ingress", number=4096),
    SwarmObject("network", "w1", "app_inside", number=4097),
    SwarmObject("network", "w2", "app_sealed", number=4098, encrypted=True),
)
FLOWS = (
    Flow("node1", "node4", "vxlan", 120, 60_000, 4096),
    Flow("node4", "node1", "vxlan", 118, 240_000, 4096),
    Flow("node2", "node3", "vxlan", 12, 9_000, 4097),
    Flow("node3", "node2", "esp", 40, 24_000),
    *(Flow(a, b, "gossip", 5, 900) for a in NAMES for b in NAMES if a != b),
    Flow("node2", "node1", "management", 30, 9_600),
    Flow("node1", "node2", "management", 31, 9_700),
    Flow("node1", "node3", "management", 20, 4_000, lost=20),
    Flow("node1", "", "arp", 2, 84),
)
ASKED = Exchange(
    0.25,
    "node1",
    "node4",
    4096,
    "10.0.0.2",
    41_234,
    "10.0.0.9",
    8080,
    4_711_000,
    accepted=0.0021,
    asked=0.0026,
    answered=0.0474,
    sent=78,
    got=1_240,
)
"""The first hop of the lab's request, which leads to web.1."""
WIRE: tuple[Fact, ...] = (
    *WHOLE,
    SwarmChanged("node1", services=(Service("s1", "web", SPEC, 1),), tasks=(WEB,), named=NETWORKS),
    Hit("node1", 8080, "/", 200, "3f1c9a7be2d4", 80.0),
    WireSeen(
        3.0,
        FLOWS,
        (ASKED,),
        marks=(("clear-text-4711", 4),),
    ),
)


def entries(facts: tuple[Fact, ...], at: float = 2.0) -> tuple[Entry, ...]:
    """The facts, a tenth of a second apart."""
    return tuple(Entry(at + place / 10, fact) for place, fact in enumerate(facts))


def world(*facts: Fact) -> World:
    """The world after these facts."""
    return fold_all(entries(facts))
