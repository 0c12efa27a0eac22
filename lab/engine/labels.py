"""The labels that identify what belongs to the lab, to a cluster or to a stack."""

from __future__ import annotations

LABEL = "lab.swarmlab"
"""The key of the label on everything that the lab creates in a swarm; its value does not matter."""

NAMESPACE = "com.docker.stack.namespace"
"""The key of the label that `docker stack deploy` puts on everything it creates; its value is the stack's name."""
