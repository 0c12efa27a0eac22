"""The marks of a prompt, taken out of what a shell prints."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.shell.marks import Mark, Marks
from tests.growth import keeps_pace

STREAM = (
    "hello\r\n\x1b]133;D;word;7;3\x1b\\\x1b[1mnode1\x1b[0m $ \x1b]133;B;word;3\x1b\\"
    "\x1b]133;C;word;   12  echo 'a\r\n b'\x07out\x1b]133;D;other;0;1\x07\x1b]133;P;word\x07> \x1b]0;title\x07end"
)
FOUND = (
    "hello\r\n",
    Mark("D", 3, 7),
    "\x1b[1mnode1\x1b[0m $ ",
    Mark("B", 3),
    Mark("C", text="echo 'a\n b'"),
    "out",
    Mark("P"),
    "> \x1b]0;title\x07end",
)


def joined(pieces: list[str | Mark]) -> tuple[str | Mark, ...]:
    found: list[str | Mark] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        else:
            found.append(piece)
    return tuple(found)


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_marks_are_found_across_chunks_and_only_ours(places: list[int]) -> None:
    marks = Marks("word")
    edges = sorted({0, len(STREAM), *places})
    assert joined([piece for a, b in pairwise(edges) for piece in marks.feed(STREAM[a:b])]) == FOUND


@given(st.text(), st.lists(st.integers(0, 100), max_size=4))
def test_other_text_passes(text: str, places: list[int]) -> None:
    marks = Marks("word")
    edges = sorted({0, len(text), *(p % (len(text) + 1) for p in places)})
    said = [piece for a, b in pairwise(edges) for piece in marks.feed(text[a:b])]
    assert "".join(map(str, said)) + marks.flush() == text or "\x1b]" in text


def test_a_lone_escape_is_let_go_when_it_is_quiet() -> None:
    marks = Marks("word")
    assert list(marks.feed("a\x1b")) == ["a"]
    assert marks.flush() == "\x1b" and marks.flush() == ""
    assert list(marks.feed("\x1b]133;D;word;")) == [] and marks.flush() == ""
    assert list(marks.feed("0;1\x07")) == [Mark("D", 1, 0)]


def test_a_mark_that_never_ends_does_not_swallow_everything() -> None:
    marks = Marks("word")
    assert list(marks.feed("\x1b]133;")) == []
    said = "".join(str(piece) for _ in range(4) for piece in marks.feed("x" * 30_000))
    assert len(said) > 60_000


@pytest.mark.parametrize("unit", ["\x1b]133;", "\x1b]133;C;word;", "\x1b]", "\x1b", "x"])
def test_marks_without_an_end_take_the_time_of_their_length(unit: str) -> None:
    def fed(text: str) -> None:
        marks = Marks("word")
        for char in text:
            list(marks.feed(char))

    assert keeps_pace(lambda text: list(Marks("word").feed(text)), unit, 2_000)
    assert keeps_pace(fed, unit, 1_000, lead="\x1b]133;C;word;")


def test_a_mark_with_a_number_that_is_none_is_no_mark() -> None:
    marks = Marks("word")
    said = f"\x1b]133;B;word;²\x07\x1b]133;D;word;{'9' * 5000};1\x07x"
    assert list(marks.feed(said)) == ["x"]
