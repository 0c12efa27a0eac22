"""The keys, defined once for the footer, the help and the bindings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from lab import panes
from lab.tui.spans import Line, Span, width, wrap
from lab.tui.ui_state import UiState


@dataclass(frozen=True)
class Key:
    """Keys, the action they run, and when they work. `show` and `label` appear in the footer, ordered by `rank`."""

    keys: str
    action: str
    show: str
    label: str
    help: str
    when: Callable[[UiState], bool]
    rank: int = 5


def _out(s: UiState) -> bool:
    return not s.typing


def _idle(s: UiState) -> bool:
    return s.ready and s.lesson is not None and not s.busy and not s.typing


def _at(*states: str) -> Callable[[UiState], bool]:
    return lambda s: _idle(s) and s.step is not None and s.step_state(s.page) in states and not (s.waits or s.reading)


def _your_turn(s: UiState) -> bool:
    return _idle(s) and s.step is not None and s.step_state(s.page) != "passed" and s.waits


def _readable(s: UiState) -> bool:
    return _idle(s) and s.step is not None and s.step_state(s.page) != "passed" and s.reading


def _is_passed(s: UiState) -> bool:
    return _idle(s) and s.step is not None and s.step_state(s.page) == "passed"


def _can_begin(s: UiState) -> bool:
    return _idle(s) and s.page < 0


def _can_leap(s: UiState) -> bool:
    return _idle(s) and s.page >= s.count and s.next_lesson is not None


def _has_quiz(s: UiState) -> bool:
    return _idle(s) and s.page >= s.count and s.lesson is not None and bool(s.lesson.quiz)


def _stoppable(s: UiState) -> bool:
    return _out(s) and s.busy == "step"


def _has_offer(s: UiState) -> bool:
    return _out(s) and bool(s.offer) and not s.busy


def _loadable(s: UiState) -> bool:
    return _out(s) and s.ready and s.live and s.in_sight == "load"


def _has_failures(s: UiState) -> bool:
    return _out(s) and s.in_sight == "load" and s.world is not None and bool(s.world.load.failures)


def _hintable(s: UiState) -> bool:
    from lab.tui.lesson.hints import next_hint  # not needed for the first paint

    return _out(s) and next_hint(s) is not None


def _undoable(s: UiState) -> bool:
    return _idle(s) and not s.reading and (s.live or s.last_step is not None)


def _choosable(s: UiState) -> bool:
    return _out(s) and bool(s.lessons) and not s.busy


_NEXT = "Look at the next step"
_BACK = "Look at the step before"
_END = "Show the step as it is once it has passed; nothing runs"
_QUIZ = "Check yourself: a few questions on this lesson"
_RESET = "Put the cluster back to the start of the step or the lesson"
_UNDO = "Take back the last step, or what was typed since: the cluster as it was before (a replay winds back)"
_FIND = "Search what the terminal printed; n and N go further up and down"
_SEARCH = "Find in the lessons: titles, terms and commands"
_NOTES = "The speaker's notes, the step and the time left in large"
_START = "Make load: requests that do not wait for each other's answers"
_HELP = "This help, for what has the focus"

_OF_THE_LESSON = (
    Key("", "leave", "Esc Esc", "leave the terminal", "Twice: leave the terminal", lambda s: s.typing, 0),
    Key("ctrl+c", "stop", "^C", "stop the step", "Stop the step that runs", _stoppable, 0),
    Key("L", "go_live", "L", "go live", "Take this lesson on the cluster that is ready", _has_offer, 0),
    Key("enter,space", "go", "Enter", "begin", "Begin the lesson", _can_begin, 1),
    Key("enter,space", "go", "Enter", "run the step", "Run the step's command", _at("", "stopped"), 1),
    Key("enter,space", "go", "Enter", "try again", "Run the step's command again", _at("failed"), 1),
    Key("enter,space", "go", "Enter", "your turn", "Begin your turn: the lab waits until it is so", _your_turn, 1),
    Key("enter,space", "go", "Enter", "show its end", _END, _readable, 1),
    Key("enter,space", "go", "Enter", "go on", "Go on to the next step", _is_passed, 1),
    Key("enter,space", "go", "Enter", "next lesson", "Open the next lesson", _can_leap, 1),
    Key("c", "quiz", "c", "check yourself", _QUIZ, _has_quiz, 2),
    Key("n,right", "turn(1)", "n", "next", _NEXT, lambda s: _out(s) and s.lesson is not None and s.page < s.count, 3),
    Key("p,left", "turn(-1)", "p", "back", _BACK, lambda s: _out(s) and s.lesson is not None and s.page > -1, 3),
    Key("r", "reset", "r", "reset", _RESET, lambda s: _idle(s) and s.live, 4),
    Key("r", "reset", "r", "wind back", "Wind the recording back", lambda s: _idle(s) and s.link == "replay", 4),
    Key(
        "r",
        "reset",
        "r",
        "from the start",
        "Show the steps as before they have passed",
        lambda s: _idle(s) and s.reading,
    ),
    Key("u", "undo", "u", "take back", _UNDO, _undoable, 4),
    Key("h", "hint", "h", "hint", "A hint; again for the next one, which gives more away", _hintable, 3),
    Key("t,tab", "type", "t", "type", "Type into the shell", lambda s: _out(s) and s.live and s.ready, 4),
)
_OF_THE_REST = (
    Key("slash", "find", "/", "search", _FIND, lambda s: _out(s) and s.region == "terminal", 3),
    Key("slash", "lessons(True)", "", "", _SEARCH, lambda s: _choosable(s) and s.region != "terminal"),
    Key("v", "views", "", "", "Choose a view from a list", _out),
    Key("g", "load('toggle')", "g", "start load", _START, lambda s: _loadable(s) and not s.loading, 2),
    Key("g", "load('toggle')", "g", "end load", "End the load", lambda s: _loadable(s) and s.loading, 2),
    Key("plus", "load('more')", "+/-", "rate", "More requests a second, 10 to 500", _loadable, 2),
    Key("minus", "load('less')", "", "", "Fewer requests a second", _loadable),
    Key("f", "failures", "f", "failures", "The failed requests, each beside what the swarm did", _has_failures, 2),
    Key("z", "zoom", "z", "zoom", "This pane alone", lambda s: _out(s) and not s.single, 6),
    Key("z", "zoom", "z", "all panes", "All panes again", lambda s: _out(s) and s.zoomed and not s.compact, 2),
    Key(
        "l",
        "lessons",
        "l",
        "lessons",
        "The board of lessons and challenges: what is done, where you were",
        _choosable,
        5,
    ),
    Key("s", "notes", "s", "notes", _NOTES, _out, 7),
    Key("d", "theme", "d", "theme", "The next theme of dark, light and colour-blind", _out, 8),
    Key("ctrl+p", "palette", "^P", "palette", "Find lessons, steps, panes and commands by name", _out, 7),
    Key("question_mark,f1", "help", "?", "help", _HELP, _out, 2),
    Key("f1", "help", "F1", "help", _HELP, lambda s: s.typing, 2),
    Key("ctrl+q", "quit", "^Q", "quit", "Quit", lambda s: s.typing, 3),
    Key("q", "quit", "q", "quit", "Quit (Ctrl+Q anywhere)", _out, 3),
)


def all_keys() -> tuple[Key, ...]:
    """Return every key, in the help's order."""
    return _keys_with(panes.PANES)


