"""The lab's own stacks, as they are deployed: a file, or a file with the one that is laid over it."""

from __future__ import annotations

from pathlib import Path

from lab import paths

ALONE: tuple[Path, ...] = tuple(sorted(path for path in paths.stacks().glob("*.yaml") if "." not in path.stem))
OVER: tuple[Path, ...] = tuple(sorted(path for path in paths.stacks().glob("*.*.yaml")))
STACKS: tuple[tuple[Path, ...], ...] = (
    *((path,) for path in ALONE),
    *((over.with_name(f"{over.name.partition('.')[0]}.yaml"), over) for over in OVER),
)
NAMES: tuple[str, ...] = tuple(files[-1].stem for files in STACKS)
