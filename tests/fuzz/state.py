"""What is kept of a lab, damaged: its own file, what was passed, what lessons made, the names and keys of its edge."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NoReturn

import psutil

from lab import paths
from lab.cluster.vm import state
from tests.fuzz.desk import held
from tests.fuzz.surface import Broken, Surface
from tests.fuzz.values import latin, mutated_text, mutated_tree, odd, raw

_NODE = {
    "name": "node1",
    "number": 1,
    "role": "manager",
    "identity": "0f0e0d0c-0b0a-4908-8706-050403020100",
    "lan_address": "10.77.0.11",
    "engine": 20001,
    "published": {"8080": 20002},
}
_LAB: dict[str, Any] = {
    "version": state.VERSION,
    "name": "default",
    "provider": "vm",
    "created": "2026-11-25T00:00:00Z",
    "acceleration": "tcg",
    "note": "",
    "disk": "base-0",
    "images": "packages",
    "memory": 512,
    "first_port": 20000,
    "switch": "0a0e0d0c-0b0a-4908-8706-050403020100",
    "nodes": [_NODE, {**_NODE, "name": "node2", "number": 2, "identity": "1f0e0d0c-0b0a-4908-8706-050403020100"}],
}
FILES: dict[str, Any] = {
    "labs/default/cluster/lab.json": _LAB,
    "progress/default.json": {"last": "scaling", "passed": {"scaling": ["create"]}},
    "ledger/default.json": {"ids": ["abc"]},
    "labs/default/edge/password": "the-lab-password",
    "labs/default/edge/ca.pem": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "labs/default/edge/key.pem": "",
    "labs/default/cluster/node1/pid": "1",
    "labs/default/cluster/node1/serial.log": "swarmlab: kernel\n",
    "labs/default/cluster/tls/ca.pem": "x",
}
# A reset is not among them: without machines that run it waits for them for a minute.
_COMMANDS = (
    ["status"],
    ["status"],
    ["status", "--json"],
    ["env"],
    ["lessons"],
    *(["node", v, "node1"] for v in ("stop", "cut")),
)


def _damaged(rng: Random, good: Any) -> str:
    text = good if isinstance(good, str) else json.dumps(good)
    match rng.randrange(6):
        case 0:
            return latin(mutated_text(rng, text).encode("utf-8", "surrogatepass"))
        case 1:
            return latin(bytes(rng.randrange(256) for _ in range(rng.choice((0, 1, 9, 40)))))
        case _:
            return json.dumps(odd(rng) if isinstance(good, str) else mutated_tree(rng, good, 2))


def _draw(rng: Random) -> Any:
    names = rng.sample(sorted(FILES), rng.randint(2, len(FILES)))
    whole = "labs/default/cluster/lab.json"
    hurt = rng.sample(names, rng.choice((1, 1, 2)))
    files = {
        name: _damaged(rng, FILES[name]) if name in hurt else latin(_text(FILES[name]).encode())
        for name in {*names, whole}
    }
    return {"files": dict(sorted(files.items())), "command": rng.choice(_COMMANDS)}


def _text(good: Any) -> str:
    return good if isinstance(good, str) else json.dumps(good)


@contextmanager
def _no_process_ends() -> Iterator[None]:
    """Nothing that runs is the lab's here: whatever it would end is another program. That is refused, and a fault."""

    def refused(process: object, *_: object) -> NoReturn:
        raise Broken("it would have ended a process that is not the lab's", f"{process!a}")

    names = ("kill", "terminate", "send_signal", "suspend")
    before = {name: getattr(psutil.Process, name) for name in names}
    functions = os.kill, os.killpg
    for name in names:
        setattr(psutil.Process, name, refused)
    os.kill = os.killpg = refused
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(psutil.Process, name, function)
        os.kill, os.killpg = functions


def _hold(value: Any) -> None:
    root = paths.state()
    for folder in ("labs", "progress", "ledger"):
        shutil.rmtree(root / folder, ignore_errors=True)
    for name, text in value["files"].items():
        if name in FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(raw(text))
    command = [str(word) for word in value["command"]]
    with _no_process_ends():
        if command in _COMMANDS:
            held(command, (0, 1, 2, 3))
        # Whatever is damaged, what is left of a lab can be removed, and then there is none.
        held(["down"], (0,))
        held(["status"], (3,))
    if (left := root / "labs" / "default" / "cluster").exists():
        raise Broken("something is left after `down`", ascii(sorted(map(str, left.rglob("*")))))


def _lab(command: list[str], **more: Any) -> Any:
    return {"files": {"labs/default/cluster/lab.json": json.dumps({**_LAB, **more})}, "command": command}


SURFACE = Surface(
    "state",
    _draw,
    _hold,
    known=(
        _lab(["status"], nodes=[]),
        _lab(["status"], created="2026-11-25T00:00:00"),
        _lab(["status"], created="9999-12-31T23:59:59Z"),
        {**_lab(["env"]), "files": {**_lab([])["files"], "labs/default/edge/password": "\xff\xfe"}},
        _lab(["status"], note="\x1b]0;x\x07"),
    ),
    fast=40,
)
