"""The short forms of a stack file, as the long ones. What is not well formed raises ValueError, in words."""

from __future__ import annotations

import re
import shlex
from typing import Any

from lab.course.stack.fill import is_open

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)i?b?", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_MOST_PORTS = 1000


def words(value: object) -> object:
    """A command: a text is split as a shell would."""
    return shlex.split(value) if isinstance(value, str) else value


def test(value: object) -> object:
    """A health check's test: a text is for the container's shell."""
    return ["CMD-SHELL", value] if isinstance(value, str) else value


def listed(value: object) -> object:
    """One text, or a list of them."""
    return [value] if isinstance(value, str) else value


def pairs(value: object) -> object:
    """`NAME=value` items as a mapping; a name alone has no value."""
    if not isinstance(value, list):
        return {} if value is None else value
    found: dict[str, str | None] = {}
    for item in value:
        if not isinstance(item, str):
            raise ValueError(f"{item!r} is not of the form NAME=value")
        name, sign, text = item.partition("=")
        found[name] = text if sign else None
    return found


def text(value: object) -> object:
    """A value of a mapping: a number is a text too, but true and false are not."""
    if isinstance(value, bool):
        word = str(value).lower()
        raise ValueError(f'{word} must stand in quotes here: "{word}"')
    if isinstance(value, int | float):
        return str(value).removesuffix(".0")
    return value


def label(value: object) -> object:
    """A label's value: none is an empty text."""
    return "" if value is None else text(value)


def seconds(value: object) -> object:
    """A duration such as `1m30s`, in seconds."""
    if is_open(value):
        return 0.0
    if isinstance(value, str) and value:
        if value in ("0", "-0", "+0"):
            return 0.0
        parts = _PART.findall(value)
        if "".join(number + unit for number, unit in parts) == value:
            return round(sum(float(number) * _UNITS[unit] for number, unit in parts), 9)
    raise ValueError(f"{value!r} is no duration: a number with its unit, such as 10s or 1m30s")


def size(value: object) -> object:
    """A size such as `64M`, in bytes (units are powers of 1024)."""
    if is_open(value):
        return 0
    if isinstance(value, str) and (found := _SIZE.fullmatch(value.strip())):
        number, unit = found.groups()
        return int(float(number) * 1024 ** (" kmgtp".index(unit.lower()) if unit else 0))
    raise ValueError(f"{value!r} is no size: a text such as 64M")


def ports(value: object) -> object:
    """Published ports: every short form (`80`, `8080:80/udp`, `8000-8001:80-81`) as long ones."""
    if not isinstance(value, list):
        return value
    return [long for item in value for long in _port(item)]


def _port(item: object) -> list[Any]:
    if isinstance(item, bool) or not isinstance(item, int | str):
        return [item]
    if is_open(item):
        return []
    whole, _, protocol = str(item).partition("/")
    parts = whole.rsplit(":", 2)
    targets = _numbers(parts[-1], item)
    published = _numbers(parts[-2], item) if len(parts) > 1 and parts[-2] else [0] * len(targets)
    if len(published) != len(targets):
        raise ValueError(f"the port {item!r} has {len(published)} published and {len(targets)} inside")
    protocol = protocol.lower() or "tcp"
    return [{"published": p, "target": t, "protocol": protocol} for p, t in zip(published, targets, strict=True)]


def _numbers(range_: str, item: object) -> list[int]:
    found = _RANGE.fullmatch(range_)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 0 < first <= last <= 65535 or last - first >= _MOST_PORTS:
        raise ValueError(f"{item!r} is no port: PUBLISHED:TARGET, such as 8080:80 or 53:53/udp")
    return list(range(first, last + 1))


def grant(value: object) -> object:
    """A secret or config given to a service by its name alone."""
    return {"source": value} if isinstance(value, str) else value


def attached(value: object) -> object:
    """A service's networks: a list of names, or a mapping in which nothing may stand behind a name."""
    if isinstance(value, list):
        return {str(name): {} for name in value}
    if isinstance(value, dict):
        return {name: {} if how is None else how for name, how in value.items()}
    return value


def mount(value: object) -> object:
    """A volume or a path in a container: `SOURCE:TARGET[:ro]`, `TARGET` alone for a volume without a name."""
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    if not all(parts) or len(parts) > 3:
        raise ValueError(f"{value!r} is no volume: SOURCE:TARGET or SOURCE:TARGET:ro")
    if len(parts) == 1:
        return {"type": "volume", "target": value}
    source, target = parts[:2]
    kind = "bind" if source[0] in "./~" or is_open(source) else "volume"
    options = parts[2].split(",") if len(parts) > 2 else []
    return {"type": kind, "source": source, "target": target, "read_only": "ro" in options}


def declared(value: object) -> object:
    """A network, volume, secret or config at the top: nothing behind the name is the default; `external: {name: x}`
    is an older way to say `external: true` and `name: x`."""
    if value is None:
        return {}
    if isinstance(value, dict) and isinstance(value.get("external"), dict):
        return {**value, "external": True, "name": value["external"].get("name", value.get("name", ""))}
    return value
