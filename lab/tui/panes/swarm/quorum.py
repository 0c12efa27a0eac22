"""The managers' quorum, as far as the world tells: how many there are, reach each other, and are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.tui.cluster.grid import natural_key

if TYPE_CHECKING:
    from lab.world.entries import PeerView
    from lab.world.swarm import Node
    from lab.world.world import World


@dataclass(frozen=True)
class Quorum:
    """The managers by name, and those of them that are there: that the leader reaches or, without a leader, the largest
    group that reach each other. `led`: there is a leader that has said so."""

    managers: tuple[str, ...]
    there: frozenset[str]
    led: bool

    @property
    def needed(self) -> int:
        """How many managers must agree: more than half of all."""
        return len(self.managers) // 2 + 1

    @property
    def spare(self) -> int:
        """How many more may be lost; negative when there is no quorum."""
        return len(self.there) - self.needed

    @property
    def sentence(self) -> str:
        """What it means."""
        count = f"{len(self.there)} of {len(self.managers)}"
        if self.spare < 0:
            return f"{count}: no quorum. What runs goes on running; nothing can be changed, and nothing is replaced"
        if not self.led:
            return f"{count}: enough for a quorum, and no leader yet"
        if self.spare == 0:
            which = "one more" if len(self.there) < len(self.managers) or len(self.managers) > 1 else "this one"
            return f"{count}; {which} lost and nothing can be changed"
        return f"{count}; {'one' if self.spare == 1 else self.spare} may be lost"


def listed(world: World) -> tuple[Node, ...]:
    """Return the nodes as the managers list them, by name; of several of one name, the one that is ready."""
    names = sorted({node.name for node in world.swarm.nodes.values()}, key=natural_key)
    return tuple(node for node in map(world.swarm.node, names) if node is not None)


def views(world: World) -> dict[str, PeerView]:
    """Return how each node sees the others, by the node's name."""
    return {view.node: view for view in world.peers.views} if world.peers is not None else {}


def find_quorum(world: World) -> Quorum:
    """Return the quorum as the leader knows it or, while no manager answers, as the nodes themselves tell."""
    managers = tuple(node for node in listed(world) if node.role == "manager")
    # After `docker swarm init --force-new-cluster` a lost manager is listed, and does not count any more.
    managers = tuple(node for node in managers if node.reachability) or managers
    names = tuple(node.name for node in managers)
    if world.link.state == "live":
        there = {n.name for n in managers if n.reachability == "reachable" and n.state == "ready"}
        return Quorum(names, frozenset(there), any(node.leader for node in managers))
    own = views(world)
    answered = (name for name in names if name in own and own[name].answer in ("leads", "follows", "no-leader"))
    awake = frozenset(answered)
    tried = any(own[name].reaches or own[name].misses for name in awake)
    groups = [awake & {name, *own[name].reaches} if tried else awake for name in sorted(awake)]
    led = any(own[name].answer == "leads" for name in awake)
    return Quorum(names, max(groups, key=len, default=frozenset()), led)
