"""The stage: a talk on a projector, one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.tui.appearance import Appearance, keep_choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.lesson.talk import Talk
    from lab.session.talk.forecast import SlideTime
    from lab.session.talk.resume import Standing
    from lab.session.talk.talk_socket import TalkSocket
    from lab.session.talk.talk_stage import TalkStage


def present(
    talk: Talk,
    stage: TalkStage,
    times: Mapping[str, SlideTime],
    *,
    standing: Standing,
    keep: Callable[[Standing], object],
    slot: float,
    appearance: Appearance | None = None,
    typing: bool = True,
    hub: TalkSocket | None = None,
    board: TalkSocket | None = None,
) -> tuple[int, Mapping[str, SlideTime]]:
    """Show a talk until the speaker quits; return the exit code, and what each slide took that was gone through.

    `times` are the forecast's, by slide. `standing` is where the talk stands when it begins, and `keep` is called with
    where it stands from then on. `slot` is in seconds. Without `typing` a command stands there at once. `hub` passes
    the speaker's notes on to other terminals, `board` what the room sees. The caller closes the stage. An exception
    that broke the app is raised once the terminal is restored.
    """
    from lab.tui.run_app import prepare_terminal, run_app  # imports Textual: only once a screen is known to exist
    from lab.tui.talk.app import TalkApp

    prepare_terminal()
    app = TalkApp(
        talk,
        stage,
        times,
        standing=standing,
        keep=keep,
        slot=slot,
        appearance=appearance or Appearance(),
        keep_choice=keep_choice,
        typing=typing,
        hub=hub,
        board=board,
    )
    return run_app(app), app.taken
