"""The lab's own folders in a test."""

from __future__ import annotations

from pathlib import Path

from lab import paths
from lab.cluster.vm.build import disk_cache

KEY = "0123456789abcdef"
BASE = f"base-{KEY}"


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


def marked_cache() -> Path:
    """An empty cache of the lab's."""
    cache = paths.make(paths.cache())
    disk_cache._mark(cache)
    return cache
