"""The short forms of a stack file, as the long ones. What is not well formed raises ValueError, in words."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationInfo

from lab.compose.interpolate import has_variables
from lab.schema import yaml_scalars

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)i?b?", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
#: Docker counts in 64 bits.
_MOST_BYTES = 2**63 - 1
#: Seconds of a duration, which it counts in nanoseconds: 292 years.
_LONGEST = (2**63 - 1) / 1e9
#: A longer text is neither a size nor a duration: looking through it is spared.
_MOST_CHARACTERS = 100
#: Every port of a machine, for TCP and for UDP.
_MOST_PORTS = 2 * 65_535


@dataclass
class PortsLeft:
    """How many ports one reading of a file may still publish: a range is a short text for a long list."""

    left: int = _MOST_PORTS


def parse_words(value: object) -> object:
    """A command: a text is split as a shell would."""
    return shlex.split(value) if isinstance(value, str) else value


def parse_test(value: object) -> object:
    """A health check's test: a text is for the container's shell."""
    return ["CMD-SHELL", value] if isinstance(value, str) else value


def parse_list(value: object) -> object:
    """One text, or a list of them."""
    return [value] if isinstance(value, str) else value


def parse_env_files(value: object) -> object:
    """One path of an env_file, or a list of them."""
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            raise ValueError("docker stack deploy takes only paths here, no `path:` and `required:`")
    return parse_list(value)


def parse_pairs(value: object) -> object:
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


def parse_text(value: object) -> object:
    """A value of a mapping: a number is a text too, but true and false are not."""
    if isinstance(value, bool):
        word = str(value).lower()
        raise ValueError(f'{word} must stand in quotes here: "{word}"')
    if isinstance(value, int | float):
        return yaml_scalars.number(value)
    if isinstance(value, datetime):
        return yaml_scalars.moment(value)
    return value


def parse_label(value: object) -> object:
    """A label's value: none is an empty text."""
    return "" if value is None else parse_text(value)


def parse_seconds(value: object) -> object:
    """A duration such as `1m30s`, in seconds."""
    if has_variables(value):
        return 0.0
    if isinstance(value, str) and 0 < len(value) <= _MOST_CHARACTERS:
        if value in ("0", "-0", "+0"):
            return 0.0
        parts = _PART.findall(value)
        if "".join(number + unit for number, unit in parts) == value:
            long = sum(float(number) * _UNITS[unit] for number, unit in parts)
            if long > _LONGEST:
                raise ValueError(f"{value!r} is too long: at most 2562047h, which are 292 years")
            return round(long, 9)
    raise ValueError(f"{value!r} is no duration: a number with its unit, such as 10s or 1m30s")


def parse_size(value: object) -> object:
    """A size such as `64M`, in bytes (units are powers of 1024)."""
    if has_variables(value):
        return 0
    text = value.strip() if isinstance(value, str) else ""
    if digits := re.match(r"[0-9]{20}", text):
        raise ValueError(f"{digits[0]}... is too large: at most {_MOST_BYTES} bytes")
    if len(text) <= _MOST_CHARACTERS and (found := _SIZE.fullmatch(text)):
        number, unit = found.groups()
        bytes_ = int(float(number) * 1024 ** (" kmgtp".index(unit.lower()) if unit else 0))
        if bytes_ > _MOST_BYTES:
            raise ValueError(f"{value!r} is too large: at most {_MOST_BYTES} bytes")
        return bytes_
    raise ValueError(f"{value!r} is no size: a text such as 64M")


def parse_ports(value: object, info: ValidationInfo) -> object:
    """Published ports: every short form (`80`, `8080:80/udp`, `8000-8001:80-81`, `8000-8010:80`) as long ones.

    The context of the validation may be a PortsLeft. Raises ValueError when a file publishes more than that."""
    if not isinstance(value, list):
        return value
    left = info.context if isinstance(info.context, PortsLeft) else PortsLeft()
    found: list[Any] = []
    for item in value:
        found += parse_port(item, left)
    return found


def parse_port(item: object, left: PortsLeft) -> list[Any]:
    """One item of the list, as long ones."""
    if isinstance(item, bool) or not isinstance(item, int | str):
        return [item]
    if has_variables(item):
        return []
    whole, _, protocol = str(item).partition("/")
    parts = whole.rsplit(":", 2)
    targets = _range(parts[-1], item)
    published = _range(parts[-2], item) if len(parts) > 1 and parts[-2] not in ("", "0") else None
    if published is not None and len(published) != len(targets) > 1:
        raise ValueError(f"the port {item!r} has {len(published)} published and {len(targets)} inside")
    # Several published ports may lead to one inside.
    many = len(targets) if published is None else len(published)
    left.left -= many
    if left.left < 0:
        raise ValueError(f"with the port {item!r} there are more than {_MOST_PORTS:,} in this file")
    protocol = protocol.lower() or "tcp"
    return [
        {
            "published": 0 if published is None else published[index],
            "target": targets[index if len(targets) > 1 else 0],
            "protocol": protocol,
        }
        for index in range(many)
    ]


def _range(text: str, item: object) -> range:
    found = _RANGE.fullmatch(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 0 < first <= last <= 65535:
        raise ValueError(f"{item!r} is no port: PUBLISHED:TARGET, such as 8080:80 or 53:53/udp")
    return range(first, last + 1)


def parse_reference(value: object) -> object:
    """A secret or config given to a service by its name alone."""
    return {"source": value} if isinstance(value, str) else value


def parse_networks(value: object) -> object:
    """A service's networks: a list of names, or a mapping in which nothing may stand behind a name."""
    if isinstance(value, list):
        return {str(name): {} for name in value}
    if isinstance(value, dict):
        return {name: {} if how is None else how for name, how in value.items()}
    return value


def parse_mount(value: object) -> object:
    """A volume or a path in a container: `SOURCE:TARGET[:ro]`, `TARGET` alone for a volume without a name."""
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    if not all(parts) or len(parts) > 3:
        raise ValueError(f"{value!r} is no volume: SOURCE:TARGET or SOURCE:TARGET:ro")
    if len(parts) == 1:
        return {"type": "volume", "target": value}
    source, target = parts[:2]
    kind = "bind" if source[0] in "./~" or has_variables(source) else "volume"
    options = parts[2].split(",") if len(parts) > 2 else []
    return {"type": kind, "source": source, "target": target, "read_only": "ro" in options}


def parse_declared(value: object) -> object:
    """A network, volume, secret or config at the top: nothing behind the name is the default; `external: {name: x}`
    is an older way to say `external: true` and `name: x`."""
    if value is None:
        return {}
    if isinstance(value, dict) and isinstance(value.get("external"), dict):
        return {**value, "external": True, "name": value["external"].get("name", value.get("name", ""))}
    return value
