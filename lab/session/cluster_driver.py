"""What a step may do to a real cluster: shells, the swarm source, requests, faults. All of it goes to the journal."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from lab import paths
from lab.cluster import edge_settings, swarm_init
from lab.cluster.api import shell_env
from lab.cluster.faults import FAULTS, apply_fault
from lab.cluster.model import Cluster, Progress
from lab.cluster.rejoin import rejoin
from lab.engine.client import connect, open_client
from lab.engine.endpoint import Endpoint
from lab.errors import EngineError, InputError
from lab.reset import ownership
from lab.schema import template
from lab.session import kept_certificates, stack_deploy, trusted_certificates
from lab.shell.shell import Shell
from lab.terminal.redact import Redactor
from lab.watch import probe
from lab.watch.load.maker import LoadMaker
from lab.watch.supervisor import SourceSupervisor
from lab.watch.swarm import SwarmSource
from lab.world.entries import ActDone, CommandEnded, ManagerLink, Progressed, Restored
from lab.world.journal import Journal
from lab.world.load import LoadSpec
from lab.world.request import Request

if TYPE_CHECKING:
    import docker

#: Seconds within which a manager must answer for a step.
ANSWER = 30.0
#: Seconds within which one must answer for a user at the terminal.
OPENING = 10.0
#: Seconds within which a source must have refreshed.
REFRESH = 45.0
#: Seconds within which engines that are not in the swarm must be back in it.
_REJOIN = 180.0


class ClusterDriver:
    """`lab.run.driver.StepDriver` on a cluster. `close` ends shells and sources; the cluster stays.

    `redactor` learns here what must not be shown, before anything is written; it serves the whole session, both the
    shells and a recording. Without `events` the swarm is only polled, for those who do not show what happens.
    """

    def __init__(
        self,
        cluster: Cluster,
        journal: Journal,
        *,
        typing: float = 0.0,
        redactor: Redactor | None = None,
        events: bool = True,
    ) -> None:
        self.cluster, self.journal = cluster, journal
        self.typing = typing
        self.size = (100, 30)
        self.edge = edge_settings.read_settings(cluster)
        self.redactor = redactor or Redactor()
        self.redactor.learn(self.edge.password)
        self._endpoints = {e.node: e for e in cluster.endpoints()}
        endpoints = tuple(self._endpoints.values())
        self._supervisor = SourceSupervisor(journal, cluster, self.edge)
        self._loader = LoadMaker(journal, endpoints, bound=cluster.capacity.patience)
        self.source = SwarmSource(journal, endpoints, connect, events=events)
        self._shells: dict[str, Shell] = {}
        self._opening = threading.Lock()
        self._closed = False
        self._front: Shell | None = None
        self._clients: dict[str, docker.DockerClient] = {}
        self._ids = itertools.count(1)
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start watching the swarm."""
        self.source.start()

    def close(self) -> None:
        """End shells and sources. No shell is opened after this."""
        with self._opening:
            self._closed = True
            shells = tuple(self._shells.values())
        with ExitStack() as stack:  # All of them end, even if the end of one fails.
            stack.callback(self.source.close)
            for client in tuple(self._clients.values()):
                stack.callback(client.close)
            for shell in shells:
                stack.callback(shell.close)
            stack.callback(self._supervisor.close)
            stack.callback(self._loader.close)

    def run(self, text: str, *, node: str = "", step: str = "", bound: float = 120.0) -> CommandEnded:
        """See `StepDriver.run`."""
        shell = self.shell(node)
        self._front = shell
        self.source.wake()
        try:
            return shell.run(text, step=step, bound=bound, typing=self.typing)
        finally:
            self.source.wake(named=True)

    def look(self, bound: float = 60.0) -> None:
        """See `StepDriver.look`; a manager has `bound` seconds to answer."""
        self.source.look(bound)

    def ask(self, request: Request, *, nodes: tuple[str, ...] = (), times: int = 1) -> None:
        """See `StepDriver.ask`."""
        asked = [e for e in self._endpoints.values() if not nodes or e.node in nodes]
        for hit in probe.probe_nodes(asked, request, times, self.edge.login):
            self.journal.write(hit)

    def ask_soon(self, requests: Mapping[Request, int]) -> probe.ProbeRound:
        """See `StepDriver.ask_soon`."""
        return probe.ProbeRound(self._endpoints.values(), requests, self.edge.login, self.journal.write)

    def given_values(self) -> Mapping[str, str]:
        """See `StepDriver.given_values`."""
        addresses = {
            f"{endpoint.node}_{port}": f"{address}:{here}"
            for endpoint in self._endpoints.values()
            for port, (address, here) in endpoint.published.items()
            if template.is_given(f"{endpoint.node}_{port}")
        }
        return {**self.edge.given, "rate": f"{self.cluster.capacity.load:g}", **addresses}

    def watch(self, sources: Iterable[str], marks: Iterable[str] = ()) -> None:
        """See `StepDriver.watch`."""
        self._supervisor.watch(sources, marks)

    def refresh(self, what: str) -> None:
        """See `StepDriver.refresh`."""
        self._supervisor.refresh(what, REFRESH)

    def look_soon(self, source: str) -> Callable[[], bool]:
        """See `StepDriver.look_soon`."""
        return self._supervisor.look_soon(source) if source else self.source.look_soon()

    def load(self, load_spec: LoadSpec | None) -> None:
        """See `StepDriver.load`."""
        if load_spec is None:
            self._loader.stop()
        else:
            self._loader.start(load_spec)

    @property
    def load_spec(self) -> LoadSpec | None:
        """The load that is being generated."""
        return self._loader.load_spec

    def settings(self) -> Mapping[str, str]:
        """Return the variables that the stack files use, for this machine."""
        return self.edge.variables

    def deploy(self, name: str, files: Sequence[str], env: Mapping[str, str]) -> None:
        """See `lab.reset.apply.ResetContext.deploy`."""
        manager = self._manager()
        shell = {**shell_env(manager, paths.state(self.cluster.name)), **self.edge.variables, **env}
        stack_deploy.deploy_stack(name, files, shell, self.is_stopping)

    def list_refusing(self, port: int) -> list[str]:
        """See `lab.reset.settle.WaitContext.list_refusing`."""
        return probe.find_refusing(self._endpoints.values(), port)

    def remove_volume(self, name: str) -> None:
        """See `lab.reset.apply.ResetContext.remove_volume`."""
        for endpoint in self._endpoints.values():
            stack_deploy.remove_volume(name, endpoint)

    def volumes(self) -> list[tuple[str, str]]:
        """Return the volumes that stacks created, on all nodes: (name, stack)."""
        return stack_deploy.stack_volumes(self._endpoints.values())

    def outdated_volumes(self) -> frozenset[str]:
        """Return the volumes of stacks that hold certificates of an authority that is gone. Raises EngineError."""
        if self.edge.acme != "pebble":
            return frozenset()
        return kept_certificates.find_outdated_volumes(tuple(self._endpoints.values()))

    def list_untrusted(self, hosts: Collection[str]) -> list[str]:
        """Return in sentences which of these host names are not served with a certificate of the cluster's own
        authority; nothing when its certificates come from elsewhere."""
        if self.edge.acme != "pebble" or not hosts:
            return []
        return trusted_certificates.list_untrusted(tuple(self._endpoints.values()), hosts)

    def login(self) -> bytes:
        """See `lab.reset.apply.ResetContext.login`."""
        return f"{self.edge.users}\n".encode()

    def act(self, action: str, target: str) -> None:
        """See `StepDriver.act`."""
        words = FAULTS[action].read(target)
        if words[0] not in self._endpoints:
            raise InputError(f"there is no node called {words[0]}; there are {', '.join(self._endpoints)}")
        self.journal.write(ActDone(FAULTS[action].told.format(*words), words[0]))
        apply_fault(self.cluster, action, target, self.report, held=True)
        self.source.wake()

    def powered_off(self) -> tuple[str, ...]:
        """See `lab.reset.settle.WaitContext.powered_off`."""
        return self.cluster.powered_off()

    def cut_off(self) -> tuple[str, ...]:
        """See `lab.reset.apply.ResetContext.cut_off`."""
        return self.cluster.cut_off()

    def broken(self) -> tuple[str, ...]:
        """Return the faults of the links of the nodes' network and those inside the machines, in sentences."""
        links, machines = self.cluster.broken_links(), self.cluster.broken_machines()
        return (*(fault.sentence for fault in links), *(fault.sentence for fault in machines))

    def heal(self) -> None:
        """End the faults of the links of the nodes' network and those inside the machines."""
        self.journal.write(ActDone("the lab ended the faults of the nodes and of their network"))
        self.cluster.heal_links()
        self.cluster.heal_machines()

    def power_on(self, nodes: Sequence[str]) -> None:
        """Power machines on in parallel, and wait until their engines answer."""
        for node in nodes:
            self.journal.write(ActDone(FAULTS["start"].told.format(node), node))
        self.cluster.power_on(nodes, self.report)
        self.source.wake()

    def leave(self, node: str) -> None:
        """See `lab.reset.apply.ResetContext.leave`."""
        endpoint = self._endpoints[node]
        if swarm_init.read_engine(endpoint, OPENING).local != "inactive":
            swarm_init.leave(endpoint)

    def end_autolock(self) -> bool:
        """Have the managers keep their own keys again; return whether they did not. Raises EngineError."""
        with open_client(self._manager(), 60.0) as client:
            swarm = client.api.inspect_swarm()
            if not swarm["Spec"]["EncryptionConfig"]["AutoLockManagers"]:
                return False
            spec = {**swarm["Spec"], "EncryptionConfig": {"AutoLockManagers": False}}
            client.api.update_swarm(swarm["Version"]["Index"], spec)
        self.journal.write(ActDone("the lab ended the lock of the managers"))
        return True

    def rejoin(self, nodes: Collection[str]) -> tuple[str, ...]:
        """Bring those of these nodes back whose engines are not in the cluster's swarm, and return them. Raises what
        `lab.cluster.rejoin.rejoin` does."""
        back = rejoin(
            tuple(endpoint for endpoint in self._endpoints.values() if endpoint.node in nodes),
            bound=_REJOIN,
            say=lambda text, done: self.report(Progress("swarm", text, done)),
        )
        for node in back:
            self.journal.write(ActDone(f"the lab brought {node} back into the swarm", node))
        self.source.wake()
        return back

    def restore(self, snapshot: str) -> None:
        """Put the cluster back to a snapshot, and look at it anew. Raises what `Snapshots.restore` does, and InputError
        for a cluster without snapshots."""
        if self.cluster.snapshots is None:
            raise InputError(f"a cluster of the provider {self.cluster.provider} has no snapshots")
        self._loader.stop()
        # A connection that is opened while the machines are paused takes long to be answered once they go on.
        try:
            with self.source.pause():
                self.cluster.snapshots.restore(snapshot, self.report)
            self.journal.write(Restored(snapshot))
        finally:  # Whether it succeeded or not, what was known is of another swarm.
            self.edge = edge_settings.read_settings(self.cluster)
            self.redactor.learn(self.edge.password)
            for client in self._clients.values():
                client.close()
            self._clients.clear()
            self.source.restart()

    @contextmanager
    def out_of_sight(self) -> Iterator[None]:
        """Watch nothing for a block; what is seen afterwards is a first look, and no news. Whether a manager answers is
        not known until then."""
        with self.source.pause():
            yield
        self.journal.write(Restored(""))
        self.journal.write(ManagerLink("none"))
        self.source.restart()

    def engine(self) -> Any:
        """Return the low-level client of a reachable manager (`docker.APIClient`). Raises EngineError when there is
        none."""
        manager = self._manager()
        if manager.node not in self._clients:
            self._clients[manager.node] = connect(manager, 60.0)
        return self._clients[manager.node].api

    def is_stopping(self) -> bool:
        """See `StepDriver.is_stopping`."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Ask whatever is running to end soon."""
        self._stopping.set()
        if self._front is not None:
            self._front.interrupt()

    def begin(self) -> None:
        """Begin a new step: clear an earlier request to stop."""
        self._stopping.clear()

    def remember(self, ids: Iterable[str]) -> None:
        """Record the ids of what a step created, on a cluster that the lab did not make: a reset may remove only these
        there."""
        if not self.cluster.made_by_lab:
            ownership.record_ids(self.cluster.name, ids)

    def report(self, progress: Progress) -> None:
        """Write the progress of the lab's own long work to the journal."""
        self.journal.write(Progressed(progress.stage, progress.text, progress.done))

    def keys(self, data: str) -> None:
        """See `Stage.keys`. The keys go to the shell in front, which is opened when there is none yet.

        A terminal echoes twice what is typed before the shell reads it: early input waits for the prompt.
        """
        if self._front is None:
            # Without a key, this waits for a manager; a key finds one at once or reports that there is none.
            opened = self.shell("", bound=0.0 if data else OPENING)
            self._front = self._front or opened
        self._front.wait_for_prompt()
        if data:
            self._front.send(data)

    def resize(self, columns: int, rows: int) -> None:
        """Set the terminal's size for every shell, now and later."""
        self.size = (columns, rows)
        for shell in tuple(self._shells.values()):
            shell.resize(columns, rows)

    def shell(self, node: str, *, bound: float = ANSWER) -> Shell:
        """Return the shell on `node`, opened on first use; "" is a reachable manager, waited for up to `bound` seconds.
        When none answers any more, it is one whose machine is on: there docker says itself what is wrong. Raises
        EngineError and InputError."""
        endpoint = self._endpoints.get(node) if node else self._manager_for_shell(bound)
        if endpoint is None:
            raise InputError(f"there is no node called {node}; there are {', '.join(self._endpoints)}")
        with self._opening:  # a step and the keyboard may both be the first to ask
            if self._closed:
                raise EngineError("the lab is being closed: no shell is opened any more")
            if endpoint.node not in self._shells:
                env = {**shell_env(endpoint, paths.state(self.cluster.name)), **self.edge.variables}
                env["SWARMLAB_NAME"] = self.cluster.name  # so that `swarmlab` typed there means this lab
                self._shells[endpoint.node] = Shell(
                    self.journal,
                    endpoint.node,
                    env,
                    columns=self.size[0],
                    rows=self.size[1],
                    redact=self.redactor,
                    ids=lambda: next(self._ids),
                    # Where `stacks/edge.yaml` is.
                    cwd=paths.data(),
                )
            return self._shells[endpoint.node]

    def _manager_for_shell(self, bound: float) -> Endpoint:
        """Return a manager that answers; once none does, and that was waited for, one whose machine is on."""
        world = self.journal.world
        long_silent = world.link.state == "stale" and self.journal.now() - world.linked_at > OPENING
        try:
            return self._manager(0.0 if long_silent else min(bound, OPENING))
        except EngineError:
            if not (on := self._managers_on()):
                raise
        self.journal.wait(lambda world: world.link.state != "none", bound)
        return on[0] if self.journal.world.link.state == "stale" else self._manager(bound)

    def _managers_on(self) -> list[Endpoint]:
        off = {*self.cluster.powered_off(), *self.cluster.cut_off()}
        return [each for each in self._endpoints.values() if each.role == "manager" and each.node not in off]

    def _manager(self, bound: float = ANSWER) -> Endpoint:
        """Return the manager through which the swarm is watched: it answered a moment ago."""
        if not self.journal.wait(lambda world: world.link.state == "live", bound):
            why = self.journal.world.link.why or "none answered yet"
            raise EngineError(f"no manager answers: {why}", remedy="swarmlab status")
        return self._endpoints[self.journal.world.link.node]
