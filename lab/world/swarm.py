"""The swarm's objects as plain values, in the engine's own words.

Field names and states follow the Engine API (v1.44): a task's states are new, allocated, pending, assigned,
accepted, preparing, ready, starting, running, complete, shutdown, failed, rejected, remove, orphaned, and
only ever move forward: a task is never restarted, it is replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from lab.world.bounds import Count, ExitStatus, Moment, Name, PortNumber, Seconds, Share

TemplateDigest = Annotated[
    Name, Field(validation_alias=AliasChoices("mark", "template_digest"), serialization_alias="mark")
]
"""A digest of a task template (`lab.engine.decode.digest_template`), under the name that tapes have for it."""

Mode = Literal["replicated", "global", "replicated-job", "global-job"]

#: The desired states of a task that should run: a job's task runs until it is complete.
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
    drain; `reachability`: reachable | unreachable, "" on a worker. `version` is the engine's index (`Version.Index`):
    how far the managers' Raft log was committed when it was last changed (swarmkit, `Node.GetVersion`)."""

    id: Name
    name: Name
    role: Name
    state: Name
    availability: Name = "active"
    leader: bool = False
    reachability: Name = ""
    address: Name = ""
    engine: Name = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    version: Count = 0


@dataclass(frozen=True, slots=True)
class Port:
    """A published port. `mode`: ingress (every node answers) | host (only the task's node)."""

    published: PortNumber
    target: PortNumber
    protocol: Name = "tcp"
    mode: Name = "ingress"


@dataclass(frozen=True, slots=True)
class FileReference:
    """A secret or config given to a service: its name, and the file's name inside the container."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class UpdateConfig:
    """The configuration of an update. Times are in seconds; the defaults are the engine's."""

    parallelism: Count = 1
    delay: Seconds = 0.0
    order: Name = "stop-first"
    failure_action: Name = "pause"
    monitor: Seconds = 5.0
    max_failure_ratio: Share = 0.0


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """The desired state of a service: the part of the engine's spec that lessons set and checkpoints compare.

    `replicas` is 0 for a global service. `args` are the container's arguments, `env` "NAME=value" strings, `command`
    the replacement for the image's entrypoint, `volumes` the named volumes, `memory` the limit in bytes (0: none),
    `health` the health check's test, `endpoint` vip | dnsrr, `preferences` the labels over whose values tasks are
    spread, `max_per_node` how many of its tasks a node may run (0: any number), `stop_signal` "" where it is the
    image's.
    """

    image: str
    mode: Mode = "replicated"
    replicas: Count = 1
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    secrets: tuple[FileReference, ...] = ()
    configs: tuple[FileReference, ...] = ()
    networks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    update: UpdateConfig = UpdateConfig()
    command: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    memory: Count = 0
    health: tuple[str, ...] = ()
    endpoint: str = "vip"
    preferences: tuple[str, ...] = ()
    max_per_node: Count = 0
    stop_signal: str = ""

    @property
    def is_job(self) -> bool:
        """Whether its tasks run to completion."""
        return self.mode.endswith("-job")


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """The status of the last update: updating | paused | completed | rollback_started | rollback_paused |
    rollback_completed, "" if there was none. `started` and `completed` are the manager's clock, in seconds since the
    epoch, 0 if unknown."""

    state: Name = ""
    message: str = ""
    started: Moment = 0.0
    completed: Moment = 0.0

    @property
    def words(self) -> str:
        """The status in words: `update under way`, `rollback paused`; "" if there was no update."""
        what = "rollback" if self.state.startswith("rollback") else "update"
        how = self.state.removeprefix("rollback_")
        return self.state and f"{what} {'under way' if how in ('updating', 'started') else how.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class Service:
    """A service. `desired` is how many tasks should run (for a global service or a global job the engine's own count,
    for a replicated job how many at a time); `forced` counts forced updates; `version` is the engine's index, needed to
    update. `template_digest` is of its task template: a task with another one is of an older version.
    `restart` is the condition of its restart policy: any | on-failure | none. For a job, `total_completions` is how
    many of its tasks should complete (replicated only), and `iteration` distinguishes one execution from the next."""

    id: Name
    name: Name
    spec: ServiceSpec
    desired: Count
    version: Count = 0
    forced: Count = 0
    status: UpdateStatus = UpdateStatus()
    template_digest: TemplateDigest = ""
    restart: Name = "any"
    total_completions: Count = 0
    iteration: Count = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt at one slot. `slot` is 0 for a global service, whose tasks are distinguished by node.

    `node` is a node's id, "" until assigned. `created` and `changed` are the manager's clock, in seconds since the
    epoch. `exit` is the container's exit status once it has ended, None before. `iteration` is the execution of the job
    that it belongs to. `addresses` are its own on overlay networks.
    """

    id: Name
    service: Name
    slot: Count
    node: Name
    state: Name
    desired: Name
    created: Moment
    changed: Moment
    message: str = ""
    error: str = ""
    exit: ExitStatus | None = None
    container: Name = ""
    image: str = ""
    template_digest: TemplateDigest = ""
    iteration: Count = 0
    addresses: Annotated[tuple[Name, ...], Field(max_length=50)] = ()

    @property
    def live(self) -> bool:
        """Whether it runs and should. The desired state of a job's task is complete, and it runs until then."""
        return self.state == "running" and self.desired in WANTED

    @property
    def key(self) -> str:
        """The key that stays the same when this task is replaced: its slot, or for a global service its node."""
        return str(self.slot) if self.slot else f"@{self.node}"


@dataclass(frozen=True, slots=True)
class SwarmObject:
    """A secret, a config or a network: `what` says which. `content` is the fingerprint of a config's content, "" if
    unknown; a secret's content cannot be read. `number` is the VXLAN network identifier of an overlay network, and
    `encrypted` says whether its traffic between nodes is."""

    what: Literal["secret", "config", "network"]
    id: Name
    name: Name
    labels: Mapping[str, str] = field(default_factory=dict)
    content: str = ""
    number: Count = 0
    encrypted: bool = False


def fingerprint(content: bytes) -> str:
    """Return a short digest that distinguishes one content from another."""
    return hashlib.sha256(content).hexdigest()[:16]
