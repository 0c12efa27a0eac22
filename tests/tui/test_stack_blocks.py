"""A stack file read block by block: its lines, where they are from, what they have become."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lab.lesson.model import Reading
from lab.tui.lesson.stack_blocks import readings
from lab.tui.spans import plain, width
from lab.tui.ui_state import UiState
from lab.world.world import World, fold_all
from tests.tui import demo, hostile

LESSON = demo.reading_lesson()
DEPLOYED = UiState(ready=True, lesson=LESSON, page=0, world=fold_all(demo.entries()))


def read(s: UiState, room: int) -> str:
    return plain(tuple(readings(s, room)))


def test_a_block_stands_before_what_it_means_and_what_it_became() -> None:
    text = read(DEPLOYED, 84)
    order = (
        "stacks/app.yaml  services › frontend › networks",
        "networks: [edge, inside]",
        "It is on two networks",
        "→ service app_frontend: 2 of 2 tasks running",
    )
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)


def test_what_is_not_deployed_has_become_nothing_yet() -> None:
    assert "◌" in read(replace(DEPLOYED, world=World()), 84) and "→" not in read(replace(DEPLOYED, world=World()), 84)


def test_where_a_block_is_gives_way_from_its_beginning() -> None:
    assert "stacks/app.yaml  … › frontend › networks\n" in read(DEPLOYED, 42)
    assert "stacks/app.yaml  … › networks\n" in read(DEPLOYED, 32)
    assert "stacks/app.yaml\n" in read(DEPLOYED, 20)


@given(st.integers(10, 200), st.sampled_from([*hostile.TEXTS.values()]), st.text(max_size=60))
def test_any_block_keeps_within_the_room(room: int, text: str, more: str) -> None:
    made = Reading.model_construct(
        file="app.yaml", block=f"a{text}/b", says=more, became=None, excerpt=f"  {more}{text}"
    )
    first = LESSON.steps[0].model_copy(update={"reads": (made,)})
    s = replace(DEPLOYED, lesson=LESSON.model_copy(update={"steps": (first,)}))
    assert all(width(line) <= max(12, room) for line in readings(s, room))
