"""What a check found, and what it is measured from."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.world.world import World


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a check holds, and a plain sentence that says why."""

    ok: bool
    why: str


@dataclass(frozen=True)
class Moment:
    """What edge checks and requests are measured from.

    `since` is the world when the step began, `asked` the world when the last round of requests began, `command`
    the id of the step's command: None when it was not typed by the lab, and then `like` is the command that the
    step names, and any command typed since that does the same (`docker service ps`) is taken.
    """

    since: World = field(default_factory=World)
    asked: World = field(default_factory=World)
    command: int | None = None
    like: str = ""
