"""The tape: a journal on disk, one JSON object a line, so that two recordings can be compared with `diff`.

{"swarmlab": 1, "title": ..., "lesson": ..., "recorded": ..., ...}      the header; 1 is the format's version
{"at": 0.021, "kind": "lesson", "lesson": "reconciliation"}             an entry: seconds, the fact's kind, and
...                                                                     what differs from the defaults
{"end": 214, "finished": true}                                          the number of entries; nothing follows
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from pydantic import ValidationError

from lab.errors import InputError, LabError
from lab.tape import bounds
from lab.tape.lines import CLOCK, FACTS, VERSION, Header, end_line, header_line, redacted, to_line
from lab.tape.redact import Redactor
from lab.world.entries import Entry, Fact, Printed
from lab.world.journal import Journal
from lab.world.world import World

__all__ = ["SUFFIX", "Header", "Recorder", "Tape", "check_tape", "load"]

SUFFIX = ".tape"

_AGAIN = "record it again: swarmlab record LESSON"


@dataclass(frozen=True)
class Tape:
    """A recording as a value. `finished` is false when the recording was interrupted."""

    header: Header
    entries: tuple[Entry, ...]
    finished: bool = True


def load(path: Path) -> Tape:
    """Read and validate a tape. Raises InputError, with the line, for what is no tape, a damaged one, one that was cut
    off, one of a newer version, and one that is too large."""
    lines = _lines(path)
    _, first = next(lines)
    head = _object(path, 1, first)
    if not isinstance(head, dict) or "swarmlab" not in head:
        raise InputError(
            "this is not a swarmlab tape", path=path, line=1, remedy="swarmlab replay NAME, or a .tape file"
        )
    version = head.pop("swarmlab")
    if not isinstance(version, int) or version < 1:
        raise InputError(f"the tape's version is not a number: {version!r}", path=path, line=1, remedy=_AGAIN)
    if version > VERSION:
        raise InputError(
            f"this tape has version {version}, and this swarmlab reads up to version {VERSION}",
            path=path,
            line=1,
            remedy="install a newer swarmlab",
        )
    try:
        header = Header.model_validate(head)
    except ValidationError as error:
        raise InputError(f"the tape's header is damaged: {_first(error)}", path=path, line=1, remedy=_AGAIN) from error
    entries: list[Entry] = []
    number = 1
    for number, line in lines:
        found = _object(path, number, line)
        if isinstance(found, dict) and "end" in found:
            tape = _ended(path, number, Tape(header, tuple(entries)), found)
            if (more := next(lines, None)) is not None:
                raise InputError("the tape goes on after its end mark", path=path, line=more[0], remedy=_AGAIN)
            return tape
        if len(entries) == bounds.ENTRIES:
            raise InputError(f"a tape has at most {bounds.ENTRIES} entries; this one has more", path=path, line=number)
        entries.append(_entry(path, number, found, entries[-1].at if entries else 0.0))
    raise InputError(
        f"the tape is cut off: after {len(entries)} entries its end mark is missing",
        path=path,
        line=number,
        remedy=_AGAIN,
    )


def check_tape(path: Path) -> Tape:
    """`load`, and no secret is in it. Raises InputError."""
    tape, redactor = load(path), Redactor()
    for number, entry in enumerate(tape.entries, start=2):
        if redacted(entry.fact, redactor) != entry.fact:
            raise InputError("this entry holds a secret", path=path, line=number, remedy=_AGAIN)
    return tape


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file, at least one, with their numbers: read one by one, and within bounds."""
    number, size = 0, 0
    try:
        with path.open("rb") as file:
            while data := file.readline(bounds.LINE + 1):
                number, size = number + 1, size + len(data)
                if size > bounds.FILE:
                    raise InputError(f"a tape has at most {bounds.FILE // 2**20} MB; this file is larger", path=path)
                if len(data) > bounds.LINE:
                    most = f"{bounds.LINE // 2**20} MB"
                    raise InputError(f"a tape's line has at most {most}; this one has more", path=path, line=number)
                yield number, _decoded(path, number, data)
    except OSError as error:
        raise InputError(f"the tape cannot be read: {error.strerror}", path=path) from error
    if not number:
        raise InputError("the file is empty: this is not a swarmlab tape", path=path, remedy=_AGAIN)


