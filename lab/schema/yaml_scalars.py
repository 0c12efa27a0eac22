"""Scalars of a YAML file: resolved by YAML 1.2's core schema in lessons, as docker reads them in stack files. Pure.

Docker reads YAML with gopkg.in/yaml.v3, which also accepts the numbers of YAML 1.1 (`0440` is octal), and dates.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

_INT = re.compile(r"[-+]?[0-9]{1,15}")
_FLOAT = re.compile(r"[-+]?([0-9]{1,15}\.[0-9]*|\.[0-9]+|[0-9]{1,15})([eE][-+]?[0-9]{1,2})?")
_WORDS: Mapping[str, object] = MappingProxyType(
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)
_ENDLESS = frozenset(sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF"))
_NO_NUMBER = frozenset((".nan", ".NaN", ".NAN"))

#: Docker's integers by their prefix; one that does not fit into 64 bits is not an integer.
_BASES = (
    (2, re.compile(r"([-+]?)0[bB]([01]{1,64})")),
    (16, re.compile(r"([-+]?)0[xX]([0-9a-fA-F]{1,16})")),
    (8, re.compile(r"([-+]?)0[oO]?([0-7]{1,22})")),
    (10, re.compile(r"([-+]?)(0|[1-9][0-9]{0,19})")),
)
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2})"
    r"(?:(?P<sep>[Tt ])(?P<clock>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})(?:\.(?P<part>[0-9]{1,9}))?"
    r"(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_LONGEST = 400
"""A longer text is not a number."""

_YAML = "tag:yaml.org,2002:"
_KINDS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),), "timestamp": (datetime,)}
)


def resolve_core(text: str, plain: bool, _tag: str = "") -> object:
    """Return a value of a lesson; only an unquoted scalar can be anything but a text."""
    if not plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def resolve_docker(text: str, plain: bool, tag: str = "") -> object:
    """Return a value of a stack file. Raises a readable ValueError when its tag does not fit, or when docker has no
    such number."""
    if tag in ("", "!"):
        return _resolve(text) if plain else text
    kind = tag.removeprefix(_YAML)
    if kind == "binary":
        return _decode_base64(text)
    if kind in _KINDS:
        value = _resolve(text)
        if isinstance(value, _KINDS[kind]) and (kind == "bool" or not isinstance(value, bool)):
            return value
        raise ValueError(f"{text!r} cannot be read as !!{kind}")
    return text


def number(value: int | float) -> str:
    """Return a number as docker writes it where a text is expected: 1.0 is `1`, a float of a million is `1e+06`."""
    if isinstance(value, int):
        return str(value)
    sign, digits, shift = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(shift, int):
        return str(value)
    power = len(digits) + shift - 1
    if -4 <= power < 6:
        return format(Decimal(repr(value)).normalize(), "f")
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{'-' if sign else ''}{first}{'.' + rest if rest else ''}e{'-' if power < 0 else '+'}{abs(power):02}"


def as_text(value: object) -> str | None:
    """Return a number or a date as docker writes it where a text is expected; None for anything else."""
    if isinstance(value, datetime):
        return moment(value)
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def moment(value: datetime) -> str:
    """Return a date as docker writes it where a text is expected: `2024-01-01 00:00:00 +0000 UTC`."""
    part = f".{value.microsecond:06}".rstrip("0") if value.microsecond else ""
    zone = value.strftime("%z")
    return f"{value:%Y-%m-%d %H:%M:%S}{part} {zone} {'UTC' if zone == '+0000' else zone}"


def _resolve(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if not text or text[0] not in "+-.0123456789" or len(text) > _LONGEST:
        return text
    if text in _ENDLESS or text in _NO_NUMBER:
        raise ValueError(f"docker takes no number {text}; as a text it must stand in quotes")
    if found := _TIME.fullmatch(text):
        return _moment(found) or text
    bare = text.replace("_", "")
    for base, form in _BASES:
        if found := form.fullmatch(bare):
            value = int(found[1] + found[2], base)
            if -(2**63) <= value < 2**64:
                return value
    if _DECIMAL.fullmatch(bare):
        size = float(bare)
        return text if math.isinf(size) else size
    return text


def _moment(found: re.Match[str]) -> datetime | None:
    year, month, day = map(int, found["date"].split("-"))
    hour, minute, second = map(int, (found["clock"] or "0:0:0").split(":"))
    zone: timezone = UTC
    if (found["sep"] or " ") == " ":
        if found["zone"]:
            return None
    elif not found["zone"]:
        return None
    elif found["zone"] != "Z":
        hours, minutes = map(int, found["zone"].split(":"))
        if abs(hours) > 23:
            return None
        zone = timezone(timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes))
    try:
        part = int((found["part"] or "0")[:6].ljust(6, "0"))
        return datetime(year, month, day, hour, minute, second, part, zone)
    except ValueError:
        return None


def _decode_base64(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        raise ValueError("!!binary is followed by what is no base64 of a text") from None
