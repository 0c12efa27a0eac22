"""Limits a fault in drawing a view to that view: a sentence is shown instead of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ParamSpec

from lab import error_log
from lab.errors import LabError
from lab.tui.spans import Line, wrap

P = ParamSpec("P")
_kept: dict[str, str] = {}
"""Where each fault was logged, by its message, so that it is logged once: a view is drawn many times a second."""


def draw_safely(draw: Callable[P, Iterable[Line]], *args: P.args, **more: P.kwargs) -> tuple[Line, ...]:
    """Return what `draw` draws, or a sentence about the error when it raises."""
    try:
        return tuple(draw(*args, **more))
    except Exception as error:  # noqa: BLE001  boundary: on a projector, the lab goes on with its other views
        return tuple(wrap([(sentence(error), "bad")], next((a for a in args if isinstance(a, int)), 60)))


def sentence(error: Exception, what: str = "this view could not be drawn") -> str:
    """Log the error, and return a sentence on what went wrong and where the log is."""
    said = f"{what}: {type(error).__name__}: {str(error)[:200]}"
    if said not in _kept:
        _kept[said] = _keep(error)
    return f"{said}; {_kept[said]}"


def _keep(error: Exception) -> str:
    try:
        return f"the log is {error_log.save_traceback(error)}"
    except (OSError, LabError) as why:
        return f"no log could be written ({why})"
