"""Where a cluster's images come from: `--images packages|official`, and what follows from it for disk and machines."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab import paths
from lab.cli import main
from lab.cli.parser import parse
from lab.cluster import edge_settings, lab_paths, process
from lab.cluster.model import ClusterStatus, Images, silent
from lab.cluster.vm import qemu, state, up
from lab.cluster.vm.acceleration import Choice
from lab.cluster.vm.build import disk_cache, inputs, load_images, seed
from lab.cluster.vm.qemu import Network
from lab.cluster.vm.state import LabState
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import InputError, LabError, MissingError
from tests.unit.test_cluster_machine import ONE, a_lab

KINDS: tuple[Images, ...] = ("packages", "official")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path


def lab_of(images: Images) -> LabState:
    return a_lab().model_copy(update={"images": images})


def user_network(line: Sequence[str]) -> str:
    """The options of the card towards this machine."""
    return line[line.index("-netdev") + 1]


def run_settings(file: Path, script: str) -> str:
    """What a shell says that has read a machine's settings, as the machine's does."""
    with tarfile.open(file) as tar:
        extracted = tar.extractfile("settings")
        assert extracted is not None
        text = extracted.read().decode()
    done = subprocess.run(["sh", "-c", f"{text}\n{script}"], capture_output=True, text=True, check=True, env={})
    return done.stdout.strip()


def test_a_machine_is_shut_in_unless_it_pulls_its_images() -> None:
    network = ONE.network
    assert isinstance(network, Network)
    shut, open_ = (
        user_network(qemu.build_argv(replace(ONE, network=replace(network, outward=to)))) for to in (False, True)
    )
    assert ",restrict=on," in shut
    assert "ipv6" not in shut
    assert ",restrict=off,ipv6=off," in open_
    # All else is the same: who may come in from this machine, and under which address.
    assert open_.replace("restrict=off,ipv6=off", "restrict=on") == shut


@pytest.mark.parametrize("images", KINDS)
def test_the_cluster_says_it_of_each_machine(images: Images) -> None:
    disk = paths.cache() / "base-x" / "disk.raw"
    disk.parent.mkdir(parents=True)
    disk.touch()
    cluster = VmCluster(lab_of(images))
    machines = [cluster.as_machine(node) for node in cluster.state.nodes]
    assert {one.network.outward for one in machines if one.network} == {images == "official"}
    assert (cluster.images, cluster.status().images) == (images, images)


def test_a_machine_is_told_the_way_out_or_nothing_of_it(tmp_path: Path) -> None:
    node = a_lab().nodes[0]
    said = {}
    for images in KINDS:
        seed.write(tmp_path / images, up.node_settings(node, images), {})
        said[images] = run_settings(
            tmp_path / images, 'echo "$NODE $HOST_ADDRESS ${GATEWAY:-none} ${NAME_SERVER:-none}"'
        )
    assert said["packages"] == "node1 192.168.77.15/24 none none"
    assert said["official"] == "node1 192.168.77.15/24 192.168.77.2 192.168.77.3"


@pytest.mark.parametrize("name", ["init", "pid1"])
def test_the_guests_programs_are_shell(name: str) -> None:
    subprocess.run(["sh", "-n"], input=inputs.guest(name), check=True)


def test_each_kind_has_a_disk_of_its_own() -> None:
    packages, official = (disk_cache.disk_name(images) for images in KINDS)
    assert packages == disk_cache.disk_name() != official
    assert disk_cache.disk_name("official") == official


def test_a_disk_without_images_needs_no_traefik(monkeypatch: pytest.MonkeyPatch) -> None:
    official = disk_cache.disk_name("official")

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert disk_cache.disk_name("official") == official
    with pytest.raises(MissingError, match="Traefik"):
        disk_cache.disk_name("packages")


def test_the_disk_of_official_ones_is_baked_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    packages: list[Sequence[str]] = []
    baked: list[tuple[Path | None, int]] = []

    def bootstrap(target: Path, what: Sequence[str], **_: object) -> None:
        packages.append(what)
        target.touch()

    def make(rootfs: Path, *targets: Path, **_: object) -> None:
        for target in targets:
            target.touch()

    monkeypatch.setattr("lab.cluster.vm.build.mmdebstrap.bootstrap", bootstrap)
    monkeypatch.setattr("lab.cluster.vm.build.initrd.make", make)
    monkeypatch.setattr("lab.cluster.vm.build.ext4.make", make)
    monkeypatch.setattr("lab.cluster.vm.acceleration.choose", lambda *_: Choice("tcg"))
    monkeypatch.setattr(
        "lab.cluster.vm.build.load_images.bake", lambda disk, tar, found, **_: baked.append((tar, len(found)))
    )
    assert not disk_cache.is_ready("official")
    folder = paths.cache() / disk_cache.ensure_disk(silent, "official")
    assert disk_cache.is_ready("official")
    assert not disk_cache.is_ready("packages")
    assert packages == [inputs.PACKAGES]
    assert baked == [(None, 0)]
    assert json.loads((folder / "images.json").read_text()) == {}
    assert sorted(path.name for path in folder.iterdir()) == ["disk.raw", "images.json", "initrd", "vmlinuz"]


@pytest.mark.parametrize(("archive", "drives"), [("images.tar", 3), (None, 2)])
def test_the_baking_machine_has_a_third_disk_only_for_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: str | None, drives: int
) -> None:
    lines: list[Sequence[str]] = []

    def run(argv: Sequence[str], *, cwd: Path, **_: object) -> None:
        lines.append(argv)
        assert run_settings(cwd / "settings.tar", 'echo "$TASK ${GATEWAY:-none}"') == "bake none"
        (cwd / "serial.log").write_text("swarmlab: kernel\nswarmlab: baked\n")

    monkeypatch.setattr(process, "run_program", run)
    load_images.bake(
        tmp_path / "disk.raw",
        tmp_path / archive if archive else None,
        (),
        kernel=tmp_path / "vmlinuz",
        initrd=tmp_path / "initrd",
        acceleration="tcg",
        step=lambda text, share: None,
    )
    assert lines[0].count("-drive") == drives


def test_where_images_come_from_is_kept_with_the_lab() -> None:
    state.save_state(lab_of("official"))
    path = lab_paths.lab_folder("default") / "lab.json"
    kept = json.loads(path.read_text())
    assert kept["images"] == "official"
    assert state.load_state("default").images == "official"
    path.write_text(json.dumps({**kept, "images": "some"}))
    with pytest.raises(LabError, match="damaged"):
        state.load_state("default")


@pytest.mark.parametrize("have", KINDS)
def test_a_lab_keeps_what_it_has(have: Images, capsys: pytest.CaptureFixture[str]) -> None:
    state.save_state(lab_of(have))
    other: Images = "official" if have == "packages" else "packages"
    with pytest.raises(InputError, match=f"--images {have}, which cannot be changed") as caught:
        up.up("default", None, silent, lambda _: False, other)
    assert caught.value.remedy == f"swarmlab down, then swarmlab up --images {other}"
    assert main(["up", "--images", other, "--json"]) == 2
    said = capsys.readouterr()
    assert json.loads(said.out)["exit"] == 2
    assert "swarmlab down" in said.err


@pytest.mark.parametrize("asked", [None, "official"])
def test_what_it_has_may_be_asked_for_again(asked: Images | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(cluster: VmCluster) -> ClusterStatus:
        return ClusterStatus(cluster.name, "vm", True, "tcg", datetime.now(UTC), (), True, images=cluster.images)

    monkeypatch.setattr(VmCluster, "status", whole)
    state.save_state(lab_of("official"))
    assert up.up("default", None, silent, lambda _: False, asked).images == "official"


def test_the_command_line() -> None:
    assert parse(["up"]).images is None
    assert parse(["up", "--images", "official"]).images == "official"
    with pytest.raises(SystemExit):
        parse(["up", "--images", "some"])


@pytest.mark.parametrize(
    ("images", "words"), [("packages", "in every node's own store"), ("official", "from a registry")]
)
def test_status_says_which(images: Images, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    state.save_state(lab_of(images))
    assert main(["status"]) == 1
    said = capsys.readouterr().out
    assert f"images: {images}" in said
    assert words in said
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["images"] == images


def variables(images: Images) -> Mapping[str, str]:
    return edge_settings.read_settings(VmCluster(lab_of(images)), {}).variables


def test_the_stacks_take_the_names_of_a_registry() -> None:
    packages, official = variables("packages"), variables("official")
    assert {name: value for name, value in official.items() if name not in packages} == edge_settings.OFFICIAL
    assert {name: official[name] for name in packages} == packages
    stacks = "".join(path.read_text() for path in paths.stacks().glob("*.yaml"))
    assert all(f"${{{name}:-" in stacks for name in edge_settings.OFFICIAL)
