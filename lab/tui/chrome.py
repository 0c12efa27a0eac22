"""The lines around the panes: header, tabs, step card, banner and speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator

from lab.lesson.hints import describe_taken
from lab.panes import key_range
from lab.schema.template import fill, placeholders
from lab.tui.spans import Line, Span, Tone, clip, fit, format_stamp, width, wrap, wrap_command
from lab.tui.ui_state import REGIONS, UiState

#: The most problems of a lesson's file that are shown.
_MOST_PROBLEMS = 3


def header(s: UiState, room: int) -> tuple[Line]:
    """Return one line: the source of the data, the lesson, the current step and the time left."""
    badge = _badge(s)
    name = s.lesson.title if s.lesson else "swarmlab"
    source = s.title.removeprefix("REPLAY").strip(" ·")
    left: list[Span] = [badge, (f" {name}", "head")]
    right = (*_where(s), *_clock(s, room))
    if source and width(left) + len(source) + width(right) + 6 < room:
        left.append((f"  {source}", "quiet"))
    return (fit(tuple(left), right, room),)


def _badge(s: UiState) -> Span:
    silent = max(0.0, s.now - s.world.linked_at) if s.world else 0.0
    return {
        "starting": (" ◌ STARTING ", "replay"),
        "reading": (" ◇ READING ", "replay"),
        "replay": (f" ▶ REPLAY {format_stamp(s.now, False)} ", "replay"),
        "live": (" ● LIVE ", "live"),
        "stale": (f" ▲ STALE for {silent:.0f} s ", "stale"),
        "none": (" ■ NO CLUSTER ", "stale"),
    }[s.link]  # type: ignore[return-value]


def _where(s: UiState) -> Line:
    if s.lesson is None:
        return ()
    where = "start" if s.page < 0 else "end" if s.page >= s.count else f"step {s.page + 1}/{s.count}"
    return (f" {where} ", "strong"), ("  ", "")


def _clock(s: UiState, room: int) -> Line:
    if s.lesson is None:
        return ()
    text, late = time_left(s)
    text = f" {text} {'over' if late else 'left'} "
    spent = f"{format_stamp(s.elapsed, False)} gone  " if room >= 100 else ""
    return (spent, "quiet"), (text, "stale" if late else "strong")


def large_count(s: UiState) -> str:
    """Return the step number and the number of steps, such as `2/7`."""
    return f"{max(0, min(s.page + 1, s.count))}/{s.count}"


def time_left(s: UiState) -> tuple[str, bool]:
    """Return how much of the lesson's time is left, or by how much it is over, and whether it is over."""
    left = (s.lesson.minutes * 60 if s.lesson else 0) - s.elapsed
    return format_stamp(abs(left), False), left < 0


def tabs(s: UiState, room: int) -> tuple[Line, ...]:
    """Return the panes' names where one pane is shown at a time and, outside the lesson, the step in one line."""
    if not s.single:
        return ()
    names: list[Span] = []
    for region in REGIONS:
        here = region == s.region
        key, name = s.key_and_title(region)
        names.append((f" {key} {'[' if here else ' '}{name}{']' if here else ' '}", "tab" if here else "quiet"))
    more: Line = ((f"{key_range()} views ", "quiet"),)
    line = fit(tuple(names), more if width(names) + width(more) < room else (), room)
    return (line, _brief(s, room)) if s.step is not None and s.region != "lesson" else (line,)


def _brief(s: UiState, room: int) -> Line:
    if s.step is None:
        return (("", ""),)
    marks = "".join(mark for mark, _, _, _ in checks(s))
    state = s.step_state(s.page)
    tone: Tone = "bad" if state == "failed" else "run" if state == "passed" else "move" if state else "quiet"
    head: Line = ((f" {s.page + 1}/{s.count} ", "strong"), (f"{s.step.title} ", ""))
    return fit(head, ((f"{marks} ", tone), (f"{state or 'to do'} ", tone)), room)


def fill_text(s: UiState, text: str) -> str:
    """Return the text with its captured values; one that is not known yet appears as `‹name›`."""
    known = s.world.lesson.captured if s.world else {}
    return fill(text, {name: known.get(name, f"‹{name}›") for name in placeholders(text)})


