"""What a lesson adds to the rendering of its tape: a tape holds ids, and no texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LessonText:
    """The texts of a lesson, as Markdown with `{{name}}` for captured values.

    `titles` and `afters` are keyed by step. An after is told when its step has passed, the `recap` and the `terms`
    (with what each means) when all have.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    afters: Mapping[str, str] = field(default_factory=dict)
    recap: tuple[str, ...] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
