"""Where a node's engine is reached from this machine, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Role = Literal["manager", "worker"]


@dataclass(frozen=True)
class Endpoint:
    """One node's engine as reached from this machine.

    `url` is what DOCKER_HOST takes; `tls` is a folder with ca.pem, cert.pem and key.pem, or None for a
    local socket. `published` maps a port published in the swarm to (address, port) on this machine.
    """

    node: str
    role: Role
    url: str
    tls: Path | None = None
    lan_address: str = ""
    published: Mapping[int, tuple[str, int]] = field(default_factory=dict)
