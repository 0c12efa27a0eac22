"""Secrets in a stream, torn by what a terminal may put inside them: none of them may be seen in what is left."""

from __future__ import annotations

import re
import string
from random import Random
from typing import Any

from lab.terminal.redact import Redactor
from tests.fuzz.surface import Broken, Surface

_LOWER, _KEY = string.ascii_lowercase + string.digits, string.ascii_letters + string.digits + "+/"
_GAPS = (
    *("\r\n", "\n", " \r", " \r\n", "\x08", "\x1b[0m", "\x1b[1;32m", "\x9b0m", "\x1b[K", "\x1b[2K\r", "\x1b[1C\x1b[1D"),
    *("\x1b[?25l", "\x1b(B", "\x1b]0;t\x07", "\x1b]133;A\x1b\\"),
    *("\x7f", "\x1c", "\x1f", "\x80", "\x84", "\x85", "\x88", "\x8f", "\x9a", "\x9c", "\x1b\x1b[m"),
)
_AROUND = (
    "a\tb ",
    "$ docker swarm join --token ",
    "\x1b[1mbold\x1b[0m ",
    "漢字 ",
    "\r\n",
    "x" * 78,
    "SWMTKN-1-... ",
    "> ",
)
_FORMS = (
    re.compile(r"SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}"),
    re.compile(r"SWMTKN-2-1-[0-9a-z]{50}-[0-9a-z]{25}"),
    re.compile(r"SWMKEY-1-[A-Za-z0-9+/]{43}"),
    re.compile(r"known-[a-z0-9]{14}"),
)
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x9c|\x1b\\)"
    r"|\x1b[ -/]*[0-~]"
)
SEEN = 9
"""As many characters of a secret in a row are a leak."""


def _secret(rng: Random) -> str:
    def some(letters: str, size: int) -> str:
        return "".join(rng.choice(letters) for _ in range(size))

    token = f"{some(_LOWER, 50)}-{some(_LOWER, 25)}"
    known = f"known-{some(_LOWER, 14)}"
    return rng.choice((f"SWMTKN-1-{token}", f"SWMTKN-2-1-{token}", f"SWMKEY-1-{some(_KEY, 43)}", known))


def _draw(rng: Random) -> Any:
    secret = _secret(rng)
    torn = secret
    for _ in range(rng.randint(0, 6)):
        at = rng.randint(1, len(torn) - 1)
        # Not into the middle of a gap: half an escape and a piece of the next are another text.
        if not _inside_a_gap(torn, at):
            torn = torn[:at] + rng.choice(_GAPS) + torn[at:]
    text = rng.choice(_AROUND) + torn + rng.choice(("\r\n", " x", "\r\nafter\r\n"))
    chunks, at = [], 0
    while at < len(text):
        size = rng.choice((1, 2, 3, 7, 20, 64, 1000))
        chunks.append(text[at : at + size])
        at += size
    return {"secret": secret, "chunks": chunks}


def _inside_a_gap(text: str, at: int) -> bool:
    return any(found.start() < at < found.end() for found in re.finditer(f"\x1b*(?:{_ESCAPE.pattern})| ?\r\n?", text))


def _bare(text: str) -> str:
    """A text as one line: no escapes, no line ends, nor the blank that a line editor writes before one."""
    return re.sub(r" ?\r+\n?|[\x00-\x1f\x7f-\x9f]", "", _ESCAPE.sub("", text))


def _hold(value: Any) -> None:
    secret, chunks = value["secret"], value["chunks"]
    text = "".join(chunks)
    if not any(form.fullmatch(secret) for form in _FORMS) or secret not in _bare(text):
        return  # No secret stands in it: a part was taken out while it was made smaller.
    known = Redactor([secret] if secret.startswith("known-") else [])
    for way, said in (
        ("a stream", "".join(_streamed(known.stream(), chunks))),
        ("a text that stands alone", known.whole(text)),
    ):
        if len(said) != len(text):
            raise Broken(f"{way} has another length after redaction", f"{len(said)} and not {len(text)}")
        seen, body = _bare(said), secret[9:] if secret.startswith("SWM") else secret
        for at in range(len(body) - SEEN + 1):
            if body[at : at + SEEN] in seen:
                raise Broken(f"a secret is seen in {way}", f"{body[at : at + SEEN]} in {said!a}")


def _streamed(redactor: Redactor, chunks: list[str]) -> list[str]:
    return [*(redactor.feed(chunk) for chunk in chunks), redactor.flush()]


_KEYED = "SWMKEY-1-8f/3fAc3fe0H/11q7FaEffHHavFg5222DDHCHhaBdeQ"
_GIVEN = "known-abcdefghijklm4"

SURFACE = Surface(
    "redaction",
    _draw,
    _hold,
    known=(
        {
            "secret": _KEYED,
            "chunks": [
                f"a\tb {_KEYED[:11]}\x1b]133;A\x1b\\{_KEYED[11:28]} \r\n",
                f"{_KEYED[28:40]}\x1b[1C\x1b[1D{_KEYED[40:]}\n",
            ],
        },
        {"secret": _GIVEN, "chunks": [f"it is {_GIVEN[:8]} \r\n", f"{_GIVEN[8:]} here"]},
    ),
    share=2,
    fast=400,
)
