"""The demo with every text in it that somebody else could have chosen replaced by a hostile one."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from lab.world.entries import Entry, Fact
from tests.tui import demo, dns

MARKUP = "[red]M[/red][@click=app.quit]x[/]"
ESCAPES = "\x1b[31mE\x1b]0;title\x07\r\n\tx\x9b2J"
LONG = "long-" * 60
WIDE = "漢字かな交じり文👩‍💻é"
TEXTS = {"markup": MARKUP, "escapes": ESCAPES, "long": LONG, "wide": WIDE, "empty": ""}

_KEPT = frozenset({
    "id", "by", "kind", "state", "desired", "role", "availability", "mode", "service", "task", "node", "container",
    "template_digest", "verdict", "stage", "protocol", "what", "order", "failure_action", "type", "reachability",
    "gone",
})  # fmt: skip
"""What names or orders things: it stays, so that the world stays a demo."""


def spoilt(value: Any, text: str) -> Any:
    """A fact, or a part of one, with the text put behind each of its own."""
    if isinstance(value, str):
        return value + text if text else ""
    if isinstance(value, tuple):
        return tuple(spoilt(each, text) for each in value)
    if isinstance(value, dict):
        return {key: spoilt(each, text) for key, each in value.items()}
    if not is_dataclass(value) or isinstance(value, type):
        return value
    made: Any = value
    return replace(made, **{f.name: spoilt(getattr(value, f.name), text) for f in fields(value) if f.name not in _KEPT})


def entries(text: str) -> tuple[Entry, ...]:
    """The demo's journal and DNS, spoilt."""
    late = [Entry(120.0 + entry.at, entry.fact) for entry in dns.entries()]
    return tuple(Entry(entry.at, _fact(entry.fact, text)) for entry in (*demo.entries(), *late))


def _fact(fact: Fact, text: str) -> Fact:
    made: Fact = spoilt(fact, text)
    return made
