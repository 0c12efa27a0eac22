"""Checks on answers to requests: over HTTP, directly or through Traefik, and over TCP."""

from __future__ import annotations

from abc import abstractmethod
from itertools import takewhile
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.checks.base import Baseline, Condition, Outcome, Pattern, Some
from lab.schema.value import Name
from lab.text import count_of
from lab.world.entries import Hit
from lab.world.request import Request
from lab.world.world import World


class _Answered(Condition):
    """A request is answered: the parts that both kinds share. The last round of requests counts."""

    every_node: bool = False

    def _round(self, world: World, baseline: Baseline) -> tuple[list[Hit], list[Hit], Outcome | None]:
        """Return the last round's answers, those that are as required, and the fault of the round if it has one."""
        hits = self._hits(world, baseline)
        if not hits:
            return [], [], Outcome(False, f"{self._name} has not been asked yet")
        good = [hit for hit in hits if not self._fault(hit)]
        found = self._not_everywhere(world, hits)
        if found is None and not good:
            found = Outcome(False, f"{self._name} of {hits[-1].node}: {self._fault(hits[-1])}")
        return hits, good, found

    def _hits(self, world: World, baseline: Baseline) -> list[Hit]:
        """Return the answers to its request that were recorded since the round began, oldest first."""
        sent = self.request
        last = baseline.asked.hits[-1] if baseline.asked.hits else None
        new = takewhile(lambda entry: entry is not last, reversed(world.hits))
        return [hit for _, hit in reversed(list(new)) if sent is not None and is_answer_to(hit, sent)]

    @property
    def _name(self) -> str:
        """`port 8080`, or the host's name."""
        sent = self.request
        return "" if sent is None else sent.host or f"port {sent.port}"

    def _not_everywhere(self, world: World, hits: list[Hit]) -> Outcome | None:
        for node in sorted(world.swarm.nodes.values(), key=lambda n: n.name) if self.every_node else ():
            of_node = [hit for hit in hits if hit.node == node.name]
            fault = next(filter(None, map(self._fault, of_node)), "") if of_node else "was not asked"
            if node.state == "ready" and fault:
                return Outcome(False, f"{self._name} of {node.name}: {fault}")
        return None

    @abstractmethod
    def _fault(self, hit: Hit) -> str:
        """Return what is not as required in one answer; "" when everything is."""


def is_answer_to(hit: Hit, request: Request) -> bool:
    """Return whether the hit answers this request."""
    sent = (request.port, request.path, request.host, request.protocol, request.login)
    return (hit.port, hit.path, hit.host, hit.protocol, hit.login) == sent


def _status(hit: Hit) -> str:
    return f"answers {hit.status}" if hit.status else f"no answer ({hit.error or 'silent'})"


class Http(_Answered):
    """A request to a published port is answered with this status; optionally with a text, by a number of different
    replicas, or through every node; or, with `absent`, by nobody any more.

    With `host`, the request has that host name, and so goes through Traefik; the port then defaults to 443 with `https`
    and to 80 without.
    """

    example = "{port: 8080, every_node: true, replicas: 3}"

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    path: Annotated[str, Field(pattern=r"^/\S*$", max_length=500)] = "/"
    host: Name | None = None
    https: bool = False
    login: Literal["right", "wrong"] | None = None
    """Log in with the lab's user and password, or with a wrong password."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    contains: Pattern | None = None
    lacks: Pattern | None = None
    location: Pattern | None = None
    """Text that the address in a redirect contains."""
    version: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """The value of the `X-Version` header."""
    replicas: Some | None = None
    """The minimum number of different replicas that answer."""
    every_node: bool = False
    """Every node that is ready must answer every request."""
    requests: Annotated[int, Field(ge=1, le=50)] | None = None
    """The number of requests sent to each node in one round; by default enough for `replicas`."""
    absent: bool = False
    """No request is answered, through no node."""

    @model_validator(mode="after")
    def _sane(self) -> Http:
        if self.port is None and self.host is None:
            raise ValueError("needs a port or a host")
        asked = {"port", "path", "host", "https", "requests", "absent"}
        if self.absent and (wanted := sorted(self.model_fields_set - asked)):
            raise ValueError(f"an answer that is absent has no {wanted[0]}")
        return self

    @property
    def request(self) -> Request:
        """The request that is sent."""
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
        who = f", from at least {count_of(self.replicas, 'replica')}" if self.replicas else ""
        how = {"right": " with the right password", "wrong": " with a wrong password", None: ""}[self.login]
        name = f"{'https' if self.https else 'http'}://{self.host}{self.path}" if self.host else f"port {self.port}"
        if self.absent:
            return f"{name} is not answered"
        if self.host:
            return f"{name} answers {self.status}{text}{how}{through}{who}"
        return f"port {self.port} answers {self.path} with {self.status}{text}{how}{through}{who}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        hits, good, bad = self._round(world, baseline)
        if hits and self.absent:
            answered = [hit for hit in hits if hit.status]
            if answered:
                return Outcome(False, f"{self._name} of {answered[-1].node} still {_status(answered[-1])}")
            return Outcome(True, f"none of {count_of(len(hits), 'request')} to {self._name} was answered")
        if bad is not None:
            return bad
        said = f"{len(good)} of {len(hits)} requests to {self._name} were answered"
        if self.replicas:
            replicas = {h.replica for h in good if h.replica}
            return Outcome(len(replicas) >= self.replicas, f"{said}, by {count_of(len(replicas), 'replica')}")
        return Outcome(True, said)

    def _fault(self, hit: Hit) -> str:
        if hit.status != self.status:
            return _status(hit)
        text = f"answers {hit.status}"
        if self.contains and self.contains not in hit.body:
            return f"{text}, without “{self.contains}”"
        if self.lacks and self.lacks in hit.body:
            return f"{text}, with “{self.lacks}”"
        if self.location and self.location not in hit.location:
            return f"{text}, to {hit.location or 'nowhere'}"
        if self.version and self.version != hit.version:
            return f"{text}, of version {hit.version or 'unknown'}"
        return ""


class Tcp(_Answered):
    """A TCP connection to a published port of a node is answered with a line that contains a text."""

    example = "{port: 9000, says: hello, contains: hello}"

    port: Annotated[int, Field(ge=1, le=65535)]
    says: Annotated[str, Field(max_length=200)] = ""
    """The line that is sent first."""
    contains: Pattern
    every_node: bool = False

    @property
    def request(self) -> Request:
        """The request that is sent."""
        return Request(self.port, "", "", "tcp", "", self.says)

    @property
    def sentence(self) -> str:
        through = " through every node" if self.every_node else ""
        return f"a TCP connection to port {self.port} is answered “{self.contains}”{through}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        hits, good, bad = self._round(world, baseline)
        if bad is not None:
            return bad
        return Outcome(True, f"{len(good)} of {len(hits)} connections to {self._name} were answered")

    def _fault(self, hit: Hit) -> str:
        if not hit.status:
            return _status(hit)
        return "" if self.contains in hit.body else f"answers “{hit.body[:60]}”, without “{self.contains}”"
