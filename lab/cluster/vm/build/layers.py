"""Image layers as tars: a base without traces of its making, the changes on it, and files copied on top."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lab.cluster.vm.build.dockerfile import Copy
from lab.errors import InputError

_TRACES = ("dev/", "run/", "proc/", "sys/", "var/log/", "var/cache/apt/", "var/lib/apt/lists/")
_TRACE_FILES = frozenset({"etc/resolv.conf", "etc/hostname", "var/cache/ldconfig/aux-cache", "var/lib/dpkg/status-old"})
_EPOCH = 1_700_000_000
"""The modification time of files that the lab itself puts into an image, so that the same input gives the same
layer."""


@dataclass(frozen=True)
class Layer:
    """A tar on disk; `diff_id` is its SHA-256, which is how an engine names an uncompressed layer."""

    path: Path
    diff_id: str


def seal_layer(path: Path) -> Layer:
    """Return the tar at `path` as a layer."""
    with path.open("rb") as file:
        return Layer(path, hashlib.file_digest(file, "sha256").hexdigest())


def clean_base(source: Path, target: Path) -> None:
    """Copy a file system's tar without devices, logs, caches, and what belongs to the machine that made it."""
    with tarfile.open(source) as old, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as new:
        for member in old:
            if not _trace(_name(member)):
                _add(new, old, member)


def extract_difference(base: Path, after: Path, target: Path) -> None:
    """Write what is new or changed in `after` compared with `base`, and OCI whiteouts (`.wh.`) for what was deleted."""
    with tarfile.open(base) as old:
        before = {_name(member): _look(member) for member in old}
    with tarfile.open(after) as new, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as out:
        seen: set[str] = set()
        for member in new:
            name = _name(member)
            seen.add(name)
            if _trace(name) or before.get(name) == _look(member):
                continue
            _add(out, new, member)
        gone = {name for name in before if name not in seen}
        for name in sorted(name for name in gone if str(PurePosixPath(name).parent) not in gone):
            path = PurePosixPath(name)
            out.addfile(_make_member(str(path.parent / f".wh.{path.name}"), 0o600))


def lay_files(
    copies: Iterable[tuple[Copy, Path, tuple[Layer, ...]]], folders: Iterable[str], target: Path, dockerfile: Path
) -> None:
    """Write a layer with the files of `copies`, each with the folder or the stage's layers that they come from.

    Raises InputError with the Dockerfile's line for a missing file.
    """
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as out:
        made: set[str] = set()
        for copy, folder, layers in copies:
            for source in copy.sources:
                found = _from_layers(source, layers) if layers else _from_folder(source, folder)
                count = 0
                for relative, member, data in found:
                    name = _target(copy, source, relative)
                    if not name or (member.isdir() and name in made):
                        continue
                    _parents(out, name, made)
                    member.name, member.mtime = name, _EPOCH
                    member.mode = copy.mode if copy.mode is not None and member.isreg() else member.mode
                    out.addfile(member, data)
                    made.add(name)
                    count += 1
                if not count:
                    raise InputError(f"COPY: there is no {source}", path=dockerfile, line=copy.line)
        for folder_name in folders:
            _parents(out, folder_name.strip("/") + "/.", made)


def find_file(name: str, layers: Iterable[Layer]) -> tarfile.TarInfo | None:
    """Return the newest entry of the absolute path `name` in `layers`, base first; None if there is none."""
    wanted = _resolve_links(name)
    result = None
    for layer in layers:
        with tarfile.open(layer.path) as tar:
            for member in tar:
                if _resolve_links(_name(member)) == wanted:
                    result = member
    return result


def _resolve_links(name: str) -> str:
    """Resolve Debian's links: /bin, /sbin and /lib are links to the folders of the same name in /usr."""
    name = name.lstrip("/")
    return f"usr/{name}" if name.startswith(("bin/", "sbin/", "lib/")) else name


def _from_folder(source: str, folder: Path) -> Iterator[tuple[str, tarfile.TarInfo, io.BytesIO | None]]:
    path = folder / source
    if path.is_file():
        data = path.read_bytes()
        member = _make_member(source, 0o755 if path.stat().st_mode & 0o100 else 0o644)
        member.size = len(data)
        yield "", member, io.BytesIO(data)


def _from_layers(source: str, layers: tuple[Layer, ...]) -> Iterator[tuple[str, tarfile.TarInfo, io.BytesIO | None]]:
    wanted = source.strip("/")
    for layer in layers:
        with tarfile.open(layer.path) as tar:
            for member in tar:
                name = _name(member)
                if name == wanted or name.startswith(f"{wanted}/"):
                    file = tar.extractfile(member) if member.isreg() else None
                    yield name[len(wanted) :], member, io.BytesIO(file.read()) if file else None


def _target(copy: Copy, source: str, relative: str) -> str:
    """Return an entry's path: a folder's content goes into the target; a file becomes the target or, if that ends with
    a slash, goes into it."""
    if relative or source.endswith("/"):
        return (copy.target.strip("/") + relative).strip("/")
    named = copy.target + PurePosixPath(source).name if copy.target.endswith("/") else copy.target
    return named.strip("/")


def _parents(out: tarfile.TarFile, name: str, made: set[str]) -> None:
    for parent in reversed([str(p) for p in PurePosixPath(name.removesuffix("/.")).parents if str(p) != "."]):
        _folder(out, parent, made)
    if name.endswith("/."):
        _folder(out, name.removesuffix("/."), made)


def _folder(out: tarfile.TarFile, name: str, made: set[str]) -> None:
    if name not in made:
        member = _make_member(name, 0o1777 if name == "tmp" else 0o755)
        member.type = tarfile.DIRTYPE
        out.addfile(member)
        made.add(name)


def _make_member(name: str, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = mode, _EPOCH
    return member


def _add(out: tarfile.TarFile, source: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    data = source.extractfile(member) if member.isreg() else None
    member.name = _name(member) or "."
    if member.islnk():
        member.linkname = member.linkname.removeprefix("./")
    member.uname = member.gname = ""
    out.addfile(member, data)


def _name(member: tarfile.TarInfo) -> str:
    name = member.name.removeprefix("./").strip("/")
    return "" if name == "." else name


def _trace(name: str) -> bool:
    return name in _TRACE_FILES or ((name + "/").startswith(_TRACES) and name + "/" not in _TRACES)


def _look(member: tarfile.TarInfo) -> tuple[object, ...]:
    size, moved = (0, 0) if member.isdir() else (member.size, int(member.mtime))
    link = member.linkname.removeprefix("./")
    return (member.type, member.mode, member.uid, member.gid, size, moved, link)
