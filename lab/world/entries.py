"""The journal's entries: everything that can appear on the screen, on one time axis.

An entry is a time and one of the facts below. `kind` names the fact on a tape. Facts hold plain data only. Those read
from a file are validated by pydantic against the bounds in their types; those from live sources are not. New fields
need a default: old tapes must stay readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from lab.world.bounds import Count, ExitStatus, Milliseconds, Moment, Name, PortNumber, Rate, Seconds, Share
from lab.world.dns import ClientsSeen, EndpointChecked, ZoneServed
from lab.world.swarm import Node, Service, SwarmObject, Task
from lab.world.traefik import Balancer, Certificate, EntryPoint, Middleware, Router, Traffic, Verdict
from lab.world.waiting import Waiting
from lab.world.wire import WireSeen


@dataclass(frozen=True, slots=True)
class Unread:
    """An object of the swarm that exists but could not be read: its kind (`what`), its id ("" if it has none) and a
    sentence that says why."""

    what: str
    id: str
    why: str


@dataclass(frozen=True, slots=True)
class SwarmChanged:
    """The differences from the last poll of the swarm: new and changed objects in full, and the ids of those gone.

    `by` is the node whose engine answered. `first` marks a first poll, which replaces everything known. `unread` are
    the objects that this poll was the first to find unreadable.
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
    """An event as an engine reported it. `at` is that engine's clock, in seconds since the epoch."""

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
class ManagerLink:
    """The connection to the cluster. `state`: live (`node` answers) | stale (no answer, still trying) | none."""

    state: Literal["live", "stale", "none"]
    node: Name = ""
    why: str = ""
    kind: Literal["link"] = "link"


@dataclass(frozen=True, slots=True)
class Progressed:
    """The progress of a long operation of the lab (`up`, `reset`): see `lab.cluster.model.Progress`."""

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
    """A step began, passed or failed; `why` says in words why it failed. `requests`: how many the load sent in a step
    that asks how many fail, and how many failed."""

    lesson: Name
    step: Name
    state: Literal["begun", "passed", "failed"]
    why: str = ""
    requests: tuple[Count, Count] | None = None
    kind: Literal["step"] = "step"


@dataclass(frozen=True, slots=True)
class Checked:
    """A check was evaluated. `check` is its index in the step, from 0; `text` is what it checks, `why` what was found.

    `phase`: before (the step's command has not run) | after. `waits`: see `lab.world.waiting`.
    """

    lesson: Name
    step: Name
    check: Count
    text: str
    ok: bool
    why: str
    phase: Literal["before", "after"] = "after"
    waits: Annotated[tuple[Waiting, ...], Field(max_length=20)] = ()
    kind: Literal["check"] = "check"


@dataclass(frozen=True, slots=True)
class Captured:
    """A value that a step took from the world or from a command's output, for later steps."""

    name: Name
    value: str
    kind: Literal["capture"] = "capture"


@dataclass(frozen=True, slots=True)
class HintTaken:
    """A hint of a step was told, now or in an earlier run. `hint` is its id: see `lab.lesson.hints`."""

    lesson: Name
    step: Name
    hint: Name
    kind: Literal["hint"] = "hint"


@dataclass(frozen=True, slots=True)
class CommandBegan:
    """A command was sent to the shell on `node`. `id` counts up from 1; `step` is "" for a freely typed command."""

    id: Count
    node: Name
    text: str
    step: Name = ""
    kind: Literal["command"] = "command"


@dataclass(frozen=True, slots=True)
class Printed:
    """Output of the terminal of `node`, with its escape sequences, as received (redacted)."""

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
class ActDone:
    """The lab itself did something to the cluster: a fault, or a step of a reset. `node` is "" if it affects all
    nodes."""

    action: str
    node: Name = ""
    kind: Literal["act"] = "act"


@dataclass(frozen=True, slots=True)
class Restored:
    """The whole cluster was put back to a snapshot, or changed out of sight ("", for a challenge): what was seen of it
    before is no longer so, and its next first look is no news."""

    snapshot: Name
    kind: Literal["restored"] = "restored"


