"""The vocabulary of checks: closed and small, and each check can say in words what it asks.

In a lesson, a check is a mapping with one key: `running: {service: web, exactly: 3}`. The value under the key is a
`lab.checks.base.Condition`; its `kind` says what it is measured from. A new check is a class in this package and a line
in `Check`: the lessons' schema, the error texts and the table in ARCHITECTURE.md are derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from lab.checks.answers import Http, Tcp
from lab.checks.base import Baseline, Condition, Outcome
from lab.checks.certificates import CertificateIs, Renewed
from lab.checks.command import Exit, Output
from lab.checks.dns import ClientsGo, Resolves
from lab.checks.load import LoadIs
from lab.checks.managers import ManagersAnswer
from lab.checks.nodes import NodeIs
from lab.checks.objects import Exists
from lab.checks.order import Order
from lab.checks.routers import RouterIs
from lab.checks.services import Placed, Running, ServiceIs, Steady, Updated
from lab.checks.tasks import Happened, Replaced
from lab.checks.wire import OnTheWire
from lab.schema import template
from lab.schema.value import Value
from lab.world.world import World


class Check(Value):
    """One thing that must hold: a mapping with exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    running: Running | None = None
    steady: Steady | None = None
    service: ServiceIs | None = None
    happened: Happened | None = None
    replaced: Replaced | None = None
    updated: Updated | None = None
    order: Order | None = None
    placed: Placed | None = None
    node: NodeIs | None = None
    managers: ManagersAnswer | None = None
    exists: Exists | None = None
    exit: Annotated[int, Field(ge=0, le=255)] | None = None
    output: Output | None = None
    http: Http | None = None
    tcp: Tcp | None = None
    certificate: CertificateIs | None = None
    renewed: Renewed | None = None
    router: RouterIs | None = None
    load: LoadIs | None = None
    resolves: Resolves | None = None
    clients: ClientsGo | None = None
    wire: OnTheWire | None = None

    @model_validator(mode="after")
    def _one(self) -> Check:
        if len(self.model_fields_set) != 1 or self._value is None:
            raise ValueError(f"a check is a mapping with exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def _value(self) -> Condition | int | None:
        value: Condition | int | None = getattr(self, next(iter(self.model_fields_set)))
        return value

    @property
    def condition(self) -> Condition:
        """The condition: the value under the one key."""
        value = self._value
        assert value is not None  # noqa: S101
        return Exit(status=value) if isinstance(value, int) else value

    @property
    def sentence(self) -> str:
        """The condition in words, without a full stop."""
        return self.condition.sentence

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        """Evaluate the check, with captured values filled in, in `world`."""
        return self.condition.evaluate(world, baseline)

    def fill(self, values: Mapping[str, str]) -> Check:
        """Return the check with captured values in place of their names."""
        plain = self.model_dump(exclude_unset=True, mode="json")
        changed = template.map_strings(plain, lambda text: template.fill(text, values))
        return self if changed == plain else type(self).model_validate(changed, strict=False)
