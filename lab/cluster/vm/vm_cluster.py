"""A lab of virtual machines: the `Cluster` of provider `vm`."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab import file_lock, paths
from lab.cluster import lab_paths, swarm_init
from lab.cluster.faults import FAULTS
from lab.cluster.link_faults import LinkFault
from lab.cluster.machine_faults import ENGINE, MachineFault
from lab.cluster.model import Acceleration, Capacity, ClusterStatus, Images, NodeStatus, Progress, Report, silent
from lab.cluster.snapshot import Snapshots
from lab.cluster.vm import console, link_faults, machine_faults, processes, qemu, reach
from lab.cluster.vm.owner import find_owner
from lab.cluster.vm.ports import Block
from lab.cluster.vm.qemu import Drive, Machine, Network
from lab.cluster.vm.remove import remove
from lab.cluster.vm.state import LabState, NodeState
from lab.cluster.vm.taps import Tapped
from lab.engine.containers import find_containers
from lab.engine.endpoint import Endpoint
from lab.errors import InputError, LabError, WaitError
from lab.wait import wait_until

BOOT_BOUND = 300.0
REJOIN_BOUND = 180.0
_POLL = 0.5
_ASK = 10.0
_STAGES: Mapping[str, float] = {"kernel": 0.2, "disk repair": 0.25, "disk": 0.3, "network": 0.45, "engine": 0.5}


#: Measured: four emulated machines on two cores handle about eleven new HTTPS connections a second through Traefik,
#: nginx and Node.js, and fewer while a new version starts; a TLS handshake takes long on an emulated processor.
CAPACITIES = {
    "kvm": Capacity(),
    "tcg": Capacity(load=1, patience=30.0, mesh_round=5.0, peer_rounds=(3.0, 6.0), handshake_rounds=(3.0, 10.0)),
}


@dataclass(frozen=True)
class VmCluster:
    """A cluster of virtual machines. `state` is the lab's record; the current state is queried each time."""

    state: LabState
    made_by_lab: bool = True

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def provider(self) -> str:
        return self.state.provider

    @property
    def acceleration(self) -> Acceleration:
        return self.state.acceleration

    @property
    def images(self) -> Images:
        return self.state.images

    @property
    def faults(self) -> frozenset[str]:
        return frozenset(FAULTS)

    @property
    def capacity(self) -> Capacity:
        return CAPACITIES[self.state.acceleration]

    @property
    def dns_port(self) -> int:
        return Block(self.state.first_port).dns

    @property
    def snapshots(self) -> Snapshots:
        from lab.cluster.vm.snapshot.vm_snapshots import VmSnapshots  # it is about a lab, and knows this module

        return VmSnapshots(self)

    @property
    def home(self) -> Path:
        """The folder with the lab's keys, disks and logs."""
        return lab_paths.lab_folder(self.name)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return every node's endpoint, managers first."""
        return tuple(self._endpoint(node) for node in self.state.nodes)

    def _endpoint(self, node: NodeState) -> Endpoint:
        return Endpoint(
            node=node.name,
            role=node.role,
            url=f"tcp://{qemu.LOOPBACK}:{node.engine}",
            tls=self.home / "tls",
            lan_address=node.lan_address,
            published=_published_here(node),
        )

    def status(self) -> ClusterStatus:
        """Return the current state of machines, engines and the swarm; one that does not answer costs at most a few
        seconds."""
        up = {node.name: self.is_running(node) for node in self.state.nodes}
        alive = [self._endpoint(node) for node in self.state.nodes if up[node.name]]
        members = {m.node: m for m in swarm_init.ping_engines(alive, _ASK)} if alive else {}
        seen = swarm_init.list_nodes_of([e for e in alive if members[e.node].control])
        nodes = tuple(self._node_status(node, up[node.name], members.get(node.name), seen) for node in self.state.nodes)
        whole = all(n.machine == "running" and n.engine and n.swarm == "ready" and not n.cut for n in nodes)
        links = tuple(fault.sentence for fault in self.broken_links())
        machines = tuple(fault.sentence for fault in self.broken_machines())
        return ClusterStatus(
            name=self.name,
            provider=self.provider,
            made_by_lab=True,
            acceleration=self.state.acceleration,
            # If the clock was set back since, the lab seems to be created in the future: then it is new.
            created=min(self.state.created, datetime.now(UTC)),
            nodes=nodes,
            whole=whole and not links and not machines and any(n.leader for n in nodes),
            note=self.state.note,
            images=self.state.images,
            links=links,
            machines=machines,
        )

    def _node_status(
        self, node: NodeState, up: bool, member: swarm_init.EngineState | None, seen: Sequence[swarm_init.ListedNode]
    ) -> NodeStatus:
        folder = self.home / node.name
        engine = member is not None and bool(member.local)
        entry = swarm_init.find_listed(self._endpoint(node), seen)
        return NodeStatus(
            name=node.name,
            role="worker" if entry is not None and entry.role == "worker" else "manager" if entry else node.role,
            machine="running" if up else "stopped" if (folder / "disk.qcow2").exists() else "missing",
            engine=engine,
            swarm=entry.state if entry else "",
            availability=entry.availability if entry else "",
            leader=entry.leader if entry else False,
            reachability=entry.reachability if entry else "",
            cut=up and processes.is_cut(folder),
            lan_address=node.lan_address,
            published=_published_here(node),
        )

    def stop(self, node: str) -> None:
        """Power the machine off, as if its plug were pulled."""
        one = self.node(node)
        with self.hold_lock():
            processes.power_off(self.home / one.name, one.identity)
            machine_faults.forget(self.home, [node])

    def powered_off(self) -> tuple[str, ...]:
        """Return the nodes whose machines are not running, whoever ended them."""
        return tuple(node.name for node in self.state.nodes if not self.is_running(node))

    def cut_off(self) -> tuple[str, ...]:
        """Return the nodes whose cables are unplugged."""
        return tuple(n.name for n in self.state.nodes if self.is_running(n) and processes.is_cut(self.home / n.name))

    def power_on(self, nodes: Sequence[str], report: Report = silent) -> None:
        """Power machines on, in parallel, and wait until their engines answer."""
        with self.hold_lock():
            self.boot([self.node(name) for name in nodes], report)

    def start(self, node: str, report: Report = silent) -> None:
        """Power the machine on and wait until its engine answers and it is back in the swarm."""
        one = self.node(node)
        with self.hold_lock():
            self.boot([one], report)
            self._wait_ready(one, report)

    def cut(self, node: str) -> None:
        """Unplug the machine's LAN cable. Raises LabError when the machine is powered off."""
        self._cable(node, off=True)

    def heal(self, node: str, report: Report = silent) -> None:
        """Plug the cable back in, end the faults of the node's links and of the machine, and wait until it is back in
        the swarm."""
        one = self._cable(node, off=False)
        with self.hold_lock():
            link_faults.heal_node(self.home, node)
            machine_faults.mend(self.home, lambda held: held.fault.node == node)
        self._wait_ready(one, report)

    def break_link(self, fault: LinkFault, *, held: bool = False) -> None:
        """Add a fault to the machines' network. Raises InputError for a node that is not there."""
        for name in filter(None, (fault.node, fault.peer)):
            self.node(name)
        with self.hold_lock():
            link_faults.add_fault(self.home, fault, find_owner(os.getpid()) if held else None)

    def broken_links(self) -> tuple[LinkFault, ...]:
        """Return the faults of the machines' network."""
        return tuple(held.fault for held in link_faults.read_links(self.home))

    def heal_links(self) -> None:
        """End every fault of the machines' links."""
        with self.hold_lock():
            link_faults.write_links(self.home, ())

    def break_machine(self, fault: MachineFault, *, held: bool = False) -> None:
        """Cause a fault inside a machine. Raises LabError when it is powered off or does not do it, InputError when no
        container of that service runs there."""
        one = self.node(fault.node)
        if not self.is_running(one):
            raise LabError(f"{fault.node} is powered off", remedy=f"swarmlab node start {fault.node}")
        containers: tuple[str, ...] = ()
        if fault.kind == "hang" and fault.what != ENGINE:
            containers = find_containers(self._endpoint(one), fault.what)
            if not containers:
                raise InputError(f"no container of a service {fault.what} runs on {fault.node}")
        with self.hold_lock():
            machine_faults.cause(self.home, fault, containers, find_owner(os.getpid()) if held else None)

    def broken_machines(self) -> tuple[MachineFault, ...]:
        """Return the faults inside the machines."""
        return tuple(held.fault for held in machine_faults.read_faults(self.home))

    def heal_machines(self) -> None:
        """End every fault inside the machines."""
        with self.hold_lock():
            machine_faults.mend(self.home)

    def _cable(self, node: str, *, off: bool) -> NodeState:
        one = self.node(node)
        with self.hold_lock():
            if not self.is_running(one):
                raise LabError(f"{node} is powered off", remedy=f"swarmlab node start {node}")
            processes.set_cut(self.home / node, off=off)
        return one

    def open_wire(self, marks: Collection[str] = ()) -> Tapped:
        """Begin to read the machines' network."""
        return Tapped(self.home, [node.name for node in self.state.nodes], marks)

    def reach(self) -> Mapping[str, Mapping[str, float | None]]:
        """Have every machine that is on try to reach the others."""
        on = {n.name: n.lan_address for n in self.state.nodes if self.is_running(n)}
        all_of_them = {n.name: n.lan_address for n in self.state.nodes}
        return reach.ask_all({self.home / name: {n: a for n, a in all_of_them.items() if n != name} for name in on})

    def down(self, report: Report = silent) -> None:
        """End every machine and delete the cluster's folder with all its files; the cache stays."""
        with self.hold_lock():
            remove(self.name, report)

    def node(self, name: str) -> NodeState:
        """Return the machine called `name`. Raises InputError when there is none."""
        for one in self.state.nodes:
            if one.name == name:
                return one
        have = ", ".join(one.name for one in self.state.nodes)
        raise InputError(f"there is no node called {name}; this lab has {have}")

    def hold_lock(self) -> AbstractContextManager[None]:
        """Hold the lab's lock for a block, so that one command at a time changes the machines. Raises WaitError when
        another command still holds it after 10 s."""
        return file_lock.hold(lab_paths.lock_file(self.name), f"at work on the lab {self.name}", bound=10)

    def boot(self, nodes: Sequence[NodeState], report: Report) -> None:
        """Power `nodes` on and wait until their engines answer. Raises LabError and WaitError."""
        processes.start_switch(self.home, self.state.switch, [node.name for node in self.state.nodes])
        for number, node in enumerate(nodes):
            report(Progress("machines", f"powering {node.name} on", 0.1 * number / len(nodes)))
            processes.make_overlay(base_disk(self.state.disk), self.home / node.name / "disk.qcow2")
            processes.power_on(self.as_machine(node))
        self._wait_engines(nodes, report)

    def as_machine(self, node: NodeState) -> Machine:
        """Return the machine to power on for `node`. Raises LabError when its base disk is gone."""
        folder, base = self.home / node.name, base_disk(self.state.disk).parent
        forwards = {node.engine: qemu.ENGINE_PORT, **{here: port for port, here in node.published.items()}}
        return Machine(
            name=f"swarmlab-{self.name}-{node.name}",
            identity=node.identity,
            folder=folder,
            kernel=base / "vmlinuz",
            initrd=base / "initrd",
            drives=(Drive(folder / "disk.qcow2", "qcow2"), Drive(folder / "settings.tar", "raw", readonly=True)),
            acceleration=self.state.acceleration,
            memory=self.state.memory,
            network=Network(f"77:{node.number:02x}", forwards, outward=self.images == "official"),
        )

    def is_running(self, node: NodeState) -> bool:
        """Return whether the machine is powered on."""
        return processes.find_running(self.home / node.name, node.identity) is not None

    def _wait_engines(self, nodes: Sequence[NodeState], report: Report) -> None:
        end = time.monotonic() + BOOT_BOUND
        said = ""
        again: set[str] = set()
        with ThreadPoolExecutor(len(nodes)) as pool:
            asked = {node.name: pool.submit(self._answers, node) for node in nodes}
            while asked:
                wait(asked.values(), timeout=_POLL, return_when=FIRST_COMPLETED)
                for name in [n for n, answer in asked.items() if answer.done()]:
                    if asked.pop(name).result():
                        continue
                    if self._has_failed(self.node(name), again):
                        report(Progress("machines", f"{name} did not boot; powering it on again"))
                        again.add(name)
                        processes.power_on(self.as_machine(self.node(name)))
                    asked[name] = pool.submit(self._answers, self.node(name))
                text, done = self._progress(len(nodes), asked)
                if text != said:
                    report(Progress("machines", text, done))
                    said = text
                if asked and time.monotonic() > end:
                    log = self.home / next(iter(asked)) / console.LOG
                    raise WaitError("the engines", BOOT_BOUND, text, log=log, remedy="swarmlab up")

    def _answers(self, node: NodeState) -> bool:
        """Query the engine once; after a refusal, which is immediate while the machine boots, pause briefly."""
        if swarm_init.ping_engine(self._endpoint(node), _ASK / 2).local:
            return True
        time.sleep(_POLL)
        return False

    def _has_failed(self, node: NodeState, again: Container[str]) -> bool:
        """Return whether the machine ended or gave up while it booted; if so, it is powered off. Raises LabError for
        one that was already powered on `again`."""
        folder = self.home / node.name
        why = console.read_failure(folder)
        if self.is_running(node) and not why:
            return False
        processes.power_off(folder, node.identity)
        if node.name in again:
            logs = f"its logs are {folder / console.LOG} and {folder / 'emulator.log'}"
            raise LabError(
                f"{node.name} did not boot, twice: {why or 'its machine ended'}; {logs}\n{console.read_tail(folder)}",
                remedy="swarmlab up tries again; swarmlab down, then swarmlab up, recreates the lab",
            )
        return True

    def _progress(self, count: int, waiting: Iterable[str]) -> tuple[str, float]:
        stages = {name: (console.read_stages(self.home / name) or ("firmware",))[-1] for name in sorted(waiting)}
        if not stages:
            return "every engine answers", 1.0
        done = sum(_STAGES.get(stage, 0.1) for stage in stages.values()) + count - len(stages)
        text = ", ".join(f"{name} ({stage})" for name, stage in stages.items())
        return f"waiting for the engine of {text}", 0.1 + 0.9 * done / count

    def _wait_ready(self, node: NodeState, report: Report) -> None:
        """Wait until a manager lists the node as ready, and the node itself reports that it is in the swarm. Nobody
        waits for one that was removed from the list."""
        managers = [n for n in self.state.nodes if n.role == "manager"]
        powered = sum(self.is_running(n) for n in managers)
        if 2 * powered <= len(managers):
            text = f"{node.name} runs; the swarm needs more of its managers: {powered} of {len(managers)} are on"
            report(Progress("swarm", text, 1.0))
            return
        report(Progress("swarm", f"waiting for {node.name} in the swarm"))
        log = self.home / node.name / console.LOG
        what = f"{node.name} in the swarm"
        wait_until(what, REJOIN_BOUND, lambda: self._lacks(node), pause=_POLL, log=log, remedy="swarmlab up")

    def _lacks(self, node: NodeState) -> str:
        """Return why the node is not in the swarm yet, in words; "" when it is."""
        members = swarm_init.read_engines(self.endpoints())
        own = next(m for m in members if m.node == node.name)
        seen = swarm_init.list_nodes_of([e for e, m in zip(self.endpoints(), members, strict=True) if m.control])
        entry = next((s for s in seen if s.id == own.node_id and own.node_id), None)
        led = any(one.leader for one in seen)
        if led and all(one.name != node.name for one in seen):  # It was removed, and does not come back by itself.
            return ""
        told = (own.local, entry.state, entry.reachability) if entry is not None and led else ()
        if told in (("active", "ready", ""), ("active", "ready", "reachable")):
            return ""
        return f"{node.name} says {own.local or 'nothing'}, the managers say {entry.state if entry else 'nothing'}"


def base_disk(disk: str) -> Path:
    """Return the path of the base disk called `disk` in the cache. Raises LabError when it is gone."""
    path = paths.cache() / disk / "disk.raw"
    if not path.is_file():
        raise LabError(
            f"the base disk of this lab's machines is missing ({path})", remedy="swarmlab down, then swarmlab up"
        )
    return path


def _published_here(node: NodeState) -> dict[int, tuple[str, int]]:
    return {port: (qemu.LOOPBACK, here) for port, here in node.published.items()}
