"""The hints of a step, in three degrees, each of which gives more away: the lesson's nudges (what fits the findings
first, then what always helps), a pointer to the command and its reference, and, where the page does not show it, the
solution, which a seat tells only when it is asked for twice. A hint that was told once costs nothing again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.schema import template
from lab.text import count_of

if TYPE_CHECKING:
    # The app's first paint waits for this module: it must not wait for pydantic.
    from lab.lesson.model import Hint, Step

POINTER = "pointer"
SOLUTION = "solution"

_REFERENCE = "docs.docker.com/reference/cli/docker"
_DOCKER = re.compile(r"\bdocker\s+(?!-)([a-z]+)(?:\s+(?!-)([a-z]+))?")
#: docker's commands that have commands of their own.
_GROUPS = frozenset(
    {"config", "container", "context", "image", "network", "node", "secret", "service", "stack", "swarm", "volume"}
)
#: Short forms, whose reference is that of `docker container NAME`.
_OF_CONTAINERS = frozenset({"exec", "kill", "logs", "ps", "rm", "run", "start", "stats", "stop", "top"})


@dataclass(frozen=True, slots=True)
class Told:
    """A hint as it is told. `id` says which one of its step it is: a nudge's place in the lesson, POINTER or SOLUTION.
    `text` is Markdown; a solution has its `command` beside it."""

    id: str
    text: str
    command: str = ""


def list_hints(step: Step, findings: Iterable[str]) -> tuple[Told, ...]:
    """Return the hints of a step in the order in which they are told, `findings` being what its checks have found."""
    whys = tuple(findings)
    places = tuple(enumerate(step.hints))
    fitting = ((place, _match(hint, why)) for place, hint in places for why in whys if hint.when)
    always = ((place, hint.say.strip()) for place, hint in places if not hint.when)
    nudges = dict.fromkeys((place, text) for place, text in (*fitting, *always) if text)
    return (*(Told(str(place), text) for place, text in nudges), *_dearer(step))


def hint_for(step: Step, why: str) -> str:
    """Return the first hint, in the lesson's order, that applies to a finding; "" when none does."""
    every = (_match(hint, why) if hint.when else hint.say.strip() for hint in step.hints)
    return next((text for text in every if text), "")


def describe_taken(taken: Collection[str]) -> str:
    """Return in words, without a full stop, how many hints of a step were taken, given their ids: `2 hints taken`,
    `3 hints taken, the solution among them`; "" for none."""
    if not taken:
        return ""
    return f"{count_of(len(taken), 'hint')} taken" + (", the solution among them" if SOLUTION in taken else "")


def _dearer(step: Step) -> Iterator[Told]:
    if step.command is not None:
        yield Told(POINTER, _point_to(step.command))
        if step.your_turn:  # Else the page shows the command.
            yield Told(SOLUTION, "A solution:", step.command)


def _point_to(command: str) -> str:
    """Return where the commands in a command are explained."""
    found = [(first, second if first in _GROUPS else "") for first, second in _DOCKER.findall(command)]
    if not found:
        name = command.split(maxsplit=1)[0]
        return f"The command is `{name}`; `{name} --help` lists its options."
    names = list(dict.fromkeys(" ".join(filter(None, ("docker", *words))) for words in found))
    page = "/".join(filter(None, found[0]))
    if page in _OF_CONTAINERS:
        page = f"container/{'ls' if page == 'ps' else page}"
    said = "The command is" if len(names) == 1 else "The commands are"
    every = " and ".join(f"`{name}`" for name in names[:3])
    return f"{said} {every}. `{names[0]} --help` lists its options; {_REFERENCE}/{page}/ explains them."


def _match(hint: Hint, why: str) -> str:
    found = re.search(hint.when or "", why)
    groups = {k: v for k, v in found.groupdict().items() if v} if found else {}
    return template.fill(hint.say, groups).strip() if found else ""
