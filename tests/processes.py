"""Processes that tests start."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import AnyStr


@contextmanager
def ended(process: subprocess.Popen[AnyStr]) -> Iterator[subprocess.Popen[AnyStr]]:
    """Yield a process; in the end it is killed, whatever happened. `Popen` by itself waits for it, and a test whose
    assertion fails would hang."""
    with process:
        try:
            yield process
        finally:
            process.kill()
