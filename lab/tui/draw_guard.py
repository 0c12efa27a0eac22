"""A fault in the drawing of a view costs that view, and nothing else: a sentence stands in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ParamSpec

from lab import error_log
from lab.errors import LabError
from lab.tui.spans import Line, wrap

P = ParamSpec("P")
_kept: dict[str, str] = {}
"""Where the log of a fault is, by its words: a view is drawn many times a second."""


def draw_safely(draw: Callable[P, Iterable[Line]], *args: P.args, **more: P.kwargs) -> tuple[Line, ...]:
    """What `draw` draws; what went wrong with it when it raises."""
    try:
        return tuple(draw(*args, **more))
    except Exception as error:  # noqa: BLE001  a rim: a lab on a projector goes on with the views that it has
        return tuple(wrap([(sentence(error), "bad")], next((a for a in args if isinstance(a, int)), 60)))


def sentence(error: Exception, what: str = "this view could not be drawn") -> str:
    """What went wrong, and where the log is, which this writes."""
    said = f"{what}: {type(error).__name__}: {str(error)[:200]}"
    if said not in _kept:
        _kept[said] = _keep(error)
    return f"{said}; {_kept[said]}"


def _keep(error: Exception) -> str:
    try:
        return f"the log is {error_log.save_traceback(error)}"
    except (OSError, LabError) as why:
        return f"no log could be written ({why})"
