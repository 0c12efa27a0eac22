"""Another user of this machine: reads and injects nothing between the nodes, reaches no engine, gets no key, and cannot
make a machine look alive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import psutil
import pytest

from lab.cluster import lab_paths
from lab.cluster.model import Cluster
from lab.cluster.vm import lan_switch, processes
from lab.cluster.vm.qemu import EMULATOR
from lab.cluster.vm.vm_cluster import VmCluster
from tests.live.conftest import Say, until

pytestmark = pytest.mark.timeout(3000)
OTHER = 65534

_TRIES = """
import json, os, socket, ssl, sys
paths, processes, engine = json.loads(sys.argv[1])
got = []
def tried(what, attempt):
    try:
        attempt()
    except OSError:  # ssl.SSLError is one, too
        return
    got.append(what)
def send(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(b"\\xff" * 60, path)
def connect(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
def ask(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60)) as one:
        one.sendall(b"GET /info HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        if not one.recv(100):
            raise OSError("closed")
for path in paths:
    tried(f"open {path}", lambda: open(path, "rb").close())
    tried(f"write {path}", lambda: open(path, "r+b").close())
    tried(f"list {path}", lambda: os.listdir(path))
    tried(f"send {path}", lambda: send(path))
    tried(f"connect {path}", lambda: connect(path))
for pid in processes:
    tried(f"descriptors of {pid}", lambda: os.listdir(f"/proc/{pid}/fd"))
    tried(f"folder of {pid}", lambda: os.listdir(f"/proc/{pid}/cwd"))
    tried(f"memory of {pid}", lambda: open(f"/proc/{pid}/mem", "rb").close())
    tried(f"signal to {pid}", lambda: os.kill(pid, 0))
tried("engine", lambda: ask(engine))
print(json.dumps(got))
"""


@pytest.fixture
def vm(cluster: Cluster) -> VmCluster:
    """The cluster as its provider knows it."""
    return cast(VmCluster, cluster)


def _processes(cluster: VmCluster) -> list[psutil.Process]:
    """The four machines and the switch of their network."""
    machines = [processes.find_running(cluster.home / node.name, node.identity) for node in cluster.state.nodes]
    found = [one for one in (*machines, processes.find_switch(cluster.home, cluster.state.switch)) if one is not None]
    assert len(found) == len(cluster.state.nodes) + 1
    return found


def test_another_user_reaches_nothing_of_the_cluster(vm: VmCluster) -> None:
    home = lab_paths.lab_folder(vm.name)
    files = [home, *(path for path in home.rglob("*") if not path.is_symlink())]
    assert {lan_switch.INBOX, lan_switch.OUTBOX, "qmp", "disk.qcow2", "lab.json"} <= {path.name for path in files}
    engine = int(vm.endpoints()[0].url.rpartition(":")[2])
    wanted = json.dumps([[str(path) for path in files], [one.pid for one in _processes(vm)], engine])
    # Isolated, and away from the checkout, which may be one that the other user cannot enter. Only root can become
    # another user; whoever is not asks sudo, and where that is refused the test fails with what it said.
    root = os.geteuid() == 0
    argv = [*([] if root else ["sudo", "-n", "-u", f"#{OTHER}", "--"]), _python(), "-I", "-c", _TRIES, wanted]
    done = subprocess.run(
        argv,
        user=OTHER if root else None,
        group=OTHER if root else None,
        extra_groups=[] if root else None,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def _python() -> str:
    """An interpreter that everybody may run: this one may stand in a home that is closed to others."""
    return next(path for path in ("/usr/bin/python3", sys.executable) if Path(path).exists())


def test_the_cluster_listens_on_loopback_only_and_to_no_datagram(vm: VmCluster, say: Say) -> None:
    heard = [each for one in _processes(vm) for each in one.net_connections("inet") if each.status != "ESTABLISHED"]
    listening = [each for each in heard if each.status == psutil.CONN_LISTEN]
    say(f"the machines listen at {len(listening)} ports")
    assert len(listening) >= len(vm.state.nodes)
    assert {each.laddr[0] for each in listening} == {"127.0.0.1"}
    # A socket of UDP would be a network between nodes that everybody may join.
    assert [each for each in heard if each.status == psutil.CONN_NONE] == []


def test_a_node_is_powered_off_whatever_runs_by_its_name_and_on_again(cluster: Cluster) -> None:
    vm = cast(VmCluster, cluster)
    node = vm.state.nodes[-1]
    argv = [EMULATOR, "-c", "echo ready; read line", "-uuid", node.identity, f"file={vm.home}/{node.name}/disk.qcow2"]
    vm.stop(node.name)
    # Only root can be another user, too; a user's own program by that name would be believed.
    with subprocess.Popen(
        argv if os.geteuid() == 0 else ["sh", *argv[1:]],
        executable="/bin/sh",
        user=OTHER if os.geteuid() == 0 else None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as fake:
        try:
            assert fake.stdout is not None
            assert fake.stdout.readline() == "ready\n"
            status = vm.status()
            assert {n.name: n.machine for n in status.nodes}[node.name] == "stopped"
            assert not status.whole
            assert vm.powered_off() == (node.name,)
        finally:
            fake.kill()
    vm.start(node.name)
    until(lambda: vm.status().whole, "the whole swarm")
