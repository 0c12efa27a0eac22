"""A virtual machine as a value, and the QEMU command line that it means. Nothing listens beyond loopback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lab.cluster.vm import console, lan_switch

EMULATOR = "qemu-system-x86_64"
LOOPBACK = "127.0.0.1"
HOST_NET = "192.168.77.0/24"
HOST_ADDRESS = "192.168.77.15"
"""The side towards this machine. Outside 10.0.0.0/8, from which a swarm takes its overlay networks."""

GATEWAY = "192.168.77.2"
"""The second address of that network is the emulator's own: the way out, for a machine whose network is `outward`."""
NAME_SERVER = "192.168.77.3"
"""The third, too: it passes questions on to this machine's name server, for an `outward` machine."""

ENGINE_PORT = 2376


@dataclass(frozen=True)
class Drive:
    """A disk: `throwaway` ones need not survive a crash of this machine."""

    path: Path
    format: Literal["raw", "qcow2"]
    readonly: bool = False
    throwaway: bool = False


@dataclass(frozen=True)
class Network:
    """Two cards: one towards this machine, with TCP `forwards` (host port to guest port), one to the nodes' own LAN.

    `outward`: the guest may open connections of its own through the first, by IPv4, to wherever this machine can,
    this machine itself included.
    """

    mac: str
    forwards: Mapping[int, int] = field(default_factory=dict)
    outward: bool = False


@dataclass(frozen=True)
class Machine:
    """`identity` is random and on the command line, so the process is found and never mistaken.

    `folder` holds the machine's files: serial.log, pid, qmp. Sockets and files are named relative to it,
    because a socket's path may have 107 bytes and a state folder may be deep. `memory` is in MiB.
    """

    name: str
    identity: str
    folder: Path
    kernel: Path
    initrd: Path
    drives: tuple[Drive, ...]
    acceleration: Literal["kvm", "tcg"]
    memory: int
    network: Network | None = None
    words: tuple[str, ...] = ()
    control: bool = True

    @property
    def serial(self) -> Path:
        """What the machine says on its console."""
        return self.folder / console.LOG

    @property
    def pidfile(self) -> Path:
        return self.folder / "pid"


def build_argv(machine: Machine, folder: int = 0) -> tuple[str, ...]:
    """The command line that runs `machine`, to be started in its folder, which is also open as the descriptor `folder`:
    a machine with a network names the switch's socket through it."""
    # After an oops the kernel restarts, as on servers: what it was doing would hang for ever.
    words = ["console=ttyS0", "quiet", "oops=panic", "panic=5"]
    words += ["mitigations=off", "no_timer_check", *_words(machine.acceleration), *machine.words]
    line = [EMULATOR, "-name", f"{machine.name},process={machine.name}", "-uuid", machine.identity]
    line += ["-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-rtc", "base=utc"]
    line += _cpu(machine.acceleration)
    line += ["-m", str(machine.memory), "-device", "virtio-rng-pci"]
    line += ["-kernel", str(machine.kernel), "-initrd", str(machine.initrd), "-append", " ".join(words)]
    # Appending, so that what is cut off the file does not come back as a hole (`console.trim`).
    line += ["-chardev", f"file,id=serial,path={console.LOG},append=on", "-serial", "chardev:serial"]
    if machine.control:
        line += ["-chardev", "socket,id=qmp,path=qmp,server=on,wait=off", "-mon", "chardev=qmp,mode=control"]
    for number, drive in enumerate(machine.drives):
        line += _drive(number, drive)
    if machine.network is not None:
        line += _network(machine.network, folder)
    return tuple(line)


def _cpu(acceleration: str) -> list[str]:
    if acceleration == "kvm":
        return ["-accel", "kvm", "-cpu", "host", "-smp", "2"]
    # Measured: with two emulated processors Linux 6.12 dies early (it patches code that the other runs).
    # And a plain processor is faster to emulate: the images load in 37 s, against 63 s with `max`.
    # Four machines with six replicas of a published service translate 350 to 430 MB; what does not fit is thrown away,
    # and all is translated again.
    return ["-accel", "tcg,tb-size=512", "-cpu", "Nehalem", "-smp", "1"]


def _words(acceleration: str) -> list[str]:
    if acceleration == "kvm":
        return []
    # Translated code is found again by its address: programs that start at another one each time are translated each
    # time. Measured with the other two words: a service of six replicas is up in 28 s instead of 65.
    return ["nokaslr", "norandmaps", "init_on_alloc=0", "lsm=capability"]


def _drive(number: int, drive: Drive) -> list[str]:
    spec = f"if=none,id=disk{number},file={escape(drive.path)},format={drive.format},discard=unmap"
    spec += ",readonly=on" if drive.readonly else ""
    spec += ",cache=unsafe" if drive.throwaway else ""
    return ["-drive", spec, "-device", f"virtio-blk-pci,drive=disk{number}"]


def escape(path: Path) -> str:
    """A path as a part of an option: a comma would begin the next part; doubled, it is itself."""
    return str(path).replace(",", ",,")


def _network(network: Network, folder: int) -> list[str]:
    forwards = "".join(
        f",hostfwd=tcp:{LOOPBACK}:{outer}-{HOST_ADDRESS}:{inner}" for outer, inner in network.forwards.items()
    )
    reach = "restrict=off,ipv6=off" if network.outward else "restrict=on"
    # The address of each frame is looked up when it is sent, from "/" (where -daemonize goes), and may have 107 bytes.
    lan = f"dgram,id=lan,local.type=unix,local.path={lan_switch.OUTBOX}"
    lan += f",remote.type=unix,remote.path=/proc/self/fd/{folder}/{lan_switch.INBOX}"
    return [
        *("-netdev", f"user,id=host,net={HOST_NET},dhcpstart={HOST_ADDRESS},{reach}{forwards}"),
        *("-device", f"virtio-net-pci,netdev=host,mac=52:54:00:0a:{network.mac},romfile="),
        *("-netdev", lan),
        *("-device", f"virtio-net-pci,id=lan-card,netdev=lan,mac=52:54:00:0b:{network.mac},romfile="),
    ]
