"""A cluster of the tests' engines, in the shape of a provider's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lab.cluster.link_faults import LinkFault
from lab.cluster.machine_faults import MachineFault
from lab.cluster.model import Acceleration, Capacity, ClusterStatus, Images, Report, silent
from lab.cluster.wire import Wire
from lab.engine.endpoint import Endpoint
from lab.errors import LabError
from tests.doubles.engine import FakeEngine, InstantSwarm


@dataclass
class DoubleCluster:
    """`lab.cluster.model.Cluster` over engines in this process; a machine that is powered off says `refuses`."""

    swarm: InstantSwarm
    engines: list[FakeEngine]
    refuses: str = ""
    name: str = "default"
    provider: str = "double"
    made_by_lab: bool = False
    acceleration: Acceleration = "native"
    images: Images = "packages"
    created: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    faults = frozenset({"stop", "start"})
    capacity = Capacity()
    dns_port = 0
    snapshots = None

    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(engine.endpoint for engine in self.engines)

    def status(self) -> ClusterStatus:
        return ClusterStatus(
            self.name, self.provider, self.made_by_lab, self.acceleration, self.created, (), whole=True
        )

    def stop(self, node: str) -> None:
        if self.refuses:
            raise LabError(self.refuses)
        self.swarm.turn(node, "down")

    def start(self, node: str, report: Report = silent) -> None:
        self.swarm.turn(node, "ready")

    def powered_off(self) -> tuple[str, ...]:
        return ()

    def cut_off(self) -> tuple[str, ...]:
        return ()

    def broken_links(self) -> tuple[LinkFault, ...]:
        return ()

    def break_link(self, fault: LinkFault, *, held: bool = False) -> None:
        raise NotImplementedError

    def heal_links(self) -> None:
        raise NotImplementedError

    def break_machine(self, fault: MachineFault, *, held: bool = False) -> None:
        raise NotImplementedError

    def broken_machines(self) -> tuple[MachineFault, ...]:
        return ()

    def heal_machines(self) -> None:
        raise NotImplementedError

    def open_wire(self, marks: Collection[str] = ()) -> Wire:
        raise NotImplementedError

    def reach(self) -> Mapping[str, Mapping[str, float | None]]:
        return {}

    def power_on(self, nodes: Sequence[str], report: Report = silent) -> None:
        raise NotImplementedError

    def cut(self, node: str) -> None:
        raise NotImplementedError

    def heal(self, node: str, report: Report = silent) -> None:
        raise NotImplementedError

    def down(self, report: Report = silent) -> None:
        raise NotImplementedError
