"""Keeps secrets out of what is shown, stored and published: tokens, keys, passwords, and known values.

Masked by form: join tokens (`SWMTKN-1-...`) and unlock keys (`SWMKEY-1-...`); private keys (PEM, PGP); bearer and basic
credentials; the `auth`, `password` and token keys of JSON; `user:password@` in a URL; the values of `--password`, of
`login -p`, of `curl -u NAME:`, and of variables whose names end with PASSWORD, _SECRET, _TOKEN or API_KEY; password
hashes (bcrypt, apr1, crypt). Known values are masked wherever they appear, also when escaped for a URL or JSON, and
inside base64.

Not masked: a password that nothing marks as one (`printf VALUE | docker secret create db -`, the answer to a prompt, a
file's text); one of the forms above once it is encoded (base64, gzip, \\u0041); the first characters of a secret that
arrives so slowly that they were shown before they could be distinguished from a word.

Masking preserves the number of characters and of cells, so that a screen drawn by cursor moves still fits.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from lab.terminal import escapes
from lab.terminal.secret_shapes import LONGEST, SHAPES, Shape, find_begun, may_go_on

__all__ = ["Redactor", "is_mask"]

MASK = "•"
"""Replaces a hidden character of one cell."""
WIDE_MASK = "＊"
"""Replaces one of two cells."""
EMPTY_MASK = "\u034f"
"""Replaces one that takes no cell."""

SHORTEST = 4
"""A known value of fewer characters is not searched for: it would mask ordinary words."""

SHORTEST_ENCODED = 8
"""The least number of base64 characters that must come from the known value alone."""

WRAPS_FROM = 40
"""A line break inside a secret of no fixed length counts as a terminal's wrap only after a line this long."""

_CONTEXT = 400
_LONG = 1024
_FOR_URLS = str.maketrans("+/", "-_")
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

# What a terminal may put inside a word without ending it: escape sequences whole or cut off, line breaks with the
# blanks on either side, backspaces, and the blank that line editors write at the margin before they return to column
# one.
_ESCAPES = (
    rf"{escapes.CSI_BEGUN}(?:[@-~]|\Z)"
    rf"|{escapes.STRING_OPENER}{escapes.STRING_TEXT}(?:[\x07\x9c]|\x1b\\)?"
    rf"|{escapes.ESCAPE_BEGUN}(?:[0-~]|\Z)"
    r"|[\x00-\x07\x0e-\x1f\x7f-\x9f]"
)
_LINE_END = rf"(?:{_ESCAPES})*+(?:[\r\n\x08]|\Z)"
_GAPS = rf"{_ESCAPES}|\x08|(?:\r++\n?|\n)[ ]*+|[ ]++(?={_LINE_END})"
_GAP = re.compile(_GAPS)
#: The visible text up to the next gap, and the gap. Characters that cannot begin a gap are matched at once.
_PART = re.compile(rf"((?:[^\x00-\x08\x0a\x0d-\x1f \x7f-\x9f]++|[ ]++(?!{_LINE_END})|(?!{_GAPS})[^ ])*+)({_GAPS}|\Z)")
_OPENS_STRING = re.compile(r"[\x1b\x90\x98\x9d-\x9f]")
_STRING = re.compile(rf"{escapes.STRING_OPENER}({escapes.STRING_TEXT})(\Z)?")


@dataclass(frozen=True)
class _Find:
    """The result of one search, in positions of the raw text: `sure` is to be masked; what is from `open` on depends on
    what follows, and `likely` is to be masked there if nothing follows. `since` is where the next search must begin to
    find the same."""

    sure: tuple[tuple[int, int], ...]
    open: int
    since: int
    likely: tuple[tuple[int, int], ...]


class _Values:
    """The known values, shared by the redactors of one lab."""

    def __init__(self) -> None:
        self.known: tuple[str, ...] = ()


