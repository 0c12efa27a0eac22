"""Reading the nodes' own network: taps, which the switch sends the heads of frames to.

A tap is a socket in the lab's private folder, and a row in a file there with its owner, the process that reads it: it
ends with that process, however that ends. The switch sends the first bytes of a frame (`wire.HEAD`), of every frame up
to a bound and of a sample above it; where headers are short, that is a few bytes more, which nobody looks at. It
searches whole frames for the texts that a tap looks for, and sends how many had them.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import file_lock
from lab.cluster.vm.link_faults import tell_switch
from lab.cluster.vm.owner import Owner, find_owner
from lab.cluster.wire import HEAD, VXLAN_HEAD, Frame, Reading
from lab.files import write_private

FILE = "taps.json"

MOST = 500
"""Frames a second that are sent to the taps; of more, a sample of about so many."""

_ALL = 255
#: Where a UDP or TCP frame has its target port, in an IPv4 packet without options, and that of VXLAN.
_TARGET_PORT, _VXLAN = slice(36, 38), (4789).to_bytes(2)
#: What begins a datagram: frames that were not sent since the last one, and how many counts of texts follow.
_BEGIN = struct.Struct("=IB")
_COUNT = struct.Struct("=I")
#: When a frame came, from which node, for which one, whether it was lost, its length, and how much of it follows.
_FRAME = struct.Struct("=dBBBIB")
#: Seconds for another process that opens or closes a tap.
_BOUND = 10.0
#: Bytes of one datagram, and seconds after which one is sent however little is in it.
_FULL, _SOON = 32_000, 0.05


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap: the name of its socket in the folder, the texts that are looked for, and whose it is."""

    socket: str
    marks: tuple[str, ...]
    owner: Owner


def read_taps(home: Path) -> tuple[Tap, ...]:
    """Return the taps of the network of the lab in `home`, without those whose owner has ended."""
    try:
        found = json.loads((home / FILE).read_bytes())
        taps = [Tap(each["socket"], tuple(each["marks"]), Owner(**each["owner"])) for each in found]
    except (OSError, ValueError, TypeError, KeyError):
        return ()
    return tuple(each for each in taps if each.owner.alive)


def _write_taps(home: Path, change: Callable[[tuple[Tap, ...]], Iterable[Tap]]) -> None:
    with file_lock.hold(home / "taps.lock", "beginning to read the nodes' network", bound=_BOUND):
        rows = [asdict(tap) for tap in change(read_taps(home))]
        if rows:
            write_private(home / FILE, json.dumps(rows).encode())
        else:
            (home / FILE).unlink(missing_ok=True)
    tell_switch(home)


class Tapped:
    """`lab.cluster.wire.Wire` for machines: an open tap. Creating and closing it may raise LabError."""

    def __init__(self, home: Path, nodes: Sequence[str], marks: Iterable[str] = ()) -> None:
        self._home, self._nodes = home, tuple(nodes)
        owner = find_owner(os.getpid())
        assert owner is not None  # noqa: S101  this process runs
        self.tap = Tap(f"tap-{os.getpid()}-{secrets.token_hex(3)}", tuple(sorted(marks)), owner)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # A socket's address has at most 107 bytes; through a descriptor of its folder the path is always short.
        folder = os.open(home, os.O_PATH | os.O_DIRECTORY)
        try:
            self._socket.bind(f"/proc/self/fd/{folder}/{self.tap.socket}")
        finally:
            os.close(folder)
        _write_taps(home, lambda taps: (*taps, self.tap))

    def read(self, bound: float) -> Reading:
        """See `Wire.read`. Raises OSError once it is closed."""
        frames: list[Frame] = []
        unread, counts = 0, [0] * len(self.tap.marks)
        self._socket.settimeout(bound)
        with suppress(BlockingIOError, TimeoutError):
            while True:
                unread += self._unpack(self._socket.recv(1 << 16), frames, counts)
                self._socket.setblocking(False)
        return Reading(tuple(frames), unread, {m: n for m, n in zip(self.tap.marks, counts, strict=True) if n})

    def _unpack(self, told: bytes, frames: list[Frame], counts: list[int]) -> int:
        """Append a datagram's frames, and add its counts; return how many frames there were besides."""
        unread, marks = _BEGIN.unpack_from(told)
        place = _BEGIN.size
        for number in range(marks):
            counts[number] += _COUNT.unpack_from(told, place)[0]
            place += _COUNT.size
        while place < len(told):
            at, source, target, lost, size, head = _FRAME.unpack_from(told, place)
            place += _FRAME.size
            to = "" if target == _ALL else self._nodes[target]
            frames.append(Frame(at, self._nodes[source], to, size, told[place : place + head], bool(lost)))
            place += head
        return int(unread)

    def close(self) -> None:
        """See `Wire.close`."""
        self._socket.close()
        if (self._home / self.tap.socket).exists():
            _write_taps(self._home, lambda taps: [tap for tap in taps if tap != self.tap])
            (self._home / self.tap.socket).unlink(missing_ok=True)


