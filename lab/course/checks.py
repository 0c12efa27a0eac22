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

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from lab.course import words
from lab.course.asks import (
    Exists,
    Exit,
    Happened,
    NodeIs,
    Output,
    Placed,
    Replaced,
    Running,
    ServiceIs,
    Updated,
)
from lab.course.asks_edge import CertificateIs, Http, LoadIs, Renewed, RouterIs, Tcp
from lab.course.value import Value

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
