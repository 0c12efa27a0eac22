"""Redaction: no secret leaves, whatever the chunks; what is no secret is left as it was."""

from __future__ import annotations

import base64
import json
import re
import time
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab.terminal.redact import MASK, Redactor
from lab.terminal.sanitize import text_only

DIGEST, SECRET = "3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl", "1awxwuwd3z9j1z3puu7rcgdbx"
JOIN = f"SWMTKN-1-{DIGEST}-{SECRET}"
FIPS = f"SWMTKN-2-1-{DIGEST}-{SECRET}"
UNLOCK = "SWMKEY-1-7c37Cc8654o6p38HnroywCi19pllOnGtbdZEgtKxZu8"
PEM = "-----BEGIN RSA PRIVATE KEY-----\r\nMIIEpAIBAAKC+/=\r\nqqqq\r\n-----END RSA PRIVATE KEY-----"
KNOWN = "correct-horse-battery"
SPACED = "correct horse staple"

BCRYPT = "$2y$05$" + "Za.9" * 13 + "x"
APR1 = "$apr1$abcdefgh$" + "Zb/9" * 5 + "xy"

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
    "docker login -u me --password 'two words' reg": "'two words'",
    "docker login -u me -p hunter2 reg": "hunter2",
    "docker login -u me -p 'two words' reg": "'two words'",
    "sshpass -phunter2 ssh x": "hunter2",
    "curl -su admin:a -u admin:hunter2 https://x": "hunter2",
    "curl --user 'admin:two words' https://x": "two words",
    'curl -u "admin:two words" https://x': "two words",
    "docker service create -e DB_PASSWORD=hunter2 nginx": "hunter2",
    "docker run -e 'DB_PASSWORD=two words' nginx": "two words",
    '"Env": ["POSTGRES_PASSWORD=hunter 2","A=1"]': "hunter 2",
    "export API_KEY=hunter2; x": "hunter2",
    '{"auth" : "YWRtaW46YWRtaW4="}': "YWRtaW46YWRtaW4=",
    '{"Username":"me","Password": "a b\\" c"}': 'a b\\" c',
    "git clone https://user:hunt/er2@host/x": "user:hunt/er2@",
    "git clone https://user:hunt@er2@host/x": "user:hunt@er2@",
    f"admin:{BCRYPT}\r\n": BCRYPT,
    f"users=admin:{BCRYPT.replace('$', '$$')}\r\n": BCRYPT.replace("$", "$$"),
    f"admin:{APR1} next": APR1,
    f"the answer {base64.b64encode(KNOWN.encode()).decode().rstrip('=')} is encoded": base64.b64encode(KNOWN.encode())
    .decode()
    .rstrip("="),
}
ORDINARY = (
    "CONTAINER ID   IMAGE        COMMAND\r\n",
    "curl http://localhost:8080/ and ssh://git@host/x",
    "the bearer of basic authentication explains basic principles",
    "-----BEGIN CERTIFICATE-----\r\nMIID\r\n-----END CERTIFICATE-----\r\n",
    "SWMTKN-1-... is how a token begins; SWMKEY",
    "curl http://localhost:8080\r\nnginx@host says hi\r\n",
    "docker run --user 1000:1000 x",
    "docker run -p 8080:80 nginx; docker login",
    "docker login --username me --password-stdin <secret",
    'docker login -p "$PW" x; curl -u "$EDGE_USER:guess" https://x; export PASSWORD=$PW; curl -u me x',
    "POSTGRES_PASSWORD_FILE=/run/secrets/db docker secret create db_password -",
    "docker service create --secret=db_password --secret source=a,target=b x",
    "GET https://host:8080/users/@me and http://a:80,http://b:81/x@y and mail me@host",
    "awk '{print $1$2}' $1$abc$5$6$ costs $5$",
    '{"auth": "none", "passwords": 3}',
    "sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1",
)


def stream(pieces: list[str], *, flush_each: bool = False, known: tuple[str, ...] = (KNOWN,)) -> str:
    redactor = Redactor(known)
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


GAPS = [
    *(
        "\r\n",
        "\n",
        "\r\r\n",
        " \r",
        " \x08",
        "\x1b[0m",
        "\x1b[K",
        "\x1b[1;32m",
        "\x1b(B",
        "\x1b]0;t\x07",
        "\x9d0;t\x9c",
    ),
    *(" \r\n", "   \n", "\r\n  ", " \x1b[K\r\n", "\x1b[1C\x1b[1D", "\x1b[3;1H", "\x1b7\x1b8", "\x1b]133;A\x1b\\"),
]


@given(
    st.sampled_from([JOIN, FIPS, UNLOCK, KNOWN, BCRYPT, SPACED]),
    st.lists(st.tuples(st.integers(1, 400), st.sampled_from(GAPS)), max_size=6),
    st.lists(st.integers(0, 600), max_size=6),
)
@example(UNLOCK, [(9, GAPS[18]), (28, "\x1b[K"), (30, " \r\n"), (40, "\x1b[1C\x1b[1D")], [64, 65, 67])
def test_wraps_and_escapes_inside_a_secret_do_not_hide_it(
    secret: str, gaps: list[tuple[int, str]], places: list[int]
) -> None:
    between = {1 + place % (len(secret) - 1): gap for place, gap in gaps}
    torn = "".join(f"{between.get(at, '')}{char}" for at, char in enumerate(secret))
    text = f"before {torn}\r\nafter"
    said = stream(cut(text, places), known=(KNOWN, SPACED))
    assert len(said) == len(text)
    left = f"before {''.join(between[at] for at in sorted(between))}\r\nafter"
    # A blank of the secret's own beside a break looks like the break's.
    assert said.replace(MASK, "").replace(" ", "") == left.replace(" ", "")


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


