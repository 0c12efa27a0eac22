"""Three themes made for a projector: full contrast for words, three strong colours for states."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from rich.style import Style
from textual.theme import Theme

from lab.tui.spans import Tone

DARK = Theme(
    name="lab-dark",
    dark=True,
    primary="#5cb8ff",
    secondary="#8fd0ff",
    accent="#ffd24d",
    foreground="#f4f7fa",
    background="#0a0e13",
    surface="#0f151c",
    panel="#1b2633",
    success="#63e691",
    warning="#ffd24d",
    error="#ff8080",
    text_alpha=1.0,
    variables={"muted": "#aeb9c5", "rule": "#3d4d60", "code": "#9fe0ff", "replay": "#e2a6ff"},
)

LIGHT = Theme(
    name="lab-light",
    dark=False,
    primary="#0b4fae",
    secondary="#2a6fd0",
    accent="#7a4300",
    foreground="#10151c",
    background="#ffffff",
    surface="#f6f8fb",
    panel="#e3e9f1",
    success="#0a6230",
    warning="#7a4300",
    error="#a8001c",
    text_alpha=1.0,
    variables={"muted": "#485462", "rule": "#a9b6c5", "code": "#0a4a86", "replay": "#6b1f96"},
)

COLOUR_BLIND = Theme(
    name="lab-colour-blind",
    dark=True,
    primary="#9ad1f2",
    secondary="#9ad1f2",
    accent="#f0e442",
    foreground="#f4f7fa",
    background="#06080b",
    surface="#0b0f14",
    panel="#161d26",
    success="#56b4e9",
    warning="#f0e442",
    error="#ee7733",
    text_alpha=1.0,
    variables={"muted": "#b4bec8", "rule": "#3d4d60", "code": "#9ad1f2", "replay": "#cc79a7"},
)
"""Sky blue, yellow, vermilion and reddish purple of M. Okabe's and K. Ito's palette (Color Universal Design), which
people with any common colour vision tell apart; the vermilion is lighter here, for a dark ground."""

THEMES = (DARK, LIGHT, COLOUR_BLIND)

_ANSI = {
    DARK.name: "28323e ff8080 63e691 ffd24d 5cb8ff e2a6ff 6fe3e3 dfe6ee"
    " 8796a6 ffa3a3 93f2b5 ffe28a 93d0ff efc9ff a2f0f0 ffffff",
    LIGHT.name: "10151c a8001c 0a6230 7a4300 0b4fae 6b1f96 00606b 485462"
    " 5b6775 c4001f 0b7a3b 8f4f00 1560cc 8230b3 007683 2b3440",
    COLOUR_BLIND.name: "28323e ee7733 2ebd92 f0e442 56b4e9 cc79a7 9ad1f2 dfe6ee"
    " 8796a6 ff9a5c 5fd9b2 f7ee7d 8fcdf3 e3aecb c2e4f8 ffffff",
}


def ansi_colours(theme: str) -> tuple[str, ...]:
    """Return the sixteen colours that programs in the terminal ask for by number, legible on that theme's ground."""
    return _colours(_ANSI.get(theme, _ANSI[DARK.name]))


@cache
def _colours(text: str) -> tuple[str, ...]:
    return tuple(f"#{each}" for each in text.split())


#: A tone's colour and background, as theme variables, and its attributes; a background makes a badge.
_TONES: Mapping[Tone, tuple[str, str, str]] = {
    "run": ("success", "", ""),
    "move": ("warning", "", "bold"),
    "bad": ("error", "", "bold"),
    "why": ("error", "", ""),
    "quiet": ("muted", "", ""),
    "head": ("", "", "bold"),
    "name": ("primary", "", "bold"),
    "lab": ("accent", "", "bold"),
    "strong": ("", "", "bold"),
    "em": ("", "", "italic"),
    "code": ("code", "", ""),
    "live": ("background", "success", "bold"),
    "replay": ("background", "replay", "bold"),
    "stale": ("background", "error", "bold"),
    "key": ("accent", "", "bold"),
    "tab": ("background", "primary", "bold"),
    "note": ("", "", ""),
    "file": ("code", "panel", ""),
    "remark": ("muted", "panel", ""),
    "fact": ("", "panel", "bold"),
    "turned": ("success", "", "bold"),
}


def tones(variables: Mapping[str, str]) -> dict[Tone, Style]:
    """Return every tone's style from a theme's variables. They are resolved once per theme, since component classes
    would be matched against the stylesheet again for each of a dozen widgets before the first paint."""
    return {
        tone: Style.parse(" ".join((bits, variables.get(ink, ""), f"on {variables[ground]}" if ground else "")).strip())
        for tone, (ink, ground, bits) in _TONES.items()
    }
