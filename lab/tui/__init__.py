"""The terminal app, and the only package that imports Textual."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.tui.appearance import Appearance, keep_choice

if TYPE_CHECKING:
    from lab.cluster.model import Report
    from lab.session import Stage
    from lab.session.draft import Saved


def tune_interpreter() -> None:
    """Set the interpreter up for an app that is to obey keys at once while output floods in."""
    # Busy threads (such as one that scans a flood of output for secrets) yield to the keys sooner than by default.
    sys.setswitchinterval(0.001)
    # Output makes thousands of cells, none of them garbage: the collector looks at them seven times less often.
    gc.set_threshold(5_000)


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

    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]  # no-color.org: an empty one asks for nothing; Textual takes it for set
    tune_interpreter()
    app = LabApp(
        stage, bring_up=bring_up, lesson=lesson, live=live, appearance=appearance, keep=keep_choice, reload=reload
    )
    try:
        app.run()
    finally:
        app.close_stages()
    if app.broken is not None:
        raise app.broken
    code = app.return_code or 0
    if app.at_work:
        # A thread is still waiting and missed the request to end. A normal interpreter exit would stop it wherever it
        # is, which aborts the process if that is native code; this thread has nothing left to do.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
