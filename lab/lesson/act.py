"""What the lab does itself in a step, in place of a command: a fault, or a load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, create_model, model_validator

from lab.cluster.faults import FAULTS, Fault
from lab.errors import InputError
from lab.schema import template
from lab.schema.value import Name, Value, one_of
from lab.world.load import LoadSpec


class LoadAct(Value):
    """Open-loop load that the lab generates: `rate` requests per second, each over a new connection unless told
    otherwise; 0 ends it."""

    rate: Annotated[float, Field(ge=0, le=1000)] | None = None
    """Requests per second; defaults to `{{rate}}`, the rate that the cluster can carry."""
    host: Name | None = None
    """Host name for requests through Traefik; without it, requests go directly to `port`."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """The port of the requests; with a host it is 443, or 80 without HTTPS."""
    node: Name | None = None
    """The only node that is asked; without it, all nodes are in turn."""
    path: Annotated[str, Field(pattern=r"^/\S*$", max_length=500)] = "/"
    """The path that is requested."""
    https: bool = True
    """Whether requests to a host are made by HTTPS."""
    fresh: bool = True
    """Whether each request opens a connection of its own; otherwise one is used again once its answer is there."""

    @model_validator(mode="after")
    def _sane(self) -> LoadAct:
        if self.rate != 0 and self.host is None and self.port is None:
            raise ValueError("needs a host or a port")
        return self

    def load_spec(self, values: Mapping[str, str]) -> LoadSpec | None:
        """Return the load as a `LoadSpec`, with the captured `values` filled in; None ends it."""
        if self.rate == 0:
            return None
        rate = float(values.get("rate", 50)) if self.rate is None else self.rate
        https = self.https and self.host is not None
        host = template.fill(self.host or "", values)
        port, node = self.port or (443 if https else 80), template.fill(self.node or "", values)
        return LoadSpec(rate, port, self.path, host, https, fresh=self.fresh, node=node)


class _Act(Value):
    """An action of the lab: exactly one of these keys. A fault takes the node's name, and more where its words say so;
    for `load`, see LoadAct."""

    if TYPE_CHECKING:
        load: LoadAct | None = None

    @model_validator(mode="after")
    def _one(self) -> _Act:
        action = one_of(self, *type(self).model_fields)
        if self.load is None and "{{" not in self.target:
            try:
                FAULTS[action].read(self.target)
            except InputError as error:
                raise ValueError(error.reason) from error
        return self

    @property
    def action(self) -> str:
        """A verb of `lab.cluster.faults.FAULTS`, or `load`."""
        return one_of(self, *type(self).model_fields)

    @property
    def target(self) -> str:
        """The node's name and what else the fault takes, in words; "" for a load."""
        return "" if self.load else str(getattr(self, self.action))

    @property
    def node(self) -> str:
        """The node's name; "" for a load."""
        return self.target.partition(" ")[0]

    @property
    def sentence(self) -> str:
        """The action in words."""
        if self.load is not None:
            load_spec = self.load.load_spec({"rate": "1"})
            rate = "{{rate}}" if self.load.rate is None else f"{self.load.rate:g}"
            return f"send requests to {load_spec.target}, {rate} a second" if load_spec else "end the load"
        return FAULTS[self.action].asks.format(*self.target.split())


def _describe(fault: Fault) -> str:
    takes = [argument.name for argument in fault.takes]
    return f"{' '.join(['A node', *takes])}: {fault.asks.format('it', *takes)}."


def act_model(faults: Mapping[str, Fault]) -> type[_Act]:
    """Return a model of an act that is one of these faults, or a load."""
    fields: dict[str, Any] = {
        verb: (Name | None, Field(None, description=_describe(fault))) for verb, fault in faults.items()
    }
    fields["load"] = (LoadAct | None, Field(None, description="Requests at a steady rate."))
    words = "; ".join(
        f"{verb}: {fault.asks.format('it', *(argument.name for argument in fault.takes))}"
        for verb, fault in faults.items()
    )
    return create_model("Act", __base__=_Act, __doc__=f"{_Act.__doc__}\n\n{words}.", **fields)


if TYPE_CHECKING:
    Act = _Act
else:
    Act = act_model(FAULTS)
