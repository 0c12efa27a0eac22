"""Boxes in layers with edges between neighbouring layers, drawn as columns from left to right or as rows downwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.tui.panes.map.canvas import EAST, NORTH, SOUTH, WEST, Box, Canvas
from lab.tui.spans import Line, Tone, width

_WIDEST_GAP = 13
_LEAST = 11


@dataclass(frozen=True)
class Place:
    """A box in a layer. `below` are the lines under it. With a `link`, it is joined to the box before it in the same
    layer, and the link says how."""

    key: str
    box: Box
    below: tuple[Line, ...] = ()
    link: Line | None = None

    @property
    def natural(self) -> int:
        """The width that it needs."""
        return max([self.box.natural, *(width(line) for line in self.below)])

    @property
    def height(self) -> int:
        """The number of its rows, with the lines under it and its link."""
        return self.box.height + len(self.below) + (self.link is not None)


@dataclass(frozen=True)
class Layer:
    """Boxes at the same point of the path, with a heading and a remark. As a column, it has at least `least` cells."""

    head: str
    remark: str
    places: tuple[Place, ...]
    least: int = _LEAST

    @property
    def natural(self) -> int:
        """The width that its widest box needs."""
        return max(self.least, *(place.natural for place in self.places))


@dataclass(frozen=True)
class Edge:
    """A connection from one box to one of the next layer, with what passes and what fails. Edges of different groups
    are not joined. `broken`: it leads nowhere."""

    source: str
    target: str
    passes: Line = ()
    fails: Line = ()
    tone: Tone = "quiet"
    group: int = 0
    broken: bool = False


def lay_across(layers: Sequence[Layer], edges: Sequence[Edge], room: int, height: int) -> tuple[Line, ...]:
    """Return layers as columns. Where they fit in `height` rows, boxes are separated by an empty line."""
    canvas = Canvas(room)
    widths, gaps = _widths(layers, edges, room)
    airy = max(_deep(layer, 1) for layer in layers) + 3 <= height
    tallest = max(_deep(layer, airy) for layer in layers)
    at: dict[str, tuple[int, int, int]] = {}
    x = 0
    for layer, wide, gap in zip(layers, widths, (*gaps, 1), strict=True):
        canvas.put(x, 0, [(layer.head, "head")], wide + gap - 1)
        canvas.put(x, 1, [(layer.remark, "quiet")], wide + gap - 1)
        y = 3 + (tallest - _deep(layer, airy)) // 2
        for number, place in enumerate(layer.places):
            if place.link is not None and number:
                canvas.put(x + 2, y, place.link, wide - 2)
                y += 1
            elif airy and number:
                y += 1
            canvas.box(x, y, wide, place.box)
            at[place.key] = (x, y + 1, wide)
            y += place.box.height
            for line in place.below:
                canvas.put(x, y, line, wide)
                y += 1
        x += wide + gap
    for edge in edges:
        if edge.source in at and edge.target in at:
            _draw(canvas, edge, at[edge.source], at[edge.target])
    for edge in edges:
        if edge.source in at and edge.target in at:
            _say(canvas, edge, at[edge.source], at[edge.target])
    return canvas.lines()


def _deep(layer: Layer, airy: int) -> int:
    """Return how many rows a column takes."""
    rows = sum(place.height for place in layer.places)
    rows -= bool(layer.places and layer.places[0].link is not None)
    return rows + airy * sum(place.link is None for place in layer.places[1:])


def _widths(layers: Sequence[Layer], edges: Sequence[Edge], room: int) -> tuple[list[int], list[int]]:
    """Return the width of each column, and of each gap between them: the column furthest above its least width shrinks
    first; when none is, the gaps shrink."""
    widths, between = [layer.natural for layer in layers], len(layers) - 1
    gaps = [_gap(layer, edges) for layer in layers[1:]]
    spare = [wide - layer.least for wide, layer in zip(widths, layers, strict=True)]
    while sum(widths) + sum(gaps) > room and max(spare) > 0:
        place = spare.index(max(spare))
        widths[place] -= 1
        spare[place] -= 1
    more = (room - sum(widths) - sum(gaps)) // between if between else 0
    return widths, [max(1, min(_WIDEST_GAP, gap + more)) for gap in gaps]


def _gap(layer: Layer, edges: Sequence[Edge]) -> int:
    """Return the least width of the gap before a layer: its edges side by side, the text on them, a blank."""
    keys = {place.key for place in layer.places}
    into = [edge for edge in edges if edge.target in keys]
    says = max((width(says) for edge in into for says in (edge.passes, edge.fails)), default=0)
    return max(5, 3 + says) + 2 * max((edge.group % 3 for edge in into), default=0)


def _bus(edge: Edge, source: tuple[int, int, int]) -> int:
    return source[0] + source[2] + 1 + 2 * (edge.group % 3)


def _draw(canvas: Canvas, edge: Edge, source: tuple[int, int, int], target: tuple[int, int, int]) -> None:
    start, bus, end = source[0] + source[2], _bus(edge, source), target[0] - 1
    canvas.run(start, source[1], bus, source[1], edge.tone)
    canvas.end(start, source[1], WEST, edge.tone)
    canvas.run(bus, source[1], bus, target[1], edge.tone)
    canvas.run(bus, target[1], end, target[1], edge.tone)
    canvas.end(end, target[1], EAST, edge.tone)
    canvas.put(end, target[1], [("✘" if edge.broken else "▶", "bad" if edge.broken else edge.tone)], 1)


def _say(canvas: Canvas, edge: Edge, source: tuple[int, int, int], target: tuple[int, int, int]) -> None:
    bus = _bus(edge, source)
    canvas.put(bus + 1, target[1] - 1, edge.passes, target[0] - bus - 1)
    canvas.put(bus + 1, target[1] + 1, edge.fails, target[0] - bus - 1)


def lay_down(layers: Sequence[Layer], edges: Sequence[Edge], room: int) -> tuple[Line, ...]:
    """Return layers as rows of boxes, each layer below the one before it. Lines enter a layer of several rows along its
    left side and leave it along its right side."""
    canvas, y = Canvas(room), 0
    feet: dict[str, tuple[int, int]] = {}
    for layer in layers:
        y, feet = _layer(canvas, y, layer, edges, feet)
    return canvas.lines()


def _layer(
    canvas: Canvas, y: int, layer: Layer, edges: Sequence[Edge], above: dict[str, tuple[int, int]]
) -> tuple[int, dict[str, tuple[int, int]]]:
    """Draw a layer from row `y` on. `above` says where lines from the boxes above begin. Return the next free row, and
    where lines from this layer's boxes begin."""
    keys = {place.key for place in layer.places}
    into = {edge.target: edge for edge in edges if edge.target in keys}
    above = {key: foot for key, foot in above.items() if any(e.source == key and e.target in keys for e in edges)}
    leaving = {edge.source for edge in edges if edge.source in keys}
    each, wide = _grid(layer, canvas.room)
    rows = [layer.places[i : i + each] for i in range(0, len(layer.places), each)]
    left = (canvas.room - each * (wide + 1) + 1) // 2
    spine = [0] if len(rows) > 1 else []
    feet: dict[str, tuple[int, int]] = {}
    bus = y
    for number, row in enumerate(rows):
        centres = {place.key: left + i * (wide + 1) + wide // 2 for i, place in enumerate(row)}
        if above and centres.keys() & into.keys():
            if number:
                canvas.run(0, bus, 0, y, "quiet")
            _comb(canvas, y, {} if number else above, centres, into, spine)
            bus, y = y, y + 2
        boxes = {place.key: _enclose(place) for place in row}
        for key, box in boxes.items():
            canvas.box(centres[key] - wide // 2, y, wide, box)
        ends = {key: (centres[key], y + box.height) for key, box in boxes.items()}
        y += max(box.height for box in boxes.values())
        if number + 1 < len(rows) and leaving & boxes.keys():
            right = canvas.room - 1
            for key in leaving & boxes.keys():
                _drop(canvas, *ends[key], y)
                canvas.run(ends[key][0], y, right, y, "quiet")
                feet[key] = (right, y)
            y += 1
        elif number + 1 == len(rows):
            feet |= ends
    return y, feet


def _enclose(place: Place) -> Box:
    """Return a box with the lines under it moved inside."""
    box = place.box
    return Box(box.title, (*box.body, *place.below), box.tone, box.down, box.short)


def _grid(layer: Layer, room: int) -> tuple[int, int]:
    """Return how many boxes of a layer are in one row, and how wide each is."""
    natural = max(_LEAST, *(_enclose(place).natural for place in layer.places))
    wide = min(natural, room - 4)
    each = (room + 1) // (wide + 1)
    if each < len(layer.places):
        each = (room - 3) // (wide + 1)
    return max(1, min(len(layer.places), each)), wide


def _drop(canvas: Canvas, x: int, foot: int, y: int) -> None:
    """Draw a line from a box's lower edge, or from an existing line, down to a row."""
    canvas.run(x, foot, x, y, "quiet")
    canvas.end(x, foot, NORTH, "quiet")


def _comb(
    canvas: Canvas,
    y: int,
    feet: dict[str, tuple[int, int]],
    centres: dict[str, int],
    into: dict[str, Edge],
    spine: list[int],
) -> None:
    """Draw the line from the boxes above to those of a row, with a tooth down to each."""
    teeth = {key: x for key, x in centres.items() if key in into}
    ends = [*spine, *teeth.values(), *(x for x, _ in feet.values())]
    for x, foot in feet.values():
        _drop(canvas, x, foot, y)
    canvas.run(min(ends), y, max(ends), y, "quiet")
    for key, x in teeth.items():
        edge = into[key]
        canvas.end(x, y, SOUTH, "quiet")
        canvas.put(x, y + 1, [("✘" if edge.broken else "▼", "bad" if edge.broken else edge.tone)], 1)
        after = min((other for other in centres.values() if other > x), default=canvas.room)
        says = (*edge.passes, (" ", ""), *edge.fails) if edge.fails else edge.passes
        canvas.put(x + 2, y + 1, says, after - x - 3)
