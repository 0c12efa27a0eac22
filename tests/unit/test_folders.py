"""Folders and processes: the lab touches its own, believes its own, and says what is wrong with others'."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from lab import file_lock, files, paths
from lab.cli import main
from lab.cli.boundary import UNEXPECTED
from lab.cluster import docker_env, edge_settings, lab_paths, process
from lab.cluster.doctor import doctor
from lab.cluster.vm import processes, state
from lab.cluster.vm.build import disk_cache, ext4, mmdebstrap
from lab.cluster.vm.qemu import EMULATOR
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import LabError, MissingError
from lab.lesson import progress
from tests.processes import ended
from tests.unit.test_cluster_machine import a_lab


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "disk"))
    return tmp_path


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


# -- a purge

KEY = "0123456789abcdef"
BASE = f"base-{KEY}"


def marked_cache() -> Path:
    """An empty cache of the lab's."""
    cache = paths.make(paths.cache())
    disk_cache._mark(cache)
    return cache


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


# -- processes


@contextmanager
def running(*argv: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    whole = {**os.environ, **(env or {})}
    piped = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=whole, cwd=cwd)
    with ended(piped) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
        yield one


WAIT = "import sys; print('ready', flush=True); sys.stdin.read()"


def test_who_reads_a_builds_log_lives(home: Path) -> None:
    """A pager, an editor, a film of that name, a shell in the folder: none of them is the build's."""
    making = marked_cache() / "making"
    log = paths.make(making / "base-abc") / "serial.log"
    log.write_text("the kernel")
    film = paths.make(paths.cache().parent / "making-of") / "film.mkv"
    film.write_text("")
    with (
        running(sys.executable, "-c", WAIT, str(log)) as pager,
        running(sys.executable, "-c", WAIT, str(film)) as player,
        running(sys.executable, "-c", WAIT, cwd=making) as shell,
    ):
        assert main(["down"]) == 0
        assert [one.poll() for one in (pager, player, shell)] == [None, None, None]
    assert not making.exists()


def test_what_a_killed_build_started_is_ended_with_what_that_started(home: Path) -> None:
    folder = paths.make(marked_cache() / "making" / "rootfs-1")
    wait = "import signal; print('ready', flush=True); signal.pause()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {wait!r}])"
    builder = (
        "import pathlib, sys; from lab.cluster import process\n"
        "process.run_program([sys.executable, '-c', sys.argv[2]], log=pathlib.Path(sys.argv[1]), bound=300, stop=None)"
    )
    log = folder / "build.log"
    with ended(subprocess.Popen([sys.executable, "-c", builder, str(log), child])) as killed:
        while "ready" not in (log.read_text() if log.exists() else ""):
            assert killed.poll() is None
        left = psutil.Process(killed.pid).children(recursive=True)
    assert len(left) == 2
    disk_cache.clear_if_idle()
    assert all(process.wait_gone(one, 20) for one in left)
    assert not folder.parent.exists()


def test_a_swarmlab_below_the_build_that_it_clears_does_not_end_itself(home: Path) -> None:
    paths.make(paths.cache() / "making")
    env = {process.LOG: str(paths.cache() / "making" / "x.log")}
    argv = [sys.executable, "-m", "lab.cli", "down"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, **env})
    assert (done.returncode, done.stdout) == (0, "There was no cluster.\n")


#: Root can be another user too, who calls a program by the emulator's name; a user can only run another program.
STRANGERS = [("/bin/sh", None), *([(EMULATOR, 65534)] if os.geteuid() == 0 else [])]


@pytest.mark.parametrize(("name", "user"), STRANGERS)
def test_a_machine_of_another_user_or_program_is_not_ours(home: Path, name: str, user: int | None) -> None:
    state.save_state(a_lab())
    cluster = VmCluster(state.load_state("default"))
    node = cluster.state.nodes[0]
    argv = [name, "-c", "echo ready; read line", "-uuid", node.identity]
    pipe = subprocess.PIPE
    with ended(subprocess.Popen(argv, executable="/bin/sh", stdin=pipe, stdout=pipe, user=user, text=True)) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
        assert not cluster.is_running(node)
        assert main(["down"]) == 0
        assert one.poll() is None


def test_another_users_process_is_not_believed() -> None:
    class Foreign:
        """As psutil shows a process of another user: all may read its command line."""

        def cmdline(self) -> list[str]:
            return [EMULATOR, "-uuid", "some-identity"]

        def status(self) -> str:
            return "running"

        def uids(self) -> SimpleNamespace:
            return SimpleNamespace(real=self.user, effective=self.runs_as, saved=self.runs_as)

        user = runs_as = os.geteuid() + 1

    foreign = Foreign()
    assert not process._is(cast(psutil.Process, foreign), "some-identity", EMULATOR)
    foreign.runs_as = os.geteuid()  # As sudo does, called by another user who chose its words.
    assert not process._is(cast(psutil.Process, foreign), "some-identity", EMULATOR)
    foreign.user = os.getuid()
    assert process._is(cast(psutil.Process, foreign), "some-identity", EMULATOR)


