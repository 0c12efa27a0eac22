"""Processes: the lab ends its own and believes its own, and starts no program that others put in its way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from lab import paths
from lab.cli import main
from lab.cluster import docker_env, process
from lab.cluster.vm import processes, state
from lab.cluster.vm.build import disk_cache, ext4, mmdebstrap
from lab.cluster.vm.qemu import EMULATOR
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import LabError
from tests.processes import ended
from tests.unit.lab_folders import marked_cache
from tests.unit.test_cluster_machine import a_lab

pytestmark = pytest.mark.usefixtures("home")


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
