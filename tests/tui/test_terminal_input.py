"""What a terminal sends: keys arrive as keys, what is no key does nothing, and nothing is swallowed after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from lab.tui.terminal_driver import PieceParser
from lab.tui.terminal_input import PASTE_PATIENCE, PATIENCE, Incoming

LATE = 2 * PATIENCE


def messages(*parts: bytes, every: float = 0.0) -> Iterator[Message]:
    """What the app hears of these parts, which come `every` so many seconds."""
    incoming, parser, now = Incoming(), PieceParser(), 0.0
    for part in parts:
        pieces = [*incoming.expire(now), *incoming.feed(part, now)]
        now += every
        for piece in pieces:
            yield from parser.messages(piece)
    for piece in incoming.expire(now + LATE):
        yield from parser.messages(piece)


def heard(*parts: bytes, every: float = 0.0) -> list[str]:
    """The keys and pastes among them."""
    found = []
    for message in messages(*parts, every=every):
        if isinstance(message, events.Key):
            found.append(message.key)
        elif isinstance(message, events.Paste):
            found.append(f"paste {message.text}")
    return found


NO_KEYS = {
    "a Latin-1 letter": b"\xe9",
    "half a letter": b"\xe2\x82",
    "a mouse report in the oldest form, far right": b"\x1b[M \xb6%",
    "the same with a control character's value": b"\x1b[M\x20\x7f\xff",
    "a mouse report in rxvt's form": b"\x1b[32;150;5M",
    "the release of Enter": b"\x1b[13;1:3u",
    "the release of an arrow": b"\x1b[1;1:3A",
    "a key that is no character": b"\x1b[9999999;1u",
    "a text that is no character": b"\x1b[97;1;55296u",
    "the background's colour, ended by ST": b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
    "the background's colour, ended by BEL": b"\x1b]11;rgb:ffff/ffff/ffff\x07",
    "a device's attributes": b"\x1b[?62;4;22c",
    "a device's secondary attributes": b"\x1b[>41;390;0c",
    "a device's status": b"\x1b[0n",
    "the keyboard protocol's flags": b"\x1b[?1u",
    "the window's size": b"\x1b[8;24;80t",
    "a terminal's name": b"\x1bP>|tmux 3.3a\x1b\\",
    "a graphics answer": b"\x1b_Gi=31;OK\x1b\\",
    "a report broken off by a newer one": b"\x1b[?62;\x1b[0n",
    "an answer broken off by a newer one": b"\x1b]11;rgb:ff\x1b[?62c",
}


@pytest.mark.parametrize("sent", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_what_is_no_key_steers_nothing_and_swallows_nothing(sent: bytes) -> None:
    assert heard(sent + b"qr\x1b[A") == ["q", "r", "up"]
    assert heard(sent, b"q", b"r") == ["q", "r"]


@pytest.mark.parametrize("sent", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_nor_does_it_when_the_line_cuts_it_anywhere(sent: bytes) -> None:
    for place in range(1, len(sent)):
        if not sent[:place].endswith((b"\x1b", b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b_")):  # keys, by themselves
            assert heard(sent[:place], sent[place:] + b"q", every=0.3) == ["q"], sent[:place]


def test_a_report_that_never_ends_holds_up_nothing_for_long() -> None:
    assert heard(b"\x1b]11;rgb:ff", b"q", every=LATE) == ["q"]
    assert heard(b"\x1b[?62", b"q", every=LATE) == ["q"]


KEYS = {
    b"q": ["q"],
    "é".encode(): ["é"],
    "漢".encode(): ["漢"],
    b"\r": ["enter"],
    b"\x1b": ["escape"],
    b"\x1b\x1b": ["escape", "escape"],
    b"\x1b[A": ["up"],
    b"\x1bOA": ["up"],
    b"\x1b[[A": ["f1"],
    b"\x1b[Z": ["shift+tab"],
    b"\x1b[5~": ["pageup"],
    b"\x1b[1;5C": ["ctrl+right"],
    b"\x1b[27u": ["escape"],
    b"\x1b[97;5u": ["ctrl+a"],
    b"\x1b[97;1;97u": ["a"],
    b"\x1b[97;1:1u": ["a"],
    b"\x1b[97:65;2:2;65u": ["A"],
    b"\x1bx": ["alt+x"],
    b"\x1b]": ["right_square_bracket"],
    b"\x1b[23$": ["f23"],
    b"\x1b[200~a\nb\x1b[201~": ["paste a\nb"],
    b"\x1b[200~\x1b]11;r\x07\xe9\x1b[Aq\x1b[201~": ["paste ]11;r\x07[Aq"],
}


@pytest.mark.parametrize(("sent", "keys"), KEYS.items(), ids=map(repr, KEYS))
def test_keys_and_pastes_arrive(sent: bytes, keys: list[str]) -> None:
    assert heard(sent) == keys
    assert heard(sent, b"q", every=LATE)[-1] == "q"


def test_a_paste_whose_end_is_lost_is_over_after_a_silence() -> None:
    incoming, parser = Incoming(), PieceParser()
    said: list[str] = []

    def take(pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            for message in parser.messages(piece):
                said.append(message.text if isinstance(message, events.Paste) else getattr(message, "key", "?"))

    take(incoming.feed(b"\x1b[200~abc\x1b[20", 0.0))
    assert incoming.waits
    take(incoming.expire(PASTE_PATIENCE / 2))
    assert said == []
    take(incoming.expire(PASTE_PATIENCE))
    assert said == ["abc"]
    assert not incoming.waits
    take(incoming.feed(b"q", PASTE_PATIENCE + 1))
    assert said == ["abc", "q"]


@pytest.mark.parametrize("head", [b"\x1b]11;", b"\x1bP>|", b"\x1b_G", b"\x1b[1"])
def test_a_sequence_without_an_end_is_not_kept_whole(head: bytes) -> None:
    incoming = Incoming()
    assert [*incoming.feed(head, 0.0)] == []
    for _ in range(100):
        assert [*incoming.feed(b"1" * 4096, 0.0)] == []
    assert len(incoming._held) <= 2 * 4096
    end = b"m" if head.startswith(b"\x1b[") else b"\x1b\\"
    assert b"".join(incoming.feed(end + b"q", 0.0)) == b"q"


def test_a_letter_and_a_paste_may_come_in_parts() -> None:
    assert heard(b"\xc3", b"\xa9", every=LATE) == ["é"]
    assert heard(b"\x1b[200~ab\x1b[2", b"01", b"~q", every=LATE) == ["paste ab", "q"]


def test_an_escape_before_a_sequence_is_an_escape() -> None:
    assert heard(b"\x1b\x1b[A") == ["escape", "up"]


@given(st.lists(st.binary(max_size=12) | st.sampled_from(sorted(NO_KEYS.values())), max_size=12), st.floats(0, 2))
def test_no_bytes_break_it(parts: list[bytes], every: float) -> None:
    incoming, parser, now = Incoming(), PieceParser(), 0.0
    for part in [*parts, b"\x07", b"\x1b[201~"]:
        for piece in [*incoming.expire(now), *incoming.feed(part, now)]:
            list(parser.messages(piece))
        now += every
    now += LATE
    for piece in [*incoming.expire(now), *incoming.feed(b"\x1b[201~q", now)]:
        last = [*parser.messages(piece)]
    assert isinstance(last[-1], events.Key) and last[-1].key == "q"
