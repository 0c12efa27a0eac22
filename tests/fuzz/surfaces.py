"""All surfaces, one line each."""

from __future__ import annotations

from tests.fuzz import (
    acme,
    app,
    argv,
    engine,
    hits,
    journals,
    lessons,
    redaction,
    stacks,
    state,
    tapes,
    terminal,
    traefik,
    wire,
)
from tests.fuzz.surface import Surface

SURFACES: tuple[Surface, ...] = (
    lessons.SURFACE,
    stacks.SURFACE,
    tapes.SURFACE,
    journals.TOLD,
    journals.DRAWN,
    app.SURFACE,
    engine.LOOK,
    engine.EVENTS,
    engine.SOURCE,
    traefik.API,
    traefik.SOURCE,
    hits.SURFACE,
    wire.SURFACE,
    acme.LINES,
    acme.FRAMES,
    terminal.SURFACE,
    redaction.SURFACE,
    argv.SURFACE,
    state.SURFACE,
)
