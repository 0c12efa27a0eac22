"""An import inside a function says why it is not at the top, and the app's first paint waits for no large library."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LAB = Path(__file__).parents[2] / "lab"
#: Modules that say it once, in their docstring.
SAID_ABOVE = {"cluster/vm/provider.py"}


def unexplained(path: Path) -> Iterator[str]:
    """The first import of each block in a function that has no comment on it or above it."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    inner = {
        (found.lineno, found.end_lineno)
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for found in ast.walk(function)
        if isinstance(found, ast.Import | ast.ImportFrom)
    }
    ends = {end for _, end in inner}
    for start, _ in sorted(inner):
        above, line = lines[start - 2].strip(), lines[start - 1]
        if start - 1 not in ends and "  # " not in line and not above.startswith("#"):
            yield f"{path.relative_to(LAB)}:{start}: {line.strip()}"


@pytest.mark.costly
def test_every_deferred_import_says_why() -> None:
    paths = [path for path in sorted(LAB.rglob("*.py")) if str(path.relative_to(LAB)) not in SAID_ABOVE]
    assert len(paths) > 100
    assert [line for path in paths for line in unexplained(path)] == []


def test_the_first_paint_waits_for_no_large_library() -> None:
    """What the app's module imports is loaded before anything is on the screen."""
    found = "import sys, lab.tui.app; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True).stdout.split()
    assert "textual" in loaded
    assert not {"pydantic", "yaml", "httpx", "docker", "cryptography", "pexpect", "dnslib"} & set(loaded)
