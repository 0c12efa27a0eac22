"""The vocabulary of checks: closed, small, and each one able to say in words what it asks.

In a lesson a check is a mapping with one key: `running: {service: web, exactly: 3}`. There are two kinds:

    level   is true now                             running, service, placed, node, exists, http, tcp, certificate,
                                                    router, load
    edge    has happened since the step began       happened, replaced, updated, renewed, exit, output

A level check looks at the world as it is; an edge check compares it with the world when the step began, so that
what stood in a task's history before does not count. What an edge check has found stays found. `load` counts since
the step began too, and is looked at to the step's end: one failed request more can make it false again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from lab.course import words
from lab.course.value import Name, Value, one_of
from lab.watch.hits import Request
from lab.world.edge import Verdict

Count = Annotated[int, Field(ge=0, le=1000)]
Some = Annotated[int, Field(ge=1, le=1000)]
Pattern = Annotated[str, Field(min_length=1, max_length=300)]


class Running(Value):
    """So many tasks of a service run and should: exactly, or at least."""

    service: Name
    exactly: Count | None = None
    at_least: Some | None = None

    @model_validator(mode="after")
    def _one(self) -> Running:
        if (self.exactly is None) == (self.at_least is None):
            raise ValueError("needs exactly one of exactly, at_least")
        return self

    @property
    def sentence(self) -> str:
        if self.exactly is None:
            return f"at least {words.many(self.at_least or 0, 'task')} of {self.service} {_verb(self.at_least, 'run')}"
        if not self.exactly:
            return f"no task of {self.service} runs"
        return f"{words.many(self.exactly, 'task')} of {self.service} {_verb(self.exactly, 'run')}"


class ServiceIs(Value):
    """A service is declared so, or is absent."""

    name: Name
    absent: bool = False
    replicas: Count | None = None
    image: Name | None = None
    update: (
        Literal["updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"] | None
    ) = None

    @model_validator(mode="after")
    def _sane(self) -> ServiceIs:
        if self.absent and (self.replicas is not None or self.image or self.update):
            raise ValueError("absent goes with no other key")
        return self

    @property
    def sentence(self) -> str:
        if self.absent:
            return f"there is no service {self.name}"
        asks = [
            f"wants {words.many(self.replicas, 'replica')}" if self.replicas is not None else "",
            f"has the image {self.image}" if self.image else "",
            f"has its update {self.update.replace('_', ' ')}" if self.update else "",
        ]
        return f"service {self.name} " + (" and ".join(a for a in asks if a) or "exists")


class Happened(Value):
    """Since the step began, tasks of a service came into a state, with an exit status, on a node."""

    service: Name
    task: Literal["running", "complete", "shutdown", "failed", "rejected", "orphaned"]
    exit: Annotated[int, Field(ge=0, le=255)] | None = None
    on: Name | None = None
    at_least: Some = 1

    @property
    def sentence(self) -> str:
        how = {"running": "started", "shutdown": "was shut down", "complete": "completed", "rejected": "was rejected"}
        did = how.get(self.task, "failed" if self.task == "failed" else "was orphaned")
        if self.at_least > 1:
            did = did.replace("was ", "were ")
        exit = f" (exit {self.exit})" if self.exit is not None else ""
        where = f" on {self.on}" if self.on else ""
        who = f"a task of {self.service}" if self.at_least == 1 else f"{self.at_least} tasks of {self.service}"
        return f"{who} {did}{exit}{where}"


class Replaced(Value):
    """Since the step began, a task that ran (on a node) came to its end, and a newer one in its slot runs."""

    service: Name
    on: Name | None = None
    at_least: Some = 1
    then_running: Count | None = None
    """How many tasks of the service must then run."""

    @property
    def sentence(self) -> str:
        where = f" on {self.on}" if self.on else ""
        who = f"a task of {self.service}" if self.at_least == 1 else f"{self.at_least} tasks of {self.service}"
        then = f", and {self.then_running} of {self.then_running} run again" if self.then_running else ""
        return f"{who}{where} {'was' if self.at_least == 1 else 'were'} replaced{then}"


class Updated(Value):
    """Since the step began, an update of a service came to this state."""

    service: Name
    state: Literal["completed", "paused", "rollback_completed", "rollback_paused"]

    @property
    def sentence(self) -> str:
        came = {
            "completed": "has been updated",
            "paused": "has its update paused",
            "rollback_completed": "has been rolled back",
            "rollback_paused": "has its rollback paused",
        }
        return f"{self.service} {came[self.state]}"


class Placed(Value):
    """Where the running tasks of a service are: only on a role, only on these nodes, on so many, on every node."""

    service: Name
    role: Literal["manager", "worker"] | None = None
    nodes: tuple[Name, ...] = ()
    at_least: Some | None = None
    """Nodes, not tasks."""
    every_node: bool = False
    """Every node that is ready and active."""

    @model_validator(mode="after")
    def _one(self) -> Placed:
        one_of(self, "role", "nodes", "at_least", "every_node")
        return self

    @property
    def sentence(self) -> str:
        if self.role:
            return f"{self.service} runs on {self.role}s only"
        if self.nodes:
            return f"{self.service} runs on {_either(self.nodes)} only"
        if self.at_least:
            return f"{self.service} runs on at least {words.many(self.at_least, 'node')}"
        return f"{self.service} runs on every node"


class NodeIs(Value):
    """A node as the managers see it."""

    name: Name
    state: Literal["ready", "down", "unknown", "disconnected"] | None = None
    availability: Literal["active", "pause", "drain"] | None = None
    role: Literal["manager", "worker"] | None = None
    leader: bool | None = None
    label: Annotated[str, Field(pattern=r"^[^=\s]+=\S*$", max_length=200)] | None = None
    """`NAME=value`."""

    @model_validator(mode="after")
    def _some(self) -> NodeIs:
        if not self.model_fields_set - {"name"}:
            raise ValueError("needs one of state, availability, role, leader, label")
        return self

    @property
    def sentence(self) -> str:
        asks = [
            f"is {self.state}" if self.state else "",
            f"is set to {self.availability}" if self.availability else "",
            f"is a {self.role}" if self.role else "",
            "" if self.leader is None else "leads the managers" if self.leader else "does not lead the managers",
            f"bears the label {self.label}" if self.label else "",
        ]
        return f"{self.name} " + " and ".join(a for a in asks if a)


class Exists(Value):
    """A secret, a config or a network is there, or is absent."""

    secret: Name | None = None
    config: Name | None = None
    network: Name | None = None
    absent: bool = False

    @model_validator(mode="after")
    def _one(self) -> Exists:
        one_of(self, "secret", "config", "network")
        return self

    @property
    def what(self) -> str:
        return one_of(self, "secret", "config", "network")

    @property
    def name(self) -> str:
        return str(getattr(self, self.what))

    @property
    def sentence(self) -> str:
        return f"{'there is no' if self.absent else 'there is a'} {self.what} {self.name}"


class Exit(Value):
    """The step's command ended with this status."""

    status: Annotated[int, Field(ge=0, le=255)]

    @property
    def sentence(self) -> str:
        return f"the command ends with exit status {self.status}"


