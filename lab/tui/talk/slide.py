"""A slide as lines: where the talk is, the step's title and text, its command as it is typed, and how it went."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.terminal.sanitize import visible
from lab.tui.chrome import checks, fill_text
from lab.tui.lesson.markdown import render_markdown
from lab.tui.spans import Line, Span, Tone, fit, format_stamp, wrap, wrap_command
from lab.tui.talk.talk_state import TalkState

SENTENCES = 2
"""Sentences of a text that are shown: one thought at a time."""
_GUESS = re.compile(r"^You said \S+ ")
"""The learner's own number before what was measured: it is in a recording, and nobody in the room has said it."""
_TALL = 4
"""A command of more lines is packed once it runs: the pane needs the room."""
_CONTINUED = re.compile(r" \\\n *")
_END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z`*\"(0-9])")


def first_sentences(text: str, most: int = SENTENCES) -> str:
    """Return the first sentences of a text's first paragraph. A list or a block of code is left out."""
    paragraph = next((part for part in re.split(r"\n\s*\n", text.strip()) if not re.match(r"[-*`#>|\d]", part)), "")
    said = _END.split(" ".join(paragraph.split()))[:most]
    return " ".join(said).rstrip(":") + ("." if said and said[-1].endswith(":") else "")


def status_line(s: TalkState, room: int) -> tuple[Line]:
    """Return one line: live or REPLAY, which slide of how many, and when the talk will end as it is now."""
    left: list[Span] = [_badge(s), (f" {s.place + 1}/{len(s.times)} ", "strong"), (s.slide.lesson.title, "quiet")]
    return (fit(tuple(left), tuple(_clock(s, room)), room),)


def _badge(s: TalkState) -> Span:
    if not s.status.live:
        return f" ▶ REPLAY {format_stamp(s.now, False)} ", "replay"
    if s.ui.link in ("stale", "none"):
        return " ▲ NO ANSWER ", "stale"
    return " ● LIVE ", "live"


def _clock(s: TalkState, room: int) -> Iterator[Span]:
    ends = s.forecast
    if room >= 70:
        yield f"{format_stamp(ends.gone, False)} gone  ", "quiet"
    left = ends.slot - ends.gone
    yield f"{format_stamp(abs(left), False)} {'left' if left >= 0 else 'over'}  ", "strong"
    tone: Tone = "stale" if ends.late > 0 else "live"
    yield f" ends {format_stamp(abs(ends.late), False)} {'late' if ends.late > 0 else 'early'} ", tone


def heading(s: TalkState, room: int) -> tuple[Line, ...]:
    """Return the step's title, and its first sentences; once it has passed, those on what was to be seen."""
    step = s.slide.step
    lines: list[Line] = [(), *wrap([(fill_text(s.ui, step.title), "name")], room - 4, (("  ", ""),))]
    lines.append(((f"  {'━' * min(room - 4, 24)}", "name"),))
    text = step.after if s.phase == "passed" and step.after else step.text
    lines += [(("  ", ""), *line) for line in render_markdown(fill_text(s.ui, first_sentences(text)), room - 4)]
    if s.phase == "read" and step.question is not None:
        lines.append(())
        lines += wrap([(fill_text(s.ui, step.question.text), "lab")], room - 4, (("  ? ", "lab"),))
    return (*lines, ())


def command(s: TalkState, room: int) -> tuple[Line, ...]:
    """Return the command as far as it was typed, or what the lab does itself."""
    text = command_of(s)
    if s.phase == "read" or not text:
        return ()
    shown = text if s.phase != "typing" else text[: s.typed]
    sign: Line = (("  » ", "lab"),) if s.slide.step.act is not None else (("  $ ", "lab"),)
    shown = "\n".join(map(visible, shown.split("\n")))
    lines = list(wrap_command(shown, room - 4, sign))
    if len(lines) > _TALL and s.phase in ("running", "passed", "failed"):
        lines = list(wrap_command(_CONTINUED.sub(" ", shown), room - 4, sign))
    if s.phase in ("typing", "typed"):
        lines[-1] = (*lines[-1], ("▏", "lab"))
    return tuple(lines)


def command_of(s: TalkState) -> str:
    """Return what is typed on this slide, with its values, or the act in words."""
    step = s.slide.step
    return fill_text(s.ui, step.act.sentence if step.act is not None else step.command or "").rstrip("\n")


def outcome(s: TalkState, room: int) -> tuple[Line, ...]:
    """Return how the step stands: its checks while it runs, what was measured once it has passed, why it failed."""
    lines: list[Line] = []
    record = s.record
    if s.phase == "running":
        for mark, asks, why, tone in checks(s.ui):
            lines.append(fit(((f"  {mark} ", tone), (asks, ""), (f"  {why}", "quiet")), (), room))
    elif s.phase == "passed" and record is not None:
        took = (record.ended or record.began) - record.began
        first, *rest = (record.why or "").split("\n")
        lines += wrap([(f"Done in {took:.0f} s." if took else "Done.", "run")], room - 2, (("  ✔ ", "run"),))
        for words in (_GUESS.sub("", first), *rest):
            lines += wrap([(words, "strong")], room - 2, (("  » ", "lab"),)) if words else []
    elif s.phase == "failed":
        lines += wrap([(f"Not done: {s.status.trouble}", "bad")], room - 2, (("  ✘ ", "bad"),))
    return tuple(lines[:4])


def strip(s: TalkState, room: int) -> tuple[Line, ...]:
    """Return what the speaker must know now, above the keys: nothing when all goes well."""
    lines: list[Line] = []
    if s.status.overdue and s.phase == "running":
        lines += wrap(
            [("This takes longer than forecast. r goes on with its recording.", "bad")], room, ((" ▲ ", "bad"),)
        )
    elif s.wants:
        text = f"{s.status.doing or 'the cluster is being prepared'}; r goes on with the recording"
        lines += wrap([(text[0].upper() + text[1:] + ".", "note")], room, ((" ◑ ", "move"),))
    elif s.phase == "failed":
        else_ = "r goes on with the recording" if s.status.live else "/ goes to another step"
        lines += wrap([(f"Enter tries again; {else_}.", "strong")], room, ((" » ", "note"),))
    out = s.omission
    if out is not None:
        title = s.talk.slides[out.place].step.title
        ends = f"ends {format_stamp(abs(out.late), False)} {'late' if out.late > 0 else 'early'} then"
        saves = f"saves {format_stamp(out.saves, False)}, {ends}"
        lines += wrap([(f"o leaves out slide {out.place + 1}, {title}: {saves}.", "note")], room, ((" » ", "note"),))
    if s.notice:
        lines += wrap([(s.notice, "note")], room, ((" » ", "note"),))
    return tuple(lines[:3])
