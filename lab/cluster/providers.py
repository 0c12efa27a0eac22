"""Where a swarm may come from, and which way is taken on this machine."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from lab.errors import InputError, MissingError

NAMES = ("auto", "vm", "dind", "context")
LATER = {
    "dind": "a swarm of containers on this machine's own engine",
    "context": "a swarm that exists already, through a Docker context",
}


@dataclass(frozen=True)
class Pick:
    """The provider that is taken, and why, in a sentence; `name` is empty when none can be."""

    name: str
    reason: str


def pick_provider(wanted: str = "auto") -> Pick:
    """Say which provider serves `wanted`. Raises InputError for one that this version has not."""
    if wanted not in NAMES:
        raise InputError(f"there is no provider called {wanted}; there are {', '.join(NAMES)}")
    if wanted in LATER:
        raise InputError(
            f"the provider {wanted} ({LATER[wanted]}) is not in this version", remedy="swarmlab up --provider vm"
        )
    system = f"{platform.system()} {platform.machine()}"
    if system != "Linux x86_64":
        if wanted == "vm":
            raise MissingError(
                f"the provider vm needs Linux on x86_64, and this is {system}",
                remedy="take the recordings: swarmlab replay",
            )
        return Pick("", f"virtual machines need Linux on x86_64, and this is {system}")
    if wanted == "vm":
        return Pick("vm", "you asked for it")
    return Pick("vm", "virtual machines need no Docker engine, no registry and no root network, and share nothing")
