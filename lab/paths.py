"""The one place that knows where things live: data in the wheel, the cache, the state of a lab.

Asking for a place makes nothing: whoever writes there calls `make` first. A folder that other users own or may write to
is refused wherever it is asked for, as ssh does: what lies there is run and believed.
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
"""The variable that moves the cache."""
STATE = "SWARMLAB_STATE"
"""The variable that moves the state."""

CACHE_FOLDER = "swarmlab-cache"
"""The lab's own folder below what SWARMLAB_CACHE names: other things that stand beside it are never touched."""


def data() -> Path:
    """The folder that holds `lessons`, `stacks` and `recordings`: inside the wheel, or the checkout's root."""
    packed = _HERE / "data"
    return packed if packed.is_dir() else _HERE.parent


def lessons() -> Path:
    """Lessons that travel with the program."""
    return data() / "lessons"


def stacks() -> Path:
    """Stack files, and what their images are made of."""
    return data() / "stacks"


def recordings() -> Path:
    """Tapes that travel with the program."""
    return data() / "recordings"


def search_path() -> str:
    """PATH without its empty parts: they mean the current folder, which may hold anybody's programs."""
    return os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if part) or os.defpath


def cache() -> Path:
    """What can be made again: base disks, packages. `SWARMLAB_CACHE` moves it. Raises MissingError when the folder is
    not the user's own, InputError for a home that is nobody's."""
    moved = os.environ.get(CACHE)
    if not moved:
        return own(_absolute(platformdirs.user_cache_dir("swarmlab"), CACHE), CACHE)
    above = _absolute(moved, CACHE)
    _trusted(above, CACHE, shared=True)
    # A link at that place leads where its owner wants: it is looked at before it is followed.
    return own(above / CACHE_FOLDER, CACHE).resolve()


def state(name: str = "") -> Path:
    """What must not be lost while a lab runs: keys, disks, progress; mode 0700. `SWARMLAB_STATE` moves it.

    With a name, the folder of the lab of that name. Raises MissingError when the folder is not the user's own,
    InputError for a home that is nobody's.
    """
    root = own(_absolute(os.environ.get(STATE) or platformdirs.user_state_dir("swarmlab"), STATE), STATE)
    # A folder that was once open to others may still hold one of theirs.
    return own(own(root / "labs", STATE) / name, STATE) if name else root


def make(folder: Path) -> Path:
    """Make a folder of the cache or the state if it is not there, and those that are missing above it: all are private
    (mode 0700). Raises MissingError."""
    try:
        _make(folder)
    except OSError as error:
        raise _cannot_be(f"the folder {folder} cannot be made", error) from error
    return folder


def _make(folder: Path) -> None:
    # One by one: `parents=True` gives those above the mode of the umask, with which others might write there.
    if not folder.parent.exists():
        _make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
#: Faults of a place, not of the program: nobody may write there, or there is no room.
_OF_A_PLACE = _ROOM | {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO}


@contextmanager
def written(place: Path) -> Iterator[None]:
    """Whoever writes at `place`, a file or folder of the cache or the state, does it in this block: where that is not
    allowed or there is no room, MissingError says so and what helps."""
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


def standing(folder: Path) -> Path:
    """The folder, or what is there already of the way to it."""
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
    except RuntimeError as error:  # a user's home that is not known; links in a circle
        raise InputError(f"{path!r} leads to no folder: {error}", remedy=f"set {variable} to a whole path") from error


def own(folder: Path, variable: str) -> Path:
    """The folder, if it is the user's own or not there yet. Raises MissingError, which names the variable that moves
    it."""
    _trusted(folder, variable)
    return folder


def _trusted(folder: Path, variable: str, *, shared: bool = False) -> None:
    """Raise MissingError when a folder that is there is not to be used."""
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
    """Why a folder, or a link to one, is not to be used by `user` (a uid): the end of a sentence, or "" when it may be.

    A `shared` one is only where the user's own folder stands: it may be root's too, and others may write there when
    none of them can move what is another's (the sticky bit, as /tmp has it).
    """
    link = stat.S_ISLNK(found.st_mode)
    if not link and not stat.S_ISDIR(found.st_mode):
        return "is not a folder"
    if found.st_uid not in ({user, 0} if shared else {user}):
        return f"belongs to another user (uid {found.st_uid}), who could change what the lab runs"
    if not link and found.st_mode & 0o022 and not (shared and found.st_mode & stat.S_ISVTX):
        return "can be written by other users, who could change what the lab runs"
    return ""