class Redactor:
    """A filter that masks secrets in a stream of terminal text.

    `feed` returns what is already certain; `flush`, called when the stream is quiet, returns the rest. Together they
    return as many characters as were fed. A secret is found across chunks, escape sequences and wrapped lines. One
    redactor serves one stream: `stream` makes another that knows the same values. `whole` is for standalone texts, and
    does not affect the stream.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._values = _Values()
        self._kept, self._sent = "", 0
        self._new: list[str] = []
        self._size = 0
        self.learn(*known)

    def learn(self, *values: str) -> None:
        """Mask these values too from now on, in every stream of this redactor: each of their lines separately, and in
        the forms in which they may appear (`_forms`). Lines under four characters are ignored. May be called from any
        thread."""
        lines = {line.strip() for value in values for line in (value, *value.splitlines())}
        more = {form for line in lines if len(line) >= SHORTEST for form in _forms(line)}
        self._values.known = tuple(sorted({*self._known, *more}, key=lambda v: (-len(v), v)))

    def stream(self) -> Redactor:
        """Return a redactor for another stream."""
        other = Redactor()
        other._values = self._values
        return other

    @property
    def _known(self) -> tuple[str, ...]:
        return self._values.known

    def feed(self, text: str) -> str:
        """Return what is certain after this chunk: nothing in it can still become part of a secret."""
        self._new.append(text)
        self._size += len(text)
        if len(self._kept) > _LONG and self._size < len(self._kept) // 4:
            return ""  # A long secret is arriving: a search at every character would take its length squared.
        text = self._all()
        found = _look(text, self._known)
        if len(text) - found.open > LONGEST:
            return self._emit(text, (*found.sure, *found.likely), len(text), len(text))
        return self._emit(text, found.sure, found.open, found.since)

    def flush(self) -> str:
        """Return everything that was held back. The rest of a secret that is still arriving will be masked too."""
        if not self.holds:
            return ""
        text = self._all()
        found = _look(text, self._known)
        return self._emit(text, (*found.sure, *found.likely), len(text), found.since)

    def whole(self, text: str) -> str:
        """Return a standalone text, masked."""
        found = _look(text, self._known, alone=True)
        return _mask_spans(text, (*found.sure, *found.likely), self._known)

    @property
    def holds(self) -> bool:
        """Whether something is held back until the next chunk or a flush."""
        return self._sent < len(self._kept) or self._size > 0

    def _all(self) -> str:
        text = "".join((self._kept, *self._new))
        self._new, self._size = [], 0
        return text

    def _emit(self, text: str, spans: tuple[tuple[int, int], ...], upto: int, undecided: int) -> str:
        upto = max(upto, self._sent)
        said = _mask_spans(text, spans, self._known)[self._sent : upto]
        keep = _context(text, min(undecided, upto))
        self._kept, self._sent = text[keep:], upto - keep
        return said


def _context(text: str, undecided: int) -> int:
    """Return where the text to remember begins: the line so far, not cut inside an escape sequence."""
    keep = max(text.rfind("\n", 0, undecided) + 1, undecided - _CONTEXT)
    start = text.rfind("\x1b", 0, keep)
    if start >= 0 and (gap := _GAP.match(text, start)) and gap.end() > keep:
        return start if gap.end() > undecided else gap.end()
    return keep


@dataclass(frozen=True)
class _Match:
    """A secret or what may become one, in positions of the visible text: it begins `at`, and `start` to `end` is
    masked. `closed`: nothing that follows belongs to it. `sure`: it is a secret even if nothing follows."""

    at: int
    start: int
    end: int
    closed: bool = True
    sure: bool = True


def _look(text: str, known: tuple[str, ...], *, alone: bool = False) -> _Find:
    seen = _Seen(text)
    matches = tuple(_matches(seen, known, alone))
    sure = _spans(seen, ((m.start, m.end) for m in matches if m.closed))
    likely = _spans(seen, ((m.start, m.end) for m in matches if not m.closed and m.sure))
    undecided = min((seen.raw(m.at) for m in matches if not m.closed), default=seen.cut)
    across = (seen.raw(m.at) for m in matches if m.closed and m.end > m.start and seen.raw(m.end - 1) >= undecided)
    return _Find(sure, undecided, min([undecided, *across]), likely)


def _spans(seen: _Seen, ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the raw pieces of ranges that may overlap."""
    found: list[tuple[int, int]] = []
    done = 0
    for start, end in sorted(ranges):
        found.extend(seen.spans(max(start, done), end))
        done = max(done, end)
    return tuple(found)


