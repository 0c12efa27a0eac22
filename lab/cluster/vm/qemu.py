"""A virtual machine as a value, and its QEMU command line. Nothing listens beyond loopback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lab.cluster.vm import agent, console, lan_switch

EMULATOR = "qemu-system-x86_64"
LOOPBACK = "127.0.0.1"
HOST_NET = "192.168.77.0/24"
HOST_ADDRESS = "192.168.77.15"
"""A guest's address on the network to this machine. It is outside 10.0.0.0/8, from which a swarm takes its overlay
networks."""

GATEWAY = "192.168.77.2"
"""The second address of that network, the emulator's own: the gateway of a machine whose network is `outward`."""
NAME_SERVER = "192.168.77.3"
"""The third address, also the emulator's: it forwards an `outward` machine's queries to this machine's name server."""

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
    """Two network cards: one to this machine, with TCP `forwards` (host port to guest port), one to the nodes' own LAN.

    `outward`: the guest may open its own IPv4 connections through the first card to whatever this machine can reach,
    including this machine itself.
    """

    mac: str
    forwards: Mapping[int, int] = field(default_factory=dict)
    outward: bool = False


@dataclass(frozen=True)
class Machine:
    """A virtual machine. `identity` is random and on the command line, so its process can be found and never mistaken.

    `folder` holds the machine's files: serial.log, pid, qmp. Sockets and files are named relative to it, because a
    socket's path has at most 107 bytes and a state folder may be deep. `memory` is in MiB.
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
        """The machine's console log."""
        return self.folder / console.LOG


def build_argv(machine: Machine, folder: int = 0, memory: int | None = None) -> tuple[str, ...]:
    """Return the command line that runs `machine`. Start it in the machine's folder, which is also open as the
    descriptor `folder`: a machine with a network refers to the switch's socket through it.

    With `memory`, a descriptor, the machine reads its saved memory from it and stays paused, instead of booting.
    """
    # After an oops the kernel restarts, as on servers: what it was doing would hang forever.
    words = ["console=ttyS0", "quiet", "oops=panic", "panic=5"]
    words += ["mitigations=off", "no_timer_check", *_words(machine.acceleration), *machine.words]
    line = [EMULATOR, "-name", f"{machine.name},process={machine.name}", "-uuid", machine.identity]
    line += ["-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-rtc", "base=utc"]
    line += _cpu(machine.acceleration)
    line += ["-m", str(machine.memory), "-device", "virtio-rng-pci"]
    line += ["-kernel", str(machine.kernel), "-initrd", str(machine.initrd), "-append", " ".join(words)]
    # Append, so that a truncated file does not get a hole in place of what was cut (`console.trim`).
    line += ["-chardev", f"file,id=serial,path={console.LOG},append=on", "-serial", "chardev:serial"]
    if machine.control:
        line += ["-chardev", "socket,id=qmp,path=qmp,server=on,wait=off", "-mon", "chardev=qmp,mode=control"]
    for number, drive in enumerate(machine.drives):
        line += _drive(number, drive)
    if machine.network is not None:
        line += _network(machine.network, folder)
        line += _AGENT
    if memory is not None:
        line += ["-S", "-incoming", f"fd:{memory}"]
    return tuple(line)


#: A console for the lab's own agent (`agent.py`), and a balloon through which the guest tells which of its memory is
#: free: that is given back to this machine, and is in no snapshot.
_AGENT = (
    *("-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={agent.SOCKET},server=on,wait=off"),
    *("-device", "virtconsole,chardev=agent", "-device", "virtio-balloon-pci,free-page-reporting=on"),
)


def _cpu(acceleration: str) -> list[str]:
    if acceleration == "kvm":
        return ["-accel", "kvm", "-cpu", "host", "-smp", "2"]
    # Measured: with two emulated processors Linux 6.12 crashes early (it patches code that the other runs). A plain
    # processor is faster to emulate: the images load in 37 s, against 63 s with `max`. Four machines with six replicas
    # of a published service translate 350 to 430 MB; when that does not fit, the buffer is flushed and all is
    # translated again.
    return ["-accel", "tcg,tb-size=512", "-cpu", "Nehalem", "-smp", "1"]


def _words(acceleration: str) -> list[str]:
    if acceleration == "kvm":
        return []
    # Translated code is cached by address, so programs that start at a different address each time are translated each
    # time. Measured together with the other two parameters: a service of six replicas is up in 28 s instead of 65 s.
    return ["nokaslr", "norandmaps", "init_on_alloc=0", "lsm=capability"]


def _drive(number: int, drive: Drive) -> list[str]:
    spec = f"if=none,id=disk{number},file={escape(drive.path)},format={drive.format},discard=unmap"
    spec += ",readonly=on" if drive.readonly else ""
    spec += ",cache=unsafe" if drive.throwaway else ""
    return ["-drive", spec, "-device", f"virtio-blk-pci,drive=disk{number}"]


def escape(path: Path) -> str:
    """Escape a path for use in an option: a comma would begin the next part, so it is doubled."""
    return str(path).replace(",", ",,")


def _network(network: Network, folder: int) -> list[str]:
    forwards = "".join(
        f",hostfwd=tcp:{LOOPBACK}:{outer}-{HOST_ADDRESS}:{inner}" for outer, inner in network.forwards.items()
    )
    reach = "restrict=off,ipv6=off" if network.outward else "restrict=on"
    # Each frame's address is resolved when it is sent, from "/" (where -daemonize goes), and has at most 107 bytes.
    lan = f"dgram,id=lan,local.type=unix,local.path={lan_switch.OUTBOX}"
    lan += f",remote.type=unix,remote.path=/proc/self/fd/{folder}/{lan_switch.INBOX}"
    return [
        *("-netdev", f"user,id=host,net={HOST_NET},dhcpstart={HOST_ADDRESS},{reach}{forwards}"),
        *("-device", f"virtio-net-pci,netdev=host,mac=52:54:00:0a:{network.mac},romfile="),
        *("-netdev", lan),
        *("-device", f"virtio-net-pci,id=lan-card,netdev=lan,mac=52:54:00:0b:{network.mac},romfile="),
    ]
