"""Interpolation of settings (`${NAME}`) in a stack file, as `docker stack deploy` does it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab.errors import InputError

_NAME = r"[_a-zA-Z][_a-zA-Z0-9]*"
_HOLE = re.compile(
    rf"\$(?:(?P<dollar>\$)|(?P<plain>{_NAME})|\{{(?P<name>{_NAME})(?:(?P<how>:?[-?])(?P<rest>[^}}]*))?\}}|(?P<wrong>))"
)


def interpolate(text: str, env: Mapping[str, str], *, keep: bool = False) -> str:
    """Return the text with its settings filled in: `$NAME`, `${NAME}` (empty when not set), `${NAME:-default}`,
    `${NAME-default}`, `${NAME:?why}`, `${NAME?why}`, `$$` for a dollar sign.

    With `keep`, a setting with neither a value nor a default stays as `${NAME}`. Raises InputError (without a file) for
    a required setting that is not set, and for a dollar sign that starts nothing.
    """

    def value(hole: re.Match[str]) -> str:
        if hole["dollar"]:
            return "$"
        if hole["wrong"] is not None:
            reason = f"the $ in {text!r} begins no setting"
            raise InputError(reason, remedy="write ${NAME} for a setting, $$ for a dollar")
        name, how, rest = hole["plain"] or hole["name"], hole["how"] or "", hole["rest"] or ""
        given = env.get(name)
        if given is not None and (given or not how.startswith(":")):
            return given
        if how.endswith("-"):
            return rest
        if keep:
            return f"${{{name}}}"
        if how.endswith("?"):
            raise InputError(f"the setting {name} is needed" + (f": {rest}" if rest else " and not set"))
        return ""

    return _HOLE.sub(value, text)


def has_variables(value: object) -> bool:
    """Return whether a text has a setting that `interpolate` kept."""
    return isinstance(value, str) and "${" in value
