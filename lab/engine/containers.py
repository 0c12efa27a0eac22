"""The containers of a service on one node."""

from __future__ import annotations

from lab.engine.client import open_client
from lab.engine.endpoint import Endpoint


def find_containers(endpoint: Endpoint, service: str, timeout: float = 20.0) -> tuple[str, ...]:
    """Return the ids of the running containers of a service on one node. Raises EngineError."""
    with open_client(endpoint, timeout) as client:
        wanted = {"label": f"com.docker.swarm.service.name={service}", "status": "running"}
        return tuple(raw["Id"] for raw in client.api.containers(filters=wanted))
