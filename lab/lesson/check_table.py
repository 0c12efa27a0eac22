"""The table of checks in ARCHITECTURE.md, generated from the classes: what each asks, what it is measured from, and its
file."""

from __future__ import annotations

import re

from lab.checks.base import Condition
from lab.checks.check import Check
from lab.checks.command import Exit

BEGIN = "<!-- checks: begin -->"
END = "<!-- checks: end -->"
_WORDS = {"state": "is true now", "event": "happened since the step began", "total": "counted since the step began"}


def check_table(model: type[Check] = Check) -> str:
    """Return the table as Markdown, with a row for each check that a lesson can use."""
    rows = ["| check | asks | when | looks at | in `checks/` |", "| --- | --- | --- | --- | --- |"]
    for key, each in kinds(model).items():
        text = " ".join((each.__doc__ or "").split("\n\n")[0].split())
        rows.append(f"| `{key}` | {text} | {_WORDS[each.kind]} | {_looks_at(each)} | {_file(each)} |")
    return "\n".join(rows) + "\n"


def _file(each: type[Condition]) -> str:
    return f"`{each.__module__.rpartition('.')[2]}.py`"


def _looks_at(each: type[Condition]) -> str:
    if each.of_command:
        return "the command"
    if each.kind == "total" and not each.source:
        return "the load"
    return "requests" if each.request is not Condition.request else each.source or "the swarm"


def kinds(model: type[Check] = Check) -> dict[str, type[Condition]]:
    """Return the conditions by the key that a lesson uses."""
    found: dict[str, type[Condition]] = {}
    for key, field in model.model_fields.items():
        classes = (one for one in getattr(field.annotation, "__args__", ()) if isinstance(one, type))
        found[key] = next((one for one in classes if issubclass(one, Condition)), Exit)
    return found


def with_table(text: str) -> str:
    """Return the document with the table between its markers. Raises ValueError when it has no markers."""
    if BEGIN not in text or END not in text:
        raise ValueError("there are no marks for the table")
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{check_table()}{END}", text, flags=re.DOTALL)
