"""Layers, images and the archive that an engine loads, made of small tars."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from lab.cluster.doctor import doctor
from lab.cluster.vm.build import disk_cache as disk
from lab.cluster.vm.build import images, initrd, inputs, layers, seed
from lab.cluster.vm.build.dockerfile import read
from lab.cluster.vm.build.layers import Layer
from lab.errors import InputError, LabError, MissingError


def tar(path: Path, files: Mapping[str, bytes | None], *, mtime: int = 1) -> Path:
    """A tar with `files`; None is a folder, `b"-> x"` a link."""
    with tarfile.open(path, "w") as out:
        for name, data in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.mtime = mtime
            if data is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                out.addfile(member)
            elif data.startswith(b"-> "):
                member.type, member.linkname = tarfile.SYMTYPE, data[3:].decode()
                out.addfile(member)
            else:
                member.size, member.mode = len(data), 0o755
                out.addfile(member, io.BytesIO(data))
    return path


def content(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as source:
        return {m.name: file.read() if m.isreg() and (file := source.extractfile(m)) else b"" for m in source}


def test_a_clean_layer_has_no_traces_of_the_machine_that_made_it(tmp_path: Path) -> None:
    whole = tar(
        tmp_path / "whole",
        {"dev": None, "dev/fd": b"-> x", "etc/resolv.conf": b"n", "var/log/dpkg.log": b"l", "usr/bin/a": b"a"},
    )
    layers.clean_base(whole, tmp_path / "clean")
    assert set(content(tmp_path / "clean")) == {"dev", "usr/bin/a"}


def test_a_difference_has_what_is_new_changed_and_gone(tmp_path: Path) -> None:
    base = tar(tmp_path / "base", {"same": b"1", "changed": b"1", "gone": None, "gone/a": b"1", "link": b"-> same"})
    with tarfile.open(tmp_path / "after", "w") as out:
        for name, data, mtime in (("same", b"1", 1), ("changed", b"2", 2), ("new", b"3", 2)):
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mode, member.mtime = len(data), 0o755, mtime
            out.addfile(member, io.BytesIO(data))
        member = tarfile.TarInfo("./link")
        member.type, member.linkname = tarfile.SYMTYPE, "new"
        out.addfile(member)
    layers.extract_difference(base, tmp_path / "after", tmp_path / "out")
    assert content(tmp_path / "out") == {"changed": b"2", "new": b"3", "link": b"", ".wh.gone": b""}


def build(folder: Path, text: str, base: Layer, named: Mapping[str, Path] | None = None) -> images.Image:
    (folder / "Dockerfile").write_text(text + '\nLABEL org.opencontainers.image.ref.name="x:1"\n')
    out = folder / "out"
    out.mkdir(exist_ok=True)
    (recipe,) = read(folder / "Dockerfile")
    return images.build(recipe, (base,), out, named=named or {}, step=lambda _, __: None)


@pytest.fixture
def base(tmp_path: Path) -> Layer:
    return layers.seal_layer(
        tar(tmp_path / "base.tar", {"usr/bin/sh": b"sh", "tree/bin/tool": b"t", "tree/bin/t": b"-> tool"})
    )


def test_copies_from_the_folder_a_stage_and_a_named_context(tmp_path: Path, base: Layer) -> None:
    (tmp_path / "a.conf").write_text("conf")
    other = tmp_path / "wheel"
    other.mkdir()
    (other / "binary").write_bytes(b"elf")
    image = build(
        tmp_path,
        "FROM debian:trixie-slim AS tools\nFROM scratch\nCOPY a.conf /etc/lab/\nCOPY --from=tools /tree/ /\n"
        'COPY --from=wheel --chmod=755 binary /bin/program\nWORKDIR /tmp\nCMD ["program"]\nENV PATH=/bin',
        base,
        {"wheel": other},
    )
    assert len(image.layers) == 1
    found = content(image.layers[0].path)
    assert found["etc/lab/a.conf"] == b"conf"
    assert found["bin/tool"] == b"t"
    assert found["bin/program"] == b"elf"
    with tarfile.open(image.layers[0].path) as source:
        assert source.getmember("bin/program").mode == 0o755
        assert source.getmember("bin/t").linkname == "tool"
        assert source.getmember("tmp").mode == 0o1777
        assert len(source.getnames()) == len(set(source.getnames()))


def test_the_config_is_the_engines(tmp_path: Path, base: Layer) -> None:
    image = build(tmp_path, 'FROM debian:trixie-slim\nEXPOSE 80\nENTRYPOINT ["/bin/sh"]\nCMD ["-c"]', base)
    config = json.loads(image.config)
    assert config["config"]["Entrypoint"] == ["/bin/sh"]
    assert config["config"]["ExposedPorts"] == {"80/tcp": {}}
    assert config["config"]["Env"][0].startswith("PATH=/usr/local/sbin:")
    assert config["rootfs"]["diff_ids"] == [f"sha256:{base.diff_id}"]
    assert image.id == f"sha256:{hashlib.sha256(image.config).hexdigest()}"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("FROM scratch\nCOPY none /x", 2, "there is no none"),
        ("FROM scratch\nCOPY --from=nowhere a /x", 2, "--from=nowhere"),
        ('FROM debian:trixie-slim\nCMD ["nginx"]', 0, "nginx is not in it"),
        ("FROM debian:trixie-slim\nEXPOSE 80", 0, "neither ENTRYPOINT nor CMD"),
    ],
)
def test_an_image_that_could_not_run_is_refused(tmp_path: Path, base: Layer, text: str, line: int, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        build(tmp_path, text, base)
    assert caught.value.line == line


def test_an_archive_holds_a_shared_layer_once(tmp_path: Path, base: Layer) -> None:
    one = build(tmp_path, 'FROM debian:trixie-slim\nCMD ["sh"]', base)
    images.pack_images([images.base_image(base), one], tmp_path / "all.tar")
    with tarfile.open(tmp_path / "all.tar") as archive:
        names = archive.getnames()
        manifest = json.load(archive.extractfile("manifest.json") or io.BytesIO())
    assert names.count(f"{base.diff_id}/layer.tar") == 1
    assert [entry["RepoTags"] for entry in manifest] == [["debian:trixie-slim"], ["x:1"]]


def test_an_image_is_found_again(tmp_path: Path, base: Layer) -> None:
    (tmp_path / "a").write_text("a")
    image = build(tmp_path, 'FROM debian:trixie-slim\nCOPY a /a\nCMD ["sh"]', base)
    images.save_image(image, (base,), tmp_path / "out" / "image.json")
    assert images.load_image((base,), tmp_path / "out" / "image.json") == image


def test_images_from_one_file_share_its_layers(tmp_path: Path, base: Layer) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "Dockerfile").write_text(
        'FROM debian:trixie-slim AS program\nCOPY a /a\nCMD ["sh"]\n'
        'FROM program AS v1\nLABEL org.opencontainers.image.ref.name="a:1"\nENV VERSION=1\n'
        'FROM program AS v2\nLABEL org.opencontainers.image.ref.name="a:2"\nENV VERSION=2\n'
    )
    made = []
    for recipe in read(tmp_path / "Dockerfile"):
        (out := tmp_path / recipe.target).mkdir()
        made.append(images.build(recipe, (base,), out, named={}, step=lambda _, __: None))
    one, two = made
    assert [layer.diff_id for layer in one.layers] == [layer.diff_id for layer in two.layers]
    assert (len(one.layers), one.id == two.id) == (2, False)
    images.pack_images(made, tmp_path / "all.tar")
    assert sum(name.endswith("layer.tar") for name in content(tmp_path / "all.tar")) == 2


def test_the_key_of_an_image_depends_on_those_below_it(tmp_path: Path) -> None:
    for name, text in (("a", "FROM b:1\n"), ("b", "FROM debian:trixie-slim\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(f'{text}LABEL org.opencontainers.image.ref.name="{name}:1"\n')
    found = [recipe for name in "ba" for recipe in read(tmp_path / name / "Dockerfile")]
    before = images.image_keys(found)
    (tmp_path / "b" / "more").write_text("")
    after = images.image_keys(found)
    assert [tag for tag in before if before[tag] != after[tag]] == ["b:1", "a:1"]


def test_a_key_depends_on_every_byte_and_border(tmp_path: Path) -> None:
    assert inputs.key("ab", "c") != inputs.key("a", "bc")
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    before = inputs.folder_key(tmp_path)
    assert inputs.folder_key(tmp_path) == before
    (tmp_path / "more.conf").write_text("")
    assert inputs.folder_key(tmp_path) != before


def test_without_the_wheel_traefik_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "files", none)
    monkeypatch.setattr(importlib.metadata, "version", none)
    for asked in (images.contexts, disk.disk_name, lambda: disk.ensure_disk(lambda _: None)):
        with pytest.raises(MissingError) as caught:
            asked()
        assert caught.value.remedy == 'pip install "swarmlab[cluster]"'
    found = {item.what: item for item in doctor().items}
    assert not found["Traefik's binary"].there
    assert "cannot be made yet" in found["base disk"].detail


def test_an_initrd_is_a_newc_archive() -> None:
    raw = initrd.cpio([initrd.Entry("bin", None, 0o755), initrd.Entry("init", b"hello", 0o755)])
    found, at = {}, 0
    while True:
        assert raw[at : at + 6] == b"070701"
        fields = [int(raw[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = raw[at + 110 : at + 110 + length - 1].decode()
        start = at + 110 + length + (-(110 + length)) % 4
        if name == "TRAILER!!!":
            break
        found[name] = (mode, raw[start : start + size])
        at = start + size + (-size) % 4
    assert found == {"bin": (stat.S_IFDIR | 0o755, b""), "init": (stat.S_IFREG | 0o755, b"hello")}


def test_a_rootfs_without_a_kernel_is_told(tmp_path: Path) -> None:
    rootfs = tar(tmp_path / "rootfs", {"usr/bin/busybox": b"bb"})
    with pytest.raises(LabError, match="virtio_blk"):
        initrd.make(rootfs, tmp_path / "kernel", tmp_path / "initrd")


def test_a_machines_settings_are_private_and_quoted(tmp_path: Path) -> None:
    seed.write(tmp_path / "s.tar", {"NODE": "node1", "ODD": "a'b $(c)"}, {"key.pem": b"k"})
    assert stat.S_IMODE((tmp_path / "s.tar").stat().st_mode) == 0o600
    assert content(tmp_path / "s.tar") == {"settings": b"NODE=node1\nODD='a'\"'\"'b $(c)'\n", "key.pem": b"k"}
    assert (tmp_path / "s.tar").stat().st_size % 512 == 0
