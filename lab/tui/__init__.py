"""The app on the terminal. The only room that imports textual."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lab.cluster.model import Report
    from lab.session import Stage


def launch(
    stage: Stage | Callable[[], Stage],
    *,
    bring_up: Callable[[Report], object] | None = None,
    lesson: str = "",
    live: bool = False,
    theme: Literal["dark", "light"] = "dark",
) -> int:
    """Show a stage until the user quits; the answer is an exit code.

    A callable `stage` is called after the first paint, so that loading lessons does not delay it; `live` says
    what it will be, for the header meanwhile. `bring_up`, if
    given, makes a cluster behind the app and answers with a live stage, which is offered when it is there; when the
    app is left before, its report raises Cancelled. `lesson` is opened first, the first one when it is "".
    Whoever gave a stage closes it; one that the app made or took is closed here. What does not end soon after the app
    is not waited for: then the process ends here. A signal that ends the app makes it
    128 + signal. What broke the app is raised, once the terminal is the shell's again.
    """
    from lab.tui.app import LabApp  # imports Textual: not before it is known that there is a screen

    # Threads that work (a flood of output is looked through for secrets) give way to the keys sooner than by default.
    sys.setswitchinterval(0.001)
    app = LabApp(stage, bring_up=bring_up, lesson=lesson, live=live, theme=theme)
    try:
        app.run()
    finally:
        app.close_stages()
    if app.broken is not None:
        raise app.broken
    code = app.return_code or 0
    if app.at_work:
        # Something waits on and heard nothing of the end. The interpreter's own end would tear its thread out of
        # whatever it is in, which in other languages' code is an abort; nothing is left that this one has to do.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
