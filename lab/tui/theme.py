"""Two themes made for a projector: full contrast for words, three strong colours for states."""

from __future__ import annotations

from collections.abc import Mapping

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

THEMES = (DARK, LIGHT)

TONES: Mapping[Tone, tuple[str, str, str]] = {
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
"""A tone's colour and background, as theme variables, and its attributes; a background makes a badge."""


def colours(theme: Theme) -> dict[str, str]:
    """Return a theme's colours by the names that `TONES` has for them."""
    own = ("primary", "accent", "foreground", "background", "panel", "success", "warning", "error")
    return {**{name: str(getattr(theme, name)) for name in own}, **theme.variables}


def tones(variables: Mapping[str, str]) -> dict[Tone, Style]:
    """Return every tone's style from a theme's variables. They are resolved once per theme, since component classes
    would be matched against the stylesheet again for each of a dozen widgets before the first paint."""
    return {
        tone: Style.parse(" ".join((bits, variables.get(ink, ""), f"on {variables[ground]}" if ground else "")).strip())
        for tone, (ink, ground, bits) in TONES.items()
    }
