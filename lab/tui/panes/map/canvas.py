"""A canvas for boxes and lines: lines that meet are joined, and text covers lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from lab.tui.spans import Line, Span, Tone, join_line, width

NORTH = 1
EAST = 2
SOUTH = 4
WEST = 8
_JOINTS = " ╵╶└╷│┌├╴┘─┴┐┤┬┼"


@dataclass(frozen=True)
class Box:
    """A frame with a title in its upper edge, or `short` where the title does not fit. One that is `down` is broken."""

    title: Line
    body: tuple[Line, ...] = ()
    tone: Tone = ""
    down: bool = False
    short: Line = ()

    @property
    def natural(self) -> int:
        """The width that it needs."""
        return max([width(self.title) + 4, *(width(line) + 4 for line in self.body)])

    @property
    def height(self) -> int:
        """The number of rows it takes; a box has at least one row inside."""
        return 2 + max(1, len(self.body))


@dataclass
class Canvas:
    """A canvas `room` cells wide, and as high as what is drawn on it. Anything outside is not drawn."""

    room: int
    _texts: dict[tuple[int, int], Span] = field(default_factory=dict)
    _lines: dict[tuple[int, int], tuple[int, Tone]] = field(default_factory=dict)

    def put(self, x: int, y: int, spans: Sequence[Span], room: int) -> None:
        """Write at most `room` cells; text that is cut ends in `…`."""
        room = min(room, self.room - x)
        cells = [(c if cell_len(c) == 1 else "·", tone) for text, tone in spans for c in text]
        if len(cells) > room > 0:
            cells = [*cells[: room - 1], ("…", cells[room - 1][1])]
        for place, cell in enumerate(cells[: max(0, room)]):
            if x + place >= 0 and y >= 0:
                self._texts[x + place, y] = cell

    def run(self, x: int, y: int, to_x: int, to_y: int, tone: Tone) -> None:
        """Draw a straight line between two cells, both included."""
        (left, right), (top, bottom) = sorted((x, to_x)), sorted((y, to_y))
        for i in range(left, right):
            self._join(i, y, EAST, tone)
            self._join(i + 1, y, WEST, tone)
        for j in range(top, bottom):
            self._join(x, j, SOUTH, tone)
            self._join(x, j + 1, NORTH, tone)

    def end(self, x: int, y: int, side: int, tone: Tone) -> None:
        """Extend the line at a cell to one of its sides."""
        self._join(x, y, side, tone)

    def _join(self, x: int, y: int, side: int, tone: Tone) -> None:
        sides, known = self._lines.get((x, y), (0, tone))
        # Where lines of different tones meet, the joint is quiet.
        self._lines[x, y] = (sides | side, tone if known == tone else "quiet")

    def box(self, x: int, y: int, wide: int, box: Box) -> None:
        """Draw a box, `wide` cells wide, with its upper left corner at `x`, `y`."""
        across, side = ("╌", "┆") if box.down else ("─", "│")
        rows = max(1, len(box.body))
        self.put(x, y, [(f"╭{across * (wide - 2)}╮", box.tone)], wide)
        title = box.short if box.short and width(box.title) > wide - 4 else box.title
        self.put(x + 1, y, [(" ", ""), *title, (" ", "")], wide - 2)
        for row in range(rows):
            line = box.body[row] if row < len(box.body) else ()
            self.put(x, y + 1 + row, [(side, box.tone), (" " * (wide - 2), ""), (side, box.tone)], wide)
            self.put(x + 2, y + 1 + row, line, wide - 4)
        self.put(x, y + 1 + rows, [(f"╰{across * (wide - 2)}╯", box.tone)], wide)

    def lines(self) -> tuple[Line, ...]:
        """Return what was drawn, from the top."""
        places = {*self._texts, *self._lines}
        deep = max((y for _, y in places), default=-1)
        rows: list[list[tuple[int, Span]]] = [[] for _ in range(deep + 1)]
        for x, y in places:
            if 0 <= x < self.room and y >= 0:
                rows[y].append((x, self._cell(x, y)))
        return tuple(_row(sorted(row)) for row in rows)

    def _cell(self, x: int, y: int) -> Span:
        if (x, y) in self._texts:
            return self._texts[x, y]
        sides, tone = self._lines[x, y]
        return _JOINTS[sides], tone


def _row(cells: list[tuple[int, Span]]) -> Line:
    spans: list[Span] = []
    at = 0
    for x, span in cells:
        if x > at:
            spans.append((" " * (x - at), ""))
        spans.append(span)
        at = x + 1
    return join_line(spans)
