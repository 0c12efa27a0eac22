"""What checks ask of the edge: answers to requests, certificates, Traefik's routers, the load's account."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.course import words
from lab.course.asks import Count, Pattern, Some
from lab.course.value import Name, Value
from lab.watch.hits import Request
from lab.world.edge import Verdict


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
