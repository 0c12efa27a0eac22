"""The faults that can be injected into a cluster's machine, and their undoing: one row each.

The command line's `node`, the acts of lessons and their schema, and the texts for all of them use this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.cluster.model import Cluster, Report
from lab.errors import InputError


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault or its undoing. `{}` in a text is replaced by the node's name.

    `asks` says what will be done, `told` what was done, `state` the node's resulting state. `undo` is the verb that
    undoes the fault, "" for one that is itself an undoing. `apply` performs it, idempotently, and may raise what the
    cluster's method raises.
    """

    asks: str
    told: str
    state: str
    undo: str
    apply: Callable[[Cluster, str, Report], None]


FAULTS: dict[str, Fault] = {
    "stop": Fault(
        "power {} off",
        "the lab powered {} off",
        "{} is powered off",
        "start",
        lambda cluster, node, _: cluster.stop(node),
    ),
    "start": Fault(
        "power {} on",
        "the lab powered {} on",
        "{} is back in the swarm",
        "",
        lambda cluster, node, report: cluster.start(node, report),
    ),
    "cut": Fault(
        "cut {} off the network",
        "the lab took {} off the nodes' network",
        "{} is off the nodes' network",
        "heal",
        lambda cluster, node, _: cluster.cut(node),
    ),
    "heal": Fault(
        "give {} its network back",
        "the lab put {} back on the nodes' network",
        "{} is back on the nodes' network",
        "",
        lambda cluster, node, report: cluster.heal(node, report),
    ),
}
"""The faults by the verb that the command line and lessons use."""


def apply_fault(cluster: Cluster, verb: str, node: str, report: Report) -> None:
    """Inject a fault, or undo one. Raises InputError for what this cluster cannot do, and what the cluster raises."""
    if verb not in cluster.faults:
        raise InputError(
            f"a cluster of the provider {cluster.provider} cannot {FAULTS[verb].asks.format(node)}",
            remedy=f"it can: {', '.join(sorted(cluster.faults)) or 'no fault'}",
        )
    FAULTS[verb].apply(cluster, node, report)
