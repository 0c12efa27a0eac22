"""The log that keeps the traceback of an unexpected error, for a bug report."""

from __future__ import annotations

import traceback
from pathlib import Path

from lab import paths


def save_traceback(error: BaseException) -> Path:
    """Write the traceback to the log in the state folder, replacing the previous one, and return the log's path. Raises
    OSError and MissingError when it cannot be written."""
    log = paths.make(paths.state()) / "error.log"
    log.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="backslashreplace")
    return log
