"""How the panes of `lab.panes` are drawn: a package for each, whose module `view` is a pure function from a world to
lines. It is imported when its pane is first looked at."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from lab.tui.spans import Line
    from lab.world.world import World


class PaneModule(Protocol):
    """What a pane's module `view` has. The cluster's pane has none: it is a widget, `lab.tui.cluster.widget`."""

    HELP: str

    def lines(self, world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
        """The pane of this world, `room` cells wide, of which `height` rows are seen at once; `now` is the journal's
        time, in seconds."""


def find_module(pane: str) -> PaneModule:
    """The module that draws the pane of that id."""
    return cast(PaneModule, import_module(f"{__name__}.{pane}.view"))
