"""Checks on Traefik's routers."""

from __future__ import annotations

from typing import Literal

from lab.checks.base import Baseline, Condition, Outcome, Pattern
from lab.schema.value import Name
from lab.text import summarize
from lab.world.world import World


class RouterIs(Condition):
    """A router as Traefik reports it; `name` does not include the provider."""

    source = "routes"
    example = "{name: node-app, service: node-app}"

    name: Name
    protocol: Literal["http", "tcp"] = "http"
    absent: bool = False
    status: Literal["enabled", "warning", "disabled"] = "enabled"
    error: Pattern | None = None
    """Text that Traefik's own error message about it contains."""
    service: Name | None = None
    """The Traefik service that it routes to, without the provider."""
    middlewares: tuple[Name, ...] | None = None
    """All middlewares on its way, in their order and without their providers; those of its entry points come first."""

    @property
    def sentence(self) -> str:
        if self.absent:
            return f"Traefik has no {self.protocol} router {self.name}"
        to = f" and leads to {self.service}" if self.service else ""
        to += f" through {', '.join(self.middlewares) or 'no middleware'}" if self.middlewares is not None else ""
        why = f" (“{self.error}”)" if self.error else ""
        return f"Traefik has the {self.protocol} router {self.name}, {self.status}{to}{why}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        routes = world.edge.routes
        if routes is None or routes.state != "live":
            why = "Traefik's API has not been asked yet" if routes is None else f"Traefik's API: {routes.state}"
            return Outcome(False, why + (f" ({routes.why})" if routes and routes.why else ""))
        mine = [r for r in routes.routers if r.protocol == self.protocol]
        router = next((r for r in mine if r.name.partition("@")[0] == self.name), None)
        if router is None:
            names = sorted(r.name for r in mine if not r.name.endswith("@internal"))
            return Outcome(
                self.absent, f"no {self.protocol} router {self.name}; there are {', '.join(names) or 'none'}"
            )
        if self.absent:
            return Outcome(False, f"Traefik still has the router {router.name}")
        told = summarize(router.errors)
        text = f"router {router.name} is {router.status}" + (f": {told}" if told else "")
        if router.status != self.status or (self.error and self.error not in told):
            return Outcome(False, text)
        if self.service and router.service.partition("@")[0] != self.service:
            return Outcome(False, f"router {router.name} leads to {router.service}")
        through = tuple(each.partition("@")[0] for each in router.middlewares)
        if self.middlewares is not None and through != self.middlewares:
            return Outcome(False, f"router {router.name} goes through {', '.join(through) or 'no middleware'}")
        return Outcome(True, f"{text}: {router.rule} to {router.service}")
