"""The panes that can stand in the cluster's place, once: ids, titles, keys, and the sources that they need.

A new pane is a line here and a package `lab/tui/panes/ID` whose module `view` draws it (`lab.tui.panes.PaneModule`).
The keys, the footer, the help, the palette, the lessons' schema and the sources that run are derived from this table,
which imports nothing: lessons name panes without importing Textual.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pane:
    """`help` is the line beside its key; `needs` names the sources of `lab.watch.supervisor` that must run while it is
    seen. A pane without a key is reached by `v`, which lists them all, and by the palette."""

    id: str
    title: str
    key: str
    help: str
    needs: tuple[str, ...] = ()


CLUSTER = "reconciliation"
"""The pane that is there from the start; it is a widget of its own, `lab.tui.cluster.widget`."""

PANES: tuple[Pane, ...] = (
    Pane(CLUSTER, "Cluster", "2", "The cluster: what should run against what does"),
    Pane("mesh", "Mesh", "5", "The mesh: which node is asked, which replica answers", ("mesh",)),
    Pane("load", "Load", "6", "The load: requests at a rate, and how long they take"),
    Pane("certificates", "Certificates", "7", "The certificates that are served", ("certificates", "acme", "routes")),
    Pane("routes", "Routes", "8", "The routes, as Traefik knows them", ("routes",)),
    Pane("map", "Map", "9", "The map of what is deployed", ("routes",)),
    Pane("rollout", "Rollout", "0", "The update under way"),
)


def find_pane(id: object) -> Pane:
    """The pane of that id; for an id that is none, the cluster's."""
    return next((pane for pane in PANES if pane.id == id), PANES[0])


def other_panes() -> tuple[Pane, ...]:
    """All but the cluster's."""
    return tuple(pane for pane in PANES if pane.id != CLUSTER)


def key_range() -> str:
    """The keys of the other panes, for a footer: `5-0`; `v` where there are none."""
    keys = [pane.key for pane in other_panes() if pane.key]
    return f"{keys[0]}-{keys[-1]}" if len(keys) > 1 else next(iter(keys), "v")
