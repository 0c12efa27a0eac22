"""Stack files, as `check` reads them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from lab import paths
from lab.compose.model import Stack
from lab.schema import document
from tests.fuzz.desk import held
from tests.fuzz.surface import Surface
from tests.fuzz.values import mutated_text, mutated_tree, noise
from tests.fuzz.yaml_text import full, yaml_of

_WORDS = (
    "services:",
    "\n",
    "  ",
    "- ",
    "image: x",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "<<: *a",
    "deploy:",
    "|\n",
    ": ",
    "${X}",
)


@cache
def _shipped() -> tuple[tuple[str, Any], ...]:
    files = sorted(paths.stacks().glob("*.yaml"))
    return tuple((file.read_text(encoding="utf-8"), document.read_stack(file).data) for file in files)


@cache
def _full() -> Any:
    """Every key that a stack file knows, in the short forms and the long ones."""
    found = full(Stack)
    found["services"]["other"] = {
        "image": "traefik:3.7",
        "command": ["--providers.swarm=true", "--entrypoints.web.address=:80"],
        "environment": {"A": "b", "C": 1, "D": None},
        "ports": ["80", "8080:80/udp", "8000-8002:80-82", 81, "${P}:80"],
        "networks": ["edge"],
        "volumes": ["a:/b", "./c:/d:ro", "/e"],
        "secrets": ["s"],
        "configs": [{"source": "c", "target": "/t"}],
        "healthcheck": {"test": ["CMD", "a"], "interval": "5s", "timeout": "1m30s", "retries": 3},
        "build": ".",
        "depends_on": ["x"],
        "env_file": "x",
        "deploy": {
            "labels": {"traefik.http.routers.app.rule": "Host(`a.localhost`)"},
            "resources": {"limits": {"memory": "64M", "cpus": "0.5"}},
            "placement": {"constraints": ["node.role == manager"]},
        },
    }
    return found


def _draw(rng: Random) -> Any:
    match rng.randrange(20):
        case 0:
            return "services:\n" + noise(rng, _WORDS)
        case 1 | 2 | 3 | 4:
            return mutated_text(rng, rng.choice(_shipped())[0])
        case 5 | 6 | 7 | 8 | 9:
            return yaml_of(mutated_tree(rng, rng.choice(_shipped())[1]))
        case _:
            return yaml_of(mutated_tree(rng, _full()))


def _hold(text: Any) -> None:
    file = Path("stack.yaml")
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    held(["check", str(file)], (0, 2))


SURFACE = Surface(
    "stacks",
    _draw,
    _hold,
    known=(
        f"services: {{web: {{image: x, deploy: {{resources: {{limits: {{memory: {10**400}}}}}}}}}}}\n",
        f'services: {{web: {{image: x, deploy: {{resources: {{limits: {{memory: "{"9" * 400}G"}}}}}}}}}}\n',
        'services: 1\nsecrets: {cert: "\\ud800"}\n',
        'services: {web: {image: x, configs: [{source: "\\e]0;title\\a", target: /t}]}}\n',
        "services: {web: {image: x}}\nconfigs: {one: {file: ~nosuchuser/x}}\n",
        'services: {"\\e[31mweb": {image: x, ports: [none]}}\n',
    ),
    share=3,
    fast=200,
)