class Output(Value):
    """What the step's command printed holds a text, or matches a regular expression (a line at a time)."""

    contains: Pattern | None = None
    matches: Pattern | None = None
    says: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    """What the expression looks for, in words for the screen."""

    @model_validator(mode="after")
    def _one(self) -> Output:
        one_of(self, "contains", "matches")
        return self

    @field_validator("matches")
    @classmethod
    def _compiles(cls, matches: str | None) -> str | None:
        return regex(matches) if matches else matches

    @property
    def sentence(self) -> str:
        return "the output " + (
            self.says or (f"holds “{self.contains}”" if self.contains else f"matches {self.matches}")
        )


class Http(Value):
    """A published port answers: with a status and a text, from so many different replicas, through every node.

    With `host` the request bears that name, and so goes through Traefik; the port is then 443 with `https` and 80
    without, unless it is named.
    """

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    path: Annotated[str, Field(pattern=r"^/\S*$", max_length=500)] = "/"
    host: Name | None = None
    https: bool = False
    login: Literal["right", "wrong"] | None = None
    """With the lab's user and password, or with a wrong one."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: Pattern | None = None
    lacks: Pattern | None = None
    location: Pattern | None = None
    """A text in the address that a redirect names."""
    version: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """What X-Version says."""
    replicas: Some | None = None
    """So many different replicas answered, at least."""
    every_node: bool = False
    """Every node that is ready answered every request."""
    requests: Annotated[int, Field(ge=1, le=50)] | None = None
    """How many requests each node is sent in one go; by default enough for the replicas asked for."""

    @model_validator(mode="after")
    def _sane(self) -> Http:
        if self.port is None and self.host is None:
            raise ValueError("needs a port or a host")
        return self

    @property
    def request(self) -> Request:
        """What is sent."""
        port = self.port or (443 if self.https else 80)
        protocol: Literal["http", "https"] = "https" if self.https else "http"
        return Request(port, self.path, self.host or "", protocol, self.login or "")

    @property
    def times(self) -> int:
        return self.requests or max(1, 2 * (self.replicas or 0))

    @property
    def sentence(self) -> str:
        through = " through every node" if self.every_node else ""
        text = f" and “{self.contains}”" if self.contains else ""
        text += f" and without “{self.lacks}”" if self.lacks else ""
        text += f" of version {self.version}" if self.version else ""
        text += f", to {self.location}" if self.location else ""
        who = f", from at least {words.many(self.replicas, 'replica')}" if self.replicas else ""
        how = {"right": " with the right password", "wrong": " with a wrong password", None: ""}[self.login]
        if self.host:
            name = f"{'https' if self.https else 'http'}://{self.host}{self.path}"
            return f"{name} answers {self.status}{text}{how}{through}{who}"
        return f"port {self.port} answers {self.path} with {self.status}{text}{how}{through}{who}"


class Tcp(Value):
    """A TCP connection to a published port of a node is answered with a line that holds a text."""

    port: Annotated[int, Field(ge=1, le=65535)]
    says: Annotated[str, Field(max_length=200)] = ""
    """What is sent first, as a line."""
    contains: Pattern
    every_node: bool = False

    @property
    def request(self) -> Request:
        """What is sent."""
        return Request(self.port, "", "", "tcp", "", self.says)

    @property
    def times(self) -> int:
        return 1

    @property
    def sentence(self) -> str:
        through = " through every node" if self.every_node else ""
        return f"a TCP connection to port {self.port} is answered “{self.contains}”{through}"


class CertificateIs(Value):
    """What the nodes serve for a host's name: the verdict, and who issued it."""

    host: Name
    state: Verdict = "good"
    issuer: Pattern | None = None
    """A text in the issuer's name."""

    @property
    def sentence(self) -> str:
        by = f", issued by {self.issuer}" if self.issuer else ""
        how = {
            "good": "a good certificate",
            "default": "Traefik's own default certificate",
            "self-signed": "a self-signed certificate",
            "untrusted": "a certificate of an unknown authority",
            "expired": "an expired certificate",
            "early": "a certificate that is not valid yet",
            "wrong-name": "a certificate for another name",
            "unreadable": "what is no certificate",
            "unreachable": "nothing",
        }[self.state]
        return f"every node serves {how} for {self.host}{by}"


