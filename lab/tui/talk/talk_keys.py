"""The keys of the stage, which a presenter's remote sends as well: defined once for the bindings, the footer and the
help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.tui.spans import Line, Span, width, wrap
from lab.tui.talk.talk_state import TalkState


@dataclass(frozen=True)
class TalkKey:
    """Keys, the action they run, what the footer calls it, and when they work. `remote`: other terminals that show the
    speaker's notes may press it."""

    keys: str
    action: str
    show: str
    label: Callable[[TalkState], str]
    help: str
    when: Callable[[TalkState], bool]
    remote: bool = True


def _on(s: TalkState) -> bool:
    return not s.at_shell


def _next_label(s: TalkState) -> str:
    if s.phase == "read":
        return "do it" if s.slide.step.act is not None else "command"
    if s.phase in ("typing", "typed"):
        return "run"
    if s.phase == "failed":
        return "try again"
    return "next" if s.next is not None else "end"


def _always(words: str) -> Callable[[TalkState], str]:
    return lambda _: words


_RECORDING = "Go on with the recording of this step; the next one is live again, if the cluster answers"

TALK_KEYS: tuple[TalkKey, ...] = (
    TalkKey("", "", "Esc Esc", _always("back to the talk"), "Twice: back to the talk", lambda s: s.at_shell, False),
    TalkKey(
        "pagedown,enter,space,right,n",
        "next",
        "PgDn",
        _next_label,
        "On: the command is typed, then run, then the next step",
        lambda s: _on(s) and not s.busy,
    ),
    TalkKey(
        "pageup,left,p,backspace",
        "back",
        "PgUp",
        _always("back"),
        "Back a step; the cluster goes back too",
        lambda s: _on(s) and (s.phase not in ("read", "running") or s.before is not None) and not s.busy,
    ),
    TalkKey(
        "r",
        "recording",
        "r",
        _always("recording"),
        _RECORDING,
        lambda s: _on(s) and (s.wants or (s.status.live and s.phase in ("running", "failed"))),
    ),
    TalkKey(
        "o",
        "leave_out",
        "o",
        _always("leave out"),
        "Leave out the step that the lab proposes, so that the talk ends in its slot",
        lambda s: _on(s) and s.omission is not None,
    ),
    TalkKey("b,full_stop", "black", "b", _always("black"), "Black screen; again: back", _on),
    TalkKey(
        "slash,j",
        "jump",
        "/",
        _always("jump"),
        "A list of the steps, to go to one",
        lambda s: _on(s) and not s.busy,
        False,
    ),
    TalkKey(
        "exclamation_mark,t",
        "shell",
        "!",
        _always("shell"),
        "Type into the real shell",
        lambda s: _on(s) and s.status.live and not s.busy,
        False,
    ),
    TalkKey(
        "a",
        "auto",
        "a",
        lambda s: "auto off" if s.auto else "auto on",
        "By itself: a step that fails or is late goes on with its recording",
        _on,
    ),
    TalkKey(
        "ctrl+c", "stop", "", _always(""), "Stop the step that runs", lambda s: _on(s) and s.phase == "running", False
    ),
    TalkKey("d", "theme", "", _always(""), "The next theme of dark, light and colour-blind", _on, False),
    TalkKey("question_mark,f1", "help", "?", _always("help"), "This help", _on, False),
    TalkKey("q", "quit", "q q", _always("quit"), "Twice: end the talk", _on, False),
)


def works(s: TalkState, action: str) -> bool:
    """Whether an action may run now; one without a key may at any time."""
    mine = [key for key in TALK_KEYS if key.action == action]
    return not mine or any(key.when(s) for key in mine)


def remote_actions() -> frozenset[str]:
    """Return the actions that another terminal with the speaker's notes may ask for."""
    return frozenset(key.action for key in TALK_KEYS if key.remote and key.action)


def footer(s: TalkState, room: int) -> tuple[Line]:
    """Return the keys that work now, as many as fit."""
    line: list[Span] = []
    for key in TALK_KEYS:
        if key.show and key.when(s):
            item: Line = ((f" {key.show} ", "key"), (f"{key.label(s)}  ", "quiet"))
            if width((*line, *item)) > room:
                break
            line += item
    return (tuple(line),)


_NAMES = {"question_mark": "?", "slash": "/", "full_stop": ".", "exclamation_mark": "!", "pagedown": "PageDown",
          "pageup": "PageUp", "ctrl+c": "Ctrl+C"}  # fmt: skip


def help_lines(room: int) -> Iterator[Line]:
    """Yield every key with what it does."""
    for key in TALK_KEYS:
        names = [_NAMES.get(name, name if len(name) == 1 else name.title()) for name in key.keys.split(",") if name]
        yield from wrap([(key.help, "")], room, ((f"{' '.join(names) or key.show:>30}  ", "lab"),))
