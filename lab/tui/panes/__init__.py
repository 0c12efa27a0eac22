"""The views that can stand in the cluster's place: each a module of that name, with a title, a help text, and a pure
function from a world to lines. A module is imported when its view is first looked at."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, cast, get_args

if TYPE_CHECKING:
    from lab.tui.spans import Line
    from lab.world.world import World

View = Literal["reconciliation", "mesh", "load", "certificates", "routes", "map", "rollout"]
VIEWS: tuple[View, ...] = get_args(View)

#: The key that shows a view, and its name, which is its module's TITLE.
KEYS: dict[View, str] = dict(zip(VIEWS, "2567890", strict=True))
NAMES: dict[View, str] = {
    "reconciliation": "Cluster",
    "mesh": "Mesh",
    "load": "Load",
    "certificates": "Certificates",
    "routes": "Routes",
    "map": "Map",
    "rollout": "Rollout",
}


class Drawn(Protocol):
    """What a view's module has. `reconciliation` has none: it is a widget, `lab.tui.reconcile`."""

    TITLE: str
    HELP: str

    def lines(self, world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
        """The view of this world, `room` cells wide, of which `height` rows are seen at once; `now` is the journal's
        time, in seconds."""


def find(view: View) -> Drawn:
    """The module of a view."""
    return cast(Drawn, import_module(f"{__name__}.{view}"))


def known(name: object) -> View:
    """The view of that name; for a name that is none, the reconciliation."""
    return next((view for view in VIEWS if view == name), "reconciliation")
