"""The one table of panes that can take the cluster's place: ids, titles, keys, and the sources that they need.

A new pane needs a line here and a package `lab/tui/panes/ID` whose module `view` draws it (`lab.tui.panes.PaneModule`).
The keys, the footer, the help, the palette, the lessons' schema and the running sources are derived from this table,
which imports nothing: lessons name panes without importing Textual.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pane:
    """A pane: `help` is the text beside its key; `needs` names the sources of `lab.watch.supervisor` that must run
    while it is visible. A pane without a key is opened with `v`, which lists all panes, or from the palette."""

    id: str
    title: str
    key: str
    help: str
    needs: tuple[str, ...] = ()


CLUSTER = "cluster"
"""The id of the pane that is shown at the start; it is a widget of its own, `lab.tui.cluster.widget`."""

FORMER_IDS = {"reconciliation": CLUSTER}
"""Ids that lessons may still use, and what they are now."""

PANES: tuple[Pane, ...] = (
    Pane(CLUSTER, "Cluster", "2", "The cluster: what should run against what does"),
    Pane("mesh", "Mesh", "5", "The mesh: which node is asked, which replica answers", ("mesh",)),
    Pane("load", "Load", "6", "The load: requests at a rate, and how long they take"),
    Pane("certificates", "Certificates", "7", "The certificates that are served", ("certificates", "acme", "routes")),
    Pane("routes", "Routes", "8", "The routes, as Traefik knows them", ("routes",)),
    Pane("map", "Map", "9", "The map of what is deployed", ("routes",)),
    Pane("rollout", "Rollout", "0", "The update under way"),
    Pane("dns", "DNS", "", "The names' records, their health checks, and who goes where", ("dns",)),
    Pane("swarm", "Swarm", "", "The swarm itself: machines, quorum, who reaches whom", ("peers",)),
    Pane("wire", "Wire", "", "The nodes' own network: who talks to whom", ("wire", "mesh")),
)


def find_pane(id: object) -> Pane:
    """Return the pane with this id; the cluster's for an unknown id."""
    return next((pane for pane in PANES if pane.id == id), PANES[0])


def other_panes() -> tuple[Pane, ...]:
    """Return all panes but the cluster's."""
    return tuple(pane for pane in PANES if pane.id != CLUSTER)


def key_range() -> str:
    """Return the keys of the other panes for a footer, such as `5-0`; `v` when there are none."""
    keys = [pane.key for pane in other_panes() if pane.key]
    return f"{keys[0]}-{keys[-1]}" if len(keys) > 1 else next(iter(keys), "v")
