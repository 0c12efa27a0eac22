"""The providers that a swarm may come from, and the choice of one on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.cluster.provider import Provider
from lab.errors import InputError, MissingError


def _vm() -> Provider:
    from lab.cluster.vm.provider import VmProvider  # only on first use: the app's first paint waits for imports

    return VmProvider()


PROVIDERS: dict[str, Callable[[], Provider]] = {"vm": _vm}
"""The providers by name, in order of preference."""

AUTO = "auto"
LATER = {
    "dind": "a swarm of containers on this machine's own engine",
    "context": "a swarm that exists already, through a Docker context",
}


@dataclass(frozen=True)
class Pick:
    """The selected provider, and the reason in a sentence; `name` is empty when none can be used."""

    name: str
    reason: str


def choices() -> tuple[str, ...]:
    """Return the names that the command line accepts as a provider."""
    return (AUTO, *PROVIDERS, *(name for name in LATER if name not in PROVIDERS))


def all_providers() -> tuple[Provider, ...]:
    """Return every provider."""
    return tuple(make() for make in PROVIDERS.values())


def pick_provider(wanted: str = AUTO) -> Pick:
    """Select the provider for `wanted`. Raises InputError for one that this version does not have, and MissingError for
    one that does not work here."""
    if wanted not in choices():
        raise InputError(f"there is no provider called {wanted}; there are {', '.join(choices())}")
    if wanted not in (AUTO, *PROVIDERS):
        raise InputError(
            f"the provider {wanted} ({LATER[wanted]}) is not in this version",
            remedy=f"swarmlab up --provider {next(iter(PROVIDERS))}",
        )
    why = ""
    for name in PROVIDERS if wanted == AUTO else (wanted,):
        found = PROVIDERS[name]().available()
        if found.ok:
            return Pick(name, found.why if wanted == AUTO else "you asked for it")
        why = why or found.why
    if wanted == AUTO:
        return Pick("", why)
    raise MissingError(f"the provider {wanted} does not work here: {why}", remedy="use the recordings: swarmlab replay")


def provider_of(name: str) -> Provider:
    """Return the provider that has the cluster of that name; the first one when none has it."""
    every = all_providers()
    return next((provider for provider in every if name in provider.names()), every[0])


def docker_cli() -> Path | None:
    """Return the folder of a `docker` that one of the providers can supply, None when none can."""
    return next(filter(None, (provider.docker_cli() for provider in all_providers())), None)
