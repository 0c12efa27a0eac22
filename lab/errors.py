"""The error hierarchy.

Every error has a sentence for the user, and the command line's exit code:

    LabError                  1  it ran, and something is not as it should be
    ├── InputError            2  wrong usage, or a bad lesson, flag, recording, answer
    ├── MissingError          3  something required is missing; `remedy` provides it
    ├── BusyError             3  another swarmlab is working; says which, and on what
    ├── CommandError          1  a command failed; quotes it, ready to paste, and its output
    ├── WaitError             1  a wait timed out; says what was still missing
    └── EngineError           1  an engine does not answer, or refuses a request
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Sequence
from pathlib import Path


class LabError(Exception):
    """An error that is shown to the user as a sentence instead of a traceback.

    `remedy` is what to do next: a command to paste or a short sentence; empty when nothing helps.
    """

    exit_code = 1

    def __init__(self, sentence: str, *, remedy: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.sentence}\n  next: {self.remedy}" if self.remedy else self.sentence


class InputError(LabError):
    """Bad input: its location (`path`, and one-based `line`, 0 when unknown) and what is wrong with it."""

    exit_code = 2

    def __init__(self, reason: str, *, path: Path | str | None = None, line: int = 0, remedy: str = "") -> None:
        self.reason, self.path, self.line = reason, path, line
        where = "" if path is None else f"{path}:{line}: " if line else f"{path}: "
        super().__init__(f"{where}{reason}", remedy=remedy)


class MissingError(LabError):
    """Something required is missing; `remedy` is the command that provides it."""

    exit_code = 3


class BusyError(LabError):
    """Another swarmlab is working on the same thing; the sentence says which one, and what it is doing."""

    exit_code = 3


class CommandError(LabError):
    """A command that the lab ran failed.

    `argv` is the command, `code` its exit status (negative: the signal), `output` the end of its output.
    """

    def __init__(self, argv: Sequence[str], code: int, output: str, *, remedy: str = "") -> None:
        self.argv, self.code, self.output = tuple(argv), code, output
        said = "\n".join(f"    {line}" for line in output.strip().splitlines()[-20:])
        super().__init__(
            f"this command ended with status {code}:\n  $ {shlex.join(self.argv)}" + (f"\n{said}" if said else ""),
            remedy=remedy,
        )


class WaitError(LabError):
    """A wait timed out. `missing` says what had not happened; `log` is the file to look in."""

    def __init__(self, what: str, seconds: float, missing: str, *, log: Path | None = None, remedy: str = "") -> None:
        self.what, self.seconds, self.missing, self.log = what, seconds, missing, log
        tail = f"; the log is {log}" if log else ""
        super().__init__(f"waited {seconds:.0f} s for {what}; still missing: {missing}{tail}", remedy=remedy)


class EngineError(LabError):
    """An engine did not answer, or refused a request; `node` names its node."""

    def __init__(self, sentence: str, *, node: str = "", remedy: str = "") -> None:
        self.node = node
        super().__init__(sentence, remedy=remedy)


class Cancelled(BaseException):
    """Work was cancelled by whoever started it. Not an error: only its originator handles it, and nothing is reported.
    Ctrl-C is KeyboardInterrupt, as everywhere."""


_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_BAD_PATH = {errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
_OTHER = {errno.ENOENT, errno.EEXIST, errno.EIO, errno.EFBIG, errno.EMFILE, errno.ENFILE}


def explain_os_error(error: OSError) -> LabError | None:
    """Return what the operating system refused, as a sentence that names the file; None for an error unrelated to
    files."""
    name = "" if error.filename is None else str(error.filename)
    name = name if len(name) <= 200 else f"{name[:200]}…"
    words = f"{name}: {error.strerror}" if name else f"a file cannot be used: {error.strerror}"
    if error.errno in _BAD_PATH:
        return InputError(str(error.strerror), path=name or None, remedy="check the path")
    if error.errno in _NO_ROOM:
        return LabError(words, remedy="make room, or set SWARMLAB_STATE and SWARMLAB_CACHE to folders on a larger disk")
    if error.errno in _FORBIDDEN:
        return LabError(words, remedy="set SWARMLAB_STATE and SWARMLAB_CACHE to folders that you may write to")
    return LabError(words) if error.errno in _OTHER else None
