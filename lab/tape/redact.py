"""Keeps secrets out of what is shown, kept and published: tokens, keys, passwords, and values that are known.

What is masked (forms as swarmkit, RFC 7468, RFC 6750, RFC 7617 and RFC 3986 have them): join tokens
(`SWMTKN-1-...`, `SWMTKN-2-...`), unlock keys (`SWMKEY-1-...`), PEM private keys, bearer and basic credentials,
the `auth` of a Docker configuration, `user:password@` in a URL, `--password VALUE`, and the values given as known.

Masking keeps the number of characters and of cells, so that a screen drawn by cursor moves still fits.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Redactor", "is_mask"]

MASK, WIDE_MASK, EMPTY_MASK = "•", "＊", "\u034f"
"""What stands for a hidden character of one cell, of two cells, and of none."""

SHORTEST = 4
"""A known value of fewer characters is not looked for: it would mask ordinary words."""

LONGEST = 32_768
"""How many characters may wait for the end of one secret. Past that they are masked as they stand."""

WRAPS_FROM = 40
"""A line break inside a secret of no fixed length counts as a terminal's wrap only after a line this long."""

_CONTEXT = 400
_KEYS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY")

# What a terminal may put inside a word without ending it: escape sequences whole or cut off, carriage returns and
# line feeds, backspaces, and the blank that line editors write at the margin before they return to column one.
_GAP = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|\Z)"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x18\x1a]*(?:\x07|\x9c|\x1b\\|(?=[\x1b\x18\x1a])|\Z)"
    r"|\x1b[ -/]*(?:[0-~]|\Z)"
    r"|[ ](?:\r(?!\n)|\x08|\Z)"
    r"|\r*\n"
    r"|[\x00-\x08\r\x0e-\x1a]"
)
_STRING = re.compile(r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])([^\x07\x1b\x9c\x18\x1a]*)(\Z)?")


@dataclass(frozen=True)
class _Shape:
    """A secret that begins with `opener`; `body` is matched right after it.

    `exact`: its length is known, so a line break never ends it, and the opener is a part of it. `whole`: only if the
    body is there to its end. A body under `least` characters is none, nor one
    in which `tell` is not found.
    """

    opener: str
    body: re.Pattern[str]
    exact: bool = False
    whole: bool = False
    least: int = 1
    tell: re.Pattern[str] | None = None
    any_case: bool = False


_TOKEN = re.compile(r"[0-9a-z]{0,50}(?:-[0-9a-z]{0,25})?")
_CREDENTIAL = re.compile(r"[A-Za-z0-9._~+/=-]*")
_NO_WORD = re.compile(r"[0-9=]|[a-z][A-Z]")
_SHAPES = (
    _Shape("SWMTKN-1-", _TOKEN, exact=True),
    _Shape("SWMTKN-2-0-", _TOKEN, exact=True),
    _Shape("SWMTKN-2-1-", _TOKEN, exact=True),
    _Shape("SWMKEY-1-", re.compile(r"[A-Za-z0-9+/]{0,43}"), exact=True),
    *(
        _Shape(
            f"-----BEGIN {key}-----",
            re.compile(rf"(?:(?!-----END)[\s\S]){{0,{LONGEST // 2}}}(?:-----END[A-Z ]{{0,30}}-{{0,5}})?"),
            exact=True,
            least=0,
        )
        for key in (*_KEYS, "ENCRYPTED PRIVATE KEY")
    ),
    *(_Shape(f"authorization: {way} ", _CREDENTIAL, any_case=True) for way in ("bearer", "basic")),
    *(_Shape(f'authorization": "{way} ', _CREDENTIAL, any_case=True) for way in ("bearer", "basic")),
    *(_Shape(f'authorization":"{way} ', _CREDENTIAL, any_case=True) for way in ("bearer", "basic")),
    *(_Shape(f"{way} ", _CREDENTIAL, least=10, tell=_NO_WORD, any_case=True) for way in ("bearer", "basic")),
    _Shape('"auth": "', _CREDENTIAL, least=6),
    _Shape('"auth":"', _CREDENTIAL, least=6),
    _Shape("://", re.compile(r"[^\s/@:]{0,64}(?::[^\s/@]{0,128}(?:@|\Z)|\Z)"), whole=True),
    _Shape("--password=", re.compile(r"[^\s]{1,128}")),
    _Shape("--password ", re.compile(r"[^\s-][^\s]{0,127}")),
)
_BEGINNINGS = frozenset(s.opener[:n] for s in _SHAPES if not s.any_case for n in range(1, len(s.opener)))
_ANY_CASE = frozenset(s.opener[:n] for s in _SHAPES if s.any_case for n in range(1, len(s.opener)))
_LONGEST_OPENER = max(len(s.opener) for s in _SHAPES)
_FIRST = re.compile("authorization|bearer |basic ", re.IGNORECASE)


