"""A few hundred inputs for each surface; `make fuzz` tries many more, of another seed each time."""

from __future__ import annotations

import pytest

from tests.fuzz import run
from tests.fuzz.surface import Surface
from tests.fuzz.surfaces import SURFACES

SEED = "1"


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_whatever_is_read_ends_in_a_sentence_or_is_taken(surface: Surface) -> None:
    print(f"seed {SEED}, {len(surface.known)} known inputs and {surface.fast} drawn ones")
    found = run.over(surface, SEED, surface.fast, print, shrink=3.0)
    assert not found.finds, f"seed {SEED}\n{run.report([found])}"
