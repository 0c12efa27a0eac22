"""The base disk in the cache, built in stages: each is atomic, keyed by its inputs, and reused.

rootfs-KEY.tar        packages            debian-KEY.tar     base layer of the images
image-NAME-KEY/       an image's layers   base-KEY/          disk.raw, vmlinuz, initrd
templates/KEY/        a swarm to start from     making/   unfinished parts; whoever holds the lock clears it
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TypeVar

from lab import file_lock, files, paths
from lab.cluster import process
from lab.cluster.model import Images, Progress, Report
from lab.cluster.vm import acceleration
from lab.cluster.vm.build import ext4, images, initrd, inputs, layers, load_images, mmdebstrap
from lab.cluster.vm.build.dockerfile import Recipe
from lab.cluster.vm.build.images import Image
from lab.cluster.vm.build.layers import Layer
from lab.errors import BusyError, LabError

A = TypeVar("A")
B = TypeVar("B")

_LOCK_BOUND = 1800.0

TAG = "CACHEDIR.TAG"
"""The file that marks the folder as a cache, and as the lab's (bford.info/cachedir)."""

_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
_KEY = "[0-9a-f]" * 16
"""A digest by `inputs.key`, as `glob` matches it."""
#: Everything that the lab creates in its cache.
_NAMES = (
    f"rootfs-{_KEY}.tar",
    f"debian-{_KEY}.tar",
    f"image-*-{_KEY}",
    f"base-{_KEY}",
    "making",
    "templates",
    "templates.lock",
    f"cli-{_KEY}",
    "cli-new-[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]",
    "acceleration.json",
    ".acceleration.json.*",
    "apt.log",
)


def disk_name(kind: Images = "packages") -> str:
    """Return the name of the cache folder of the base disk that this version of the lab makes: with the images from
    packages on it, or with none for a cluster that pulls official ones. Raises InputError, MissingError."""
    scripts = tuple(inputs.guest(name) for name in ("init", "pid1", "agent"))
    if kind == "official":
        return f"base-{inputs.key('base without images', inputs.rootfs_key(), *scripts)}"
    keys = images.image_keys(images.recipes()).values()
    return f"base-{inputs.key('base', inputs.rootfs_key(), inputs.debian_key(), *keys, *scripts)}"


def is_ready(kind: Images = "packages") -> bool:
    """Return whether the base disk is in the cache."""
    return (paths.cache() / disk_name(kind) / "disk.raw").is_file()


def ensure_disk(report: Report, kind: Images = "packages") -> str:
    """Make the base disk if it is missing, and return its folder's name. Raises LabError and its subclasses."""
    if kind == "packages":
        images.contexts()
    wanted = disk_name(kind)
    if is_ready(kind):
        return wanted

    def report_waiting(text: str) -> None:
        report(Progress("disk", text, 0.0))

    with file_lock.hold(
        paths.cache() / "build.lock", "making the machines' disk", bound=_LOCK_BOUND, waiting=report_waiting
    ):
        _mark(paths.cache())
        if not is_ready(kind):
            with paths.guard_writes(paths.cache()):
                _Build(paths.cache(), kind, report).run(wanted)
    return wanted


def clear_cache(cache: Path) -> None:
    """End what a killed build left running, and delete its files. Call this only with the lock held.

    Raises LabError for a folder of that name in a cache that is not marked as the lab's.
    """
    making = cache / "making"
    if os.path.lexists(making) and not _is_tagged(cache):
        raise LabError(
            f"{making} is in a folder that is not marked as the lab's: others may have put it there",
            remedy=f"move it away, or set {paths.CACHE} to another folder",
        )
    for one in process.find_started_below(making):
        process.kill(one)
    if making.exists():
        for stage in () if making.is_symlink() else making.iterdir():
            if not stage.is_symlink():
                ext4.remove(stage / "tree", log=making / "clear.log")
    files.delete(making)


def clear_if_idle() -> None:
    """Clear what a killed build left behind, unless a build is running."""
    cache = paths.cache()
    if (cache / "making").exists() and _is_tagged(cache):
        try:
            with file_lock.hold(cache / "build.lock", "making the machines' disk"):
                clear_cache(cache)
        except BusyError:
            return


def purge() -> tuple[str, ...] | None:
    """Delete what the lab made in the cache: base disks, images, packages, its Docker CLI. Returns the names of what
    stays in the folder because the lab did not make it; when nothing stays, the folder is deleted too. None when there
    is no cache.

    Raises LabError when the folder is not marked as the lab's, or something cannot be deleted.
    """
    cache = paths.cache()
    if not cache.is_dir():
        return None
    with file_lock.hold(cache / "build.lock", "making the machines' disk"):
        if not _is_tagged(cache) and any(path.name != "build.lock" for path in cache.iterdir()):
            raise LabError(
                f"nothing in {cache} was deleted: it has no {TAG} of the lab, so others may have put it there",
                remedy=f"delete in {cache} what you do not need yourself",
            )
        clear_cache(cache)
        left = tuple(sorted(_list_others(cache)))
        # The tag goes last, and only with the folder: without it the lab would not recognise its own cache.
        for path in sorted(_list_made(cache), key=lambda path: path.name == TAG):
            if not (left and path.name == TAG):
                files.delete(path)
    if not left:
        cache.rmdir()
    return left


def _mark(cache: Path) -> None:
    """Mark a cache as the lab's, with the tag that backup programs know, unless it contains anything that the lab did
    not make."""
    if not (cache / TAG).exists() and not _list_others(cache) and not (cache / "making").exists():
        (cache / TAG).write_text(
            f"{_SIGNATURE}\n# What swarmlab made here can be made again: swarmlab down --purge deletes it.\n"
        )