class _Seen:
    """The visible part of a terminal's text (`text`), and its positions in the raw text."""

    def __init__(self, raw: str) -> None:
        starts, counts, pieces, breaks, at, count = [], [], [], [], 0, 0
        self.cut = len(raw)
        for piece, gap in _PART.findall(raw):
            if piece:
                starts.append(at)
                counts.append(count)
                pieces.append(piece)
                at += len(piece)
                count += len(piece)
            if "\n" in gap and gap[0] in "\r\n":
                breaks.append((count, gap[-1] == " "))
            at += len(gap)
            if at == len(raw) and gap and (half := _STRING.match(gap)) and half[2] is not None:
                self.cut = at - len(gap)
        starts.append(len(raw))
        counts.append(count)
        self.text = "".join(pieces)
        self._starts, self._counts, self._breaks = starts, counts, breaks

    def raw(self, at: int) -> int:
        """Return the position in the raw text of a visible character."""
        piece = bisect_right(self._counts, at) - 1
        return self._starts[piece] + at - self._counts[piece]

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the raw pieces of a visible range, without the gaps between them."""
        piece = bisect_right(self._counts, start) - 1
        while start < end:
            after = self._counts[piece + 1] if piece + 1 < len(self._counts) else len(self.text)
            stop = min(end, after)
            if stop > start:
                raw = self._starts[piece] + start - self._counts[piece]
                yield raw, raw + stop - start
            start, piece = stop, piece + 1

    def line_end(self, start: int, end: int) -> int:
        """Return where a range ends: at the first line break, unless the line is long enough to have been wrapped and
        the next one is not indented."""
        index = bisect_right(self._breaks, (start, True))
        while index < len(self._breaks) and (at := self._breaks[index][0]) < end:
            if not self._is_wrapped(index):
                return at
            index += 1
        return end

    def line(self, at: int) -> str:
        """Return the line up to `at`, including the wrapped lines before it that it continues."""
        index = bisect_right(self._breaks, (at, True)) - 1
        while index >= 0 and at - self._breaks[index][0] < _CONTEXT and self._is_wrapped(index):
            index -= 1
        return self.text[max(at - _CONTEXT, self._breaks[index][0] if index >= 0 else 0) : at]

    def _is_wrapped(self, index: int) -> bool:
        at, indented = self._breaks[index]
        before = self._breaks[index - 1][0] if index else 0
        return not indented and at - before >= WRAPS_FROM


def _matches(seen: _Seen, known: tuple[str, ...], alone: bool) -> Iterator[_Match]:
    """Yield all matches. `alone`: a known value is searched for only in full, since nothing will follow."""
    text, size = seen.text, len(seen.text)
    for value in known:
        for at in _finds(text, value):
            yield _Match(at, at, at + len(value))
        if not alone and (part := _find_half(text, value)):
            yield _Match(size - part, size - part, size, False, part >= max(SHORTEST, len(value) // 3))
    lowered = text.translate(_LOWER)
    for shape in SHAPES:
        done = 0
        for at in _finds(lowered if shape.any_case else text, shape.opener):
            if at >= done and (match := _body(seen, shape, at)):
                done = match.end
                yield match
    if part := find_begun(text):
        yield _Match(size - part, size - part, size, False, False)


def _body(seen: _Seen, shape: Shape, at: int) -> _Match | None:
    begin = at + len(shape.opener)
    match = shape.body.match(seen.text, begin)
    if match is None or (shape.before is not None and not shape.before.search(seen.line(at))):
        return None
    # In a body with groups, the group that matched is the secret, if any did.
    start, end = match.span(match.lastindex or 0) if match.lastindex or not match.re.groups else (begin, begin)
    body = seen.text[start:end]
    start = at if shape.exact else start
    stop = match.end() if shape.exact else seen.line_end(at, match.end())
    cut, end = stop < match.end(), min(end, stop)
    body = body[: max(0, end - start)] if cut else body
    enough = len(body) >= shape.least and (shape.tell is None or shape.tell.search(body) is not None)
    if not cut and match.end() == len(seen.text) and may_go_on(shape, match[0]):
        return _Match(at, start, end, False, enough)
    return _Match(at, start, end) if enough and not (cut and shape.whole) else None


def _forms(value: str) -> Iterator[str]:
    """Yield the forms in which a known value may appear: as it is, with a space lost at a line's end, escaped for a URL
    or for JSON, and inside base64 (whose first and last characters may depend on the surrounding data, and are
    ignored)."""
    if "\n" not in value:
        yield value
        yield from (value[:at] + value[at + 1 :] for at, char in enumerate(value) if char == " ")
        yield from (value.replace(" ", ""), quote(value, safe=""), json.dumps(value)[1:-1])
    data = value.encode("utf-8", "replace")
    yield base64.b64encode(data).decode().rstrip("=")
    for lead in range(3):
        text = base64.b64encode(bytes(lead) + data).decode()
        inner = text[-(-lead * 8 // 6) : (lead + len(data)) * 8 // 6]
        if len(inner) >= SHORTEST_ENCODED:
            yield from (inner, inner.translate(_FOR_URLS))


def _finds(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _find_half(text: str, value: str) -> int:
    """Return how many characters at the text's end could be the beginning of the value, but not all of it."""
    for size in range(min(len(value) - 1, len(text)), 0, -1):
        if text.endswith(value[:size]):
            return size
    return 0


def _mask_spans(text: str, spans: Iterable[tuple[int, int]], known: tuple[str, ...]) -> str:
    text = _hide_spans(text, spans)
    if not _OPENS_STRING.search(text):
        return text
    together = "\n".join(match[1] for match in _STRING.finditer(text))
    if _payload(together, known) == together:
        return text
    return _STRING.sub(lambda m: m[0][: m.start(1) - m.start()] + _payload(m[1], known), text)


def _payload(text: str, known: tuple[str, ...]) -> str:
    """Return a title's or a link's text, masked: it is not visible, but it is stored."""
    if len(text) < SHORTEST:
        return text
    found = _look(text, known)
    return _hide_spans(text, (*found.sure, *found.likely))


def _hide_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces, at = [], 0
    for start, end in sorted(spans):
        if end > at:
            start = max(start, at)
            pieces += [text[at:start], "".join(map(_mask, text[start:end]))]
            at = end
    return "".join((*pieces, text[at:]))


def is_mask(char: str) -> bool:
    """Return whether this character replaces a hidden one."""
    return char in (MASK, WIDE_MASK, EMPTY_MASK)


def _mask(char: str) -> str:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return EMPTY_MASK
    return WIDE_MASK if unicodedata.east_asian_width(char) in "WF" else MASK
