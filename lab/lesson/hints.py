"""The hints of a step, in the order in which they are told: what fits the findings first, then what always helps."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lab.lesson.model import Hint, Step
from lab.schema import template


def list_hints(step: Step, findings: Iterable[str]) -> tuple[str, ...]:
    """Return the hints that apply to what checks have found, their groups filled in, and then those without a
    condition."""
    whys = tuple(findings)
    fitting = (_match(hint, why) for hint in step.hints for why in whys if hint.when)
    always = (hint.say.strip() for hint in step.hints if not hint.when)
    return tuple(dict.fromkeys(text for text in (*fitting, *always) if text))


def hint_for(step: Step, why: str) -> str:
    """Return the first hint, in the lesson's order, that applies to a finding; "" when none does."""
    every = (_match(hint, why) if hint.when else hint.say.strip() for hint in step.hints)
    return next((text for text in every if text), "")


def _match(hint: Hint, why: str) -> str:
    found = re.search(hint.when or "", why)
    groups = {k: v for k, v in found.groupdict().items() if v} if found else {}
    return template.fill(hint.say, groups).strip() if found else ""
