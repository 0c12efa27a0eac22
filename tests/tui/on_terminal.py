"""`python -m tests.tui.on_terminal HOW`: the app on the terminal it is started on, with a stage of the tests.

plain: as it is · crash: g breaks it · making: a cluster is made that waits and hears nothing.
"""

from __future__ import annotations

import sys
import threading

import lab.cli
from lab.cluster.model import Progress, Report
from lab.tui import launch
from lab.tui.app import LabApp
from tests.tui.fake import FakeStage


def deaf(report: Report) -> FakeStage:
    """A making that waits for something, and tells nothing meanwhile."""
    report(Progress("machines", "waiting for node1"))
    threading.Event().wait()
    raise AssertionError


def broken(app: LabApp) -> None:
    """An action with a fault."""
    secret = "what only the program knows"  # noqa: F841  a traceback with local values would show it
    raise ValueError("a fault of the program")


def main(how: str) -> int:
    """Run it as the command line runs it."""
    if how == "crash":
        LabApp.action_notes = broken  # type: ignore[assignment,method-assign]
    stage = FakeStage(live=how == "plain")
    sys.modules["lab.cli.start"].start = lambda *_: launch(  # type: ignore[attr-defined]
        stage, bring_up=deaf if how == "making" else None
    )
    return lab.cli.main([])


if __name__ == "__main__":
    import lab.cli.start

    sys.exit(main(sys.argv[1]))
