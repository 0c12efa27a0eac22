"""What a talk shows elsewhere: to its speaker's second terminal, and to the room's browsers. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lab.lesson.notes import notes_markdown
from lab.session.talk.talk_views import BoardView, NotesView, describe_cluster
from lab.tui.chrome import fill_text
from lab.tui.pane_picture import pane_svg
from lab.tui.spans import format_stamp
from lab.tui.talk.slide import command_of, first_sentences
from lab.tui.talk.talk_state import TalkState

COMMANDS = 60
"""Commands that the board lists, the last ones."""


def notes_view(s: TalkState) -> NotesView:
    """Return what the speaker's second terminal shows; times in whole seconds, so that it changes once a second."""
    step, out = s.slide.step, s.omission
    offer = f"leave out {s.talk.slides[out.place].step.title} ({format_stamp(out.saves, False)})" if out else ""
    return NotesView(
        place=s.place,
        count=len(s.times),
        title=fill_text(s.ui, step.title),
        notes=fill_text(s.ui, notes_markdown(step.notes)),
        next_title="" if s.next is None else fill_text(s.ui, s.talk.slides[s.next].step.title),
        phase=s.phase,
        gone=float(int(s.gone)),
        here=float(int(s.here)),
        slot=s.slot,
        late=float(int(s.forecast.late)),
        live=s.status.live,
        auto=s.auto,
        trouble=s.status.trouble or ("the step takes longer than forecast" if s.status.overdue else ""),
        offer=offer,
        cluster=describe_cluster(s.world),
    )


def board_view(s: TalkState, commands: Sequence[str]) -> BoardView:
    """Return what the room sees; `commands` are those that were run so far."""
    step = s.slide.step
    text = step.after if s.phase == "passed" and step.after else step.text
    return BoardView(
        place=s.place,
        count=len(s.times),
        talk=s.talk.title,
        lesson=s.slide.lesson.title,
        title=fill_text(s.ui, step.title),
        text=fill_text(s.ui, first_sentences(text)),
        command="" if s.phase == "read" else command_of(s),
        commands=tuple(commands[-COMMANDS:]),
        pane=s.view,
        picture=pane_svg(s.world, s.view) if s.world is not None and not s.black else "",
        live=s.status.live,
        black=s.black,
    )
