"""Tapes, by each of the four commands that read them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from lab import paths
from tests.fuzz import typed
from tests.fuzz.desk import held
from tests.fuzz.surface import Broken, Surface
from tests.fuzz.values import mutated_text, mutated_tree, noise, odd, raw

HEADER: dict[str, Any] = {
    "swarmlab": 1,
    "title": "t",
    "lesson": "certificates",
    "recorded": "2026-11-25T00:20:44Z",
    "digest": "2d3e728cfd73b400",
    "provider": "vm",
    "nodes": 4,
}
_WORDS = (
    '{"swarmlab":1}',
    "\n",
    '{"at":0,"kind":',
    '"lesson"',
    "}",
    '{"end":1}',
    "\x1f\x8b\x08",
    "\xff\xfe",
    "{",
    "[",
    ",",
)


def tape_text(header: Any, lines: list[Any], end: Any = None, *, escaped: bool = True) -> str:
    """A tape's text; its end mark fits unless another is given."""
    mark = {"end": len(lines), "finished": True} if end is None else end
    return "".join(json.dumps(line, ensure_ascii=escaped) + "\n" for line in (header, *lines, mark))


@cache
def _shipped() -> tuple[tuple[dict[str, Any], ...], ...]:
    files = sorted(paths.recordings().glob("*.tape"))
    return tuple(tuple(map(json.loads, f.read_text(encoding="utf-8").splitlines()[:-1])) for f in files)


def some_lines(rng: Random) -> tuple[Any, list[Any]]:
    """A header, and a few lines in order: a shipped tape's, or of facts made by their types."""
    if rng.random() < 0.5:
        header, *lines = rng.choice(_shipped())
        # Each kind is as likely as the others: most lines of a tape are output.
        kinds = sorted({line["kind"] for line in lines})
        wanted = [rng.choice(kinds) for _ in range(rng.randint(1, 6))]
        places = sorted({rng.choice([i for i, line in enumerate(lines) if line["kind"] == kind]) for kind in wanted})
        return header, [lines[place] for place in places]
    return HEADER, [typed.line(at, fact) for at, fact in typed.journal(rng, 6)]


def draw(rng: Random) -> Any:
    """A tape's bytes, as a latin-1 text, most often with something wrong in it."""
    header, lines = some_lines(rng)
    escaped = rng.random() < 0.7
    match rng.randrange(20):
        case 0:
            return noise(rng, _WORDS)
        case 1 | 2 | 3:
            return mutated_text(rng, tape_text(header, lines))
        case 4:
            return raw_cut(rng, tape_text(header, lines))
        case 5 | 6:
            text = tape_text(mutated_tree(rng, header), lines, escaped=escaped)
        case 7:
            text = tape_text(header, lines, mutated_tree(rng, {"end": len(lines), "finished": True}), escaped=escaped)
        case 8:
            lines.insert(rng.randint(0, len(lines)), odd(rng))
            text = tape_text(header, lines, escaped=escaped)
        case 9 | 10 | 11:
            text = tape_text(header, lines, escaped=escaped)
        case _:
            place = rng.randrange(len(lines))
            lines[place] = mutated_tree(rng, lines[place], 2)
            text = tape_text(header, lines, escaped=escaped)
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def raw_cut(rng: Random, text: str) -> str:
    """Single bytes changed, so that it is no UTF-8 any more, or another JSON."""
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return data.decode("latin-1")


def _hold(text: Any) -> None:
    file = Path("x.tape")
    file.write_bytes(raw(text))
    good = held(["check", str(file)], (0, 2)).code == 0
    for argv in (
        ("replay", str(file), "--plain", "--speed", "max"),
        ("export", str(file), "--format", "cast"),
        ("export", str(file), "--format", "markdown", "--log"),
        ("export", str(file), "--format", "html"),
    ):
        said = held(argv, (0, 2))
        if good and said.code:
            raise Broken(f"`{argv[0]}` refuses a tape that `check` takes", said.err)
        if argv[-1] == "cast" and not said.code:
            for line in said.out.splitlines():
                json.loads(line)


def _one(fact: dict[str, Any], **header: Any) -> str:
    return tape_text({**HEADER, **header}, [{"at": 1.0, **fact}])


_LOAD = {"kind": "load", "running": True, "rate": 5.0, "target": "t"}

SURFACE = Surface(
    "tapes",
    draw,
    _hold,
    known=(
        _one({"kind": "lesson", "lesson": "certificates"}, title="\ud800"),
        _one({"kind": "lesson", "lesson": "a"}, title="\x1b]0;x\x07"),
        _one({"kind": "output", "node": "node1", "text": "\udfff"}),
        _one({"kind": "capture", "name": "x" * 90, "value": "[x]"}),
        _one({"kind": "capture", "name": "\x1b]52;c;cm0=\x07", "value": "v"}),
        _one({"kind": "\x1b]0;x\x07\x1b[2J"}),
        _one({"kind": "command", "id": 1, "node": "\x1b[2J<script>", "text": "\x1b]0;x\x07ls"}),
        _one({"kind": "step", "lesson": "certificates", "step": "\x1b[31m", "state": "begun"}),
        tape_text(HEADER, [{"at": 10**400, "kind": "lesson", "lesson": "a"}]),
        tape_text(HEADER, [{"at": 1e308, "kind": "capture", "name": "n", "value": "v"}]),
        _one(
            {**_LOAD, "seconds": 1e999, "failures": [{"ago": 1e999, "node": "n", "status": 0, "error": "", "ms": 1.0}]}
        ),
        # Openers of strings that never end: each start was searched to the end of the text.
        _one({"kind": "output", "node": "node1", "text": "\x9d" * 30_000}),
    ),
    share=3,
    fast=100,
)
