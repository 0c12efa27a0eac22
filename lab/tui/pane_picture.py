"""A pane as it shows a world, as a small SVG whose colours come from a style sheet."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from rich.cells import cell_len
from textual.theme import Theme

from lab.panes import find_pane
from lab.tui.pane_lines import ROOM, pane_lines
from lab.tui.spans import Line, clean
from lab.tui.theme import DARK, LIGHT, TONES, colours
from lab.world.world import World

_CELL, _ROW, _BASE, _MARGIN = 8.43, 18, 13, 10
"""A cell's width, a row's height, its base line, and the room around all, for letters of 14 pixels."""


def pane_svg(world: World, pane: str) -> str:
    """Return the pane as SVG, to stand in a page with `picture_style`; "" when it shows nothing."""
    rows = pane_lines(world, pane)
    if not rows:
        return ""
    size = f"{ROOM * _CELL + 2 * _MARGIN:.0f} {len(rows) * _ROW + 2 * _MARGIN}"
    drawn = "".join(part for y, row in enumerate(rows) for part in _row(row, y))
    name = escape(find_pane(pane).title)
    return f'<svg class="pane" viewBox="-{_MARGIN} -{_MARGIN} {size}" role="img" aria-label="{name}">{drawn}</svg>'


def row_svg(row: Line) -> str:
    """Return one row of a pane, at its top, as a part of an SVG; the next one is 18 further down."""
    return "".join(_row(row, 0))


def picture_style() -> str:
    """Return the CSS of the pictures: light, and dark where the reader prefers that."""
    dark = "\n".join(f"  {rule}" for rule in _rules(DARK))
    light = "\n".join(_rules(LIGHT))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _row(row: Line, y: int) -> Iterator[str]:
    x = 0
    for text, tone in row:
        at, wide = f"{x * _CELL:.1f}", cell_len(text)
        x += wide
        name = f' class="{tone}"' if tone else ""
        if tone and TONES[tone][1]:
            yield f'<rect{name} x="{at}" y="{y * _ROW}" width="{wide * _CELL:.1f}" height="{_ROW}"/>'
        if text.strip():
            left = len(text) - len(text.lstrip())
            at = f"{(x - wide + left) * _CELL:.1f}"
            yield f'<text{name} x="{at}" y="{y * _ROW + _BASE}">{escape(clean(text.strip()))}</text>'


def _rules(theme: Theme) -> Iterator[str]:
    paint = colours(theme)
    yield f".pane {{ background: {paint['background']}; }}"
    yield f".pane text {{ font: 14px ui-monospace, monospace; white-space: pre; fill: {paint['foreground']}; }}"
    for tone, (ink, ground, bits) in TONES.items():
        drawn = [f"fill: {paint[ink]};" if ink else "", "font-weight: bold;" if bits == "bold" else ""]
        drawn += ["font-style: italic;" if bits == "italic" else ""]
        if any(drawn):
            yield f".pane text.{tone} {{ {' '.join(filter(None, drawn))} }}"
        if ground:
            yield f".pane rect.{tone} {{ fill: {paint[ground]}; }}"