class Renewed(Value):
    """Since the step began, every node came to serve another good certificate for a host's name."""

    host: Name

    @property
    def sentence(self) -> str:
        return f"every node serves a new certificate for {self.host}"


class RouterIs(Value):
    """A router as Traefik sees it; `name` without its provider."""

    name: Name
    protocol: Literal["http", "tcp"] = "http"
    absent: bool = False
    status: Literal["enabled", "warning", "disabled"] = "enabled"
    error: Pattern | None = None
    """A text in Traefik's own words about it."""
    service: Name | None = None
    """The Traefik service it leads to, without its provider."""

    @property
    def sentence(self) -> str:
        if self.absent:
            return f"Traefik has no {self.protocol} router {self.name}"
        to = f" and leads to {self.service}" if self.service else ""
        why = f" (“{self.error}”)" if self.error else ""
        return f"Traefik has the {self.protocol} router {self.name}, {self.status}{to}{why}"


class LoadIs(Value):
    """The load's account since the step began: at least so many requests were sent, and of them so many failed."""

    sent: Some
    failed: Count | None = None
    failed_at_least: Some | None = None

    @model_validator(mode="after")
    def _one(self) -> LoadIs:
        if (self.failed is None) == (self.failed_at_least is None):
            raise ValueError("needs exactly one of failed, failed_at_least")
        return self

    @property
    def sentence(self) -> str:
        many = (
            f"at least {words.many(self.failed_at_least, 'request')} of them failed"
            if self.failed_at_least
            else f"{'no request' if not self.failed else words.many(self.failed or 0, 'request')} failed"
        )
        return f"the load sent at least {words.many(self.sent, 'request')}, and {many}"


