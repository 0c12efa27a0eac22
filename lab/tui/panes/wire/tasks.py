"""Which tasks, services and networks the addresses and numbers on the nodes' own network belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world.swarm import Service, Task
    from lab.world.wire import Exchange
    from lab.world.world import World


def find_network(world: World, number: int) -> str:
    """Return the name of the overlay network with a VXLAN number; "" when it is not known."""
    objects = world.swarm.objects.values()
    return next((one.name for one in objects if one.what == "network" and one.number == number and number), "")


def find_owner(world: World, address: str) -> Task | None:
    """Return the running task that has an address on an overlay network."""
    return next((task for task in world.swarm.tasks.values() if address in task.addresses and task.live), None)


def find_answering(world: World, replica: str) -> Task | None:
    """Return the task that named itself in an answer, by the beginning of its container's id."""
    tasks = world.swarm.tasks.values()
    return next((task for task in tasks if replica and task.container.startswith(replica)), None)


def publishing(world: World, port: int) -> tuple[Service, ...]:
    """Return the services that publish a TCP port."""
    services = world.swarm.services.values()
    return tuple(s for s in services if any(p.published == port and p.protocol == "tcp" for p in s.spec.ports))


def tasks_at(world: World, exchange: Exchange) -> tuple[Task, ...]:
    """Return the tasks that an exchange may have led to on its target: the one with that address; for a published port,
    those there of the service that publishes it."""
    if exchange.network:
        owner = find_owner(world, exchange.address)
        return (owner,) if owner else ()
    services = {service.id for service in publishing(world, exchange.port)}
    tasks = (task for task in world.swarm.tasks.values() if task.service in services and task.live)
    return tuple(task for task in tasks if world.swarm.node_name(task.node) == exchange.target)
