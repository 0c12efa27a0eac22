"""The journal's entries: everything that can appear on the screen, on one time axis.

An entry is a time and one of the facts below. `kind` names the fact on a tape. Facts hold plain data only,
and are validated by pydantic, to the bounds in their types, when they come from a file; live sources are not held to
them. New fields need a default: old tapes must still read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from lab.world.bounds import Count, ExitStatus, Milliseconds, Moment, Name, PortNumber, Rate, Seconds, Share
from lab.world.swarm import Node, Service, SwarmObject, Task
from lab.world.traefik import Balancer, Certificate, EntryPoint, Middleware, Router, Traffic, Verdict


@dataclass(frozen=True, slots=True)
class Unread:
    """An object of the swarm that is there and could not be read: `what` kind it is, its id ("" where it has none)
    and a sentence that says why."""

    what: str
    id: str
    why: str


@dataclass(frozen=True, slots=True)
class SwarmChanged:
    """What differs from the last look at the swarm: new and changed objects whole, and the ids of those gone.

    `by` is the node whose engine answered. `first` marks a first look: it replaces all that was known. `unread` are
    the objects that this look was the first not to understand.
    """

    by: Name
    nodes: tuple[Node, ...] = ()
    services: tuple[Service, ...] = ()
    tasks: tuple[Task, ...] = ()
    named: tuple[SwarmObject, ...] = ()
    gone: tuple[str, ...] = ()
    first: bool = False
    unread: tuple[Unread, ...] = ()
    kind: Literal["swarm"] = "swarm"


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """An event as an engine told it. `at` is that engine's clock, seconds since the epoch."""

    node: Name
    type: Name
    action: Name
    id: Name
    name: str = ""
    at: Moment = 0.0
    task: Name = ""
    exit: ExitStatus | None = None
    kind: Literal["event"] = "event"


@dataclass(frozen=True, slots=True)
class Linked:
    """How the cluster is reached. `state`: live (node answers) | stale (silent, still trying) | none."""

    state: Literal["live", "stale", "none"]
    node: Name = ""
    why: str = ""
    kind: Literal["link"] = "link"


@dataclass(frozen=True, slots=True)
class Progressed:
    """Long work of the lab (`up`, `reset`): see `lab.cluster.model.Progress`."""

    stage: Name
    text: str
    done: Share | None = None
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class LessonOpened:
    """A lesson was opened: all that follows belongs to it."""

    lesson: Name
    kind: Literal["lesson"] = "lesson"


@dataclass(frozen=True, slots=True)
class StepMoved:
    """A step began, passed or failed; `why` says in words why it failed."""

    lesson: Name
    step: Name
    state: Literal["begun", "passed", "failed"]
    why: str = ""
    kind: Literal["step"] = "step"


@dataclass(frozen=True, slots=True)
class Checked:
    """A check was evaluated. `check` is its place in the step, from 0; `text` what it asks, `why` what was found.

    `phase`: before (the step's command has not run) | after.
    """

    lesson: Name
    step: Name
    check: Count
    text: str
    ok: bool
    why: str
    phase: Literal["before", "after"] = "after"
    kind: Literal["check"] = "check"


@dataclass(frozen=True, slots=True)
class Captured:
    """A value that a step took from the world or from a command's output, for later steps."""

    name: Name
    value: str
    kind: Literal["capture"] = "capture"


@dataclass(frozen=True, slots=True)
class CommandBegan:
    """A command was sent to the shell on `node`. `id` is counted up from 1; `step` is "" when typed freely."""

    id: Count
    node: Name
    text: str
    step: Name = ""
    kind: Literal["command"] = "command"


@dataclass(frozen=True, slots=True)
class Printed:
    """What the terminal of `node` printed, with its escapes, as it came (redacted)."""

    node: Name
    text: str
    kind: Literal["output"] = "output"


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command ended with an exit status, after `seconds`. `output` is its plain text (no escapes, redacted),
    at most the last 16,000 characters."""

    id: Count
    status: ExitStatus
    seconds: Seconds
    output: str = ""
    kind: Literal["exit"] = "exit"


@dataclass(frozen=True, slots=True)
class Acted:
    """The lab itself did something to the cluster: a fault, a reset's step. `node` is "" when it is for all."""

    action: str
    node: Name = ""
    kind: Literal["act"] = "act"


