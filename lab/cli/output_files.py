"""Writing a command's output files: whole or not at all, and with a sentence when that fails."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from lab.errors import InputError, LabError

_BAD_PATHS = {
    errno.ENOENT: "make its folder first (mkdir -p), or choose another file with -o",
    errno.EISDIR: "name a file in it: -o FOLDER/FILE",
}
_NO_PATHS = {errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.EROFS}


def write_whole(path: Path, text: str) -> None:
    """Write text as UTF-8. An existing file is replaced at the end; a link, a device or a pipe is written to. Raises
    InputError for a path that cannot be written, LabError for a disk that does not accept it."""
    try:
        if _replaceable(path):
            _replace(path, text)
        else:
            path.write_text(text, encoding="utf-8")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _sentence(path, error) from error


def write_new(path: Path, text: str) -> None:
    """Write text as UTF-8 to a file that does not exist yet. Raises InputError when it does, or for a path that cannot
    be written, LabError for a disk that does not accept it."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} exists already", remedy="choose another file with -o") from None
    except OSError as error:
        raise _sentence(path, error) from error


def expect_writable(path: Path) -> None:
    """Raise InputError now, before long work, when a file cannot be created there; folders may still be missing."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        above = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
        if not above.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(above, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        path.exists()  # raises for a name that is too long
    except OSError as error:
        raise _sentence(path, error) from error


def _replaceable(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return True


def _replace(path: Path, text: str) -> None:
    beside = path.parent / f".swarmlab-{secrets.token_hex(8)}"
    try:
        with beside.open("x", encoding="utf-8", newline="") as file:
            with suppress(FileNotFoundError):
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            file.write(text)
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _sentence(path: Path, error: OSError) -> LabError:
    name = str(path) if len(str(path)) <= 200 else f"{str(path)[:200]}…"
    words = f"{name} cannot be written: {error.strerror or error}"
    if error.errno in _BAD_PATHS:
        return InputError(words, remedy=_BAD_PATHS[error.errno])
    if error.errno in _NO_PATHS:
        return InputError(words, remedy="choose another file with -o")
    return LabError(words, remedy="make room there, or choose another file with -o")
