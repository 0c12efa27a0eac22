"""The terminal app, and the only package that imports Textual."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.tui.appearance import Appearance, keep_choice

if TYPE_CHECKING:
    from lab.cluster.model import Report
    from lab.session import Stage
    from lab.session.draft import Saved


def launch(
    stage: Stage | Callable[[], Stage],
    *,
    bring_up: Callable[[Report], object] | None = None,
    lesson: str = "",
    live: bool = False,
    appearance: Appearance | None = None,
    reload: Callable[[], Saved | None] | None = None,
) -> int:
    """Show a stage until the user quits, and return the exit code.

    A callable `stage` is called after the first paint, so that loading lessons does not delay it; until then, `live`
    tells the header which kind of stage to announce. `bring_up`, if given, creates a cluster in the background and
    returns a live stage, which is offered when it is ready; if the user quits first, its report raises Cancelled.
    `lesson` is opened first; "" means the first lesson. `appearance` is by default dark, and moves; what the user
    chooses instead is saved. `reload`, if given, is called again and again for what was saved of
    the stage's lesson, or None; it goes with a callable `stage`, which shows a lesson to read if it is not live.

    The caller closes a stage that it passed in; one that the app made or received is closed here. Work that does not
    end soon after the app is not waited for: the process then exits here. If a signal ends the app, the exit code is
    128 + signal. An exception that broke the app is raised once the terminal is restored.
    """
    from lab.tui.app import LabApp  # imports Textual: only once a screen is known to exist
    from lab.tui.run_app import end_at_once, prepare_terminal, run_app

    prepare_terminal()
    app = LabApp(
        stage, bring_up=bring_up, lesson=lesson, live=live, appearance=appearance, keep=keep_choice, reload=reload
    )
    try:
        code = run_app(app)
    finally:
        app.close_stages()
    if app.at_work:
        end_at_once(code)
    return code