class Sender:
    """What the switch, whose folder is the current one, sends to one tap."""

    def __init__(self, tap: Tap) -> None:
        self.tap = tap
        self._marks = [mark.encode() for mark in tap.marks]
        self._counts = [0] * len(self._marks)
        self._rows = bytearray()
        self._unread = 0
        self._due = 0.0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def take(self, row: bytes, frame: bytes) -> None:
        """Take a frame: its row, b"" for one that is not in the sample, and all of it, to be searched."""
        for number, mark in enumerate(self._marks):
            if mark in frame:
                self._counts[number] += 1
        if row and len(self._rows) < 2 * _FULL - 1000:
            self._rows += row
        else:
            self._unread += 1

    def send(self, now: float) -> None:
        """Send what there is, when it is time. What a reader is too slow for is kept, and later not read."""
        if not (self._rows or self._unread) or (now < self._due and len(self._rows) < _FULL):
            return
        told = _BEGIN.pack(self._unread, len(self._counts)) + b"".join(map(_COUNT.pack, self._counts)) + self._rows
        try:
            self._socket.sendto(told, self.tap.socket)
        except BlockingIOError:
            return
        except OSError:
            pass  # The reader is gone: its row is too, soon.
        self._rows.clear()
        self._counts = [0] * len(self._marks)
        self._unread, self._due = 0, now + _SOON

    def close(self) -> None:
        """Send no more; the socket of a reader that was killed is removed."""
        self._socket.close()
        if not self.tap.owner.alive:
            Path(self.tap.socket).unlink(missing_ok=True)


class Taps:
    """The taps of the switch, whose folder is the current one. `open` says whether there are any."""

    def __init__(self, nodes: Sequence[str]) -> None:
        self._number = {node: number for number, node in enumerate(nodes)}
        self._senders: tuple[Sender, ...] = ()
        self.open = False
        self._second, self._came, self._stride = 0, 0, 1

    def read(self) -> None:
        """Apply the taps as they are now."""
        wanted = read_taps(Path())
        kept = {sender.tap: sender for sender in self._senders}
        self._senders = tuple(kept.pop(tap) if tap in kept else Sender(tap) for tap in wanted)
        for sender in kept.values():
            sender.close()
        self.open = bool(self._senders)

    def take(self, source: str, target: str, frame: bytes, *, lost: bool) -> None:
        """Take a frame from a node for another one, or for all others ("")."""
        now = time.monotonic()
        if int(now) != self._second:
            self._second, self._stride, self._came = int(now), 1 + self._came // MOST, 0
        self._came += 1
        row = b""
        if self._came % self._stride == 0 and self._came <= 2 * MOST * self._stride:
            head = frame[: VXLAN_HEAD if frame[_TARGET_PORT] == _VXLAN else HEAD]
            to = self._number[target] if target else _ALL
            row = _FRAME.pack(now, self._number[source], to, lost, len(frame), len(head)) + head
        for sender in self._senders:
            sender.take(row, frame)

    def send(self) -> float:
        """Send what is due; return in how many seconds more may be."""
        now = time.monotonic()
        for sender in self._senders:
            sender.send(now)
        return _SOON
