"""What the views look like with the whole demo in them: pictures at pinned sizes, with pinned clocks.
`pytest --snapshot-update` renews them."""

from __future__ import annotations

import pytest

from lab.tui.appearance import Appearance
from tests.tui import demo
from tests.tui.pictures import Compare, after, app_on

SMALL, USUAL, LARGE = (80, 24), (120, 40), (200, 60)
ALL = [(SMALL, "dark"), (USUAL, "dark"), (USUAL, "light"), (USUAL, "colour-blind"), (LARGE, "dark")]


def named(values: list[tuple[tuple[int, int], str]]) -> list[str]:
    return [f"{theme}-{wide}x{high}" for (wide, high), theme in values]


@pytest.mark.parametrize(("size", "theme"), ALL, ids=named(ALL))
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("5", ("Routing mesh", "port 8080")),
        ("6", ("asked 50/s", "✘ 2 failed")),
        ("7", ("node-app.localhost", "good on 4 nodes")),
        ("8", ("all routers enabled",)),
        ("9", ("DNS names", "50/s")),
        ("0", ("app_backend", "updating")),
    ],
    ids=("mesh", "load", "certificates", "routes", "map", "rollout"),
)
def test_a_view(snap_compare: Compare, key: str, words: tuple[str, ...], size: tuple[int, int], theme: str) -> None:
    stage = demo.stage()
    before = after(stage, "n", key, words=words)
    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=before)


READ = [*ALL, (LARGE, "light")]


@pytest.mark.parametrize(("size", "theme"), READ, ids=named(READ))
def test_a_file_is_read(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    stage = demo.stage()
    before = after(stage, "n", words=("stacks/app.yaml",))
    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=before)


@pytest.mark.parametrize(("size", "theme"), ALL, ids=named(ALL))
def test_a_failed_request(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    stage = demo.stage()
    before = after(stage, "6", "f", "enter", words=("A failed request, and what the swarm did",))
    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=before)


def test_the_failed_requests_to_choose_from(snap_compare: Compare) -> None:
    stage = demo.stage()
    before = after(stage, "6", "f", words=("connection refused",))
    assert snap_compare(app_on(stage), terminal_size=USUAL, run_before=before)
