"""The app's theme, and whether anything in it moves by itself: by an option, a variable, or what was chosen last."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from lab import json_store
from lab.errors import InputError, LabError

THEMES = ("dark", "light", "colour-blind")
MOTION = ("on", "off")
THEME_VARIABLE = "SWARMLAB_THEME"
MOTION_VARIABLE = "SWARMLAB_MOTION"


@dataclass(frozen=True)
class Appearance:
    """`theme` is one of `THEMES`. Without `motion` nothing is animated and nothing blinks; None leaves that to Textual,
    which looks at TEXTUAL_ANIMATIONS."""

    theme: str = THEMES[0]
    motion: bool | None = None


def read_appearance(
    theme: str | None = None, motion: str | None = None, env: Mapping[str, str] = os.environ
) -> Appearance:
    """Return how the app is to look: as given, else as SWARMLAB_THEME and SWARMLAB_MOTION say, else as chosen last.
    Raises InputError for a variable with another value."""
    theme = theme or _variable(env, THEME_VARIABLE, THEMES)
    motion = motion or _variable(env, MOTION_VARIABLE, MOTION)
    kept: json_store.Kept = {}
    try:
        kept = json_store.read_store(json_store.store_path("settings", "app"))
    except LabError:
        pass  # A recording can be shown without a folder for the state.
    last, moves = kept.get("theme"), kept.get("motion")
    return Appearance(
        theme or (last if last in THEMES else THEMES[0]),
        motion == "on" if motion else moves if isinstance(moves, bool) else None,
    )


def keep_choice(**choice: str | bool) -> None:
    """Save a `theme` or `motion` that was chosen, for the next time. Raises LabError when that cannot be saved."""
    json_store.update_store(json_store.store_path("settings", "app"), lambda data: {**data, **choice})


def _variable(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    said = env.get(name, "").strip()
    if said and said not in choices:
        raise InputError(f"{name} is {said!r}; it is one of {', '.join(choices)}")
    return said
