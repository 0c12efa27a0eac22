"""A lesson's hands on a real cluster: shells, the swarm source, requests, faults. All of it goes to the journal."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab import paths
from lab.cluster import edge
from lab.cluster.api import shell_env
from lab.cluster.engine import connect
from lab.cluster.model import Cluster, Endpoint, Progress
from lab.course import ledger
from lab.errors import EngineError, InputError
from lab.session import deploy
from lab.session.faults import FAULTS
from lab.session.lookouts import Lookouts
from lab.shell.shell import Shell
from lab.tape.redact import Redactor
from lab.watch import hits
from lab.watch.load import LoadMaker
from lab.watch.swarm import SwarmSource
from lab.world.entries import Acted, CommandEnded, Progressed
from lab.world.journal import Journal
from lab.world.load import Wish

if TYPE_CHECKING:
    import docker

#: Requests a second of a lesson's load, and how many seconds one may take, on emulated machines and on others.
#: Measured: four emulated machines on two cores carry some eleven new HTTPS connections a second through Traefik, nginx
#: and Node.js, and fewer while a new version starts.
RATES = {True: 1, False: 50}
PATIENCE = {True: 30.0, False: 10.0}
#: Seconds in which a manager must answer, for a step and for a person at the terminal.
ANSWER, OPENING = 30.0, 10.0
#: Seconds in which a source must have looked again.
REFRESH = 45.0


class LiveHands:
    """`lab.course.ports.Hands` on a cluster. `close` ends shells and sources; the cluster stays.

    `redactor` learns here what must not be shown, before anything is written: it is the session's, for the shells and
    for a recording alike.
    """

    def __init__(
        self, cluster: Cluster, journal: Journal, *, typing: float = 0.0, redactor: Redactor | None = None
    ) -> None:
        self.cluster, self.journal = cluster, journal
        self.typing = typing
        self.size = (100, 30)
        self.edge = edge.of(cluster)
        self.redactor = redactor or Redactor()
        self.redactor.learn(self.edge.password)
        self._emulated = cluster.acceleration == "tcg"
        self._endpoints = {e.node: e for e in cluster.endpoints()}
        endpoints = tuple(self._endpoints.values())
        self._lookouts = Lookouts(journal, endpoints, self.edge, emulated=self._emulated)
        self._loader = LoadMaker(journal, endpoints, bound=PATIENCE[self._emulated])
        self.source = SwarmSource(journal, tuple(self._endpoints.values()), connect)
        self._shells: dict[str, Shell] = {}
        self._opening = threading.Lock()
        self._front: Shell | None = None
        self._clients: dict[str, docker.DockerClient] = {}
        self._ids = itertools.count(1)
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to look at the swarm."""
        self.source.start()

    def close(self) -> None:
        """End shells and sources."""
        self._loader.close()
        self._lookouts.close()
        for shell in self._shells.values():
            shell.close()
        for client in self._clients.values():
            client.close()
        self.source.close()

    def run(self, text: str, *, node: str = "", step: str = "", bound: float = 120.0) -> CommandEnded:
        """See `Hands.run`."""
        shell = self.shell(node)
        self._front = shell
        self.source.wake()
        try:
            return shell.run(text, step=step, bound=bound, typing=self.typing)
        finally:
            self.source.wake(named=True)

    def look(self) -> None:
        """See `Hands.look`."""
        self.source.look()

    def ask(self, request: hits.Request, *, nodes: tuple[str, ...] = (), times: int = 1) -> None:
        """See `Hands.ask`."""
        asked = [e for e in self._endpoints.values() if not nodes or e.node in nodes]
        for hit in hits.ask(asked, request, times, self.edge.login):
            self.journal.write(hit)

    def given(self) -> Mapping[str, str]:
        """See `Hands.given`."""
        return {**self.edge.given, "rate": str(RATES[self._emulated])}

    def watch(self, panes: Iterable[str]) -> None:
        """See `Hands.watch`."""
        self._lookouts.watch(panes)

    def refresh(self, what: str) -> None:
        """See `Hands.refresh`."""
        self._lookouts.refresh(what, REFRESH)

    def load(self, wish: Wish | None) -> None:
        """See `Hands.load`."""
        if wish is None:
            self._loader.stop()
        else:
            self._loader.start(wish)

    @property
    def wish(self) -> Wish | None:
        """The load that is made now."""
        return self._loader.wish

    def settings(self) -> Mapping[str, str]:
        """What the stack files name, on this machine."""
        return self.edge.variables

    def deploy(self, name: str, file: str, env: Mapping[str, str]) -> None:
        """See `lab.course.apply.Tools.deploy`."""
        manager = self._manager()
        shell = {**shell_env(manager, paths.state(self.cluster.name)), **self.edge.variables, **env}
        deploy.stack(name, file, shell, self.stopping)

    def refusing(self, port: int) -> list[str]:
        """See `lab.course.settle.Eyes.refusing`."""
        return hits.refusing(self._endpoints.values(), port)

    def remove_volume(self, name: str) -> None:
        """See `lab.course.apply.Tools.remove_volume`."""
        for endpoint in self._endpoints.values():
            deploy.remove_volume(name, endpoint)

    def volumes(self) -> list[tuple[str, str]]:
        """The volumes that stacks made, on all nodes: (name, stack)."""
        return deploy.stack_volumes(self._endpoints.values())

    def login(self) -> bytes:
        """See `lab.course.apply.Tools.login`."""
        return edge.users_line(self.edge.login)

    def act(self, action: str, node: str) -> None:
        """See `Hands.act`."""
        if node not in self._endpoints:
            raise InputError(f"there is no node called {node}; there are {', '.join(self._endpoints)}")
        self.journal.write(Acted(FAULTS[action].format(node), node))
        verbs: dict[str, Callable[[], None]] = {
            "stop": lambda: self.cluster.stop(node),
            "start": lambda: self.cluster.start(node, self.report),
            "cut": lambda: self.cluster.cut(node),
            "heal": lambda: self.cluster.heal(node, self.report),
        }
        verbs[action]()
        self.source.wake()

    def powered_off(self) -> tuple[str, ...]:
        """See `lab.course.settle.Eyes.powered_off`."""
        return self.cluster.powered_off()

    def power_on(self, nodes: Sequence[str]) -> None:
        """Power machines on, side by side, and wait until their engines answer."""
        for node in nodes:
            self.journal.write(Acted(FAULTS["start"].format(node), node))
        self.cluster.power_on(nodes, self.report)
        self.source.wake()

    def engine(self) -> Any:
        """The low-level client of a manager that lives (`docker.APIClient`). EngineError when there is none."""
        manager = self._manager()
        if manager.node not in self._clients:
            self._clients[manager.node] = connect(manager, 60.0)
        return self._clients[manager.node].api

    def stopping(self) -> bool:
        """See `Hands.stopping`."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Ask what runs to end soon."""
        self._stopping.set()
        if self._front is not None:
            self._front.interrupt()

    def begin(self) -> None:
        """A new step: an earlier wish to stop is spent."""
        self._stopping.clear()

    def remember(self, ids: Iterable[str]) -> None:
        """On a cluster that the lab did not make, a reset may remove only what a lesson's step created: these."""
        if not self.cluster.made_by_lab:
            ledger.add(self.cluster.name, ids)

    def report(self, progress: Progress) -> None:
        """The lab's own long work, into the journal."""
        self.journal.write(Progressed(progress.stage, progress.text, progress.done))

    def keys(self, data: str) -> None:
        """See `Stage.keys`: to the shell in front, which is opened when there is none yet.

        A terminal shows twice what is typed before the shell reads it: what comes early waits for the prompt.
        """
        if self._front is None:
            # Who only looks waits for a manager; a key finds one or tells that there is none.
            opened = self.shell("", bound=0.0 if data else OPENING)
            self._front = self._front or opened
        self._front.wait_for_prompt()
        if data:
            self._front.send(data)

    def resize(self, columns: int, rows: int) -> None:
        """The terminal's size, for every shell, now and later."""
        self.size = (columns, rows)
        for shell in tuple(self._shells.values()):
            shell.resize(columns, rows)

    def shell(self, node: str, *, bound: float = ANSWER) -> Shell:
        """The shell on `node`, opened when first asked for; "" is a manager that lives, waited for so many seconds.
        Raises EngineError and InputError."""
        endpoint = self._endpoints.get(node) if node else self._manager(bound)
        if endpoint is None:
            raise InputError(f"there is no node called {node}; there are {', '.join(self._endpoints)}")
        with self._opening:  # a step and the keyboard may both be the first to ask
            if endpoint.node not in self._shells:
                env = {**shell_env(endpoint, paths.state(self.cluster.name)), **self.edge.variables}
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

    def _manager(self, bound: float = ANSWER) -> Endpoint:
        """The manager through which the swarm is looked at: it answered a moment ago."""
        if not self.journal.wait(lambda world: world.link.state == "live", bound):
            why = self.journal.world.link.why or "none answered yet"
            raise EngineError(f"no manager answers: {why}", remedy="swarmlab status")
        return self._endpoints[self.journal.world.link.node]
