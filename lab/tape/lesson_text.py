"""What a lesson adds to the rendering of its tape: a tape holds ids, and no texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LessonText:
    """The texts of a lesson, as Markdown with `{{name}}` for captured values.

    `titles`, `befores` and `afters` are keyed by step. `about` is told before the first step, a before when its step
    begins, an after when it has passed, the `recap` and the `terms` (with what each means) when all have. `uses` are
    the names in its texts and commands, which may be those of given values (None: not known).
    """

    about: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    befores: Mapping[str, str] = field(default_factory=dict)
    afters: Mapping[str, str] = field(default_factory=dict)
    recap: tuple[str, ...] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
    uses: frozenset[str] | None = None
