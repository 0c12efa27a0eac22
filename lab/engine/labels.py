"""The labels by which the lab knows what is whose."""

from __future__ import annotations

LABEL = "lab.swarmlab"
"""The key of the label on everything that the lab makes in a swarm; its value does not matter."""

CLUSTER = "lab.swarmlab.name"
"""The key of the label on the swarm itself; its value is the cluster's name."""

NAMESPACE = "com.docker.stack.namespace"
"""The label that `docker stack deploy` puts on everything that it makes; its value is the stack's name."""
