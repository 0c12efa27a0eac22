"""Forms a swarm on engines that answer. Every step checks first, so a half-formed swarm resumes where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.engine.client import open_client
from lab.engine.endpoint import Endpoint
from lab.engine.labels import LABEL
from lab.errors import EngineError
from lab.wait import wait_until

if TYPE_CHECKING:
    import docker


_SECOND = 1_000_000_000
_REQUEST = 60.0
_POLL = 0.5

Say = Callable[[str, float], None]


@dataclass(frozen=True)
class EngineState:
    """The swarm state that one engine reports. `local`: inactive | pending | active | error | locked; "" for no
    answer."""

    node: str
    local: str = ""
    node_id: str = ""
    control: bool = False
    error: str = ""


@dataclass(frozen=True)
class ListedNode:
    """A node as the swarm's managers list it, in Docker's own terms."""

    id: str
    name: str
    role: str
    state: str
    availability: str
    reachability: str = ""
    leader: bool = False


def read_engine(endpoint: Endpoint, timeout: float = 5.0) -> EngineState:
    """Query one engine; no answer and a refusal are returned as values."""
    try:
        with open_client(endpoint, timeout) as client:
            swarm: Mapping[str, Any] = client.info().get("Swarm") or {}
            return EngineState(
                endpoint.node,
                local=swarm.get("LocalNodeState", "inactive"),
                node_id=swarm.get("NodeID", ""),
                control=bool(swarm.get("ControlAvailable")),
                error=swarm.get("Error", ""),
            )
    except EngineError as error:
        return EngineState(endpoint.node, error=error.sentence)


def ping_engine(endpoint: Endpoint, timeout: float = 5.0) -> EngineState:
    """Query one engine in the cheapest way, by the `Swarm` header of its `GET /_ping` (API 1.42 and later): whether it
    is in a swarm, and whether as a manager. It says neither its node's id nor what is wrong. No answer is returned as a
    value."""
    try:
        with open_client(endpoint, timeout) as client:
            said = client.api.get(f"{client.api.base_url}/_ping", timeout=timeout).headers.get("Swarm", "")
    except EngineError as error:
        return EngineState(endpoint.node, error=error.sentence)
    local, _, role = said.partition("/")
    return EngineState(endpoint.node, local, control=role == "manager") if local else read_engine(endpoint, timeout)


def ping_engines(endpoints: Sequence[Endpoint], timeout: float = 5.0) -> tuple[EngineState, ...]:
    """Query every engine in the cheapest way, in parallel."""
    with ThreadPoolExecutor(max(len(endpoints), 1)) as pool:
        return tuple(pool.map(lambda e: ping_engine(e, timeout), endpoints))


def find_listed(endpoint: Endpoint, seen: Sequence[ListedNode], timeout: float = 5.0) -> ListedNode | None:
    """Return an engine's own entry in a listing. An engine that left and joined again is listed twice under its name:
    only then is it asked for its id, which costs far more than a ping."""
    named = [one for one in seen if one.name == endpoint.node]
    if len(named) < 2:
        return next(iter(named), None)
    own = read_engine(endpoint, timeout).node_id
    # One that does not answer is found by its name; an old entry of that name never hides a ready one.
    named.sort(key=lambda one: one.state != "ready")
    return next((one for one in named if one.id == own), None) if own else named[0]


def read_engines(endpoints: Sequence[Endpoint], timeout: float = 5.0) -> tuple[EngineState, ...]:
    """Query every engine, in parallel."""
    with ThreadPoolExecutor(max(len(endpoints), 1)) as pool:
        return tuple(pool.map(lambda e: read_engine(e, timeout), endpoints))


def list_nodes(endpoint: Endpoint, timeout: float = 5.0) -> tuple[ListedNode, ...]:
    """Return the nodes as the manager at `endpoint` lists them. Raises EngineError."""
    with open_client(endpoint, timeout) as client:
        return tuple(_read_listed(raw) for raw in client.api.nodes())


def _read_listed(raw: Mapping[str, Any]) -> ListedNode:
    manager, spec = raw.get("ManagerStatus") or {}, raw.get("Spec") or {}
    # A node that has just joined is listed before it has described itself.
    described, status = raw.get("Description") or {}, raw.get("Status") or {}
    return ListedNode(
        id=raw["ID"],
        name=described.get("Hostname", ""),
        role=spec.get("Role", ""),
        state=status.get("State", "unknown"),
        availability=spec.get("Availability", ""),
        reachability=manager.get("Reachability", ""),
        leader=bool(manager.get("Leader")),
    )


def form_swarm(endpoints: Sequence[Endpoint], *, heartbeat: int, bound: float, say: Say) -> None:
    """Form one swarm of all `endpoints`: the first creates it, managers join one by one, workers in parallel.

    `heartbeat` is the dispatcher's heartbeat period, in seconds; a node is down after three missed ones. Join tokens
    are never written or shown. Raises WaitError after `bound` seconds, EngineError when an engine refuses.
    """
    end = time.monotonic() + bound
    now = read_engines(endpoints, _REQUEST)
    for endpoint, one in zip(endpoints, now, strict=True):
        if one.local in ("error", "locked"):
            leave(endpoint)
    if all(one.local not in ("active", "pending", "") for one in now):
        say("founding the swarm", 0.0)
        _found(endpoints[0], heartbeat)
    guide = _find_guide(endpoints, max(end - time.monotonic(), 10))
    join_all(endpoints, guide, say)
    wait_until_whole(endpoints, bound=max(end - time.monotonic(), 10), say=say)
    tidy(guide, endpoints)
    wait_until_whole(endpoints, bound=max(end - time.monotonic(), 10), say=say)


def join_all(endpoints: Sequence[Endpoint], guide: Endpoint, say: Say) -> None:
    """Join the engines that are in no swarm to that of `guide`, a manager, each in its own role. Raises EngineError
    when one refuses."""
    now = read_engines(endpoints, _REQUEST)
    outside = [e for e, one in zip(endpoints, now, strict=True) if one.local == "inactive"]
    managers = [e for e in outside if e.role == "manager"]
    workers = [e for e in outside if e.role == "worker"]
    if not outside:
        return
    with open_client(guide, _REQUEST) as client:
        tokens: Mapping[str, str] = client.api.inspect_swarm()["JoinTokens"]
    for number, endpoint in enumerate(managers):
        say(f"{endpoint.node} joins as manager", 0.2 + 0.2 * number)
        _join(endpoint, guide, tokens["Manager"])
    if workers:
        say(f"{', '.join(e.node for e in workers)} joins as worker", 0.7)
        with ThreadPoolExecutor(len(workers)) as pool:
            list(pool.map(lambda e: _join(e, guide, tokens["Worker"]), workers))


def wait_until_whole(endpoints: Sequence[Endpoint], *, bound: float, say: Say) -> None:
    """Wait until every engine is in the swarm, every node is ready, every manager reachable, and one is the leader."""
    wait_until(
        "the swarm",
        bound,
        lambda: find_missing(endpoints),
        pause=_POLL,
        say=lambda missing: say(f"waiting for the swarm: {missing}", 0.85),
        remedy="swarmlab up",
    )


def find_missing(endpoints: Sequence[Endpoint]) -> str:
    """Return what the swarm still lacks, in words; empty when it is whole.

    The first manager lists the nodes, and only the others are pinged: one handshake fewer, which counts where they are
    emulated.
    """
    guide = next((e for e in endpoints if e.role == "manager"), endpoints[0])
    with ThreadPoolExecutor(len(endpoints)) as pool:
        listing = pool.submit(_try_listing, guide)
        states = tuple(pool.map(ping_engine, (e for e in endpoints if e is not guide)))
    seen = listing.result()
    if isinstance(seen, str):
        states = (ping_engine(guide), *states)
    if silent := [state.node for state in states if not state.local]:
        return f"no answer from the engine of {', '.join(silent)}"
    if outside := [f"{state.node} is {state.local}" for state in states if state.local != "active"]:
        return ", ".join(outside)
    if isinstance(seen, str):
        managers = {state.node for state in states if state.control}
        other = next((e for e in endpoints if e.node in managers), None)
        if other is None:
            return "no manager has the quorum"
        seen = _try_listing(other)
    return seen if isinstance(seen, str) else _find_unready(endpoints, seen)


def _try_listing(endpoint: Endpoint) -> tuple[ListedNode, ...] | str:
    """Return the nodes, or in a sentence why they cannot be listed."""
    try:
        return list_nodes(endpoint)
    except EngineError as error:
        return error.sentence


def _find_unready(endpoints: Sequence[Endpoint], seen: Sequence[ListedNode]) -> str:
    found = [(e.node, find_listed(e, seen)) for e in endpoints]
    if late := [name for name, entry in found if entry is None or entry.state != "ready"]:
        return f"{', '.join(late)} not ready"
    if far := [name for name, entry in found if entry and entry.reachability not in ("", "reachable")]:
        return f"manager {', '.join(far)} not reachable"
    return "" if any(one.leader for one in seen) else "no manager leads"


def _find_guide(endpoints: Sequence[Endpoint], bound: float) -> Endpoint:
    """Return a manager that can act now; after a power-on the managers need a moment to regain their quorum."""
    managers = [e for e in endpoints if e.role == "manager"]
    found: list[Endpoint] = []

    def find_missing() -> str:
        now = read_engines(managers)
        found.extend(e for e, m in zip(managers, now, strict=True) if m.control)
        return "" if found else "; ".join(f"{m.node}: {m.error or m.local}" for m in now) or "managers"

    remedy = "swarmlab down, then swarmlab up"
    wait_until("a manager with a quorum", bound, find_missing, pause=_POLL, remedy=remedy)
    return found[0]


def _found(endpoint: Endpoint, heartbeat: int) -> None:
    with open_client(endpoint, _REQUEST) as client:
        client.swarm.init(
            advertise_addr=endpoint.lan_address,
            data_path_addr=endpoint.lan_address,
            listen_addr=f"{endpoint.lan_address}:2377",
            name="default",
            labels={LABEL: "swarm"},
            dispatcher_heartbeat_period=heartbeat * _SECOND,
        )


def _join(endpoint: Endpoint, guide: Endpoint, token: str) -> None:
    try:
        with open_client(endpoint, _REQUEST) as client:
            client.swarm.join(
                remote_addrs=[f"{guide.lan_address}:2377"],
                join_token=token,
                listen_addr=f"{endpoint.lan_address}:2377",
                advertise_addr=endpoint.lan_address,
                data_path_addr=endpoint.lan_address,
            )
    except EngineError as error:
        # After 20 s the engine goes on joining in the background; `wait_until_whole` sees the result.
        if "will continue in the background" not in error.sentence:
            raise


def leave(endpoint: Endpoint) -> None:
    """Have an engine leave its swarm, even as a manager. Raises EngineError."""
    with open_client(endpoint, _REQUEST) as client:
        client.swarm.leave(force=True)


def tidy(guide: Endpoint, endpoints: Sequence[Endpoint]) -> None:
    """Label the nodes as the lab's, and remove the entries that their engines had before they left or an earlier start
    failed. Such an entry may be listed as ready until the managers miss its heartbeats; an engine that does not answer
    keeps its own."""
    current = {m.node: m.node_id for m in read_engines(endpoints)}
    with open_client(guide, _REQUEST) as client:
        for raw in client.api.nodes():
            seen, spec = _read_listed(raw), raw["Spec"]
            own = current.get(seen.name, "")
            if seen.id == own and LABEL not in (spec.get("Labels") or {}):
                _change(client, seen.id, Labels={**(spec.get("Labels") or {}), LABEL: "node"})
            elif own and seen.id != own:
                # After --force-new-cluster it is no longer one of Raft's members, and cannot be demoted.
                if seen.role == "manager" and seen.reachability:
                    _change(client, seen.id, Role="worker")
                client.api.remove_node(seen.id, force=True)


def _change(client: docker.DockerClient, node: str, **values: object) -> None:
    """Change a node's spec. When another change comes in between, the swarm refuses this one; then read the node
    again."""
    from docker.errors import APIError  # slow to import: only when an engine is queried

    for attempt in range(5):
        raw = client.api.inspect_node(node)
        spec: Any = {**raw["Spec"], **values}
        try:
            client.api.update_node(node, raw["Version"]["Index"], spec)
            return
        except APIError as error:
            if attempt == 4 or "out of sequence" not in str(error):
                raise


def list_nodes_of(guides: Sequence[Endpoint]) -> tuple[ListedNode, ...]:
    """Return the nodes as listed by a manager that knows the leader; during an election, as listed by any."""
    found: tuple[ListedNode, ...] = ()
    for guide in guides:
        try:
            found = list_nodes(guide) or found
        except EngineError:
            continue
        if any(one.leader for one in found):
            break
    return found
