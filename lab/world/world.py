"""The world: an immutable value, folded from the journal's entries. Panes, checks and plans are functions of it.

Its parts are values with their own folds: `swarm_state`, `edge_state`, `dns_state`, `lesson_state`, `load_state`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lab.world import dns_state, edge_state, load_state, swarm_state, timeline
from lab.world.dns import ClientsSeen, EndpointChecked, ZoneServed
from lab.world.dns_state import Dns
from lab.world.edge_state import Edge
from lab.world.entries import (
    AcmeTold,
    ActDone,
    Captured,
    CertificateSeen,
    Checked,
    CommandBegan,
    CommandEnded,
    EngineEvent,
    Entry,
    HintTaken,
    Hit,
    LessonOpened,
    LoadReport,
    ManagerLink,
    PeersSeen,
    Printed,
    Progressed,
    Restored,
    RoutesSeen,
    StepMoved,
    SwarmChanged,
    TrafficSeen,
)
from lab.world.lesson_state import LessonState, fold_lesson
from lab.world.load import Load
from lab.world.swarm_state import Slot, Swarm
from lab.world.timeline import Line
from lab.world.wire import Wire, WireSeen, fold_wire

KEEP_CHANGES = 400
"""Lines of the timeline."""

KEEP_COMMANDS = 50

KEEP_HITS = 2000


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the timeline. `tone`: good | bad | plain | lab (the lab or its user did it); `kind` says what it is
    about, `text` is for people; `stamp` is when its task entered its state, by the managers' clock (0: no task)."""

    at: float
    text: str
    tone: timeline.Tone = "plain"
    service: str = ""
    task: str = ""
    node: str = ""
    kind: timeline.Kind = ""
    stamp: float = 0.0


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was started: `status` and `seconds` are None while it runs."""

    id: int
    at: float
    node: str
    text: str
    step: str
    status: int | None = None
    seconds: float | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Everything known at `at` (seconds since the journal began).

    `link` says through which manager the swarm is polled; `peers` how each node sees the others, since `peers_at`;
    `changes` is the timeline; `hits` are the answers to probes, with their times. `restored`: the cluster was put back
    to a snapshot, and has not been looked at since. `dirty` are the slots, nodes ("node:ID") and services
    ("service:ID") that the last entry touched: what a pane must redraw.
    """

    at: float = 0.0
    count: int = 0
    link: ManagerLink = ManagerLink("none")
    linked_at: float = 0.0
    progress: Progressed | None = None
    swarm: Swarm = Swarm()
    edge: Edge = Edge()
    dns: Dns = Dns()
    lesson: LessonState = LessonState()
    load: Load = Load()
    wire: Wire = Wire()
    peers: PeersSeen | None = None
    peers_at: float = 0.0
    changes: tuple[Change, ...] = ()
    commands: tuple[Command, ...] = ()
    hits: tuple[tuple[float, Hit], ...] = ()
    dirty: frozenset[Slot | str] = frozenset()
    restored: bool = False


