"""The folders below a folder, without hidden ones and those that tools create."""

from __future__ import annotations

from pathlib import Path

#: Folders that tools create, not people; hidden ones (`.git`, `.venv`) are skipped too.
_OTHERS = frozenset({"node_modules", "venv", "__pycache__"})
#: The maximum depth below the top folder.
_DEEPEST = 12
#: The maximum number of folders in all.
_MOST = 1_000


def walk_folders(top: Path) -> tuple[tuple[Path, ...], bool]:
    """Return a folder and those below it, in order, and whether the list is complete: depth and number are limited.
    Links are not followed, and a folder below the top that cannot be listed counts as empty. Raises OSError when the
    top cannot be listed."""
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
