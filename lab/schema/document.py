"""A YAML file as plain data with the line of every key and item.

A lesson needs little of YAML: one document of mappings, lists and scalars (1.2 core: `on` and `8080:80` are texts); no
tags, anchors or duplicate keys. A stack file is read as docker reads it: with anchors, aliases, merge keys (`<<`), tags
and docker's own numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import InputError
from lab.schema import yaml_scalars
from lab.schema.yaml_nodes import DEEPEST, Item, Kind, Node, Refused, parse

#: The largest file that is read, in bytes.
LARGEST = 256 * 1024
#: The most values that a lesson may hold; the lab's own have less than a tenth of that.
_MOST = 5_000
#: The most values that a stack file may hold with its aliases and merges expanded.
_MOST_OF_STACK = 20_000
#: The path that stands for standard input, as with `docker stack deploy --compose-file -`.
STDIN = Path("-")

Place = tuple[str | int, ...]
"""Keys and indices from the top."""


@dataclass(frozen=True)
class Document:
    """The content of a file and its lines: `lines` has the one-based line of every place, `files` the file of each
    place that is not in `path` (when several files make one stack). `numbers` has the numbers and dates of a stack file
    that docker writes otherwise where a text is wanted: as they are written, and as docker writes them."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[Place, int]
    files: Mapping[Place, Path] = field(default_factory=dict)
    numbers: Mapping[Place, tuple[str, str]] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Return the line of a place, or of the nearest place around it that is in the file."""
        return self.lines.get(self._nearest(place), 1)

    def problem(self, place: Place, reason: str, *, remedy: str = "") -> InputError:
        """Return an error about a place."""
        near = self._nearest(place)
        return InputError(reason, path=self.files.get(near, self.path), line=self.lines.get(near, 1), remedy=remedy)

    def at(self, place: Place) -> object:
        """Return the value at a place; None when there is nothing."""
        here: object = self.data
        for key in place:
            if isinstance(here, dict):
                here = here.get(key)
            elif isinstance(here, list) and isinstance(key, int) and key < len(here):
                here = here[key]
            else:
                return None
        return here

    def _nearest(self, place: Place) -> Place:
        while place and place not in self.lines:
            place = place[:-1]
        return place


def read(path: Path, text: str | None = None) -> Document:
    """Read a lesson file, or `text` as its content. Raises InputError with file, line and a sentence."""
    return _read(path, text, _Dialect(yaml_scalars.resolve_core, shared=False, most=_MOST))


def read_stack(path: Path, text: str | None = None) -> Document:
    """Read a stack file, or `text` as its content, as docker reads it. Raises InputError with file, line and a
    sentence."""
    return _read(path, text, _Dialect(yaml_scalars.resolve_docker, shared=True, most=_MOST_OF_STACK))


def read_text(path: Path) -> str:
    """Return a file's text, or that of standard input for `-`. Raises InputError."""
    try:
        if path == STDIN:
            raw = sys.stdin.buffer.read(LARGEST + 1)
        else:
            if not path.is_file():
                raise InputError("there is no such file" if not path.exists() else "not a regular file", path=path)
            with path.open("rb") as file:
                raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            size = f"{path.stat().st_size:,} bytes, at " if path != STDIN else "at "
            raise InputError(f"too large: {size}most {LARGEST:,} are read", path=path, line=1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        reason = f"not UTF-8: byte 0x{raw[error.start]:02x}"
        raise InputError(reason, path=path, line=line, remedy="save the file as UTF-8") from None


@dataclass(frozen=True)
class _Dialect:
    """The YAML dialect of a file: how a scalar is resolved (from its text, whether it is plain, and its tag), whether
    anchors and tags are allowed, and how many values it may hold."""

    scalar: Callable[[str, bool, str], object]
    shared: bool
    most: int


def _read(path: Path, text: str | None, dialect: _Dialect) -> Document:
    text = read_text(path) if text is None else text
    try:
        top = parse(text, shared=dialect.shared, most=dialect.most)
        if top is None:
            raise InputError("the file is empty", path=path, line=1, remedy="a lesson begins with `id:` and `title:`")
        written = _Written(dialect)
        data = written.value(top, (), 0)
    except Refused as refused:
        raise InputError(refused.reason, path=path, line=refused.line) from None
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "one single value"
        raise InputError(f"the top must be a mapping (key: value), not {kind}", path=path, line=1)
    return Document(path, data, written.lines, numbers=written.numbers)


class _Written:
    """Nodes expanded to plain data: the value of an alias is repeated, with the lines where it is written; merged keys
    are placed among a mapping's own."""

    def __init__(self, dialect: _Dialect) -> None:
        self.lines: dict[Place, int] = {}
        self.numbers: dict[Place, tuple[str, str]] = {}
        self._dialect, self._left = dialect, dialect.most

    def value(self, item: Item, place: Place, depth: int) -> object:
        """Return an item as plain data. `depth` counts aliases and merges too, which could else nest without end."""
        node = item.node
        self._count(item.line, depth, len(node.text))
        if node.kind is Kind.SCALAR:
            value = self._scalar(node)
            text = yaml_scalars.as_text(value) if self._dialect.shared else node.text
            if text is not None and text != node.text:
                self.numbers[place] = (node.text, text)
            return value
        if node.kind is Kind.LIST:
            found = []
            for index, each in enumerate(node.items):
                here = (*place, index)
                self.lines[here] = each.line
                found.append(self.value(each, here, depth + 1))
            return found
        mapping: dict[str, object] = {}
        for key, line, each in self._pairs(node, depth):
            if key not in mapping:
                here = (*place, key)
                self.lines[here] = line
                mapping[key] = self.value(each, here, depth + 1)
        return mapping

    def _pairs(self, node: Node, depth: int) -> Iterator[tuple[str, int, Item]]:
        """Yield keys with lines and values: a mapping's own, then the merged ones. The first of each name wins."""
        seen: dict[str, int] = {}
        merged: list[Item] = []
        for key, value in zip(node.items[::2], node.items[1::2], strict=True):
            name = key.node.text
            if key.node.kind is not Kind.SCALAR:
                raise Refused("a key must be a text", key.line)
            if name in seen:
                instead = ": write one list, <<: [*name, *other]" if name == "<<" and self._dialect.shared else ""
                raise Refused(f"the key {name!r} stands here twice; first in line {seen[name]}{instead}", key.line)
            seen[name] = key.line
            if self._dialect.shared and name == "<<" and key.node.plain:
                merged = self._list_merged(value, key.line)
            else:
                yield self._key(key), key.line, value
        for each in merged:
            self._count(each.line, depth + 1)
            for pair in self._pairs(each.node, depth + 1):
                self._count(each.line, depth + 1)
                yield pair

    def _list_merged(self, value: Item, line: int) -> list[Item]:
        """Return the mappings that a merge key names: one, or several in a list."""
        several = value.node.kind is Kind.LIST and not value.again
        each = value.node.items if several else [value]
        if any(one.node.kind is not Kind.MAPPING for one in each):
            raise Refused("`<<` takes a mapping, or a list of mappings: <<: *name or <<: [*name, *other]", line)
        return each

    def _key(self, key: Item) -> str:
        if not self._dialect.shared:
            return key.node.text
        value = self._scalar(key.node)
        if not isinstance(value, str):
            raise Refused(f'docker takes only texts for keys: write "{key.node.text}" in quotes', key.line)
        return value

    def _scalar(self, node: Node) -> object:
        try:
            return self._dialect.scalar(node.text, node.plain, node.tag)
        except ValueError as error:
            raise Refused(str(error), node.line) from None

    def _count(self, line: int, depth: int, size: int = 0) -> None:
        # A long text with many aliases is processed again for each of them.
        self._left -= 1 + size // 1000
        if self._left < 0:
            raise Refused(f"holds more than {self._dialect.most:,} values, with all aliases written out", line)
        if depth > 2 * DEEPEST:
            raise Refused(f"nested more than {2 * DEEPEST} deep, with all aliases written out", line)
