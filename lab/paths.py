"""The one place that knows where things live: data in the wheel, the cache, the state of a lab."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_HERE = Path(__file__).resolve().parent


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
    """What can be made again: base disks, packages. `SWARMLAB_CACHE` moves it."""
    return _private(Path(os.environ.get("SWARMLAB_CACHE") or platformdirs.user_cache_dir("swarmlab")))


def state(name: str = "") -> Path:
    """What must not be lost while a lab runs: keys, disks, progress; mode 0700. `SWARMLAB_STATE` moves it.

    With a name, the folder of the lab of that name.
    """
    root = _private(Path(os.environ.get("SWARMLAB_STATE") or platformdirs.user_state_dir("swarmlab")))
    return _private(root / "labs" / name) if name else root


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