@pytest.mark.parametrize("value", ['a"b\\c/d e+f', "pässwörd?&=", "7kQ-x_9Zb2Lw"])
def test_a_known_value_is_masked_in_the_forms_in_which_it_travels(value: str) -> None:
    redactor = Redactor([value])
    assert value not in redactor.whole(f"x {value} y")
    assert redactor.whole(f"?p={quote(value, safe='')}&q=1") == f"?p={MASK * len(quote(value, safe=''))}&q=1"
    escaped = json.dumps(value)[1:-1]
    assert escaped not in redactor.whole(json.dumps({"p": value}))
    for before in ("", "a", "ab", "admin:"):
        for after in ("", "\n", " and more"):
            encoded = base64.b64encode(f"{before}{value}{after}".encode()).decode()
            left = redactor.whole(f"({encoded})").replace(MASK, "")
            # What is around the value keeps its own characters, and shares at most one with it at either end.
            assert len(left) <= 2 + 4 + len(base64.b64encode(before.encode())) + len(base64.b64encode(after.encode()))


HOSTILE = {
    "openers of strings": "\x9d",
    "openers of every kind": "\x90\x98\x9e\x9f\x1b]\x1bP",
    "an unended title": "\x1b]0;" + "x" * 60,
    "an unended mark": "\x1b]133;",
    "an unended sequence": "\x1b[0;0;0;",
    "a sequence cut short": "\x1b[000   \x01",
    "carriage returns": "\r",
    "blanks": " ",
    "blanks and escapes": " \x1b[m",
    "a key that never ends": "-----BEGIN PRIVATE KEY-----\n",
    "almost the end of a key": "-----BEGIN PRIVATE KEY----------END A",
    "credentials": "Bearer a",
    "a long line of credentials": "Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1\n",
    "tokens": "SWMTKN-1-",
    "URLs": "http://a:b",
    "quotes": "--password 'a\"",
    "logins": "curl -u a:'b login -p ",
    "variables": "X_PASSWORD=\"'",
    "hashes": "$6$rounds=1$a$2y$05$",
    "JSON": '"auth" : "password" :',
    "the beginning of what is known": "correct-horse",
}


HELD = [
    *(
        "openers of strings",
        "openers of every kind",
        "an unended title",
        "an unended mark",
        "blanks",
        "carriage returns",
    ),
    *("a key that never ends", "almost the end of a key", "tokens", "hashes", "the beginning of what is known"),
]


def cost(text: str, chunk: int) -> float:
    """Seconds of the processor."""
    redactor, began = Redactor([KNOWN]), time.thread_time()
    for at in range(0, len(text), chunk):
        redactor.feed(text[at : at + chunk])
    redactor.flush()
    return time.thread_time() - began


@pytest.mark.costly
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_the_cost_of_hostile_output_grows_as_its_length(piece: str) -> None:
    """If it grew with the square, eight times as much would take sixty-four times as long."""
    small = (piece * 16_000)[:16_000]
    large = min(cost(small * 8, 10**6) for _ in range(3))
    assert large < 28 * max(min(cost(small, 10**6) for _ in range(3)), 0.001)


@pytest.mark.costly
@pytest.mark.parametrize("kind", HELD)
def test_the_cost_of_single_characters_grows_as_their_number(kind: str) -> None:
    """A secret is held until its end, and is not looked at anew with every character."""
    small = (HOSTILE[kind] * 1_000)[:1_000]
    assert cost(small * 4, 1) < 9 * max(min(cost(small, 1) for _ in range(2)), 0.01)


DROPPED = [*map(chr, (*range(0x1C, 0x20), *range(0x7F, 0x90), *range(0x91, 0x98), 0x99, 0x9A, 0x9C))]


@pytest.mark.parametrize("gap", [*DROPPED, "\x1b\x1b[m"], ids=ascii)
def test_what_a_screen_drops_tears_no_secret(gap: str) -> None:
    for secret, redactor in ((KNOWN, Redactor([KNOWN])), (JOIN, Redactor())):
        said = redactor.whole(f"it is {secret[:20]}{gap}{secret[20:]} here\r\n")
        assert secret[-12:] not in said
        assert secret[10:20] not in said
        assert said.startswith("it is ")
        assert said.endswith(" here\r\n")


#: Fragments of sequences, whole and broken: what a screen drops of them, and what it shows, is one grammar's affair.
FRAGMENTS = st.sampled_from(
    [
        *["\x1b", "\x1b[", "\x9b", "\x1b]", "\x9d", "\x90", "\x07", "\x9c", "\x1b\\", "\x18", "\x1a", "\x01", "\x85"],
        *["1;2", "?25", " ", "m", "(", "H", "0;title", "9" * 300, "." * 5000],
        *["\x9b\x01", "\x1b\x01", "\x1b(", "\x1b]8;;", "\x1b[1\x07"],
    ]
)


@given(st.lists(st.tuples(st.integers(1, len(KNOWN) - 1), st.lists(FRAGMENTS, max_size=6).map("".join)), max_size=3))
@example([(10, "\x9b\x01")])
@example([(10, "\x1b\x01")])
@example([(10, "\x1b[" + "9" * 300)])
@example([(10, "\x1b]" + " " * 4096)])
def test_what_the_screen_shows_together_is_masked_together(cuts: list[tuple[int, str]]) -> None:
    text, at = "", 0
    for cut, gap in sorted(cuts):
        text += KNOWN[at:cut] + gap
        at = cut
    text += KNOWN[at:]
    assert KNOWN not in text_only(Redactor([KNOWN]).whole(text))
