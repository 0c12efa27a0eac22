"""Where the traceback of what nobody foresaw is kept, for a report."""

from __future__ import annotations

import traceback
from pathlib import Path

from lab import paths


def save_traceback(error: BaseException) -> Path:
    """Write the traceback to the state folder's log, in place of the one before. Raises OSError and MissingError where
    nothing can be written."""
    log = paths.make(paths.state()) / "error.log"
    log.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="backslashreplace")
    return log
