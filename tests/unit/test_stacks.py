"""The stack files as they are taught: each can be projected, and each deploys what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import paths

STACKS = paths.stacks()
#: The page of the visualizer is looked at in a browser, not read.
SHOWN = sorted(p for p in STACKS.rglob("*") if p.suffix in (".yaml", ".conf", ".js") and "images" not in p.parts)


@pytest.mark.parametrize("path", SHOWN, ids=[str(p.relative_to(STACKS)) for p in SHOWN])
def test_every_line_fits_80_columns(path: Path) -> None:
    assert [line for line in path.read_text().splitlines() if len(line) > 80] == []
