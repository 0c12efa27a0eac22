"""The short syntax of a stack file, expanded to the long syntax. Malformed values raise a readable ValueError."""

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
#: Docker uses 64-bit integers.
_MOST_BYTES = 2**63 - 1
#: The longest duration in seconds; docker counts nanoseconds in 64 bits: 292 years.
_LONGEST = (2**63 - 1) / 1e9
#: A longer text is neither a size nor a duration, and is not parsed.
_MOST_CHARACTERS = 100
#: Every port of a machine, for TCP and for UDP.
_MOST_PORTS = 2 * 65_535


@dataclass
class PortsLeft:
    """The number of ports that one read of a file may still publish: a short range can expand to a long list."""

    left: int = _MOST_PORTS


def parse_words(value: object) -> object:
    """Return a command as a list; a text is split as a shell would split it."""
    return shlex.split(value) if isinstance(value, str) else value


def parse_test(value: object) -> object:
    """Return a health check's test as a list; a text is for the container's shell."""
    return ["CMD-SHELL", value] if isinstance(value, str) else value


def parse_list(value: object) -> object:
    """Return one text, or a list of them, as a list."""
    return [value] if isinstance(value, str) else value


def parse_env_files(value: object) -> object:
    """Return one path of an env_file, or a list of them, as a list."""
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            raise ValueError("docker stack deploy takes only paths here, no `path:` and `required:`")
    return parse_list(value)


def parse_pairs(value: object) -> object:
    """Return `NAME=value` items as a mapping; a bare name has no value."""
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
    """Return a mapping's value as a text: a number is accepted, but true and false are not."""
    if isinstance(value, bool):
        word = str(value).lower()
        raise ValueError(f'{word} must stand in quotes here: "{word}"')
    if isinstance(value, int | float):
        return yaml_scalars.number(value)
    if isinstance(value, datetime):
        return yaml_scalars.moment(value)
    return value


def parse_label(value: object) -> object:
    """Return a label's value; null becomes an empty text."""
    return "" if value is None else parse_text(value)


def parse_seconds(value: object) -> object:
    """Return a duration such as `1m30s` in seconds."""
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
    """Return a size such as `64M` in bytes (units are powers of 1024)."""
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
    """Expand published ports: every short form (`80`, `8080:80/udp`, `8000-8001:80-81`, `8000-8010:80`) to the long
    one.

    The validation context may be a PortsLeft. Raises ValueError when a file publishes more ports than that."""
    if not isinstance(value, list):
        return value
    left = info.context if isinstance(info.context, PortsLeft) else PortsLeft()
    found: list[Any] = []
    for item in value:
        found += parse_port(item, left)
    return found


def parse_port(item: object, left: PortsLeft) -> list[Any]:
    """Expand one item of the list to the long form, one for each port."""
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
    # Several published ports may map to one target port.
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
    """Expand a secret or config granted to a service by its name alone."""
    return {"source": value} if isinstance(value, str) else value


def parse_networks(value: object) -> object:
    """Return a service's networks as a mapping; they may be a list of names, or a mapping with empty values."""
    if isinstance(value, list):
        return {str(name): {} for name in value}
    if isinstance(value, dict):
        return {name: {} if how is None else how for name, how in value.items()}
    return value


def parse_mount(value: object) -> object:
    """Expand a volume or a path in a container: `SOURCE:TARGET[:ro]`, or `TARGET` alone for an anonymous volume."""
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
    """Expand a top-level network, volume, secret or config: an empty value means the defaults; `external: {name: x}` is
    an older form of `external: true` and `name: x`."""
    if value is None:
        return {}
    if isinstance(value, dict) and isinstance(value.get("external"), dict):
        return {**value, "external": True, "name": value["external"].get("name", value.get("name", ""))}
    return value
