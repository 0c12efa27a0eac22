"""swarmlab: a terminal lab for Docker Swarm and Traefik."""

__version__ = "0.1.0"
