"""Folders: those that others could have a hand in are refused, and what is wrong with one is a sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lab import file_lock, paths
from lab.cli import main
from lab.cli.boundary import UNEXPECTED
from lab.cluster import lab_paths
from lab.cluster.doctor import doctor
from lab.cluster.vm import state
from lab.errors import MissingError
from lab.lesson import progress
from tests.unit.lab_folders import tree
from tests.unit.test_cluster_machine import a_lab

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("variable", ["SWARMLAB_STATE", "SWARMLAB_CACHE"])
def test_a_folder_that_others_may_write_to_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, capsys: pytest.CaptureFixture[str]
) -> None:
    open_one = home / "open"
    (open_one / paths.CACHE_FOLDER).mkdir(parents=True)
    for folder in (open_one, open_one / paths.CACHE_FOLDER):
        folder.chmod(0o777)
    monkeypatch.setenv(variable, str(open_one))
    with pytest.raises(MissingError, match="can be written by other users") as caught:
        paths.state() if variable == "SWARMLAB_STATE" else paths.cache()
    assert caught.value.remedy.startswith("chmod go-w ")
    assert main(["down", "--purge"]) == 3
    assert "can be written by other users" in capsys.readouterr().err


def test_a_folder_of_another_user_is_refused() -> None:
    found = os.stat_result((0o40700, 1, 1, 1, 1234, 1234, 0, 0, 0, 0))
    assert paths.distrust(found, 1234) == ""
    assert "belongs to another user (uid 1234)" in paths.distrust(found, 0)


def test_a_cache_in_a_folder_for_everybody_is_a_private_one_below_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = home / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setenv("SWARMLAB_CACHE", str(shared))
    assert paths.make(paths.cache()).stat().st_mode & 0o777 == 0o700


def test_a_cache_where_others_could_put_another_in_its_place_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = home / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("SWARMLAB_CACHE", str(shared))
    with pytest.raises(MissingError, match="can be written by other users"):
        paths.cache()
    root, user, other = 0, 1000, 1001
    for owner, mode, fine in (
        (root, 0o41777, True),
        (user, 0o40755, True),
        (user, 0o40770, False),
        (other, 0o40755, False),
    ):
        found = os.stat_result((mode, 1, 1, 1, owner, owner, 0, 0, 0, 0))
        assert (paths.distrust(found, user, shared=True) == "") == fine
    of_another = os.stat_result((0o120777, 1, 1, 1, other, other, 0, 0, 0, 0))
    assert "belongs to another user" in paths.distrust(of_another, user)


def test_what_the_lab_makes_is_private_whatever_the_umask(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = os.umask(0)
    try:
        progress.record_opened("default", "scaling")
    finally:
        os.umask(before)
    made = [folder for folder in (home / "state", *(home / "state").rglob("*")) if folder.is_dir()]
    assert {folder.stat().st_mode & 0o777 for folder in made} == {0o700}
    assert main(["lessons"]) == 0


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the path belong to another user; where that takes root, let this one be another."""
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534, follow_symlinks=False)
    else:
        other = os.geteuid() + 1
        monkeypatch.setattr(os, "geteuid", lambda: other)


@pytest.mark.parametrize("below", ["", "deep"])
def test_a_link_of_another_user_is_not_followed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], below: str
) -> None:
    gold = paths.make(home / "victim" / below / "labs" / "default" / "cluster") / "gold"
    gold.write_text("mine")
    link = home / "link"
    link.symlink_to(home / "victim")
    monkeypatch.setenv(paths.STATE, str(link / below))
    give_away(link, monkeypatch)
    assert main(["down"]) == 3
    assert "is a link of another user" in capsys.readouterr().err
    assert gold.exists()


@pytest.mark.parametrize("what", ["labs", "labs/default"])
def test_a_lab_in_a_folder_of_another_user_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    state.save_state(a_lab())
    give_away(paths.state() / what, monkeypatch)
    assert main(["status"]) == 3
    assert "belongs to another user" in capsys.readouterr().err


def test_a_home_of_nobody_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for variable in (paths.STATE, paths.CACHE):
        with monkeypatch.context() as moved:
            moved.setenv(variable, "~no-such-user-here/lab")
            assert main(["down"]) == 2
        said = capsys.readouterr().err
        assert "'~no-such-user-here/lab' is not a usable path" in said
        assert variable in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_place_that_takes_no_more_is_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    state.save_state(a_lab())
    kept = (lab_paths.lab_folder("default") / "lab.json").read_bytes()

    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched, pytest.raises(MissingError, match=os.strerror(number)) as caught:
        patched.setattr(os, "fsync", refuse)
        state.save_state(a_lab(first=21_000))
    assert "SWARMLAB_STATE" in caught.value.remedy
    assert [path.name for path in lab_paths.lab_folder("default").iterdir()] == ["lab.json"]
    assert (lab_paths.lab_folder("default") / "lab.json").read_bytes() == kept
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", lambda *_, **__: refuse(0))
        with (
            pytest.raises(MissingError, match=r"cluster\.lock cannot be written"),
            file_lock.hold(lab_paths.lock_file("x"), "at work"),
        ):
            raise AssertionError


def test_paths_are_absolute_and_a_tilde_is_the_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SWARMLAB_STATE", "~/deep/state")
    monkeypatch.chdir(home)
    assert paths.state() == home / "deep" / "state"
    monkeypatch.setenv("SWARMLAB_STATE", "here")
    assert paths.state() == home / "here"


READING = (
    ["lessons"],
    ["doctor"],
    ["status"],
    ["replay", "reconciliation", "--plain", "--speed", "max"],
    ["check", "stacks"],
)


@pytest.mark.parametrize("argv", READING, ids=lambda argv: argv[0])
def test_who_only_reads_makes_no_folder(home: Path, argv: list[str]) -> None:
    main(argv)
    assert tree(home) == set()
    assert not (home / "state").exists()


@pytest.mark.parametrize("argv", [*READING, ["env"], ["down"], ["reset"], ["run", "scaling"]], ids=lambda argv: argv[0])
def test_a_state_that_is_a_file_is_a_sentence(home: Path, argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (home / "state").write_text("")
    (home / "disk").write_text("")
    assert main(argv) in (0, 1, 2, 3)
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    assert UNEXPECTED not in said.err


def test_a_folder_that_cannot_be_made_is_a_sentence(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(MissingError, match="cannot be made: Not a directory") as caught:
        paths.make(home / "file" / "state")
    assert "SWARMLAB_STATE" in caught.value.remedy


def test_the_doctor_says_that_a_folder_cannot_be_used(home: Path) -> None:
    (home / "state").write_text("")
    (item,) = (item for item in doctor().items if item.what == "disk space")
    assert not item.there
    assert "is not a folder" in item.detail


@pytest.mark.parametrize("variable", [paths.STATE, paths.CACHE])
def test_the_doctor_says_that_a_folder_cannot_be_written(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    shut = home / "shut"
    shut.mkdir()
    monkeypatch.setenv(variable, str(shut / "deep"))
    # Root may write everywhere.
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != shut and allowed(path, mode))
    (item,) = (item for item in doctor().items if item.what == "disk space")
    assert (item.there, item.detail) == (False, f"{shut} cannot be written")
    assert variable in item.remedy