@cache
def _keys_with(those: tuple[panes.Pane, ...]) -> tuple[Key, ...]:
    """Return the keys, with one for each pane that has a key; in the footer, the first view shows all views' keys."""
    shown = {pane.id: Key(pane.key, f"view('{pane.id}')", "", "", pane.help, _out) for pane in those if pane.key}
    first = shown.pop(panes.CLUSTER)
    views = list(shown.values())
    if views:
        views[0] = replace(views[0], show=panes.key_range(), label="views", rank=4)
    regions = (
        Key("1", "region('lesson')", "1-4", "panes", "The lesson", _out, 4),
        first,
        Key("3", "region('timeline')", "", "", "The timeline", _out),
        Key("4", "region('terminal')", "", "", "The terminal", _out),
    )
    return (*_OF_THE_LESSON, *regions, *views, *_OF_THE_REST)


def working_keys(s: UiState) -> Iterator[Key]:
    """Return the keys that work now."""
    return (key for key in all_keys() if key.when(s))


def works(s: UiState, action: str) -> bool:
    """Whether an action may run now; actions without a key may run at any time."""
    mine = [key for key in all_keys() if key.action.split("(")[0] == action]
    return not mine or any(key.when(s) for key in mine)


def footer(s: UiState, room: int) -> tuple[Line]:
    """Return as many of the keys that work now as fit, the most needed first; the help lists them all."""
    line: list[Span] = []
    for _, item in _footer_items(s, room):
        line += item
    if len(line) < 2 * sum(1 for key in working_keys(s) if key.show):
        line.append(("…", "quiet"))
    return (tuple(line),)


def footer_key(s: UiState, room: int, x: int) -> Key | None:
    """Return the key that the footer shows at a cell of its line, if any."""
    end = 0
    for key, item in _footer_items(s, room):
        end += width(item)
        if x < end:
            return key
    return None


def _footer_items(s: UiState, room: int) -> Iterator[tuple[Key, Line]]:
    shown = sorted((k for k in working_keys(s) if k.show), key=lambda k: k.rank)
    used = 0
    for place, key in enumerate(shown):
        item: Line = ((f" {key.show} ", "key"), (f" {key.label}  ", "quiet"))
        left = 2 if place < len(shown) - 1 else 0
        if used + width(item) + left > room:
            return
        used += width(item)
        yield key, item


_SIGNS = {"question_mark": "?", "slash": "/", "plus": "+", "minus": "-", "left": "←", "right": "→"}


def help_lines(s: UiState, room: int) -> Iterator[Line]:
    """Yield every key that works now, with what it does."""
    for key in working_keys(s):
        names = [_SIGNS.get(name, name).replace("ctrl+", "Ctrl+") for name in (key.keys or key.show).split(",")]
        names = [n if n in "L?" or len(n) == 1 else n[0].upper() + n[1:] for n in names]
        yield from wrap([(key.help, "")], room, ((f"{' or '.join(names):>15}  ", "lab"),))
