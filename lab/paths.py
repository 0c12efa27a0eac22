"""The one place that knows where things live: data in the wheel, the cache, the state of a lab.

Asking for a place makes nothing: whoever writes there calls `make` first. A folder that other users own or may write to
is refused wherever it is asked for, as ssh does: what lies there is run and believed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import platformdirs

from lab.errors import MissingError

_HERE = Path(__file__).resolve().parent

CACHE, STATE = "SWARMLAB_CACHE", "SWARMLAB_STATE"
"""The variables that move the cache and the state."""

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


def cache() -> Path:
    """What can be made again: base disks, packages. `SWARMLAB_CACHE` moves it. Raises MissingError when the folder is
    not the user's own."""
    moved = os.environ.get(CACHE)
    return _own(_absolute(moved) / CACHE_FOLDER if moved else Path(platformdirs.user_cache_dir("swarmlab")), CACHE)


def state(name: str = "") -> Path:
    """What must not be lost while a lab runs: keys, disks, progress; mode 0700. `SWARMLAB_STATE` moves it.

    With a name, the folder of the lab of that name. Raises MissingError when the folder is not the user's own.
    """
    moved = os.environ.get(STATE)
    root = _own(_absolute(moved) if moved else Path(platformdirs.user_state_dir("swarmlab")), STATE)
    return root / "labs" / name if name else root


def make(folder: Path) -> Path:
    """Make a folder of the cache or the state, private (mode 0700), if it is not there. Raises MissingError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MissingError(
            f"the folder {folder} cannot be made: {error.strerror or error}",
            remedy=f"set {STATE} and {CACHE} to folders that you can write to",
        ) from error
    return folder


def _absolute(path: str) -> Path:
    return Path(path).expanduser().resolve()


def _own(folder: Path, variable: str) -> Path:
    """The folder, if it is the user's own or not there yet."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return folder
    except OSError as error:
        raise MissingError(
            f"{folder} cannot be used: {error.strerror or error}", remedy=f"set {variable} to a folder of your own"
        ) from error
    why = distrust(found, os.geteuid())
    if why:
        remedy = f"chmod go-w {folder}" if "written" in why else f"set {variable} to a folder of your own"
        raise MissingError(f"{folder} {why}", remedy=remedy)
    return folder


def distrust(found: os.stat_result, user: int) -> str:
    """Why a folder is not to be used by `user` (a uid): the end of a sentence, or "" when it may be."""
    if not stat.S_ISDIR(found.st_mode):
        return "is not a folder"
    if found.st_uid != user:
        return f"belongs to another user (uid {found.st_uid}), who could change what the lab runs"
    if found.st_mode & 0o022:
        return "can be written by other users, who could change what the lab runs"
    return ""
