"""The one place that knows where things live: data in the wheel, the cache, the state of a lab.

Asking for a path creates nothing: callers that write there call `make` first. As in ssh, a folder that other users own
or can write to is always refused: the lab runs and trusts its contents.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from lab.errors import InputError, MissingError

_HERE = Path(__file__).resolve().parent

CACHE = "SWARMLAB_CACHE"
"""The environment variable that moves the cache."""
STATE = "SWARMLAB_STATE"
"""The environment variable that moves the state."""

CACHE_FOLDER = "swarmlab-cache"
"""The lab's own folder inside the one that SWARMLAB_CACHE names: whatever is beside it is never touched."""


def data() -> Path:
    """Return the folder that holds `lessons`, `stacks` and `recordings`: inside the wheel, or the root of the
    checkout."""
    packed = _HERE / "data"
    return packed if packed.is_dir() else _HERE.parent


def lessons() -> Path:
    """Return the folder of the lessons that ship with the program."""
    return data() / "lessons"


def challenges() -> Path:
    """Return the folder of the challenges, in that of the lessons."""
    return lessons() / "challenges"


def stacks() -> Path:
    """Return the folder of the stack files and of what their images are built from."""
    return data() / "stacks"


def recordings() -> Path:
    """Return the folder of the tapes that ship with the program."""
    return data() / "recordings"


def search_path() -> str:
    """Return PATH without its empty entries: they mean the current folder, which may hold anybody's programs."""
    return os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if part) or os.defpath


def cache() -> Path:
    """Return the folder for what can be rebuilt: base disks, packages. `SWARMLAB_CACHE` moves it. Raises MissingError
    when the folder is not the user's own, InputError for an unknown user's home."""
    moved = os.environ.get(CACHE)
    if not moved:
        return require_own(_absolute(platformdirs.user_cache_dir("swarmlab"), CACHE), CACHE)
    above = _absolute(moved, CACHE)
    _require_trusted(above, CACHE, shared=True)
    # A link there leads wherever its owner wants: it is checked before it is followed.
    return require_own(above / CACHE_FOLDER, CACHE).resolve()


def state(name: str = "") -> Path:
    """Return the folder for what must not be lost while a lab runs: keys, disks, progress; mode 0700. `SWARMLAB_STATE`
    moves it.

    With `name`, return the folder of that lab. Raises MissingError when the folder is not the user's own, InputError
    for an unknown user's home.
    """
    root = require_own(_absolute(os.environ.get(STATE) or platformdirs.user_state_dir("swarmlab"), STATE), STATE)
    # A folder that others could once write to may still hold one of theirs.
    return require_own(require_own(root / "labs", STATE) / name, STATE) if name else root


def make(folder: Path) -> Path:
    """Create a folder of the cache or the state if it is missing, and its missing parents, all private (mode 0700).
    Raises MissingError."""
    try:
        _make(folder)
    except OSError as error:
        raise _cannot_be(f"the folder {folder} cannot be made", error) from error
    return folder


def _make(folder: Path) -> None:
    # One by one: `parents=True` creates parents with the umask's mode, which might let others write there.
    if not folder.parent.exists():
        _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
#: Faults of a path, not of the program: it cannot be written, or there is no space.
_OF_A_PLACE = _ROOM | {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO}


@contextmanager
def guard_writes(place: Path) -> Iterator[None]:
    """Run a block that writes to `place`, a file or folder of the cache or the state. Raises MissingError when that is
    not allowed or there is no space, with what helps."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_A_PLACE:
            raise
        where = error.filename if isinstance(error.filename, str) else place
        raise _cannot_be(f"{where} cannot be written", error) from error


def _cannot_be(what: str, error: OSError) -> MissingError:
    room = "free some space, or " if error.errno in _ROOM else ""
    return MissingError(
        f"{what}: {error.strerror or error}", remedy=f"{room}set {STATE} and {CACHE} to folders that you can write to"
    )


def nearest_existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(each for each in (folder, *folder.parents) if os.path.exists(each))  # noqa: PTH110  never raises


def _absolute(path: str, variable: str) -> Path:
    try:
        given = Path(path).expanduser().absolute()
        for each in (given, *given.parents):
            if each.is_symlink() and each.lstat().st_uid not in {os.geteuid(), 0}:
                raise MissingError(
                    f"{each} is a link of another user (uid {each.lstat().st_uid}), who could lead it anywhere",
                    remedy=f"set {variable} to a folder of your own",
                )
        return given.resolve()
    except RuntimeError as error:  # an unknown user's home; a loop of links
        raise InputError(f"{path!r} is not a usable path: {error}", remedy=f"set {variable} to a whole path") from error


def require_own(folder: Path, variable: str) -> Path:
    """Return the folder if it is the user's own or does not exist yet. Raises MissingError, which names the variable
    that moves it."""
    _require_trusted(folder, variable)
    return folder


def _require_trusted(folder: Path, variable: str, *, shared: bool = False) -> None:
    """Raise MissingError when an existing folder must not be used."""
    try:
        why = distrust(folder.lstat(), os.geteuid(), shared=shared) if folder.is_symlink() else ""
        why = why or distrust(folder.stat(), os.geteuid(), shared=shared)
    except FileNotFoundError:
        return
    except OSError as error:
        raise MissingError(
            f"{folder} cannot be used: {error.strerror or error}", remedy=f"set {variable} to a folder of your own"
        ) from error
    if why:
        remedy = (
            f"chmod go-w {shlex.quote(str(folder))}" if "written" in why else f"set {variable} to a folder of your own"
        )
        raise MissingError(f"{folder} {why}", remedy=remedy)


def distrust(found: os.stat_result, user: int, *, shared: bool = False) -> str:
    """Return why `user` (a uid) must not use a folder, or a link to one: the end of a sentence, or "" when it is safe.

    A `shared` folder only contains the user's own folder: it may also be root's, and others may write there when they
    cannot move each other's files (the sticky bit, as on /tmp).
    """
    link = stat.S_ISLNK(found.st_mode)
    if not link and not stat.S_ISDIR(found.st_mode):
        return "is not a folder"
    if found.st_uid not in ({user, 0} if shared else {user}):
        return f"belongs to another user (uid {found.st_uid}), who could change what the lab runs"
    if not link and found.st_mode & 0o022 and not (shared and found.st_mode & stat.S_ISVTX):
        return "can be written by other users, who could change what the lab runs"
    return ""
