"""This machine as seen by the lab: its programs, its processes, hardware virtualisation, keys, shells."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from lab.cluster import api, docker_env, lab_paths, pki, process
from lab.cluster.doctor import doctor
from lab.cluster.vm import acceleration, processes, requirements
from lab.engine.endpoint import Endpoint
from lab.errors import CommandError, MissingError, WaitError
from tests.processes import ended


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH, to be filled."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(requirements, "search_path", lambda: str(folder))
    return folder


def program(folder: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


# -- what is there and what is missing


def test_the_doctor_names_what_is_missing_and_what_brings_it(programs: Path) -> None:
    began = time.monotonic()
    found = doctor()
    assert time.monotonic() - began < 5
    items = {item.what: item for item in found.items}
    assert not found.ready
    assert "qemu-img" in found.sentence
    assert not items["mmdebstrap"].there
    assert "apt-get install -y --no-install-recommends mmdebstrap" in items["mmdebstrap"].remedy
    assert all(item.remedy for item in found.items if item.needed and not item.there)
    program(programs, "mmdebstrap")
    assert {item.what: item for item in doctor().items}["mmdebstrap"].there


def test_missing_packages_are_asked_for_and_a_no_is_respected(programs: Path) -> None:
    program(programs, "apt-get")
    program(programs, "sudo")
    asked: list[Sequence[str]] = []

    def no(commands: Sequence[str]) -> bool:
        asked.append(commands)
        return False

    with pytest.raises(MissingError, match="qemu-utils") as caught:
        requirements.require(no, lambda _: None)
    assert asked[0][0].removeprefix("sudo ") == "apt-get update"
    assert "qemu-system-x86" in asked[0][1]
    assert "apt-get install" in caught.value.remedy


def test_consent_runs_the_commands_and_what_stays_missing_is_told(programs: Path) -> None:
    for name in ("apt-get", "sudo"):
        program(programs, name, f'#!/bin/sh\necho "{name} $*" >>"{programs}/ran"\n')
    with pytest.raises(MissingError, match="still missing"):
        requirements.require(lambda _: True, lambda _: None)
    ran = (programs / "ran").read_text()
    assert "update" in ran and "mmdebstrap" in ran


def test_without_apt_it_says_what_to_install(programs: Path) -> None:
    with pytest.raises(MissingError, match="only with apt") as caught:
        requirements.require(lambda _: True, lambda _: None)
    assert "mmdebstrap" in caught.value.remedy


# -- hardware virtualisation


@pytest.fixture
def kvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setattr(acceleration, "KVM", device)
    acceleration.emulator.cache_clear()
    yield device
    acceleration.emulator.cache_clear()


def emulator(folder: Path, body: str) -> None:
    program(folder, "qemu-system-x86_64", f'#!/bin/sh\n[ "$1" = --version ] && echo "QEMU 1" && exit\n{body}\n')


def test_a_guest_that_speaks_proves_hardware_virtualisation_once(programs: Path, kvm: Path) -> None:
    emulator(programs, f"echo x >>{programs}/ran; echo 'swarmlab: probe' >serial.log")
    assert acceleration.load_choice() is None
    for _ in range(2):
        assert acceleration.choose(Path("/k"), Path("/i")) == acceleration.Choice("kvm")
    assert (programs / "ran").read_text() == "x\n"
    assert acceleration.load_choice() == acceleration.Choice("kvm")


def test_a_guest_that_hangs_means_emulation(programs: Path, kvm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration, "BOUND", 0.3)
    emulator(programs, "exec /bin/sleep 60")
    choice = acceleration.choose(Path("/k"), Path("/i"))
    assert choice.acceleration == "tcg"
    assert "did not boot" in choice.note


def test_without_the_device_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration, "KVM", tmp_path / "none")
    found = acceleration.load_choice()
    assert found is not None
    assert found.acceleration == "tcg"


# -- processes

#: What a process of Python runs.
PYTHON = Path(sys.executable).name


def test_a_process_is_ours_only_with_its_identity_and_program(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with (
        ended(subprocess.Popen([*sleeper, "mark-1"], stdin=subprocess.PIPE)) as ours,
        ended(subprocess.Popen([*sleeper, "other"], stdin=subprocess.PIPE)) as other,
    ):
        hint = tmp_path / "pid"
        hint.write_text(str(other.pid))
        found = process.find_process("mark-1", PYTHON, hint=hint)
        assert found is not None
        assert found.pid == ours.pid
        assert process.find_process("mark-2", PYTHON, hint=hint) is None
        assert process.find_process("mark-1", "qemu-system-x86_64", hint=hint) is None
        process.kill(found)
        assert other.poll() is None
        # Not yet collected by its parent: dead all the same.
        assert process.find_process("mark-1", PYTHON) is None
        for text in ("", "x", "999999999"):
            hint.write_text(text)
            assert process.find_process("mark-1", PYTHON, hint=hint) is None


def test_a_run_hands_lines_over_and_keeps_them(tmp_path: Path) -> None:
    lines: list[str] = []
    process.run_program(["/bin/sh", "-c", "echo a; echo b"], log=tmp_path / "log", bound=10, each=lines.append)
    assert lines == ["a", "b"]
    with pytest.raises(CommandError) as caught:
        process.run_program(["/bin/sh", "-c", "echo bad; exit 3"], log=tmp_path / "log", bound=10)
    assert (caught.value.code, caught.value.output) == (3, "bad\n")
    assert (tmp_path / "log").read_text() == "a\nb\nbad\n"


def test_a_run_that_takes_too_long_or_is_given_up_dies_as_a_whole(tmp_path: Path) -> None:
    tree = ["/bin/sh", "-c", "sleep 61.5 & sleep 61.5"]
    with pytest.raises(WaitError):
        process.run_program(tree, log=tmp_path / "log", bound=0.3)
    stop = threading.Event()
    stop.set()
    with pytest.raises(process.Stopped):
        process.run_program(tree, log=tmp_path / "log", bound=60, stop=stop)
    left = [one for one in psutil.process_iter() if _has(one, "61.5")]
    assert all(process.wait_gone(p, 5) for p in left)


def _has(one: psutil.Process, word: str) -> bool:
    try:
        return word in one.cmdline()
    except psutil.Error:
        return False


# -- keys


def handshake(keys: pki.Keys, client: pki.Pair | None, server: pki.Pair, tmp_path: Path) -> None:
    """A TLS handshake in memory, as between this machine and an engine with --tlsverify."""

    def context(protocol: int, pair: pki.Pair | None, name: str) -> ssl.SSLContext:
        made = ssl.SSLContext(protocol)
        made.load_verify_locations(cadata=keys.authority.decode())
        made.verify_mode = ssl.CERT_REQUIRED
        # The client's certificate is refused within the handshake only by version 1.2.
        made.maximum_version = ssl.TLSVersion.TLSv1_2
        if pair is not None:
            (tmp_path / f"{name}.pem").write_bytes(pair.certificate + pair.key)
            made.load_cert_chain(tmp_path / f"{name}.pem")
        return made

    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        context(ssl.PROTOCOL_TLS_CLIENT, client, "client").wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        context(ssl.PROTOCOL_TLS_SERVER, server, "server").wrap_bio(to_server, to_client, server_side=True),
    )
    done: set[int] = set()
    for _ in range(10):
        for number, end in enumerate(ends):
            try:
                end.do_handshake()
                done.add(number)
            except ssl.SSLWantReadError:
                continue
    assert done == {0, 1}


def test_keys_are_good_for_one_direction_and_one_lab(tmp_path: Path) -> None:
    keys = pki.make_keys("a", [("node1", "10.77.0.11")])
    other = pki.make_keys("b", [("node1", "10.77.0.11")])
    server = keys.servers["node1"]
    handshake(keys, keys.client, server, tmp_path)
    for client, serving in ((None, server), (other.client, server), (keys.client, other.servers["node1"])):
        with pytest.raises(ssl.SSLError):
            handshake(keys, client, serving, tmp_path)
    for client, serving in ((server, server), (keys.client, keys.client)):
        with pytest.raises(ssl.SSLError):
            handshake(keys, client, serving, tmp_path)


# -- shells


def test_contexts_are_what_the_docker_command_line_keeps(tmp_path: Path) -> None:
    tls = tmp_path / "tls"
    tls.mkdir()
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tls / name).write_text(name)
    config = tmp_path / "lab" / "cluster" / "docker"
    docker_env.write_contexts(config, {"node4": "tcp://127.0.0.1:20400"}, tls)
    (meta,) = config.glob("contexts/meta/*/meta.json")
    assert json.loads(meta.read_text())["Endpoints"]["docker"]["Host"] == "tcp://127.0.0.1:20400"
    # The folder's name is the SHA-256 of the context's.
    assert meta.parent.name == hashlib.sha256(b"node4").hexdigest()
    (key,) = config.glob("contexts/tls/*/docker/key.pem")
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.parent.name == meta.parent.name


def test_a_shells_variables(tmp_path: Path, programs: Path) -> None:
    program(programs, "docker", "#!/bin/sh\necho 'Docker version 28.2.2, build e6534b4'\n")
    endpoint = Endpoint("node1", "manager", "tcp://127.0.0.1:20100", tls=tmp_path / "tls")
    assert api.shell_env(endpoint, tmp_path) == {
        "DOCKER_HOST": "tcp://127.0.0.1:20100",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path / "tls"),
        # The user's own programs first; `swarmlab` is found, too.
        "PATH": f"{programs}:{sysconfig.get_path('scripts')}",
    }
    (tmp_path / "cluster" / "docker").mkdir(parents=True)
    assert api.shell_env(endpoint, tmp_path)["DOCKER_CONFIG"] == str(tmp_path / "cluster" / "docker")


def test_without_a_docker_command_line_and_without_packages(tmp_path: Path, programs: Path) -> None:
    endpoint = Endpoint("node1", "manager", "tcp://127.0.0.1:20100")
    with pytest.raises(MissingError, match="no Docker command line"):
        api.shell_env(endpoint, tmp_path)
    program(programs, "docker", "#!/bin/sh\necho 'Docker version 20.10.24+dfsg1, build 297e128'\n")
    with pytest.raises(MissingError, match="bin/docker is older than 26") as caught:
        api.shell_env(endpoint, tmp_path)
    assert caught.value.remedy == "swarmlab up brings one"
    (item,) = (item for item in doctor().items if item.what == "Docker command line")
    assert not item.there
    assert "the lab brings Debian's" in item.detail


def test_nothing_heavy_is_imported_with_the_package() -> None:
    program = "import sys, lab.cluster.model, lab.cluster.api; print(*sorted(sys.modules))"
    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ}
    ).stdout.split()
    assert not {"docker", "cryptography", "qemu", "requests", "textual", "pydantic", "psutil"} & set(modules)


# -- machines whose record is lost


def test_a_machine_without_a_record_is_found_by_its_folder_and_ended(tmp_path: Path) -> None:
    home = lab_paths.lab_folder("lost")
    (home / "node1").mkdir(parents=True)
    (home / "lab.json").write_text("damaged")
    argv = ["qemu-system-x86_64", "-c", "import sys; sys.stdin.read()", "-uuid", "some-identity"]
    drive = f"if=none,file={home}/node1/settings.tar,format=raw"
    started = subprocess.Popen([*argv, "-drive", drive], executable=sys.executable, stdin=subprocess.PIPE)
    with ended(started) as stray:
        assert processes.find_strays(home) == (("node1", "some-identity"),)
        assert api.down("lost").cluster
        assert stray.wait(5) != 0
    assert not home.parent.exists()
    assert not api.down("lost").cluster