@dataclass(frozen=True, slots=True)
class Hit:
    """One request to a published port of one node, and who answered. `status` is 0 if nobody did.

    With a `host`, it was sent under that host's name, and so through Traefik; `login` says with which password: ""
    (none), right or wrong. `front` is who forwarded it (X-Frontend), `version` the answer's X-Version, `location` the
    target of a redirect. `protocol`: http | https | tcp.
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
        """The address in words: `port 8080 /`, or `https://node-app.localhost/`."""
        if self.host:
            return f"{self.protocol}://{self.host}{self.path}"
        return f"port {self.port} {self.path if self.protocol != 'tcp' else 'tcp'}"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed request of the load, which ended `ago` seconds before its report was written. `status` is 0 if nobody
    answered, and `error` then says why."""

    ago: Seconds
    node: Name
    status: Count
    error: str
    ms: Milliseconds


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A report of what the load did in the `seconds` since the last one: requests `sent`, ended `good` or `bad`, and
    `in_flight` at the end. `counts` and `bad_counts` are histograms by `lab.world.load.bucket`, and `steps` is a finer
    one of the good requests: pairs of a `lab.world.load.step` and a count, absent on old tapes. `late` is the longest
    delay with which a request was sent, in milliseconds. At most 20 failures are listed; `bad` counts all."""

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
    """The certificate that one node served for a host name in a TLS handshake, and the verdict on it. `now` is the
    wall-clock time, in seconds since the epoch, at which its validity was judged."""

    host: Name
    node: Name
    verdict: Verdict
    why: str = ""
    now: Moment = 0.0
    certificate: Certificate | None = None
    kind: Literal["certificate"] = "certificate"


@dataclass(frozen=True, slots=True)
class AcmeTold:
    """A line of Traefik's log about a certificate order, and the `stage` that it means."""

    hosts: tuple[str, ...]
    stage: Literal["ordering", "proving", "issued", "renewing", "failed"]
    text: str
    kind: Literal["acme"] = "acme"


@dataclass(frozen=True, slots=True)
class RoutesSeen:
    """Traefik's own view in full, when it changed. `state`: live | none (no Traefik runs) | unreachable | refused (the
    password) | unreadable (the answer does not conform to its API); the last three hold no data and say why."""

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
    """Traefik's counters that changed since the last poll."""

    rows: tuple[Traffic, ...]
    kind: Literal["traffic"] = "traffic"


@dataclass(frozen=True, slots=True)
class PeerView:
    """How one node sees the others. `answer`: what its engine says of the swarm: leads | follows | no-leader | worker |
    silent (it does not answer) | out (of the swarm); `why` is its own sentence when something is wrong, `leader` who
    leads as far as it says. `reaches` and `misses` are the nodes that its machine could and could not open a connection
    to, both empty when it was not asked."""

    node: Name
    answer: Literal["leads", "follows", "no-leader", "worker", "silent", "out"]
    why: str = ""
    leader: Name = ""
    reaches: tuple[Name, ...] = ()
    misses: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class PeersSeen:
    """How each node sees the others, when that changed."""

    views: Annotated[tuple[PeerView, ...], Field(max_length=50)]
    kind: Literal["peers"] = "peers"


Fact = Annotated[
    SwarmChanged
    | EngineEvent
    | ManagerLink
    | Progressed
    | LessonOpened
    | StepMoved
    | Checked
    | Captured
    | HintTaken
    | CommandBegan
    | Printed
    | CommandEnded
    | ActDone
    | Restored
    | Hit
    | LoadReport
    | CertificateSeen
    | AcmeTold
    | RoutesSeen
    | TrafficSeen
    | ZoneServed
    | EndpointChecked
    | ClientsSeen
    | WireSeen
    | PeersSeen,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact and its time: `at` is seconds since the journal began, never less than that of the entry before."""

    at: float
    fact: Fact