def checks(s: UiState) -> Iterator[tuple[str, str, str, Tone]]:
    """Yield, for each check of the current step, its mark, its text, the finding while it does not hold, and a tone."""
    step, world = s.step, s.world
    if step is None or s.lesson is None or world is None:
        return
    state = s.step_state(s.page)
    for place, check in enumerate(step.checks):
        verdict = world.lesson.verdicts.get((s.lesson.id, step.id, place))
        asks = fill_text(s, verdict.text if verdict else check.sentence)
        if verdict is not None and verdict.ok:
            yield "✔", asks, "", "run"
        elif state == "passed" and verdict is None and not s.reading:
            continue  # It passed by another way than the step's own command, whose exit status nobody asked for.
        elif state == "failed" and verdict is not None:
            yield "✘", asks, verdict.why_at(verdict.at), "bad"
        elif state == "running":
            yield "…", asks, verdict.why_at(s.now) if verdict and verdict.phase == "after" else "", "move"
        else:
            # The page is open: what was found since is worth saying, what was found when it was opened is not.
            found = verdict is not None and verdict.phase == "after"
            yield "○", asks, verdict.why_at(s.now) if verdict is not None and found else "", "quiet"


def findings(s: UiState) -> list[str]:
    """Return what the current step's checks that do not hold have found, as hints are matched with it."""
    step, lesson, world = s.step, s.lesson, s.world
    if step is None or lesson is None or world is None:
        return []
    every = (world.lesson.verdicts.get((lesson.id, step.id, place)) for place in range(len(step.checks)))
    failed = s.step_state(s.page) == "failed"
    return [v.why for v in every if v is not None and not v.ok and (failed or v.phase == "after")]


def step_card(s: UiState, room: int) -> tuple[Line, ...]:
    """Return the current step's card: its command, what must then be true, and the result so far."""
    step = s.step
    if step is None or s.world is None or s.leaves:
        return ()
    state, record = s.step_state(s.page), s.record(s.page)
    where = f"on {fill_text(s, step.on)}" if step.on else ""
    lines: list[Line] = [fit(((_command_head(s), "quiet"),), ((where, "quiet"),), room)]
    if step.your_turn:
        words = "make it so, in any way you like." if s.live or s.reading else "the recording shows one way."
        lines += wrap([("Your turn: ", "strong"), (words, "")], room, (("» ", "lab"),))
    elif step.run is not None:
        lines += wrap_command(fill_text(s, step.run), room, (("$ ", "lab"),))
    else:
        lines += wrap([(fill_text(s, step.sentence), "code")], room, (("» ", "lab"),))
    lines.append(())
    if s.keeps_back:
        lines += wrap([("What must then be true is shown once you have answered the question.", "quiet")], room)
    for mark, asks, why, tone in () if s.keeps_back else checks(s):
        lines += wrap([(asks, "" if tone != "quiet" else "quiet")], room, ((f"{mark} ", tone),))
        if why:
            lines += wrap([(why, "quiet" if tone in ("move", "quiet") else "why")], room, (("  ", ""),))
    lines += _outcome(s, state, record.why if record else "", room)
    if s.taken:
        lines += wrap([(f"{describe_taken(s.taken)}.", "quiet")], room, (("  ", ""),))
    return tuple(lines)


def _command_head(s: UiState) -> str:
    if s.step is not None and s.step.run is None:
        return "you do this" if s.step.your_turn else "the lab does this"
    if s.reading:
        return "this runs"
    state, record = s.step_state(s.page), s.record(s.page)
    if state == "passed" and record is not None and record.ended == record.began:
        return "one way to do it"  # It passed by another, or in an earlier run.
    return {"running": "running", "passed": "ran", "failed": "ran", "stopped": "was stopped"}.get(state, "this runs")


