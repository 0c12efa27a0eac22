"""How the panes of `lab.panes` are drawn: one package each, whose module `view` is a pure function from a world to
lines. It is imported when its pane is first shown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from lab.tui.spans import Line
    from lab.world.world import World


class PaneModule(Protocol):
    """The interface of a pane's module `view`. The cluster pane has none: it is a widget, `lab.tui.cluster.widget`."""

    HELP: str

    def lines(self, world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
        """Return the pane's lines for this world, `room` cells wide, of which `height` rows are visible at once; `now`
        is the journal's time, in seconds."""


def find_module(pane: str) -> PaneModule:
    """Return the module that draws the pane with that id."""
    return cast(PaneModule, import_module(f"{__name__}.{pane}.view"))