def test_who_looks_at_a_machine_is_not_the_machine(home: Path) -> None:
    with running(sys.executable, "-c", WAIT, EMULATOR, "-uuid", "some-identity") as debugger:
        assert process.find_process("some-identity", EMULATOR) is None
        assert debugger.poll() is None


def test_a_process_that_may_not_be_ended_is_a_sentence() -> None:
    class Guarded:
        pid = 4242

        def kill(self) -> None:
            raise psutil.AccessDenied(self.pid)

    with pytest.raises(LabError, match="4242 cannot be ended: it runs as another user"):
        process.kill(cast(psutil.Process, Guarded()))


def test_a_machine_without_a_record_is_found_though_its_folder_has_a_comma(home: Path) -> None:
    place = home / "a,b"
    argv = [EMULATOR, "-c", WAIT, "-uuid", "some-identity", f"file={home}/a,,b/node1/settings.tar,format=raw"]
    with ended(subprocess.Popen(argv, executable=sys.executable, stdin=subprocess.PIPE)):
        assert processes.find_strays(place) == (("node1", "some-identity"),)


# -- folders that are not to be used


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


# -- damaged files


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": []},
        {"nodes": None},
        {"created": "2026-01-02T03:04:05"},
        {"created": 1e308},
        {"name": "another"},
        {"disk": "../../elsewhere"},
        {"switch": ""},
        {"first_port": 70_000},
    ],
    ids=str,
)
def test_a_damaged_record_is_a_sentence(
    home: Path, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    state.save_state(a_lab())
    path = lab_paths.lab_folder("default") / "lab.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert main(["status"]) == 1
    assert "is damaged" in capsys.readouterr().err
    assert main(["down"]) == 0


@pytest.mark.parametrize("change", [{"name": "../../treasure"}, {"identity": ""}, {"engine": 0}], ids=str)
def test_a_node_that_cannot_be_is_a_sentence_and_leads_nowhere(home: Path, change: dict[str, object]) -> None:
    treasure = home / "treasure"
    treasure.mkdir()
    (treasure / "pid").write_text("mine")
    made = a_lab()
    state.save_state(made)
    path = lab_paths.lab_folder("default") / "lab.json"
    record = json.loads(path.read_text())
    record["nodes"][0] |= change
    path.write_text(json.dumps(record))
    with pytest.raises(LabError, match="is damaged"):
        state.load_state("default")
    assert main(["down"]) == 0
    assert tree(treasure) == {"pid"}


def test_a_lab_made_in_the_future_is_new(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The clock was set back since."""
    state.save_state(a_lab().model_copy(update={"created": datetime(2999, 1, 1, tzinfo=UTC)}))
    assert main(["status"]) == 1
    assert "up for 0 h 0 min" in capsys.readouterr().out
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["age_seconds"] >= 0


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"\n", b"a\nb", b"\x1b[2J"], ids=str)
def test_a_password_that_is_damaged_and_keys_that_are_not_whole_are_made_anew(home: Path, damage: bytes) -> None:
    state.save_state(a_lab())
    cluster = VmCluster(state.load_state("default"))
    found = edge_settings.read_settings(cluster)
    assert found.password
    (found.folder / "password").write_bytes(damage)
    for name in ("ca.pem", "key.pem"):
        (found.folder / name).unlink()
        again = edge_settings.read_settings(cluster)
        assert len(again.password) > 8
        (found.folder / name).write_bytes(b"")
        edge_settings.read_settings(cluster)
        assert (found.folder / name).read_bytes().startswith(b"-----BEGIN ")
    assert (again.folder / "ca.pem").is_file()


def test_a_path_with_a_blank_or_a_quote_reaches_mmdebstrap_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(process, "run_program", lambda argv, **_: ran.append(argv))
    mmdebstrap.run_in(tmp_path / "it's a disk.tar", [], tmp_path / "out", log=tmp_path / "log", step=lambda *_: None)
    (hook,) = (word for word in ran[0] if "tar-in" in word)
    import shlex

    assert shlex.split(hook.removeprefix("--setup-hook=")) == ["tar-in", str(tmp_path / "it's a disk.tar"), "/"]


@pytest.mark.parametrize("given", ["", ":", ":/usr/bin::/bin:"])
def test_no_program_is_taken_from_the_current_folder(home: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """An empty part of PATH would mean it."""
    (home / "mke2fs").write_text("#!/bin/sh\ntouch mine-ran\n")
    (home / "mke2fs").chmod(0o755)
    monkeypatch.chdir(home)
    monkeypatch.setenv("PATH", given)
    monkeypatch.setattr(docker_env, "docker_folder", lambda: None)
    assert "" not in docker_env._path().split(os.pathsep)
    assert "" not in ext4.search_path().split(os.pathsep)
    with suppress(FileNotFoundError, LabError):  # This machine's own, in /usr/sbin, is not in this PATH.
        process.run_program(["mke2fs", "-V"], log=home / "log", bound=60, cwd=home)
    assert not (home / "mine-ran").exists()