def _outcome(s: UiState, state: str, why: str, room: int) -> Iterator[Line]:
    record = s.record(s.page)
    if state == "running" and s.step is not None:
        since = max(0.0, s.now - record.began) if record else 0.0
        yield ((f"… {since:.0f} s so far, at most {s.step.bound:.0f} s", "move"),)
        if s.step.your_turn and s.live:
            yield ("t", "lab"), (" types into the shell.", "")
    elif state == "passed" and record is not None and record.ended is not None:
        took = record.ended - record.began
        # One that the lab did not run has no duration: its first line says what did it.
        first, _, rest = ("", "", why) if took else why.partition("\n")
        done = f"Done in {took:.1f} s." if took else first or "Done."
        yield from wrap([(done, "run")], room, (("✔ ", "run"),))
        if rest:
            yield from wrap([(rest, "strong")], room, (("» ", "lab"),))
    elif state == "failed":
        yield from wrap([("Not done: " if why else "Not done.", "bad"), (why, "why")], room, (("✘ ", "bad"),))
        again = "r puts the cluster back first" if s.live else "r winds the recording back"
        yield from wrap([(f"Enter tries again; {again}.", "strong")], room, (("  ", ""),))
    elif state == "stopped":
        yield (("■ Stopped before its end. Enter runs it again.", "move"),)


def banner(s: UiState, room: int) -> tuple[Line, ...]:
    """Return the news above all panes: a cluster being created or ready to use, a silent engine, a notice."""
    lines: list[Line] = []
    if s.offer:
        text = f"Your cluster is ready: {s.offer}. Press L to take this lesson on it."
        lines += wrap([(text, "strong")], room, ((" ● ", "run"),))
    elif (s.making or s.busy) and s.progress is not None:
        lines.append(_progress(s, room))
    if s.link in ("stale", "none") and s.world is not None:
        silent = s.now - s.world.linked_at
        words = s.world.link.why or "no manager answers"
        gone = "What you see is old" if s.world.swarm.nodes else "Nothing has been seen yet"
        lines += wrap([(f"{gone} ({silent:.0f} s): {words}. The lab keeps retrying.", "bad")], room, ((" ▲ ", "bad"),))
    elif s.outdated:
        told = "Here no manager answered: what you see of the swarm is old."
        lines += wrap([(told, "bad")], room, ((" ▲ ", "bad"),))
    if s.drift:
        lines += wrap([(s.drift, "note")], room, ((" » ", "note"),))
    lines += _problems(s, room)
    if s.notice:
        tone: Tone = "bad" if s.trouble else "note"
        lines += wrap([(s.notice, tone)], room, ((" ✘ " if s.trouble else " » ", tone),))
    return tuple(lines)


def _problems(s: UiState, room: int) -> Iterator[Line]:
    """Yield what is wrong with the lesson's file, or for what it waits, and what is shown meanwhile."""
    for problem in s.problems[:_MOST_PROBLEMS]:
        yield from wrap([(problem, "bad")], room, ((" ✘ ", "bad"),), (("   ", ""),))
    if s.problems:
        more = len(s.problems) - _MOST_PROBLEMS
        shown = (
            "What you see is the last version without a mistake." if s.lesson is not None else "Nothing is shown yet."
        )
        words = f"and {more} more. {shown}" if more > 0 else shown
        yield from wrap([(words, "note")], room, ((" » ", "note"),))
    if s.save_waits:
        what = {"step": "the step", "reset": "the reset"}.get(s.busy, "the saving of the cluster")
        words = f"The file was saved. The new version is shown once {what} has ended."
        yield from wrap([(words, "note")], room, ((" » ", "note"),))


def _progress(s: UiState, room: int) -> Line:
    made = s.progress
    if made is None:
        return ()
    bar: Line = ()
    if made.done is not None:
        full = round(max(0.0, min(1.0, made.done)) * 16)
        bar = ((f"{'━' * full}{'╌' * (16 - full)} {made.done * 100:3.0f} % ", "move"),)
    return fit(((" ◑ ", "move"), (made.stage, "strong"), (f": {made.text}", "")), bar, room)


def notes(s: UiState, room: int) -> tuple[Line, ...]:
    """Return the speaker's notes for this page, as prose."""
    from lab.tui.lesson.markdown import render_markdown  # not needed for the first paint

    given = s.step.notes if s.step is not None else None
    text = (given if isinstance(given, str) else given.markdown) if given else "No notes for this page."
    return tuple(clip(line, room) for line in render_markdown(fill_text(s, text), room))
