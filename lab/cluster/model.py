"""What a cluster is, as values, and the one interface that every provider has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from lab.engine.endpoint import Endpoint, Role

Acceleration = Literal["kvm", "tcg", "native", ""]
Images = Literal["packages", "official"]
"""Where a cluster's images come from: packages, made from Debian's and in every node's own store from the start;
official, pulled from a registry by each node that needs one."""


@dataclass(frozen=True)
class Progress:
    """One step of long work, for a bar or a plain line.

    `stage` is a short steady word ("base disk"), `text` says what is happening or waited for,
    `done` is the share of the whole work from 0 to 1 (None when it cannot be told).
    """

    stage: str
    text: str
    done: float | None = None


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """A report that says nothing."""


@dataclass(frozen=True)
class NodeStatus:
    """What is known of one node. `machine`: running | stopped | missing. `cut`: off the nodes' own network.

    `swarm` is the engine's word for the node (ready, down, unknown; "" when it is not in the swarm),
    `reachability` is reachable | unreachable | "" for a worker.
    """

    name: str
    role: Role
    machine: str
    engine: bool
    swarm: str = ""
    availability: str = ""
    leader: bool = False
    reachability: str = ""
    cut: bool = False
    lan_address: str = ""
    published: Mapping[int, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster at one moment. `created` is aware, in UTC. `whole`: every node runs, answers and is ready."""

    name: str
    provider: str
    made_by_lab: bool
    acceleration: Acceleration
    created: datetime
    nodes: tuple[NodeStatus, ...]
    whole: bool
    note: str = ""
    images: Images = "packages"


@dataclass(frozen=True, slots=True)
class Pace:
    """What a cluster bears, measured for its kind of machines.

    `load` is a lesson's load, requests a second, and `patience` how many seconds one of them may take; `mesh_round` and
    `handshake_rounds` are the seconds between rounds of probes and of TLS handshakes (while something changes, and at
    rest).
    """

    load: float = 50
    patience: float = 10.0
    mesh_round: float = 1.0
    handshake_rounds: tuple[float, float] = (1.0, 4.0)


class Cluster(Protocol):
    """A cluster that exists (perhaps powered off in part). Values out, effects by named verbs."""

    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> str: ...

    @property
    def made_by_lab(self) -> bool: ...

    @property
    def acceleration(self) -> Acceleration: ...

    @property
    def images(self) -> Images: ...

    @property
    def faults(self) -> frozenset[str]:
        """The verbs of `lab.cluster.faults.FAULTS` that work on it."""

    @property
    def pace(self) -> Pace: ...

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every node that has an engine to talk to, managers first, in the order of their names."""

    def status(self) -> ClusterStatus:
        """Ask machines and engines, in parallel, each with a short bound; never raises for a dead node."""

    def stop(self, node: str) -> None:
        """Power a machine off, as if its plug were pulled. Idempotent."""

    def powered_off(self) -> tuple[str, ...]:
        """The nodes whose machines do not run, whoever ended them; asks this machine only, at once."""

    def power_on(self, nodes: Sequence[str], report: Report = silent) -> None:
        """Power machines on, side by side, and wait until their engines answer. Idempotent."""

    def start(self, node: str, report: Report = silent) -> None:
        """Power a machine on and wait until its engine answers and the swarm has it back. Idempotent."""

    def cut(self, node: str) -> None:
        """Take a machine off the nodes' own network; its engine is still reached from here. Idempotent."""

    def heal(self, node: str, report: Report = silent) -> None:
        """Put it back on the nodes' own network, and wait until the swarm has it back. Idempotent."""

    def down(self, report: Report = silent) -> None:
        """Leave no process, no disk, no lock of this cluster. The cache stays. Idempotent."""
