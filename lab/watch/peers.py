"""How each node sees the others: its engine is asked who leads, and its machine tries to reach the other machines.

`GET /nodes` at a manager is answered by the leader, through whichever manager was asked; a manager that has no leader,
as on the smaller side of a cut, says so itself. Raft's term is in no answer of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.engine.endpoint import Endpoint
from lab.watch.http import drop_surrogates
from lab.watch.source import PollInterval, Source, first_line
from lab.world.entries import PeersSeen, PeerView
from lab.world.journal import Journal

if TYPE_CHECKING:
    import docker

    Connect = Callable[[Endpoint, float], "docker.DockerClient"]

Reach = Callable[[], Mapping[str, Mapping[str, float | None]]]

#: Seconds that one request may take.
PATIENCE = 6.0
_NO_LEADER = "does not have a leader"


class PeerSource(Source):
    """A source that writes a `PeersSeen` when the nodes' view of each other has changed. `reach` has every machine try
    the others (`Cluster.reach`)."""

    def __init__(
        self,
        journal: Journal,
        endpoints: tuple[Endpoint, ...],
        connect: Connect,
        reach: Reach,
        *,
        pace: PollInterval | None = None,
    ) -> None:
        super().__init__("peers", pace or PollInterval(fast=1.0, slow=3.0))
        self._journal, self._endpoints, self._connect, self._reach = journal, endpoints, connect, reach
        self._clients: dict[str, docker.DockerClient] = {}

    def _look(self) -> bool:
        with ThreadPoolExecutor(len(self._endpoints) + 1) as pool:
            reached = pool.submit(self._reach)
            said = list(pool.map(self._ask, self._endpoints))
            reaches = reached.result()
        views = tuple(_with_reach(view, reaches.get(view.node, {})) for view in said)
        before = self._journal.world.peers
        if self._closed or (before is not None and before.views == views):
            return False
        self._journal.write(PeersSeen(views))
        return True

    def _ask(self, endpoint: Endpoint) -> PeerView:
        """Ask one engine; whatever it answers is its view."""
        node = endpoint.node
        try:
            api = self._client(endpoint).api
            told = api.get(f"{api.base_url}/_ping", timeout=PATIENCE).headers.get("Swarm", "")
            if told == "active/worker":
                return PeerView(node, "worker")
            if told != "active/manager":
                return PeerView(node, "out", why=_clean(f"its engine says {told or 'nothing'} of a swarm"))
            leader = _find_leader(api.nodes())
        except Exception as error:  # noqa: BLE001  an engine may answer anything, and each is a view of the swarm
            why = _clean(getattr(error, "explanation", None) or first_line(error))
            if _NO_LEADER in why:
                return PeerView(node, "no-leader", why=why)
            self._drop(node)
            return PeerView(node, "silent", why=type(error).__name__)
        return PeerView(node, "leads" if leader == node else "follows" if leader else "no-leader", leader=leader)

    def _client(self, endpoint: Endpoint) -> docker.DockerClient:
        if endpoint.node not in self._clients:
            self._clients[endpoint.node] = self._connect(endpoint, PATIENCE)
        return self._clients[endpoint.node]

    def _drop(self, node: str) -> None:
        client = self._clients.pop(node, None)
        if client is not None:
            with suppress(Exception):  # It is no longer needed, whatever closing it raises.
                client.close()

    def _release(self) -> None:
        for node in tuple(self._clients):
            self._drop(node)


def _with_reach(view: PeerView, took: Mapping[str, float | None]) -> PeerView:
    reaches = tuple(sorted(node for node, one in took.items() if one is not None))
    misses = tuple(sorted(node for node, one in took.items() if one is None))
    return PeerView(view.node, view.answer, view.why, view.leader, reaches, misses)


def _find_leader(raws: Any) -> str:
    """Return the name of the node that leads, as a listing says; "" when none does."""
    for raw in raws:
        if (raw.get("ManagerStatus") or {}).get("Leader"):
            return _clean((raw.get("Description") or {}).get("Hostname") or raw["ID"][:12])
    return ""


def _clean(text: object) -> str:
    return drop_surrogates(str(text))[:200]
