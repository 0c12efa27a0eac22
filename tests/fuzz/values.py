"""Odd values, and ways to make a good input odd: a tree of plain data, a text, bytes."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

ESCAPES = (
    "\x1b]0;title\x07", "\x1b]52;c;cm0=\x07", "\x1b[2J", "\x1b[31mred", "\x9b2J", "\x9d0;t\x9c", "\x90", "\x1b", "\x07",
    "\x7f", "\x00", "\x08", "\r", "\x1bPq\x1b\\",
)  # fmt: skip
TEXTS = (
    *(
        "",
        " ",
        "\t",
        "\n",
        "a\nb",
        "x" * 90,
        "x" * 5000,
        "漢字" * 40,
        "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}",
        "e\u0301",
        "\u200b",
    ),
    *("\u202eabc", "\u2028", "\ufeff", "\ud800", "\udfff\ud800", "\U0010ffff"),
    *("{{x}}", "{{node}}", "{{", "${X}", "${X:-1}", "${X:?say}", "${", "$", "$$"),
    *("(", "(a+)+$", "[", "*", "|", "[red]x[/]", "<script>", "`", "```", "# x", "null", "true", "-", "~"),
    *("~/x", "~nosuchuser/x", "../../etc/passwd", "/dev/zero", "a/../b", "file:///x", "http://[::1", "user:pass@x"),
    *(
        "1.5s",
        "-1s",
        "9" * 400,
        "9" * 400 + "G",
        "1e999",
        "0x10",
        "1_000",
        "٣",
        "80:80",
        "0-99999999",
        "80:80/udp/host",
    ),
    *("web", "node1", *ESCAPES),
)
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2, 255, 65536, 2**31, 2**63, -(2**63), 10**30, 10**400, -0.0, 0.1, 1e-300, 1e17, 1e308, -1e308, math.inf,
    -math.inf, math.nan,
)  # fmt: skip
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], [{}], {"": None}, {"a": {"b": []}}, ["a", 1, None])


def odd_text(rng: Random) -> str:
    """A text that nobody would write; sometimes a plausible one with something in it."""
    if rng.random() < 0.7:
        return rng.choice(TEXTS)
    return rng.choice(("web", "node1", "a b", "漢")) + rng.choice(TEXTS) + rng.choice(("", "end"))


def odd(rng: Random) -> Any:
    """Any odd value of plain data."""
    match rng.randrange(12):
        case 0 | 1:
            return copy.deepcopy(rng.choice(OTHERS))
        case 2 | 3 | 4:
            return rng.choice(NUMBERS)
        case 5:
            return nested(rng.choice((3, 30, 200)), rng.choice(("list", "dict")))
        case 6:
            return [copy.deepcopy(rng.choice((*OTHERS, *TEXTS[:12])))] * rng.choice((2, 40, 1000))
        case _:
            return odd_text(rng)


def nested(depth: int, what: str) -> Any:
    """Lists in lists, or mappings in mappings."""
    value: Any = 0
    for _ in range(depth):
        value = [value] if what == "list" else {"a": value}
    return value


Place = tuple[str | int, ...]


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    """Every place in a tree, the root first."""
    yield here
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*here, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*here, index))


def mutated_tree(rng: Random, value: Any, most: int = 3) -> Any:
    """A copy of a tree with up to `most` places changed: another value, one gone, doubled, or under another name."""
    value = copy.deepcopy(value)
    for _ in range(rng.randint(1, most)):
        there = list(places(value))[1:]
        if not there:
            return odd(rng)
        *way, last = rng.choice(there)
        box = value
        for part in way:
            box = box[part]
        _change(rng, box, last, value, there)
    return value


def mutated_value(rng: Random, value: Any, most: int = 2) -> Any:
    """The same for a value that may itself become another."""
    found = mutated_tree(rng, {"value": value}, most)
    return found.get("value") if isinstance(found, dict) else found


def _change(rng: Random, box: Any, key: Any, whole: Any, there: Sequence[Place]) -> None:
    match rng.randrange(10):
        case 0:
            del box[key]
        case 1 if isinstance(box, dict):
            box[odd_text(rng)] = box.pop(key)
        case 1 | 2 if isinstance(box, list):
            box.insert(rng.randint(0, len(box)), copy.deepcopy(box[key]))
        case 2:
            box[odd_text(rng)] = odd(rng)
        case 3:
            other = whole
            for part in rng.choice(there):
                other = other[part]
            box[key] = copy.deepcopy(other)
        case 4 if isinstance(box[key], str):
            box[key] = mutated_text(rng, box[key])
        case 5 if isinstance(box[key], int | float):
            box[key] = rng.choice(NUMBERS)
        case _:
            box[key] = odd(rng)


def mutated_text(rng: Random, text: str, most: int = 4) -> str:
    """A text with up to `most` edits."""
    for _ in range(rng.randint(1, most)):
        text = rng.choice(_EDITS)(rng, text)
    return text


def _cut(rng: Random, text: str) -> str:
    start = rng.randint(0, len(text))
    return text[:start] + text[start + rng.choice((1, 2, 10, 100)) :]


def _twice(rng: Random, text: str) -> str:
    start = rng.randint(0, len(text))
    piece = text[start : start + rng.choice((1, 5, 80))]
    return text[:start] + piece * rng.choice((2, 2, 30)) + text[start:]


def _with(rng: Random, text: str) -> str:
    start = rng.randint(0, len(text))
    return text[:start] + odd_text(rng) + text[start:]


def _another(rng: Random, text: str) -> str:
    start = rng.randint(0, len(text))
    return (
        text[:start] + chr(rng.choice((rng.randrange(32), rng.randrange(256), ord("{"), ord(":")))) + text[start + 1 :]
    )


def _lines(rng: Random, text: str) -> str:
    lines = text.split("\n")
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return "\n".join(lines)


def _line_gone(rng: Random, text: str) -> str:
    lines = text.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _cut_off(rng: Random, text: str) -> str:
    return text[: rng.randint(0, len(text))]


_EDITS: tuple[Callable[[Random, str], str], ...] = (_cut, _twice, _with, _with, _another, _lines, _line_gone, _cut_off)


def noise(rng: Random, words: Sequence[str], most: int = 60) -> str:
    """Words and odd texts, one after another."""
    return "".join(
        rng.choice((rng.choice(words), rng.choice(words), odd_text(rng))) for _ in range(rng.randint(0, most))
    )


def latin(data: bytes) -> str:
    """Bytes as plain data."""
    return data.decode("latin-1")


def raw(text: str) -> bytes:
    """The bytes that `latin` made a text of; what is no byte is written as UTF-8, halves of surrogate pairs too."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