@dataclass(frozen=True, slots=True)
class Hit:
    """One request to a published port of one node, and who answered. `status` is 0 when nobody did.

    With a `host` it was sent to that host's name, and so through Traefik; `login` says with whose password: "" none,
    right or wrong. `front` is who passed it on (X-Frontend), `version` the answer's X-Version, `location` where a
    redirect leads. `protocol`: http | https | tcp.
    """

    node: Name
    port: PortNumber
    path: str
    status: Count
    replica: str
    ms: Milliseconds
    body: str = ""
    error: str = ""
    host: Name = ""
    protocol: Name = "http"
    login: Name = ""
    front: str = ""
    version: str = ""
    location: str = ""
    kind: Literal["hit"] = "hit"

    @property
    def address(self) -> str:
        """`port 8080 /`, or `https://node-app.localhost/`."""
        if self.host:
            return f"{self.protocol}://{self.host}{self.path}"
        return f"port {self.port} {self.path if self.protocol != 'tcp' else 'tcp'}"


@dataclass(frozen=True, slots=True)
class Failure:
    """One request of the load that failed: `ago` seconds before its report was written it ended. `status` is 0 when
    nobody answered, and `error` then says how."""

    ago: Seconds
    node: Name
    status: Count
    error: str
    ms: Milliseconds


@dataclass(frozen=True, slots=True)
class LoadMoved:
    """What the load did since its last report, `seconds` long: requests `sent`, ended `good` or `bad`, `in_flight` at
    its end. `counts` and `bad_counts` are histograms by `lab.world.load.bucket`, and `steps` is a finer one of what
    ended good: pairs of a `lab.world.load.step` and a count, none on old tapes. `late` is by how many milliseconds at
    most a request was sent after its time. At most 20 failures are told whole; `bad` counts all."""

    running: bool
    rate: Rate
    target: str
    seconds: Seconds = 0.0
    sent: Count = 0
    good: Count = 0
    bad: Count = 0
    in_flight: Count = 0
    late: Milliseconds = 0.0
    counts: tuple[Count, ...] = ()
    bad_counts: tuple[Count, ...] = ()
    failures: tuple[Failure, ...] = ()
    steps: tuple[tuple[int, int], ...] = ()
    kind: Literal["load"] = "load"


@dataclass(frozen=True, slots=True)
class CertificateSeen:
    """What one node served for a host's name in a TLS handshake, and what is to be thought of it. `now` is the wall
    clock, seconds since the epoch, against which its validity was judged."""

    host: Name
    node: Name
    verdict: Verdict
    why: str = ""
    now: Moment = 0.0
    certificate: Certificate | None = None
    kind: Literal["certificate"] = "certificate"


@dataclass(frozen=True, slots=True)
class AcmeTold:
    """A line of Traefik's log about an order of a certificate, in a word: `stage`."""

    hosts: tuple[str, ...]
    stage: Literal["ordering", "proving", "issued", "renewing", "failed"]
    text: str
    kind: Literal["acme"] = "acme"


@dataclass(frozen=True, slots=True)
class RoutesSeen:
    """Traefik's own view, whole, when it changed. `state`: live | none (no Traefik runs) | unreachable | refused (the
    password) | unreadable (the answer is not as its API promises); the last three keep nothing and say why."""

    state: Literal["live", "none", "unreachable", "refused", "unreadable"]
    why: str = ""
    version: str = ""
    entrypoints: tuple[EntryPoint, ...] = ()
    routers: tuple[Router, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    middlewares: tuple[Middleware, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    kind: Literal["routes"] = "routes"


@dataclass(frozen=True, slots=True)
class TrafficSeen:
    """Traefik's counters, where they changed since the last look."""

    rows: tuple[Traffic, ...]
    kind: Literal["traffic"] = "traffic"


Fact = Annotated[
    SwarmChanged
    | EngineEvent
    | Linked
    | Progressed
    | LessonOpened
    | StepMoved
    | Checked
    | Captured
    | CommandBegan
    | Printed
    | CommandEnded
    | Acted
    | Hit
    | LoadMoved
    | CertificateSeen
    | AcmeTold
    | RoutesSeen
    | TrafficSeen,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact and when: `at` is seconds since the journal began, never less than the entry's before it."""

    at: float
    fact: Fact
