"""The tape: a journal on disk, one JSON object per line, so that two recordings can be compared with `diff`.

{"swarmlab": 1, "title": ..., "lesson": ..., "recorded": ..., ...}      the header; 1 is the format's version
{"at": 0.021, "kind": "lesson", "lesson": "reconciliation"}             an entry: seconds, the fact's kind, and
...                                                                     what differs from the defaults
{"end": 214, "finished": true}                                          the number of entries; nothing follows
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from lab.errors import InputError, LabError
from lab.tape.codec import (
    VERSION,
    Damaged,
    Header,
    end_line,
    from_line,
    header_line,
    redact_fact,
    shorten,
    to_entry,
    to_header,
    to_line,
)
from lab.terminal.redact import Redactor
from lab.terminal.redraw import begins_redraw, drop_repeats
from lab.world.entries import Entry, Fact, Printed
from lab.world.journal import Journal
from lab.world.world import World

__all__ = ["SUFFIX", "Header", "Recorder", "Tape", "check_tape", "load"]

SUFFIX = ".tape"
LARGEST = 8 * 1024 * 1024
"""A file of more bytes is not read; a lesson's tape has a fifth of a megabyte."""

LONGEST_LINE = 1024 * 1024
"""Bytes of one line."""

MOST = 200_000
"""Entries of one tape: thirty a second for nearly two hours."""

_END = 100
"""Bytes reserved for the end mark."""

_AGAIN = "record it again: swarmlab record LESSON"


@dataclass(frozen=True)
class Tape:
    """A recording as a value. `finished` is false when the recording was interrupted."""

    header: Header
    entries: tuple[Entry, ...]
    finished: bool = True


def load(path: Path) -> Tape:
    """Read and validate a tape. Raises InputError, with the line, for what is no tape, and for a tape that is damaged,
    cut off, of a newer version, or too large."""
    lines = _lines(path)
    first = next(lines, None)
    if first is None:
        raise InputError("the file is empty: this is not a swarmlab tape", path=path, remedy=_AGAIN)
    header, number = _header(path, first), 1
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=2):
        try:
            found = from_line(line)
            if isinstance(found, dict) and "end" in found:
                tape = _check_end(path, number, Tape(header, tuple(entries)), found)
                break
            entries.append(to_entry(found, entries[-1].at if entries else 0.0))
        except Damaged as problem:
            raise InputError(f"the line is damaged: {problem}", path=path, line=number, remedy=_AGAIN) from problem
        if len(entries) > MOST:
            raise InputError(f"a tape has at most {MOST:,} entries; this one has more", path=path, line=number)
    else:
        raise InputError(
            f"the tape is cut off: after {len(entries)} entries its end mark is missing",
            path=path,
            line=number,
            remedy=_AGAIN,
        )
    if next(lines, None) is not None:
        raise InputError("the tape goes on after its end mark", path=path, line=number + 1, remedy=_AGAIN)
    return tape


def check_tape(path: Path) -> Tape:
    """Load a tape and check that it contains no secret. Raises InputError."""
    tape, redactor = load(path), Redactor()
    for number, entry in enumerate(tape.entries, start=2):
        if redact_fact(entry.fact, redactor) != entry.fact:
            raise InputError("this entry holds a secret", path=path, line=number, remedy=_AGAIN)
    return tape