Ask = (
    Running
    | ServiceIs
    | Happened
    | Replaced
    | Updated
    | Placed
    | NodeIs
    | Exists
    | Exit
    | Output
    | Http
    | Tcp
    | CertificateIs
    | Renewed
    | RouterIs
    | LoadIs
)


class Check(Value):
    """One thing that must hold: a mapping with exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    running: Running | None = None
    service: ServiceIs | None = None
    happened: Happened | None = None
    replaced: Replaced | None = None
    updated: Updated | None = None
    placed: Placed | None = None
    node: NodeIs | None = None
    exists: Exists | None = None
    exit: Annotated[int, Field(ge=0, le=255)] | None = None
    output: Output | None = None
    http: Http | None = None
    tcp: Tcp | None = None
    certificate: CertificateIs | None = None
    renewed: Renewed | None = None
    router: RouterIs | None = None
    load: LoadIs | None = None

    @model_validator(mode="after")
    def _one(self) -> Check:
        if len(self.model_fields_set) != 1 or self._value is None:
            raise ValueError(f"a check is a mapping with exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def _value(self) -> Ask | int | None:
        value: Ask | int | None = getattr(self, next(iter(self.model_fields_set)))
        return value

    @property
    def ask(self) -> Ask:
        """What is asked: the value under the one key."""
        value = self._value
        assert value is not None  # noqa: S101
        return Exit(status=value) if isinstance(value, int) else value

    @property
    def sentence(self) -> str:
        """What it asks, in words, without a full stop."""
        return self.ask.sentence

    @property
    def edge(self) -> bool:
        """Asks for something that happened since the step began, rather than for how things are now."""
        return isinstance(self.ask, Happened | Replaced | Updated | Renewed | Exit | Output)

    @property
    def of_command(self) -> bool:
        """Asks about the step's command, which nothing but another command can change."""
        return isinstance(self.ask, Exit | Output)

    @property
    def asked(self) -> Http | Tcp | None:
        """The request that the check needs answered, if it is about one."""
        return self.http or self.tcp

    @property
    def looks(self) -> Literal["", "certificates", "routes"]:
        """Which source must have looked lately."""
        if self.certificate or self.renewed:
            return "certificates"
        return "routes" if self.router else ""

    def filled(self, values: Mapping[str, str]) -> Check:
        """The check with captured values in the place of their names."""
        plain = self.model_dump(exclude_unset=True, mode="json")
        changed = words.in_strings(plain, lambda text: words.fill(text, values))
        return self if changed == plain else Check.model_validate(changed, strict=False)


def regex(text: str) -> str:
    """The text, when it is a regular expression. Raises ValueError that says why not."""
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text


def _verb(count: int | None, word: str) -> str:
    return word + "s" if count == 1 else word


def _either(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
