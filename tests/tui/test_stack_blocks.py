"""A stack file read block by block: its lines, where they are from, what they have become."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lab.lesson.model import Reading
from lab.tui.lesson.stack_blocks import readings
from lab.tui.spans import break_at_blank, plain, width
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


def with_block(excerpt: str) -> UiState:
    made = Reading.model_construct(file="app.yaml", block="a/b", says="", became=None, excerpt=excerpt)
    first = LESSON.steps[0].model_copy(update={"reads": (made,)})
    return replace(DEPLOYED, lesson=LESSON.model_copy(update={"steps": (first,)}))


def test_a_long_line_is_broken_between_words_and_a_comment_stays_one() -> None:
    s = with_block(
        "deploy:\n"
        "    # Until the first success the task is not running for Swarm.\n"
        "    command: [node, server.js, --listen, 0.0.0.0:3000]\n"
        "    image: registry.example.org/a/very/long/name/of/an/image:1.2.3\n"
        "    - --providers.swarm.refreshseconds=${REFRESH:-5}"
    )
    assert [line.rstrip() for line in read(s, 34).splitlines()][2:] == [
        " deploy:",
        "     # Until the first success",
        "     # the task is not running",
        "     # for Swarm.",
        "     command: [node, server.js,",
        "         --listen, 0.0.0.0:3000]",
        "     image:",
        "         registry.example.org/a/",
        "         very/long/name/of/an/",
        "         image:1.2.3",
        "     - --providers.swarm.",
        "         refreshseconds=",
        "         ${REFRESH:-5}",
    ]


def test_the_lines_of_a_comment_flow_where_one_of_them_is_too_long_and_stay_otherwise() -> None:
    s = with_block(
        "# Pebble: a small ACME server for tests, for\n# clusters that the\n# Internet does not reach.\n"
        "# - an item\n#\n# Short.\n# Too.\nlogging: {}"
    )
    assert [line.rstrip() for line in read(s, 34).splitlines()][2:] == [
        " # Pebble: a small ACME server",
        " # for tests, for clusters that",
        " # the Internet does not reach.",
        " # - an item",
        " #",
        " # Short.",
        " # Too.",
        " logging: {}",
    ]
    assert " # clusters that the\n" in read(s, 80)


@given(st.integers(10, 200), st.text(st.sampled_from(" #ab\u4e2d:-"), max_size=80))
def test_nothing_but_blanks_is_lost_where_a_line_is_broken(room: int, line: str) -> None:
    parts, rest = [], line
    while rest:
        part, rest = break_at_blank(rest, room)
        assert width(((part, ""),)) <= room
        parts.append(part)
    assert "".join(parts).replace(" ", "") == line.replace(" ", "")


@given(st.integers(10, 200), st.sampled_from([*hostile.TEXTS.values()]), st.text(max_size=60))
def test_any_block_keeps_within_the_room(room: int, text: str, more: str) -> None:
    made = Reading.model_construct(
        file="app.yaml", block=f"a{text}/b", says=more, became=None, excerpt=f"  {more}{text}"
    )
    first = LESSON.steps[0].model_copy(update={"reads": (made,)})
    s = replace(DEPLOYED, lesson=LESSON.model_copy(update={"steps": (first,)}))
    assert all(width(line) <= max(12, room) for line in readings(s, room))
