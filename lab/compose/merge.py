"""Several stack files deployed as one (`docker stack deploy -c base.yml -c prod.yml`), merged as docker merges them.

A service's settings are merged over those of the earlier file; a network, volume, secret or config that is in two files
is taken from the later one. Lists are concatenated, except those whose items have a key. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lab.compose import short_forms
from lab.compose.interpolate import interpolate
from lab.errors import InputError
from lab.schema.document import Document, Place

#: The compose version that docker assumes for a file that names none.
_NEWEST = "3.13"


@dataclass(frozen=True, slots=True)
class _Spot:
    """A value with the file and line where it is written, and a number as it is written; mappings and lists hold
    spots."""

    value: Any
    path: Path
    line: int
    number: tuple[str, str] | None = None


def merge_files(documents: Sequence[Document]) -> Document:
    """Merge several files into one stack. Relative paths are resolved from the first file's folder. Raises InputError
    when their versions differ: docker rejects such files together."""
    first, *others = documents
    whole = _spots(first, (), first.data)
    for other in others:
        if _version(other) != _version(first):
            reason = f"version {_version(other)} differs from {_version(first)} of {first.path.name}"
            raise other.problem(("version",), reason, remedy="write the same version into both, or none")
        whole = _merge_whole(whole, _spots(other, (), other.data))
    lines: dict[Place, int] = {}
    files: dict[Place, Path] = {}
    numbers: dict[Place, tuple[str, str]] = {}
    return Document(first.path, _plain(whole, (), lines, files, numbers), lines, files, numbers)


def _version(document: Document) -> str:
    version = document.data.get("version")
    return _NEWEST if version in (None, "", "3") else str(version)


def _spots(document: Document, place: Place, value: object) -> _Spot:
    if isinstance(value, dict):
        value = {key: _spots(document, (*place, key), inner) for key, inner in value.items()}
    elif isinstance(value, list):
        value = [_spots(document, (*place, index), inner) for index, inner in enumerate(value)]
    return _Spot(value, document.path, document.line(place), document.numbers.get(place))


def _plain(
    spot: _Spot,
    place: Place,
    lines: dict[Place, int],
    files: dict[Place, Path],
    numbers: dict[Place, tuple[str, str]],
) -> Any:
    if place:
        lines[place], files[place] = spot.line, spot.path
    if spot.number:
        numbers[place] = spot.number
    if isinstance(spot.value, dict):
        return {key: _plain(inner, (*place, key), lines, files, numbers) for key, inner in spot.value.items()}
    if isinstance(spot.value, list):
        return [_plain(inner, (*place, index), lines, files, numbers) for index, inner in enumerate(spot.value)]
    return spot.value


def _merge_whole(base: _Spot, over: _Spot) -> _Spot:
    """Merge two whole files: services one by one; for everything else the later file wins."""
    top = dict(base.value)
    for section, spot in over.value.items():
        there = top.get(section)
        if there is None or not isinstance(there.value, dict) or not isinstance(spot.value, dict):
            top[section] = spot if spot.value is not None or there is None else there
        elif section == "services":
            services = {name: _service(there.value.get(name), one) for name, one in spot.value.items()}
            top[section] = _Spot({**there.value, **services}, there.path, there.line)
        else:
            top[section] = _Spot({**there.value, **spot.value}, there.path, there.line)
    return _Spot(top, base.path, base.line)


def _service(base: _Spot | None, over: _Spot) -> _Spot:
    return over if base is None else _merge_value(base, over, ())


def _merge_value(base: _Spot, over: _Spot, place: tuple[str, ...]) -> _Spot:
    """Merge one value over another. An empty value (null, an empty text or list, false) overrides nothing, except as a
    label or the like."""
    if place[:-1] in _TEXTS:
        return over
    if over.value in (None, "", [], {}) or over.value is False:
        return base
    if place in _REPLACED:
        return over
    if place in _PAIRS:
        base, over = _as_pairs(base), _as_pairs(over)
    elif place == ("ports",):
        return _by_key(_each_port(base), _each_port(over), _port_key)
    elif place in _KEYED:
        return _by_key(base, over, _KEYED[place])
    elif place in _LISTS:
        base, over = _as_list(base, place), _as_list(over, place)
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        if place == ("logging",) and _driver(base) != _driver(over) and "" not in (_driver(base), _driver(over)):
            return over
        # For a network that a service is attached to, the aliases are the later file's, or none.
        inner = {k: v for k, v in base.value.items() if k != "aliases" or place[:1] != ("networks",)}
        for key, spot in over.value.items():
            there = inner.get(key)
            inner[key] = spot if there is None else _merge_value(there, spot, (*place, key))
        return _Spot(inner, base.path, base.line)
    if isinstance(base.value, list) and isinstance(over.value, list):
        return _Spot([*base.value, *over.value], base.path, base.line)
    return over


def _driver(logging: _Spot) -> str:
    driver = logging.value.get("driver")
    return str(driver.value or "") if driver else ""


def _as_pairs(spot: _Spot) -> _Spot:
    """Return `NAME=value` items, or bare names, as a mapping."""
    if not isinstance(spot.value, list) or not all(isinstance(item.value, str) for item in spot.value):
        return spot
    pairs: dict[str, _Spot] = {}
    for item in spot.value:
        name, sign, text = item.value.partition("=")
        pairs[name] = _Spot(text if sign else None, item.path, item.line)
    return _Spot(pairs, spot.path, spot.line)


def _as_list(spot: _Spot, place: tuple[str, ...]) -> _Spot:
    """Return a single text as a list; a health check's text is for the container's shell."""
    if not isinstance(spot.value, str):
        return spot
    words = ["CMD-SHELL", spot.value] if place == ("healthcheck", "test") else [spot.value]
    return _Spot([_Spot(word, spot.path, spot.line) for word in words], spot.path, spot.line)


def _by_key(base: _Spot, over: _Spot, key: Callable[[Any], object]) -> _Spot:
    """Merge lists whose items have a key: of two items with the same key, the later one stays."""
    if not isinstance(base.value, list) or not isinstance(over.value, list):
        return over
    found: dict[object, _Spot] = {}
    for number, item in enumerate((*base.value, *over.value)):
        plain = _fill_defaults(_plain(item, (), {}, {}, {}))
        try:
            found[key(plain)] = item
        except (ValueError, TypeError, KeyError, AttributeError):
            # The error is reported when the whole is read.
            found["not readable", number] = item
    return _Spot(list(found.values()), base.path, base.line)


def _fill_defaults(value: object) -> object:
    """Return a short form with its settings filled in where they have a default."""
    try:
        return interpolate(value, {}, keep=True) if isinstance(value, str) else value
    except InputError:
        return value


def _each_port(ports: _Spot) -> _Spot:
    """Return published ports with every range expanded: docker merges single ports, not ranges."""
    if not isinstance(ports.value, list):
        return ports
    left, each = short_forms.PortsLeft(), []
    for item in ports.value:
        plain = _fill_defaults(_plain(item, (), {}, {}, {}))
        try:
            long = short_forms.parse_port(plain, left) if isinstance(plain, str | int) else []
        except ValueError:
            long = []
        each += [
            _Spot({k: _Spot(v, item.path, item.line) for k, v in one.items()}, item.path, item.line) for one in long
        ]
        each += [] if long else [item]
    return _Spot(each, ports.path, ports.line)


def _port_key(item: Any) -> object:
    """Return the merge key of a port. All ports that the swarm chooses have the same key, as in docker."""
    return int(item.get("published") or 0)


def _source(item: Any) -> object:
    return item["source"] if isinstance(item, dict) else item


def _target(item: Any) -> object:
    long: Any = short_forms.parse_mount(item)
    return long["target"]


#: Keys of a service that are replaced as a whole.
_REPLACED = frozenset({("command",), ("entrypoint",)})
#: Mappings that may be written as lists.
_PAIRS = frozenset({("environment",), ("labels",), ("sysctls",), ("deploy", "labels"), ("networks",)})
#: Mappings of texts in which an empty text counts.
_TEXTS = frozenset({("labels",), ("sysctls",), ("deploy", "labels"), ("logging", "options")})
#: Lists that may be written as one text.
_LISTS = frozenset({("dns",), ("dns_search",), ("tmpfs",), ("env_file",), ("healthcheck", "test")})
#: Lists whose items have a key.
_KEYED: Mapping[tuple[str, ...], Callable[[Any], object]] = MappingProxyType(
    {("secrets",): _source, ("configs",): _source, ("volumes",): _target}
)