def _decoded(path: Path, number: int, data: bytes) -> str:
    try:
        return data.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise InputError("this is not a swarmlab tape: it is not UTF-8 text", path=path, line=number) from error


def _object(path: Path, number: int, line: str) -> Any:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        if number == 1:
            raise InputError("this is not a swarmlab tape", path=path, line=1) from error
        raise InputError("the line is damaged: it is not whole JSON", path=path, line=number, remedy=_AGAIN) from error
    if why := bounds.beyond(found):
        raise InputError(f"the line is out of bounds: {why}", path=path, line=number, remedy=_AGAIN)
    return found


def _entry(path: Path, number: int, found: Any, after: float) -> Entry:
    if not isinstance(found, dict):
        raise InputError("the line is damaged: it is no entry", path=path, line=number, remedy=_AGAIN)
    at = found.pop("at", None)
    if isinstance(at, bool) or not isinstance(at, int | float) or at < after:
        raise InputError(
            f"the entry's time must be a number of seconds, at least {after:g}: {at!r}",
            path=path,
            line=number,
            remedy=_AGAIN,
        )
    if CLOCK in found:
        found["at"] = found.pop(CLOCK)
    try:
        return Entry(float(at), FACTS.validate_python(found))
    except ValidationError as error:
        raise InputError(f"the entry is damaged: {_first(error)}", path=path, line=number, remedy=_AGAIN) from error


def _ended(path: Path, number: int, tape: Tape, mark: dict[str, Any]) -> Tape:
    if mark["end"] != len(tape.entries) or isinstance(mark["end"], bool):
        raise InputError(
            f"the tape is damaged: it has {len(tape.entries)} entries, and its end mark names {mark['end']!r}",
            path=path,
            line=number,
            remedy=_AGAIN,
        )
    return Tape(tape.header, tape.entries, mark.get("finished") is not False)


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]


class Recorder:
    """Writes a journal's entries to a tape, from `with` to its end, each line at once and whole.

    While it is being made the tape is called `NAME.part`; at the end it takes its name, replacing what was there. When
    an exception ends the `with` (Ctrl-C is one) the tape is kept all the same, marked as unfinished. Everything is
    redacted once more. Raises LabError when the disk does not take it.
    """

    def __init__(self, path: Path, header: Header, journal: Journal, *, redact: Redactor | None = None) -> None:
        self.path, self.header, self.count = path, header, 0
        self._journal, self._redact = journal, redact or Redactor()
        self._streams: dict[str, Redactor] = {}
        self._file: BinaryIO | None = None
        self._stop: Callable[[], None] = lambda: None
        self._trouble: OSError | None = None

    def __enter__(self) -> Recorder:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb", buffering=0)
        except OSError as error:
            raise self._failed(error) from error
        self._line(header_line(self.header))
        self._stop = self._journal.read(self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._line(end_line(self.count, kind is None))
        try:
            if self._file is not None and self._trouble is None:
                os.fsync(self._file.fileno())
                self._part.replace(self.path)
        except OSError as trouble:
            self._trouble = trouble
        finally:
            if self._file is not None:
                self._file.close()
        if self._trouble is not None and kind is None:
            raise self._failed(self._trouble)

    @property
    def _part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    def _take(self, entry: Entry, _: World) -> None:
        self._line(to_line(Entry(entry.at, self._clean(entry.fact))))
        self.count += 1

    def _clean(self, fact: Fact) -> Fact:
        if not isinstance(fact, Printed):
            return redacted(fact, self._redact)
        stream = self._streams.setdefault(fact.node, self._redact.stream())
        return replace(fact, text=stream.feed(fact.text) + stream.flush())

    def _line(self, text: str) -> None:
        if self._file is not None and self._trouble is None:
            data = memoryview(f"{text}\n".encode())
            try:
                while data:
                    data = data[self._file.write(data) :]
            except OSError as error:  # told at the end: a full disk must not end the lesson
                self._trouble = error

    def _failed(self, error: OSError) -> LabError:
        return LabError(
            f"the tape {self.path} cannot be written: {error.strerror}", remedy="choose another file with -o"
        )
