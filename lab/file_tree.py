"""The folders below a folder, without those that are somebody else's."""

from __future__ import annotations

from pathlib import Path

#: Folders of programs, not of people; hidden ones (`.git`, `.venv`) are passed over too.
_OTHERS = frozenset({"node_modules", "venv", "__pycache__"})
#: Folders below folders that are looked through.
_DEEPEST = 12
#: Folders that are looked through in all.
_MOST = 1_000


def walk_files(top: Path) -> tuple[tuple[Path, ...], bool]:
    """A folder and those below it, in order, and whether these are all: there is a bound. Links are not followed, and
    what cannot be listed is passed over below the top. Raises OSError for the top."""
    folders: list[Path] = [top]
    for folder in folders:
        if len(folder.parts) - len(top.parts) > _DEEPEST:
            return tuple(folders), False
        try:
            below = sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())
        except OSError:
            if folder == top:
                raise
            below = []
        folders += (p for p in below if not p.name.startswith(".") and p.name not in _OTHERS)
        if len(folders) > _MOST:
            return tuple(folders[:_MOST]), False
    return tuple(folders), True