def _is_tagged(cache: Path) -> bool:
    """Return whether the tag in the cache is the lab's."""
    tag = cache / TAG
    try:
        return tag.read_text(errors="replace").startswith(_SIGNATURE) and "swarmlab" in tag.read_text(errors="replace")
    except OSError:
        return False


def _list_made(cache: Path) -> set[Path]:
    return {path for pattern in (*_NAMES, TAG) for path in cache.glob(pattern)}


def _list_others(cache: Path) -> set[str]:
    return {path.name for path in set(cache.iterdir()) - _list_made(cache)} - {"build.lock"}


class _Build:
    """One run of the stages, with the lock held."""

    def __init__(self, cache: Path, kind: Images, report: Report) -> None:
        self._cache, self._kind, self._report = cache, kind, report
        self._making = cache / "making"
        self._stop = threading.Event()
        self._shares = {"packages": 0.0, "images": 0.0}
        self._guard = threading.Lock()

    def run(self, wanted: str) -> None:
        clear_cache(self._cache)
        self._making.mkdir(mode=0o700)
        try:
            self._stages(wanted)
        except KeyboardInterrupt:
            self._stop.set()
            clear_cache(self._cache)
            raise
        # After a failure the folder stays until the next build: it contains the logs.
        clear_cache(self._cache)

    def _stages(self, wanted: str) -> None:
        rootfs, made = self._both(self._rootfs, self._images)
        folder = self._make_folder("base")
        self._say("disk", "the machines' kernel", 0.5)
        initrd.make(rootfs, folder / "vmlinuz", folder / "initrd")
        self._say("disk", "trying hardware virtualisation", 0.52)
        choice = acceleration.choose(folder / "vmlinuz", folder / "initrd")
        self._say("disk", choice.note or "hardware virtualisation works", 0.55)
        archive = folder / "images.tar" if made else None
        if archive:
            self._say("disk", "packing the images", 0.56)
            images.pack_images(made, archive)
        self._say("disk", "writing the machines' disk", 0.58)
        ext4.make(rootfs, folder / "disk.raw", log=folder / "build.log", stop=self._stop)
        load_images.bake(
            folder / "disk.raw",
            archive,
            made,
            kernel=folder / "vmlinuz",
            initrd=folder / "initrd",
            acceleration=choice.acceleration,
            step=lambda text, share: self._say("disk", text, 0.62 + 0.38 * share),
            stop=self._stop,
        )
        if archive:
            archive.unlink()
        (folder / "images.json").write_text(json.dumps({one.tag: one.id for one in made}))
        folder.replace(self._cache / wanted)

    def _rootfs(self) -> Path:
        final = self._cache / f"rootfs-{inputs.rootfs_key()}.tar"
        if not final.exists():
            folder = self._make_folder("rootfs")
            made = folder / "rootfs.tar"
            step = self._stepper("packages", "the machines' packages: ", 0.0, 1.0)
            mmdebstrap.bootstrap(made, inputs.PACKAGES, log=folder / "build.log", step=step, stop=self._stop)
            made.replace(final)
        self._share("packages", "the machines' packages are here", 1.0)
        return final

    def _images(self) -> tuple[Image, ...]:
        if self._kind == "official":
            self._share("images", "the nodes will pull the images themselves", 1.0)
            return ()
        base = self._debian()
        recipes = images.recipes()
        keys = images.image_keys(recipes)
        made = {"": images.base_image(base)}
        for number, one in enumerate(recipes):
            low = 0.3 + 0.7 * number / len(recipes)
            name = f"image-{one.name}-{keys[one.tag]}"
            made[one.tag] = self._image(one, name, made[one.below].layers, low, 0.7 / len(recipes))
        self._share("images", "the images are built", 1.0)
        return tuple(made.values())

    def _debian(self) -> Layer:
        final = self._cache / f"debian-{inputs.debian_key()}.tar"
        if not final.exists():
            folder = self._make_folder("debian")
            step = self._stepper("images", "the images' base: ", 0.0, 0.3)
            mmdebstrap.bootstrap(folder / "whole.tar", (), log=folder / "build.log", step=step, stop=self._stop)
            layers.clean_base(folder / "whole.tar", folder / "layer.tar")
            (folder / "layer.tar").replace(final)
        return layers.seal_layer(final)

    def _image(self, one: Recipe, name: str, below: tuple[Layer, ...], low: float, width: float) -> Image:
        final = self._cache / name
        if not (final / "image.json").exists():
            folder = self._make_folder(f"image-{one.name}")
            step = self._stepper("images", f"{one.tag}: ", low, width)
            image = images.build(one, below, folder, named=images.contexts(), step=step, stop=self._stop)
            images.save_image(image, below, folder / "image.json")
            folder.replace(final)
        return images.load_image(below, final / "image.json")

    def _both(self, one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
        """Run two jobs in parallel; the first failure, or an interrupt, stops the other."""
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.submit(one), pool.submit(other)
            try:
                for future in as_completed((first, second)):
                    future.result()
            except BaseException:
                self._stop.set()
                raise
        return first.result(), second.result()

    def _make_folder(self, stage: str) -> Path:
        folder = self._making / f"{stage}-{secrets.token_hex(3)}"
        folder.mkdir(mode=0o700)
        return folder

    def _stepper(self, stage: str, prefix: str, low: float, width: float) -> mmdebstrap.Step:
        return lambda text, share: self._share(stage, prefix + text, low + width * share)

    def _share(self, stage: str, text: str, share: float) -> None:
        with self._guard:
            self._shares[stage] = max(self._shares[stage], share)
            self._say(stage, text, 0.5 * sum(self._shares.values()) / len(self._shares))

    def _say(self, stage: str, text: str, done: float) -> None:
        self._report(Progress(stage, text, done))