@dataclass(frozen=True)
class _Find:
    """What one look found, in places of the raw text: `sure` is to be masked; from `open` on it is not yet known what
    follows, and `likely` is what there is to be masked if nothing follows. `since` is where the next look must begin
    to see the same."""

    sure: tuple[tuple[int, int], ...]
    open: int
    since: int
    likely: tuple[tuple[int, int], ...]


class _Values:
    """The known values, shared by the redactors of one lab."""

    def __init__(self) -> None:
        self.known: tuple[str, ...] = ()


class Redactor:
    """Masks secrets in a stream of terminal text.

    `feed` answers with what can be told already; `flush`, called when the stream is quiet, with the rest. The
    answers together have as many characters as what was fed. A secret is found across chunks, escape sequences and
    wrapped lines. One redactor serves one stream: `stream` makes another that knows the same values. `whole` is for
    texts that stand alone, and changes nothing.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._values = _Values()
        self._kept, self._sent = "", 0
        self.learn(*known)

    def learn(self, *values: str) -> None:
        """Mask these values too from now on, in every stream of this one; each of their lines by itself. Lines under
        four characters are let be. May be called from any thread."""
        lines = {line.strip() for value in values for line in value.splitlines()}
        more = {line for line in lines if len(line) >= SHORTEST}
        self._values.known = tuple(sorted({*self._known, *more}, key=lambda v: (-len(v), v)))

    def stream(self) -> Redactor:
        """A redactor for another stream."""
        other = Redactor()
        other._values = self._values
        return other

    @property
    def _known(self) -> tuple[str, ...]:
        return self._values.known

    def feed(self, text: str) -> str:
        """What is certain after this chunk: nothing in it can still become part of a secret."""
        text = self._kept + text
        found = _look(text, self._known)
        if len(text) - found.open > LONGEST:
            return self._emit(text, (*found.sure, *found.likely), len(text), len(text))
        return self._emit(text, found.sure, found.open, found.since)

    def flush(self) -> str:
        """All that was held back. A secret that is still arriving goes on being masked when it does."""
        if self._sent == len(self._kept):
            return ""
        found = _look(self._kept, self._known)
        return self._emit(self._kept, (*found.sure, *found.likely), len(self._kept), found.since)

    def whole(self, text: str) -> str:
        """A text that stands alone, masked."""
        found = _look(text, self._known, alone=True)
        return _masked(text, (*found.sure, *found.likely), self._known)

    @property
    def holds(self) -> bool:
        """Whether something is held back until the next chunk or a flush."""
        return self._sent < len(self._kept)

    def _emit(self, text: str, spans: tuple[tuple[int, int], ...], upto: int, undecided: int) -> str:
        upto = max(upto, self._sent)
        said = _masked(text, spans, self._known)[self._sent : upto]
        keep = _context(text, min(undecided, upto))
        self._kept, self._sent = text[keep:], upto - keep
        return said


def _context(text: str, undecided: int) -> int:
    """Where the text that must be remembered begins: the line so far, not cut inside an escape sequence."""
    keep = max(text.rfind("\n", 0, undecided) + 1, undecided - _CONTEXT)
    start = text.rfind("\x1b", 0, keep)
    if start >= 0 and (gap := _GAP.match(text, start)) and gap.end() > keep:
        return start if gap.end() > undecided else gap.end()
    return keep


@dataclass(frozen=True)
class _Match:
    """A secret or what may become one, in places of what is seen: it begins `at`, and `start` to `end` is masked.
    `closed`: nothing that follows belongs to it. `sure`: it is a secret even if nothing follows."""

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
    """The raw pieces of ranges that may overlap."""
    found: list[tuple[int, int]] = []
    done = 0
    for start, end in sorted(ranges):
        found.extend(seen.spans(max(start, done), end))
        done = max(done, end)
    return tuple(found)


class _Seen:
    """What a reader of the terminal sees of a text (`text`), and where in the raw text it stands."""

    def __init__(self, raw: str) -> None:
        starts, counts, pieces, breaks, at, count = [], [], [], [], 0, 0
        self.cut = len(raw)
        for gap in _GAP.finditer(raw):
            if gap.start() > at:
                starts.append(at)
                counts.append(count)
                pieces.append(raw[at : gap.start()])
                count += gap.start() - at
            at = gap.end()
            if raw[at - 1] == "\n":
                breaks.append(count)
            if at == len(raw) and (half := _STRING.match(raw, gap.start())) and half[2] is not None:
                self.cut = gap.start()
        starts.append(at)
        counts.append(count)
        pieces.append(raw[at:])
        self.text = "".join(pieces)
        self._starts, self._counts, self._breaks = starts, counts, breaks

    def raw(self, at: int) -> int:
        """The place in the raw text of a seen character."""
        piece = bisect_right(self._counts, at) - 1
        return self._starts[piece] + at - self._counts[piece]

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The raw pieces of a seen range, without the gaps between them."""
        piece = bisect_right(self._counts, start) - 1
        while start < end:
            after = self._counts[piece + 1] if piece + 1 < len(self._counts) else len(self.text)
            stop = min(end, after)
            if stop > start:
                raw = self._starts[piece] + start - self._counts[piece]
                yield raw, raw + stop - start
            start, piece = stop, piece + 1

    def line_end(self, start: int, end: int) -> int:
        """Where a range ends that a line break ends too, unless the line is long enough to have been wrapped."""
        index = bisect_right(self._breaks, start)
        for at in self._breaks[index:]:
            before = self._breaks[index - 1] if index else 0
            if at >= end:
                break
            if at - before < WRAPS_FROM:
                return at
            index += 1
        return end


