"""What `lab` imports is what `pyproject.toml` declares, and is in the lock."""

from __future__ import annotations

import ast
import functools
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    """The names of requirements."""
    return {normal(re.match(r"[\w.-]+", one)[0]) for one in requirements}  # type: ignore[index]


@functools.cache
def imported() -> dict[str, str]:
    """The distribution of each foreign module that `lab` imports, with a file that imports it."""
    owners, found = packages_distributions(), dict[str, str]()
    for path in sorted((ROOT / "lab").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            for top in (module.partition(".")[0] for module in modules):
                if top not in {"lab", "__future__", "_typeshed", *sys.stdlib_module_names}:
                    found[normal(owners[top][0])] = str(path.relative_to(ROOT))
    return found


@pytest.mark.costly
def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    wanted = declared(PROJECT["dependencies"])
    optional = declared(PROJECT["optional-dependencies"]["route53"])
    assert {name: where for name, where in imported().items() if name not in wanted | optional} == {}
    assert (wanted | optional) - imported().keys() == set()


def test_all_that_is_declared_is_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {normal(line.partition("==")[0]) for line in lock.splitlines() if re.match(r"[\w.-]+==", line)}
    extras = (one for extra in PROJECT["optional-dependencies"].values() for one in extra)
    assert declared([*PROJECT["dependencies"], *extras]) <= locked
