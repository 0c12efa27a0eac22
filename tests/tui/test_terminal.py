"""The emulator and the feed: what is printed only ever draws, what is typed arrives, nothing is lost between."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from lab.tui.journal_feed import JournalFeed
from lab.tui.theme import DARK, LIGHT
from lab.tui.widgets.cells import segments
from lab.tui.widgets.emulator import Emulator
from lab.world.entries import CommandBegan, ManagerLink, Printed, SwarmChanged
from lab.world.journal import Journal
from tests.tui.fake import first_look, task


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[c",
        "\x1b[6n",
        "\x1b]52;c;?\x07",
        "\x1b]11;?\x07",
        "\x1bP$qm\x1b\\",
        "\x1b[?2026$p",
        "\x1bZ",
        "\x05",
        "\x9bc",
    ],
)
def test_what_is_printed_never_answers_to_the_shell(text: str) -> None:
    it = Emulator(40, 5)
    it.feed(text + "x")
    assert it.key("a", "a") == "a"
    assert "x" in it.text()


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=300))
def test_anything_may_be_printed(text: str) -> None:
    it = Emulator(20, 4)
    for place in range(0, len(text), 7):
        it.feed(text[place : place + 7])
    for row in it.rows():
        for segment in segments(row, Style(), DARK.name, 0):
            assert segment.text.isprintable()


def test_keys_are_sent_as_the_program_asked() -> None:
    it = Emulator(40, 5)
    assert it.key("up", None) == "\x1b[A"
    it.feed("\x1b[?1h\x1b[?2004h")
    assert it.key("up", None) == "\x1bOA"
    assert it.paste("a\nb\r\nc\x1b[201~d") == "\x1b[200~a\rb\rc[201~d\x1b[201~"
    typed = [
        ("enter", "\r"),
        ("backspace", "\x7f"),
        ("ctrl+d", "\x04"),
        ("alt+b", None),
        ("shift+tab", None),
        ("é", "é"),
    ]
    assert [it.key(*key) for key in typed] == ["\r", "\x7f", "\x04", "\x1bb", "\x1b[Z", "é"]


def test_history_is_kept_and_looked_at() -> None:
    it = Emulator(20, 4)
    it.feed("".join(f"line {n}\r\n" for n in range(50)))
    it.scroll(-10)
    assert it.back == 10
    assert "line 37" in "".join(char for _, char in it.rows()[0])
    it.to_end()
    assert it.back == 0


def test_colours_are_the_themes_own_on_each_ground() -> None:
    it = Emulator(20, 2)
    it.feed("\x1b[31mred\x1b[0m \x1b[7mback\x1b[0m")
    dark, light = (segments(it.rows()[0], Style(), theme.name) for theme in (DARK, LIGHT))
    assert dark[0].text == "red" and dark[0].style != light[0].style
    assert dark[2].style is not None and dark[2].style.reverse


def test_a_batch_holds_all_that_came_and_wakes_once() -> None:
    woken: list[int] = []
    journal = Journal(clock=lambda: 0.0)
    feed = JournalFeed(journal, lambda: woken.append(1))
    journal.write(first_look(4))
    journal.write(Printed("node1", "a"))
    first = feed.take()
    assert (first.dirty, first.printed, len(woken)) == (None, (("node1", "a"),), 1)
    journal.write(SwarmChanged("node1", tasks=(task(1, 1, 1, "failed", 5.0, created=1.0),)))
    journal.write(SwarmChanged("node1", tasks=(task(2, 1, 2, "failed", 5.0, created=1.0),)))
    journal.write(CommandBegan(1, "node3", "ls"))
    second = feed.take()
    assert second.dirty == frozenset[tuple[str, str] | str]({("web", "1"), ("web", "2"), "service:web"})
    assert (second.node, len(woken)) == ("node3", 2)
    assert feed.take().dirty == frozenset()
    feed.close()
    journal.write(ManagerLink("live"))
    assert len(woken) == 2


def test_nothing_is_lost_between_many_writers_and_one_taker() -> None:
    journal = Journal(clock=lambda: 0.0)
    feed = JournalFeed(journal, lambda: None)
    writers = [
        threading.Thread(target=lambda n=n: [journal.write(Printed(f"node{n}", str(i))) for i in range(200)])
        for n in range(4)
    ]
    for writer in writers:
        writer.start()
    got: list[tuple[str, str]] = []
    while any(writer.is_alive() for writer in writers):
        got += feed.take().printed
    got += feed.take().printed
    assert len(got) == 800
    for n in range(4):
        assert [text for node, text in got if node == f"node{n}"] == [str(i) for i in range(200)]
