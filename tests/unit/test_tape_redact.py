"""Redaction: no secret leaves, whatever the chunks; what is no secret is left as it was."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab.tape.redact import MASK, Redactor

DIGEST, SECRET = "3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl", "1awxwuwd3z9j1z3puu7rcgdbx"
JOIN = f"SWMTKN-1-{DIGEST}-{SECRET}"
FIPS = f"SWMTKN-2-1-{DIGEST}-{SECRET}"
UNLOCK = "SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8"
PEM = "-----BEGIN RSA PRIVATE KEY-----\r\nMIIEpAIBAAKC+/=\r\nqqqq\r\n-----END RSA PRIVATE KEY-----"
KNOWN = "correct-horse-battery"

SECRETS = {
    f"  docker swarm join --token {JOIN} 10.0.0.1:2377\r\n": JOIN,
    f"{FIPS}\r\n": FIPS,
    f"unlock with {UNLOCK} now": UNLOCK,
    "> Authorization: Bearer abc.DEF-123_x~y\r\n> Host: a\r\n": "abc.DEF-123_x~y",
    '{"Authorization": "Basic dXNlcjpwYXNz"}': "dXNlcjpwYXNz",
    "authorization: basic dXNlcjpwYXNz\r\n": "dXNlcjpwYXNz",
    "got Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc123 back": "eyJhbGciOiJIUzI1NiJ9.e30.abc123",
    "Basic YWRtaW46YWRtaW4= is weak": "YWRtaW46YWRtaW4=",
    '"auth": "YWRtaW46YWRtaW4="': "YWRtaW46YWRtaW4=",
    "git clone https://user:hunter2@host/x": "user:hunter2@",
    "docker login --password hunter2 reg": "hunter2",
    "docker login --password=hunter2 reg": "hunter2",
    f"the value {KNOWN} is known": KNOWN,
}
ORDINARY = (
    "CONTAINER ID   IMAGE        COMMAND\r\n",
    "curl http://localhost:8080/ and ssh://git@host/x",
    "the bearer of basic authentication explains basic principles",
    "-----BEGIN CERTIFICATE-----\r\nMIID\r\n-----END CERTIFICATE-----\r\n",
    "SWMTKN-1-... is how a token begins; SWMKEY",
    "curl http://localhost:8080\r\nnginx@host says hi\r\n",
    "docker run --user 1000:1000 x",
    "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1",
)


def stream(pieces: list[str], *, flush_each: bool = False) -> str:
    redactor = Redactor([KNOWN])
    said = "".join(redactor.feed(piece) + (redactor.flush() if flush_each else "") for piece in pieces)
    return said + redactor.flush()


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize(("text", "secret"), SECRETS.items())
def test_a_secret_is_masked_and_nothing_else(text: str, secret: str) -> None:
    masked = Redactor([KNOWN]).whole(text)
    assert secret not in masked
    assert len(masked) == len(text)
    assert masked.replace(MASK, "") == text.replace(secret, "")
    assert stream([text]) == masked


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Redactor([KNOWN]).whole(text) == text
    assert stream([text]) == text
    assert stream(list(text)) == text


@given(st.sampled_from([*SECRETS, *ORDINARY, PEM]), st.lists(st.integers(0, 400), max_size=12))
def test_chunks_do_not_matter(text: str, places: list[int]) -> None:
    assert stream(cut(text, places)) == Redactor([KNOWN]).whole(text)


@given(st.sampled_from([JOIN, FIPS, UNLOCK, KNOWN]), st.lists(st.integers(0, 400), max_size=6), st.data())
def test_wraps_and_escapes_inside_a_secret_do_not_hide_it(secret: str, places: list[int], data: st.DataObject) -> None:
    gaps = st.sampled_from(["\r\n", "\n", "\x1b[0m", "\x1b[K", " \r", "\x1b[1;32m", "\x1b]0;t\x07", "\x1b(B"])
    pieces = [piece + data.draw(gaps) for piece in cut(secret, places)]
    text = f"before {''.join(pieces)}\r\nafter"
    said = stream(cut(text, data.draw(st.lists(st.integers(0, 600), max_size=6))))
    assert len(said) == len(text)
    seen = re.sub(r"\x1b\]0;t\x07|\x1b\[[0-9;]*[mK]|\x1b\(B|[\r\n]", "", said)
    assert re.sub("[• ]", "", seen) == "beforeafter"


def test_a_private_key_is_masked_from_end_to_end() -> None:
    said = stream(cut(f"$ cat key.pem\r\n{PEM}\r\n$ ", [20, 60, 90, 130]))
    assert said == "$ cat key.pem\r\n" + re.sub(r"[^\r\n]", MASK, PEM) + "\r\n$ "


def test_a_long_credential_is_followed_across_a_wrapped_line() -> None:
    token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0"
    text = f"> Authorization: Bearer {token[:40]}\r\n{token[40:]}\r\n> Host: a\r\n"
    assert Redactor().whole(text).replace(MASK, "") == "> Authorization: Bearer \r\n\r\n> Host: a\r\n"


@given(st.lists(st.text(max_size=20), max_size=8))
@example(["\x1b", "]0;", "x\x07"])
@example(["SWMTKN-1-\r\n\r\n", "://:", "@"])
def test_the_stream_keeps_its_length_and_holds_nothing_after_a_flush(pieces: list[str]) -> None:
    redactor = Redactor([KNOWN])
    sent = 0
    for piece in pieces:
        sent += len(redactor.feed(piece))
        sent += len(redactor.flush())
        assert not redactor.holds
    assert sent == len("".join(pieces))


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=60))
def test_only_what_may_become_a_secret_is_held(text: str) -> None:
    redactor = Redactor()
    said = redactor.feed(f"{text} | ")
    assert said == f"{text} | " or MASK in said


def test_typed_character_by_character_a_secret_is_masked_after_its_first_ones() -> None:
    said = stream(list(f"x {KNOWN} y"), flush_each=True)
    assert said == f"x correc{MASK * 15} y"
    assert DIGEST[:8] not in stream(list(f"x {JOIN} y"), flush_each=True)


def test_a_title_or_a_link_holds_no_secret_either() -> None:
    said = stream(cut(f"\x1b]0;{JOIN}\x07\x1b]8;;https://u:hunter2@h/\x1b\\link\x1b]8;;\x1b\\", [9, 30]))
    assert DIGEST not in said and "hunter2" not in said and "link" in said


def test_masks_have_the_width_of_what_they_hide() -> None:
    assert Redactor(["пароль密码e\u0301x"]).whole("пароль密码e\u0301x") == "••••••＊＊•\u034f•"


def test_streams_share_what_is_learned_and_keep_apart_what_they_hold() -> None:
    one = Redactor()
    other = one.stream()
    one.learn("later-secret", "abc", "")
    assert other.feed("later-") == ""
    assert one.feed("secret\n") == "secret\n"
    assert other.feed("secret\n") == f"{MASK * 12}\n"
    assert one.whole("abc") == "abc"


def test_a_secret_that_never_ends_is_let_go_masked() -> None:
    redactor = Redactor()
    said = redactor.feed("-----BEGIN PRIVATE KEY-----" + "A" * 70_000)
    assert said.startswith(MASK * 1000) and "BEGIN" not in said