def _lines(path: Path) -> Iterator[str]:
    """Yield the file's lines, one by one, none longer than allowed."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > LARGEST:
                raise InputError(f"a tape has at most {LARGEST // 2**20} MB; this file is larger", path=path)
            number, left = 1, LARGEST
            while (data := file.readline(LONGEST_LINE + 1)) and left > 0:
                if len(data) > LONGEST_LINE:
                    reason = f"a line of a tape has at most {LONGEST_LINE // 1024:,} kB; this one is longer"
                    raise InputError(reason, path=path, line=number)
                yield data.decode("utf-8").removesuffix("\n")
                number, left = number + 1, left - len(data)
    except UnicodeDecodeError as error:
        reason = "this is not a swarmlab tape: it is not UTF-8 text"
        raise InputError(reason, path=path, line=number) from error
    except OSError as error:
        raise InputError(f"the tape cannot be read: {error.strerror}", path=path) from error


def _header(path: Path, line: str) -> Header:
    try:
        head = from_line(line)
    except Damaged as problem:
        raise InputError(f"this is not a swarmlab tape: {problem}", path=path, line=1) from problem
    if not isinstance(head, dict) or "swarmlab" not in head:
        raise InputError(
            "this is not a swarmlab tape", path=path, line=1, remedy="swarmlab replay NAME, or a .tape file"
        )
    version = head.pop("swarmlab")
    if not isinstance(version, int) or version < 1:
        raise InputError(f"the tape's version is not a number: {shorten(version)}", path=path, line=1, remedy=_AGAIN)
    if version > VERSION:
        raise InputError(
            f"this tape has version {version}, and this swarmlab reads up to version {VERSION}",
            path=path,
            line=1,
            remedy="install a newer swarmlab",
        )
    try:
        return to_header(head)
    except Damaged as problem:
        raise InputError(f"the tape's header is damaged: {problem}", path=path, line=1, remedy=_AGAIN) from problem


def _check_end(path: Path, number: int, tape: Tape, mark: dict[str, Any]) -> Tape:
    if mark["end"] != len(tape.entries) or isinstance(mark["end"], bool):
        raise InputError(
            f"the tape is damaged: it has {len(tape.entries)} entries, and its end mark names {shorten(mark['end'])}",
            path=path,
            line=number,
            remedy=_AGAIN,
        )
    return replace(tape, finished=mark.get("finished") is not False)


class Recorder:
    """A writer of a journal's entries to a tape, within a `with` block, each line at once and whole.

    While it is being written, the tape is a file of another name beside it, `NAME.XXXX.part`; at the end it is renamed,
    replacing what was there. When an exception ends the `with` (Ctrl-C is one), the tape is still kept, marked as
    unfinished. Everything is redacted once more, by a redactor that knows what the session knows. What no reader of a
    tape would accept is left out, and counted in `left_out`; so is, uncounted, a line of progress that is drawn again
    as it was. Raises LabError when the tape cannot be written.
    """

    def __init__(self, path: Path, header: Header, journal: Journal, *, redact: Redactor) -> None:
        self.path, self.header, self.count, self.left_out = path, header, 0, 0
        self._journal, self._redact = journal, redact
        self._streams: dict[str, Redactor] = {}
        self._drawn: dict[str, Mapping[int, str]] = {}
        self._begun: Entry | None = None
        self._part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        self._size = 0
        self._file: BinaryIO | None = None
        self._stop: Callable[[], None] = lambda: None
        self._trouble: OSError | None = None

    def __enter__(self) -> Recorder:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Nobody can know the name beforehand, and exclusive creation follows no link.
            self._file = self._part.open("xb", buffering=0)
        except OSError as error:
            raise self._describe_failure(error) from error
        first = header_line(self.header)
        self._line(first)
        self._size = len(first.encode()) + 1
        self._stop = self._journal.read(self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if self._begun is not None:
            self._keep(self._begun)
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
            self._part.unlink(missing_ok=True)
        if self._trouble is not None and kind is None:
            raise self._describe_failure(self._trouble)

    def _take(self, entry: Entry, _: World) -> None:
        entry = self._join(Entry(entry.at, self._clean(entry.fact)))
        fact = entry.fact
        if isinstance(fact, Printed):
            if begins_redraw(fact.text):
                self._begun = entry
                return
            text, self._drawn[fact.node] = drop_repeats(fact.text, self._drawn.get(fact.node, {}))
            if not text:
                return
            entry = Entry(entry.at, replace(fact, text=text))
        self._keep(entry)

    def _join(self, entry: Entry) -> Entry:
        """Return the entry with what its node has begun to draw before it; keep that if something else follows it."""
        begun, self._begun = self._begun, None
        if begun is None or not isinstance(begun.fact, Printed):
            return entry
        if isinstance(entry.fact, Printed) and entry.fact.node == begun.fact.node:
            return Entry(entry.at, replace(entry.fact, text=begun.fact.text + entry.fact.text))
        self._drawn[begun.fact.node] = {}
        self._keep(begun)
        return entry

    def _keep(self, entry: Entry) -> None:
        try:
            line = to_line(entry)
            to_entry(from_line(line))
            size = len(line.encode()) + 1
        except ValueError:  # Damaged is one: the tape must stay readable, and the lesson must go on.
            self.left_out += 1
            return
        if size > LONGEST_LINE or self._size + size > LARGEST - _END or self.count >= MOST:
            self.left_out += 1
            return
        self._line(line)
        self._size, self.count = self._size + size, self.count + 1

    def _clean(self, fact: Fact) -> Fact:
        if not isinstance(fact, Printed):
            return redact_fact(fact, self._redact)
        stream = self._streams.setdefault(fact.node, self._redact.stream())
        return replace(fact, text=stream.feed(fact.text) + stream.flush())

    def _line(self, text: str) -> None:
        if self._file is not None and self._trouble is None:
            data = memoryview(f"{text}\n".encode())
            try:
                while data:
                    data = data[self._file.write(data) :]
            except OSError as error:  # reported at the end: a full disk must not end the lesson
                self._trouble = error

    def _describe_failure(self, error: OSError) -> LabError:
        return LabError(
            f"the tape {self.path} cannot be written: {error.strerror}", remedy="choose another file with -o"
        )
