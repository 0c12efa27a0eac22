"""A purge deletes what the lab made, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lab import files, paths
from lab.cli import main
from lab.cluster import lab_paths
from lab.cluster.vm import state
from lab.cluster.vm.build import disk_cache
from lab.errors import LabError
from tests.unit.lab_folders import BASE, KEY, marked_cache, tree

pytestmark = pytest.mark.usefixtures("home")


def test_a_purge_of_a_folder_full_of_other_things_touches_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = home / "disk"
    monkeypatch.setenv("SWARMLAB_STATE", str(disk))
    names = ("photos/a.jpg", "thesis.tex", "base-jumping/film.mkv", "making/plans.txt", "debian-notes.tar", ".hidden")
    for name in names:
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text("mine")
    cache = marked_cache()
    (cache / BASE).mkdir()
    (cache / BASE / "disk.raw").write_text("made")
    (cache / "apt.log").write_text("made")
    (disk / "progress").mkdir()
    (disk / "progress" / "default.json").write_text("{}")
    assert main(["down", "--purge"]) == 0
    assert tree(disk) == {*names, "progress/default.json"}
    assert not cache.exists()


def test_a_purge_says_what_it_did(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["down", "--purge"]) == 0
    assert capsys.readouterr().out == "There was no cluster.\nThere was no cache.\n"
    paths.make(paths.cache())
    assert main(["down", "--purge"]) == 0
    assert capsys.readouterr().out == "There was no cluster.\nThe cache is gone.\n"


def test_a_cache_that_others_filled_is_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = paths.make(paths.cache())
    mine = ("letters.txt", "base-photos/a.jpg", "image-2019-summer", "cli.txt", f"{BASE}/disk.raw", "making/thesis.tex")
    for name in mine:
        (cache / name).parent.mkdir(exist_ok=True)
        (cache / name).write_text("mine")
    with pytest.raises(LabError, match=r"it has no CACHEDIR\.TAG of the lab"):
        disk_cache.purge()
    disk_cache.clear_if_idle()
    with pytest.raises(LabError, match="not marked as the lab's"):
        disk_cache.clear_cache(cache)
    disk_cache._mark(cache)
    assert tree(cache) - {"build.lock"} == set(mine)


def test_a_lab_folder_that_the_lab_did_not_make_is_left_alone(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = paths.make(lab_paths.lab_folder("default") / "photos")
    (photos / "a.jpg").write_text("mine")
    assert main(["down"]) == 1
    assert "holds no record of a lab" in capsys.readouterr().err
    assert tree(photos) == {"a.jpg"}


@pytest.mark.parametrize("name", [state.FILE, state.MARK])
def test_a_half_made_lab_is_removed(home: Path, name: str) -> None:
    folder = paths.make(lab_paths.lab_folder("default") / "tls").parent
    (folder / name).write_text("{")
    assert main(["down"]) == 0
    assert not folder.exists()


def test_a_marked_cache_loses_only_what_the_lab_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = marked_cache()
    (cache / "letters.txt").write_text("mine")
    for _ in range(2):
        (cache / f"image-nginx-{KEY}").mkdir()
        assert main(["down", "--purge", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["left"] == ["letters.txt"]
        assert tree(cache) == {"letters.txt", disk_cache.TAG}
    assert main(["down", "--purge"]) == 0
    assert f"left them in {cache}: letters.txt" in capsys.readouterr().out


def test_a_link_is_deleted_and_not_what_it_points_to(home: Path) -> None:
    treasure = home / "treasure"
    treasure.mkdir()
    (treasure / "gold").write_text("mine")
    cache = marked_cache()
    (cache / BASE).symlink_to(treasure)
    (cache / f"cli-{KEY}").mkdir()
    (cache / f"cli-{KEY}" / "link").symlink_to(treasure)
    assert disk_cache.purge() == ()
    assert tree(treasure) == {"gold"}


def test_a_link_in_what_a_killed_build_left_is_not_followed(home: Path) -> None:
    treasure = home / "treasure"
    (treasure / "tree").mkdir(parents=True)
    (treasure / "tree" / "gold").write_text("mine")
    making = paths.make(marked_cache() / "making")
    (making / "rootfs-1").symlink_to(treasure)
    disk_cache.clear_if_idle()
    assert not making.exists()
    making.symlink_to(treasure)
    disk_cache.clear_if_idle()
    assert not making.is_symlink()
    assert tree(treasure) == {"tree/gold"}


def test_a_lab_whose_folder_is_a_link_is_left_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    treasure = home / "treasure"
    (treasure / "cluster").mkdir(parents=True)
    (treasure / "cluster" / "gold").write_text("mine")
    (treasure / "cluster" / state.FILE).write_text("{}")
    paths.make(paths.state() / "labs")
    (paths.state() / "labs" / "default").symlink_to(treasure)
    assert main(["down"]) == 1
    assert "was not deleted: a link on the way to it leads to" in capsys.readouterr().err
    assert tree(treasure) == {"cluster/gold", f"cluster/{state.FILE}"}


def test_what_cannot_be_deleted_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "lab"
    folder.mkdir()
    (folder / "disk.qcow2").write_text("")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(LabError, match=r"disk\.qcow2 cannot be deleted: Operation not permitted"):
        files.delete(folder)
