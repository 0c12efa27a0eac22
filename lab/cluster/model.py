"""The data model of a cluster, and the one interface that every provider's clusters implement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from lab.cluster.link_faults import LinkFault
from lab.cluster.machine_faults import MachineFault
from lab.cluster.wire import Wire
from lab.engine.endpoint import Endpoint, Role

if TYPE_CHECKING:
    from lab.cluster.snapshot import Snapshots

Acceleration = Literal["kvm", "tcg", "native", ""]
Images = Literal["packages", "official"]
"""The source of a cluster's images. packages: built from Debian packages and in every node's own store from the start;
official: pulled from a registry by each node that needs one."""


@dataclass(frozen=True)
class Progress:
    """One step of a long task, for a progress bar or a plain line.

    `stage` is a short, stable name ("base disk"), `text` says what is happening or being waited for, and `done` is the
    completed share of the whole task from 0 to 1 (None when unknown).
    """

    stage: str
    text: str
    done: float | None = None


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class NodeStatus:
    """The known state of one node. `machine`: running | stopped | missing. `cut`: disconnected from the nodes' own
    network.

    `swarm` is the node's state in Docker's terms (ready, down, unknown; "" when it is not in the swarm), `reachability`
    is reachable | unreachable | "" for a worker.
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
    """The state of a cluster at one moment. `created` is timezone-aware, in UTC. `whole`: every node runs, answers and
    is ready, and there is no fault of a link or in a machine; `links` and `machines` are those faults, in sentences."""

    name: str
    provider: str
    made_by_lab: bool
    acceleration: Acceleration
    created: datetime
    nodes: tuple[NodeStatus, ...]
    whole: bool
    note: str = ""
    links: tuple[str, ...] = ()
    images: Images = "packages"
    machines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capacity:
    """The load that a cluster can take, measured for its kind of machines.

    `load` is a lesson's load in requests per second, and `patience` the seconds that one of them may take.
    `mesh_round`, `peer_rounds` and `handshake_rounds` are the seconds between rounds of probes, of questions to every
    node about the others, and of TLS handshakes (while something changes, and at rest).
    """

    load: float = 50
    patience: float = 10.0
    mesh_round: float = 1.0
    peer_rounds: tuple[float, float] = (1.0, 3.0)
    handshake_rounds: tuple[float, float] = (1.0, 4.0)


class Cluster(Protocol):
    """A cluster that exists, perhaps partly powered off. Queries return values; named verbs have effects.

    A verb raises InputError for a node that the cluster does not have, and LabError when it cannot be done: WaitError
    when another command is at work on the cluster, or when what it waits for does not come.
    """

    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> str: ...

    @property
    def made_by_lab(self) -> bool:
        """Whether the lab made it, so that all that is in it is the lab's; else only what lessons' steps made is."""

    @property
    def acceleration(self) -> Acceleration: ...

    @property
    def images(self) -> Images: ...

    @property
    def faults(self) -> frozenset[str]:
        """The verbs of `lab.cluster.faults.FAULTS` that work on it."""

    @property
    def capacity(self) -> Capacity:
        """The load that it can take."""

    @property
    def dns_port(self) -> int:
        """The port of this machine, on loopback, that is kept for the lab's name server, UDP and TCP."""

    @property
    def snapshots(self) -> Snapshots | None:
        """Its snapshots, None when its provider has none."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the endpoint of every node that has an engine to talk to: managers first, sorted by name."""

    def status(self) -> ClusterStatus:
        """Query machines and engines, in parallel, each with a short timeout; never raises for a dead node."""

    def stop(self, node: str) -> None:
        """Power a machine off, as if its plug were pulled. Idempotent."""

    def powered_off(self) -> tuple[str, ...]:
        """Return the nodes whose machines are not running, whoever ended them; checks this machine only, and returns at
        once."""

    def cut_off(self) -> tuple[str, ...]:
        """Return the nodes that are disconnected from the nodes' own network; returns at once, long before the managers
        miss them."""

    def power_on(self, nodes: Sequence[str], report: Report = silent) -> None:
        """Power machines on, in parallel, and wait until their engines answer. Idempotent."""

    def start(self, node: str, report: Report = silent) -> None:
        """Power a machine on and wait until its engine answers and, when enough managers are on, it is back in the
        swarm. Idempotent."""

    def cut(self, node: str) -> None:
        """Disconnect a machine from the nodes' own network; its engine stays reachable from here. Idempotent.
        Raises LabError when it is powered off."""

    def break_link(self, fault: LinkFault, *, held: bool = False) -> None:
        """Add a fault to the nodes' own network, or change it to another degree; a `held` one ends with this
        process."""

    def broken_links(self) -> tuple[LinkFault, ...]:
        """Return the faults of the nodes' own network; returns at once."""

    def break_machine(self, fault: MachineFault, *, held: bool = False) -> None:
        """Cause a fault inside a machine, or change it to another degree; a `held` one ends with this process.
        Raises LabError when it is powered off, InputError when no container of that service runs there."""

    def broken_machines(self) -> tuple[MachineFault, ...]:
        """Return the faults inside the machines; returns at once."""

    def heal_machines(self) -> None:
        """End every fault inside the machines. Idempotent."""

    def heal(self, node: str, report: Report = silent) -> None:
        """Reconnect a machine to the nodes' own network, end every fault of its links and inside it, and wait until it
        is back in the swarm. Idempotent. Raises LabError when it is powered off."""

    def heal_links(self) -> None:
        """End every fault of the links of the nodes' own network. Idempotent."""

    def open_wire(self, marks: Collection[str] = ()) -> Wire:
        """Begin to read the nodes' own network, and to look for these texts on it. Raises InputError when this
        cluster's cannot be read, LabError."""

    def reach(self) -> Mapping[str, Mapping[str, float | None]]:
        """Return, by node, in how many milliseconds it reaches each other node on their own network, None for one that
        it does not reach: as each machine itself just tried. A machine that does not answer is absent."""

    def down(self, report: Report = silent) -> None:
        """Remove every process, disk and lock of this cluster. The cache stays. Idempotent."""