def fold(world: World, entry: Entry) -> World:
    """Return the world after one more entry. Deterministic; reads no clock."""
    at, fact = entry.at, entry.fact
    base = replace(world, at=max(at, world.at), count=world.count + 1, dirty=frozenset())
    match fact:
        case SwarmChanged():
            return _fold_look(base, fact)
        case EngineEvent():
            return _fold_event(base, at, fact)
        case LessonOpened():
            return replace(base, lesson=fold_lesson(base.lesson, at, fact), dns=base.dns.begun_anew())
        case StepMoved() | Checked() | Captured() | HintTaken():
            return replace(base, lesson=fold_lesson(base.lesson, at, fact))
        case ManagerLink():
            return replace(base, link=fact, linked_at=at)
        case Progressed():
            return replace(base, progress=fact)
        case CommandBegan():
            command = Command(fact.id, at, fact.node, fact.text, fact.step)
            line = Line(f"$ {fact.text}", "lab", node=fact.node, kind="command")
            return replace(_tell(base, at, (line,)), commands=(*base.commands, command)[-KEEP_COMMANDS:])
        case CommandEnded():
            return replace(base, commands=tuple(_end(c, fact) for c in base.commands))
        case ActDone():
            return _tell(base, at, (Line(fact.action, "lab", node=fact.node, kind="act"),))
        case Restored():
            text = (
                f"the cluster was put back to {fact.snapshot}" if fact.snapshot else "something was broken out of sight"
            )
            told = _tell(base, at, (Line(text, "lab", kind="act"),))
            return replace(
                told,
                edge=Edge(),
                dns=base.dns.begun_anew(),
                load=Load(),
                wire=Wire(),
                peers=None,
                hits=(),
                restored=True,
            )
        case Hit():
            return replace(base, hits=(*base.hits, (at, fact))[-KEEP_HITS:])
        case LoadReport():
            load, lines = load_state.fold_load(base.load, at, fact)
            return replace(_tell(base, at, lines), load=load)
        case CertificateSeen():
            edge, lines = edge_state.fold_certificate(base.edge, at, fact)
            return replace(_tell(base, at, lines), edge=edge)
        case AcmeTold():
            edge, lines = edge_state.fold_order(base.edge, at, fact)
            return replace(_tell(base, at, lines), edge=edge)
        case RoutesSeen():
            edge, lines = edge_state.fold_routes(base.edge, at, fact)
            return replace(_tell(base, at, lines), edge=edge)
        case TrafficSeen():
            return replace(base, edge=edge_state.fold_traffic(base.edge, at, fact))
        case ZoneServed() | EndpointChecked() | ClientsSeen():
            dns, lines = dns_state.fold_dns(base.dns, at, fact)
            return replace(_tell(base, at, lines), dns=dns)
        case WireSeen():
            return replace(base, wire=fold_wire(base.wire, at, fact))
        case PeersSeen():
            return replace(base, peers=fact, peers_at=at)
        case Printed():
            return base


def fold_all(entries: Iterable[Entry], world: World | None = None) -> World:
    """Return the world after all entries."""
    now = world or World()
    for entry in entries:
        now = fold(now, entry)
    return now


def _tell(world: World, at: float, lines: Sequence[Line]) -> World:
    """Return the world with these lines in its timeline."""
    if not lines:
        return world
    return replace(world, changes=(*world.changes, *(Change(at, *line) for line in lines))[-KEEP_CHANGES:])


def _end(command: Command, fact: CommandEnded) -> Command:
    if command.id != fact.id:
        return command
    return replace(command, status=fact.status, seconds=fact.seconds, output=fact.output)


def _fold_event(world: World, at: float, fact: EngineEvent) -> World:
    swarm, died = swarm_state.fold_event(world.swarm, at, fact)
    if died is None:
        return replace(world, swarm=swarm)
    lines = (timeline.death_line(swarm, died, fact.exit),)
    return replace(_tell(world, at, lines), swarm=swarm, dirty=frozenset({(died.service, died.key)}))


def _fold_look(world: World, fact: SwarmChanged) -> World:
    after = _fold_objects(world, fact)
    if world.restored and fact.first:
        return replace(after, changes=world.changes, restored=False)
    return after


def _fold_objects(world: World, fact: SwarmChanged) -> World:
    before, dirty = world.swarm, set[Slot | str]()
    if absent := swarm_state.absent_ids(before, fact):
        gone = SwarmChanged(by=fact.by, gone=absent)
        after, dirty = swarm_state.fold_look(before, gone)
        world = replace(_tell(world, world.at, tuple(timeline.swarm_lines(before, after, gone))), swarm=after)
    swarm, touched = swarm_state.fold_look(world.swarm, fact)
    lines = tuple(timeline.swarm_lines(before, swarm, fact))
    return replace(_tell(world, world.at, lines), swarm=swarm, dirty=frozenset(dirty | touched))
