"""A YAML file as plain data with the line of every key and item. Only what a lesson needs of YAML: one document of
mappings, lists and scalars (1.2 core: `on` and `8080:80` are texts); no tags, no anchors, no key twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import yaml

from lab.errors import InputError

#: The largest file that is read, in bytes, and the deepest nesting.
LARGEST, DEEPEST = 256 * 1024, 24

#: The C parser where PyYAML has it: 20 times as fast, but its errors are poor in words.
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place = tuple[str | int, ...]
"""Keys and indices from the top."""

_INT = re.compile(r"[-+]?[0-9]{1,15}")
_FLOAT = re.compile(r"[-+]?([0-9]{1,15}\.[0-9]*|\.[0-9]+|[0-9]{1,15})([eE][-+]?[0-9]{1,2})?")
_WORDS: Mapping[str, object] = MappingProxyType(
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
)


@dataclass(frozen=True)
class Document:
    """What a file holds, and where: `lines` has the one-based line of every place."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest place around it that is in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(path: Path) -> Document:
    """Read a YAML file whose top is a mapping. Raises InputError with file, line and a sentence."""
    text = _text(path)
    try:
        builder = _built(path, text, _FAST)
    except (yaml.YAMLError, ValueError, OverflowError):
        builder = _told(path, text)
    if not builder.any:
        raise InputError("the file is empty", path=path, line=1, remedy="a lesson begins with `id:` and `title:`")
    if not isinstance(builder.top, dict):
        kind = "a list" if isinstance(builder.top, list) else "one single value"
        raise InputError(f"the top must be a mapping (key: value), not {kind}", path=path, line=1)
    return Document(path, builder.top, builder.lines)


def _built(path: Path, text: str, loader: Any) -> _Builder:
    builder = _Builder(path)
    for event in yaml.parse(text, Loader=loader):
        builder.take(event)
    return builder


def _told(path: Path, text: str) -> _Builder:
    """Read slowly what could not be read fast: this parser says in words what is wrong, and where."""
    try:
        return _built(path, text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = int(getattr(error.problem_mark or error.context_mark, "line", -1)) + 1
        reason = " ".join(p for p in (error.context, error.problem) if p)
        raise InputError(f"not YAML: {reason}", path=path, line=line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"not text: the character #x{ord(text[error.position]):04x}", path=path, line=line) from None
    except (ValueError, OverflowError) as error:
        raise InputError(f"not YAML: {error}", path=path) from None


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise InputError("there is no such file" if not path.exists() else "not a regular file", path=path)
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            size = path.stat().st_size
            raise InputError(f"too large: {size:,} bytes, at most {LARGEST:,} are read", path=path, line=1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        reason = f"not UTF-8: byte 0x{raw[error.start]:02x}"
        raise InputError(reason, path=path, line=line, remedy="save the file as UTF-8") from None


class _Builder:
    """Folds the parser's events into plain data. Nothing is expanded, so the cost is the file's size."""

    def __init__(self, path: Path) -> None:
        self.path, self.line, self.any = path, 1, False
        self.top: object = None
        self.lines: dict[Place, int] = {}
        self._open: list[tuple[dict[str, Any] | list[Any], Place]] = []
        self._key: list[str | None] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        self.line = int(getattr(event.start_mark, "line", 0)) + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._refuse("anchors and aliases (& and *) are not taken here: write the value out")
        if tag := getattr(event, "tag", None):
            self._refuse(f"tags are not taken here: {tag}")
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._refuse("a second document begins here; a file holds one")
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._begin({})
            case yaml.SequenceStartEvent():
                self._begin([])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
                self._key.pop()

    def _begin(self, value: dict[str, Any] | list[Any]) -> None:
        if len(self._open) >= DEEPEST:
            self._refuse(f"nested more than {DEEPEST} deep")
        self._open.append((value, self._put(value)))
        self._key.append(None)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self._open and isinstance(self._open[-1][0], dict) and self._key[-1] is None:
            self._key[-1] = self._new_key(str(event.value))
        elif not self._open and not event.value and event.implicit[0]:
            return
        else:
            self._put(_plain(event.value) if event.implicit[0] else str(event.value))

    def _new_key(self, key: str) -> str:
        mapping, place = self._open[-1]
        if key in mapping:
            self._refuse(f"the key {key!r} stands here twice; first in line {self.lines[(*place, key)]}")
        self.lines[(*place, key)] = self.line
        return key

    def _put(self, value: object) -> Place:
        """Put a value where the next one belongs; the answer is its place."""
        self.any = True
        if not self._open:
            self.top = value
            return ()
        around, place = self._open[-1]
        if isinstance(around, list):
            around.append(value)
            here: Place = (*place, len(around) - 1)
            self.lines[here] = self.line
            return here
        key = self._key[-1]
        if key is None:
            self._refuse("a key must be a text")
        around[key] = value
        self._key[-1] = None
        return (*place, key)

    def _refuse(self, reason: str) -> NoReturn:
        raise InputError(reason, path=self.path, line=self.line)


def _plain(text: str) -> object:
    """A scalar without quotes, by YAML 1.2's core schema; numbers of a sane length only."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
