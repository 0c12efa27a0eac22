"""The swarm's objects as plain values, in the engine's own words.

Field names and states follow the Engine API (v1.44): a task's states are new, allocated, pending, assigned,
accepted, preparing, ready, starting, running, complete, shutdown, failed, rejected, remove, orphaned, and
only ever move forward: a task is never restarted, it is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["replicated", "global", "replicated-job", "global-job"]

#: What a task is asked to become so that it runs: a job's task runs until it is complete.
WANTED = frozenset({"running", "complete"})
#: The order in which a task's states can follow one another.
STATES = (
    "new",
    "allocated",
    "pending",
    "assigned",
    "accepted",
    "preparing",
    "ready",
    "starting",
    "running",
    "complete",
    "shutdown",
    "failed",
    "rejected",
    "remove",
    "orphaned",
)
ENDED = frozenset(STATES[STATES.index("complete") :])
BROKEN = frozenset({"failed", "rejected", "orphaned"})


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the swarm. `state`: ready | down | unknown | disconnected; `availability`: active | pause |
    drain; `reachability`: reachable | unreachable, "" on a worker."""

    id: str
    name: str
    role: str
    state: str
    availability: str = "active"
    leader: bool = False
    reachability: str = ""
    address: str = ""
    engine: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Port:
    """A published port. `mode`: ingress (every node answers) | host (only the task's node)."""

    published: int
    target: int
    protocol: str = "tcp"
    mode: str = "ingress"


@dataclass(frozen=True, slots=True)
class Grant:
    """A secret or config given to a service: its name, and the file's name inside the container."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class UpdateConfig:
    """How an update goes. Times in seconds; the defaults are the engine's."""

    parallelism: int = 1
    delay: float = 0.0
    order: str = "stop-first"
    failure_action: str = "pause"
    monitor: float = 5.0
    max_failure_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """What a service should be: the part of the engine's spec that lessons set and checkpoints compare.

    `replicas` is 0 for a global service. `args` are the container's arguments, `env` "NAME=value" strings, `command`
    what replaces the image's entrypoint, `volumes` the named volumes, `memory` the limit in bytes (0: none), `health`
    the health check's test, `endpoint` vip | dnsrr.
    """

    image: str
    mode: Mode = "replicated"
    replicas: int = 1
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    secrets: tuple[Grant, ...] = ()
    configs: tuple[Grant, ...] = ()
    networks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    update: UpdateConfig = UpdateConfig()
    command: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    memory: int = 0
    health: tuple[str, ...] = ()
    endpoint: str = "vip"

    @property
    def is_job(self) -> bool:
        """Whether its tasks are to come to an end by themselves."""
        return self.mode.endswith("-job")


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """How the last update went: updating | paused | completed | rollback_started | rollback_paused |
    rollback_completed, "" when there was none. `started` and `completed` are the manager's clock, in seconds since
    the epoch, 0 when not told."""

    state: str = ""
    message: str = ""
    started: float = 0.0
    completed: float = 0.0

    @property
    def words(self) -> str:
        """`update under way`, `rollback paused`; "" when there was none."""
        what = "rollback" if self.state.startswith("rollback") else "update"
        how = self.state.removeprefix("rollback_")
        return self.state and f"{what} {'under way' if how in ('updating', 'started') else how.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Service:
    """A service. `desired` is how many tasks should run (for a global service or a global job the engine's own count,
    for a replicated job how many at a time); `forced` counts forced updates; `version` is the engine's index, needed
    to update. `mark` is a digest of what its tasks are made from now: a task that bears another one is of an older
    version. `restart` is the condition of its restart policy: any | on-failure | none. Of a job, `total_completions` is
    how many of its tasks are to be complete (replicated only), and `iteration` tells one execution from the next."""

    id: str
    name: str
    spec: ServiceSpec
    desired: int
    version: int = 0
    forced: int = 0
    status: UpdateStatus = UpdateStatus()
    mark: str = ""
    restart: str = "any"
    total_completions: int = 0
    iteration: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt at one slot. `slot` is 0 for a global service, whose tasks are told apart by node.

    `node` is a node's id, "" until assigned. `created` and `changed` are the manager's clock, in seconds since
    the epoch. `exit` is the container's exit status once it ended, None before. `iteration` is the job's execution
    that it belongs to.
    """

    id: str
    service: str
    slot: int
    node: str
    state: str
    desired: str
    created: float
    changed: float
    message: str = ""
    error: str = ""
    exit: int | None = None
    container: str = ""
    image: str = ""
    mark: str = ""
    iteration: int = 0

    @property
    def live(self) -> bool:
        """It runs and should. A job's task is asked to be complete, and runs until it is."""
        return self.state == "running" and self.desired in WANTED

    @property
    def key(self) -> str:
        """What stays the same when this task is replaced: its slot, or for a global service its node."""
        return str(self.slot) if self.slot else f"@{self.node}"


@dataclass(frozen=True, slots=True)
class Named:
    """A secret, a config or a network: `what` says which."""

    what: Literal["secret", "config", "network"]
    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