def _matches(seen: _Seen, known: tuple[str, ...], alone: bool) -> Iterator[_Match]:
    """All of them. `alone`: a known value is looked for only whole, since nothing will follow."""
    text, size = seen.text, len(seen.text)
    for value in known:
        for at in _finds(text, value):
            yield _Match(at, at, at + len(value))
        if not alone and (part := _half(text, value)):
            yield _Match(size - part, size - part, size, False, part >= max(SHORTEST, len(value) // 3))
    lowered = re.sub("[A-Z]", lambda m: m[0].lower(), text) if _FIRST.search(text) else ""
    for shape in _SHAPES:
        done = 0
        for at in _finds(lowered if shape.any_case else text, shape.opener):
            if at >= done and (match := _body(seen, shape, at)):
                done = match.end
                yield match
    if part := _begun(text):
        yield _Match(size - part, size - part, size, False, False)


def _body(seen: _Seen, shape: _Shape, at: int) -> _Match | None:
    begin = at + len(shape.opener)
    match = shape.body.match(seen.text, begin)
    if match is None:
        return None
    start = at if shape.exact else begin
    end = match.end() if shape.exact else seen.line_end(at, match.end())
    cut, body = end < match.end(), seen.text[begin:end]
    enough = len(body) >= shape.least and (shape.tell is None or shape.tell.search(body) is not None)
    if not cut and end == len(seen.text) and _may_go_on(shape, match[0]):
        return _Match(at, start, end, False, enough and not shape.whole)
    return _Match(at, start, end) if enough and not (cut and shape.whole) else None


def _may_go_on(shape: _Shape, body: str) -> bool:
    if shape.body is _TOKEN:
        return len(body) < 76
    if shape.opener == "SWMKEY-1-":
        return len(body) < 43
    if shape.exact:
        return re.search(r"-----END[A-Z ]*-----\Z", body) is None
    return not (shape.whole and body.endswith("@"))


def _finds(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _half(text: str, value: str) -> int:
    """How many characters at the text's end could be the beginning of the value, not all of it."""
    for size in range(min(len(value) - 1, len(text)), 0, -1):
        if text.endswith(value[:size]):
            return size
    return 0


def _begun(text: str) -> int:
    """How many characters at the text's end could be the beginning of a secret that is known by its form."""
    for size in range(min(_LONGEST_OPENER - 1, len(text)), 0, -1):
        if text[-size:] in _BEGINNINGS or text[-size:].lower() in _ANY_CASE:
            return size
    return 0


def _masked(text: str, spans: Iterable[tuple[int, int]], known: tuple[str, ...]) -> str:
    text = _hidden(text, spans)
    if not _STRING.search(text):
        return text
    return _STRING.sub(lambda m: m[0][: m.start(1) - m.start()] + _payload(m[1], known), text)


def _payload(text: str, known: tuple[str, ...]) -> str:
    """A title's or a link's text, masked: it is not seen, but it is kept."""
    found = _look(text, known)
    return _hidden(text, (*found.sure, *found.likely))


def _hidden(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces, at = [], 0
    for start, end in sorted(spans):
        if end > at:
            start = max(start, at)
            pieces += [text[at:start], "".join(map(_mask, text[start:end]))]
            at = end
    return "".join((*pieces, text[at:]))


def is_mask(char: str) -> bool:
    """Whether this character stands for a hidden one."""
    return char in (MASK, WIDE_MASK, EMPTY_MASK)


def _mask(char: str) -> str:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return EMPTY_MASK
    return WIDE_MASK if unicodedata.east_asian_width(char) in "WF" else MASK
