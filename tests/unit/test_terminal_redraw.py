"""Progress that is drawn again as it was changes nothing, and a tape has it once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tape.tape import Header, Recorder, load
from lab.terminal.redact import Redactor
from lab.terminal.redraw import begins_redraw, drop_repeats
from lab.tui.widgets.emulator import Emulator
from lab.world.entries import Printed
from lab.world.journal import Journal

LINE = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=76)
BLOCKS = st.lists(st.tuples(st.integers(1, 5), LINE), min_size=1, max_size=4)
ABOVE = "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\n"


def drawn(blocks: list[tuple[int, str]]) -> str:
    return "".join(f"\x1b[{up}A\x1b[2K\r{text}\r\x1b[{up}B" for up, text in blocks)


@given(BLOCKS)
def test_drawing_it_twice_is_drawing_it_once(blocks: list[tuple[int, str]]) -> None:
    text = drawn(blocks)
    assert drop_repeats(text, {}) == (text, dict(blocks)) or len(dict(blocks)) < len(blocks)
    assert drop_repeats(text, dict(blocks))[1] == dict(blocks)
    once, twice = Emulator(80, 24), Emulator(80, 24)
    once.feed(ABOVE + text)
    twice.feed(ABOVE + text + text)
    assert once.text() == twice.text()
    assert once.cursor == twice.cursor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "1/3: running\r\n",
        "\x1b[2A\x1b[2K\rup\r\x1b[1B",
        "\x1b[2A\x1b[2K\r" + "x" * 90 + "\r\x1b[2B",
        "\x1b[2Atext",
    ],
)
def test_what_may_change_something_is_none(text: str) -> None:
    assert drop_repeats(text, {1: "up"}) == (text, {1: "up"} if not text else {})


def test_a_tape_has_it_once_until_it_changes(tmp_path: Path) -> None:
    journal, path = Journal(), tmp_path / "a.tape"
    first, second = drawn([(2, "1/3: ready")]), drawn([(2, "1/3: running")])
    header = Header.model_validate_json(json.dumps({"title": "t", "lesson": "l", "recorded": "2026-11-28T00:00:00Z"}))
    with Recorder(path, header, journal, redact=Redactor()):
        for text in (first, first, first, second, "$ ", "$ ", second, second):
            journal.write(Printed("node1", text))
        journal.write(Printed("node2", second))
    printed = [(e.fact.node, e.fact.text) for e in load(path).entries if isinstance(e.fact, Printed)]
    told = [first, second, "$ ", "$ ", second]
    assert printed == [*(("node1", text) for text in told), ("node2", second)]


@given(st.lists(BLOCKS, max_size=4))
def test_lines_that_stand_there_already_may_be_left_out(texts: list[list[tuple[int, str]]]) -> None:
    whole, less = Emulator(80, 24), Emulator(80, 24)
    whole.feed(ABOVE)
    less.feed(ABOVE)
    known: Mapping[int, str] = {}
    for blocks in texts:
        text, known = drop_repeats(drawn(blocks), known)
        whole.feed(drawn(blocks))
        less.feed(text)
        assert whole.text() == less.text()
        assert whole.cursor == less.cursor


def test_a_tape_has_lines_once_in_whatever_order_and_parts_they_are_drawn(tmp_path: Path) -> None:
    journal, path = Journal(), tmp_path / "a.tape"
    one, two, new = drawn([(3, "1/2: ready")]), drawn([(2, "2/2: new")]), drawn([(2, "2/2: ready")])
    header = Header.model_validate_json(json.dumps({"title": "t", "lesson": "l", "recorded": "2026-11-28T00:00:00Z"}))
    with Recorder(path, header, journal, redact=Redactor()):
        for text in (one + two, two + one, one, one[:4], one[4:] + two, one + new[:8], new[8:], new, one[:4], "x", one):
            journal.write(Printed("node1", text))
        journal.write(Printed("node1", two[:4]))
        journal.write(Printed("node2", one))
        journal.write(Printed("node1", two[4:]))
    printed = [(e.fact.node, e.fact.text) for e in load(path).entries if isinstance(e.fact, Printed)]
    told = [one + two, new, one[:4] + "x", one, two[:4]]
    assert printed == [*(("node1", text) for text in told), ("node2", one), ("node1", two[4:])]


@pytest.mark.parametrize("cut", [4, 8, 9, 12])
def test_a_redraw_in_parts_is_begun(cut: int) -> None:
    whole = drawn([(1, "ready"), (2, "running")])
    second = len(drawn([(1, "ready")]))
    assert begins_redraw(whole[:cut])
    assert begins_redraw(whole[: second + cut])
    assert not begins_redraw(whole)
    assert not begins_redraw("$ ")
