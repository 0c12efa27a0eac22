"""The command palette's contents: lessons, steps, panes, views, themes, and the actions of keys that work now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from lab import panes
from lab.tui.appearance import THEMES
from lab.tui.keys import working_keys
from lab.tui.ui_state import REGIONS, TITLES

if TYPE_CHECKING:
    from lab.tui.app import LabApp

Item = tuple[str, str, Callable[[], object]]


class LabCommands(Provider):
    """Offers only the commands that work now."""

    async def discover(self) -> Hits:
        for name, help, call in self._items():
            yield DiscoveryHit(name, call, help=help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, help, call in self._items():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), call, help=help)

    def _items(self) -> Iterator[Item]:
        app = cast("LabApp", self.app)
        s = app.ui
        shown: set[str] = set()
        for key in working_keys(s):
            if key.action not in shown and key.action.split("(")[0] not in ("palette", "leave", "pane", "view"):
                shown.add(key.action)
                yield key.help, f"key {key.show}", partial(app.run_action, key.action)
        if s.step is not None and s.step.run is not None:
            yield "Copy the step's command", "to the clipboard", partial(app.copy_to_clipboard, s.step.run)
        for region in REGIONS:
            if region != "cluster":
                yield f"Pane: {TITLES[region]}", "look at it", partial(app.action_region, region)
        for pane in panes.PANES:
            yield f"View: {pane.title}", "look at it", partial(app.action_view, pane.id)
        for place, step in enumerate(s.lesson.steps if s.lesson else ()):
            yield f"Step {place + 1}: {step.title}", "look at it", partial(app.turn_to, place)
        if not s.busy:
            for lesson in s.lessons:
                yield f"Lesson: {lesson.title}", f"{lesson.minutes} minutes", partial(app.open_lesson, lesson.id)
        for theme in THEMES:
            yield f"Theme: {theme}", "", partial(app.action_theme, theme)
        motion = ("Motion: off", "nothing is animated, nothing blinks") if app.moves else ("Motion: on", "")
        yield *motion, app.action_motion
