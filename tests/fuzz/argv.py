"""The command line's words in any order, with odd values. None of them can make a cluster: see `_no_cluster`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from lab.cluster import api
from lab.errors import MissingError
from tests.fuzz.desk import held
from tests.fuzz.surface import Broken, Surface
from tests.fuzz.tapes import HEADER, tape_text
from tests.fuzz.values import odd_text

_COMMANDS = (
    *("up", "status", "env", "doctor", "down", "node", "lessons", "run", "reset", "record", "check"),
    *("replay", "export", "new", "dev"),
)
_OPTIONS = (
    *("--json", "--yes", "--name", "--nodes", "--provider", "--images", "--purge", "--all", "--until"),
    *("--to", "--dry-run", "-o", "--output", "--plain", "--speed", "--format", "--help", "--version", "--"),
    *("-", "--jso", "--speed=max", "--format=cast", "--name=other", "--to=scaling"),
)
_VALUES = (
    *("max", "cast", "markdown", "stop", "cut", "heal", "start", "node1", "vm", "dind", "auto", "packages"),
    *("official", "default", "other", "1", "4", "0", "-1", "2.5", "nan", "inf", "1e5", "scaling"),
    *("first-service", "lesson", "scaling:create", ":", "create", "good.tape", "bad.tape", "lesson.yaml", "lessons"),
    *("stacks", "folder", ".", "no/such/file", "/dev/null", "/dev/full"),
)
_WORDS = (*_OPTIONS, *_VALUES, "", "x" * 300, "x" * 5000)


def _draw(rng: Random) -> Any:
    argv = [rng.choice(_COMMANDS)] if rng.random() < 0.9 else []
    argv += [_word(rng) for _ in range(rng.choice((0, 1, 2, 2, 3, 4, 6)))]
    if rng.random() < 0.3:
        argv.append("--json")
    return argv


def _word(rng: Random) -> str:
    # A text with a slash may be a place outside of this folder, where a command would write; and no argument has a NUL.
    text = odd_text(rng) if rng.random() < 0.15 else rng.choice(_WORDS)
    return text if text in _WORDS or not set("/\x00~") & set(text) else "x"


@contextmanager
def _no_cluster() -> Iterator[None]:
    """`up`, and the tour that calls it, stop before they would make anything."""

    def refused(*_: object, **__: object) -> NoReturn:
        raise MissingError("no cluster is made here", remedy="swarmlab replay")

    before, api.up = api.up, refused
    try:
        yield
    finally:
        api.up = before


def _hold(value: Any) -> None:
    argv = [str(word) for word in value]
    if "replay" in argv and "--speed" not in argv:
        argv += ["--speed", "max"]
    if "--install" in argv:
        return
    Path("folder").mkdir(exist_ok=True)
    Path("good.tape").write_text(tape_text(HEADER, [{"at": 0.0, "kind": "lesson", "lesson": "scaling"}]))
    Path("bad.tape").write_text("{")
    Path("lesson.yaml").write_text("id: x\n")
    with _no_cluster():
        said = held(argv or ["--yes"], (0, 1, 2, 3))
    parsed = said.code != 2 or "usage:" not in said.err
    wants = "--json" in argv and not {"--", "--help", "--version", "replay", "export"} & set(argv)
    if wants and parsed:
        try:
            found = json.loads(said.out)
        except ValueError as error:
            raise Broken("--json gives no single object", f"{argv!a}: {said.out[-300:]!a}") from error
        if not isinstance(found, dict):
            raise Broken("--json gives no single object", f"{argv!a}: {said.out[-300:]!a}")


SURFACE = Surface(
    "argv",
    _draw,
    _hold,
    known=(
        ["export", "good.tape", "--format", "cast", "-o", "folder"],
        ["export", "good.tape", "--format", "cast", "-o", "/dev/full"],
        ["replay", "x" * 5000],
        ["record", "scaling", "-o", "good.tape/x"],
        ["check", ""],
        ["up", "--name", "\ud800"],
    ),
    share=1,
    fast=80,
)
