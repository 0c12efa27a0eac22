"""The nodes' own network: an Ethernet switch over Unix sockets, in the private folder of a lab's machines.

    python -m lab.cluster.vm.lan_switch IDENTITY NODE...      in that folder

Each machine sends its frames to the socket `NODE/switch` and receives frames on `NODE/lan`. Other users cannot enter
the folder (mode 0700), so they can neither read nor send frames; a multicast group on loopback would be open to every
user of this machine. Datagrams carry one frame each and need no connection, so machines and the switch may stop and
start again in any order. `IDENTITY` is random and stays on the command line, so that the process can be found again.
"""

from __future__ import annotations

import heapq
import os
import selectors
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.cluster.vm import console, link_faults, machine_faults
from lab.cluster.vm.link_faults import Effects
from lab.cluster.vm.taps import Taps

INBOX = "switch"
"""The socket in a machine's folder that the machine sends to."""
OUTBOX = "lan"
"""The socket there that the machine receives from."""

PID_FILE = "switch.pid"
"""The pid file, written when every socket is open."""

_FRAME = 65_536
#: Frames queued for a machine that is slow to receive them; as on a wire, frames beyond that are lost.
_QUEUE = 1000
#: Frames that are late at once; those beyond are lost.
_LATE = 20_000
#: Frames taken from one machine before the others get their turn.
_TURN = 64
#: Seconds between checks of whether the folder still exists, of the console logs and of the owners of faults.
_CHECK = 5.0


class Port:
    """One machine's two sockets, relative to the current folder (a socket's address has at most 107 bytes)."""

    def __init__(self, node: str, poll: Callable[[Port], None]) -> None:
        self.node = node
        self.waiting: deque[bytes] = deque(maxlen=_QUEUE)
        self._poll = poll
        self._inbox = f"{node}/{INBOX}"
        Path(self._inbox).unlink(missing_ok=True)
        self.inbox = _datagrams()
        self.inbox.bind(self._inbox)
        self.outbox: socket.socket | None = None

    def send(self, frame: bytes) -> None:
        """Send the machine a frame: now, or when it accepts more. For a machine that is off, the frame is lost."""
        if self.waiting or not self._try_send(frame):
            self.waiting.append(frame)
            self._poll(self)

    def flush(self) -> None:
        """Send the queued frames, as far as the machine accepts them."""
        while self.waiting:
            frame = self.waiting.popleft()
            if not self._try_send(frame):
                self.waiting.appendleft(frame)
                break
        self._poll(self)

    def _try_send(self, frame: bytes) -> bool:
        """Send a frame; return False when the machine accepts no more at the moment."""
        for _ in range(2):  # A machine that was powered on again has a new socket.
            try:
                if self.outbox is None:
                    outbox = _datagrams()
                    try:
                        outbox.connect(f"{self.node}/{OUTBOX}")
                    except OSError:
                        outbox.close()
                        return True
                    self.outbox = outbox
                self.outbox.send(frame)
                return True
            except BlockingIOError:
                return False
            except OSError:
                self._hang_up()
        return True

    def _hang_up(self) -> None:
        if self.outbox is not None:
            # A closed socket leaves the poll automatically; the queued frames were for a machine that is gone.
            outbox, self.outbox = self.outbox, None
            self.waiting.clear()
            self._poll(self)
            outbox.close()


class Switch:
    """The switch: sends a frame to the machine with its target address, or to all others while that machine is
    unknown, as the network's faults let it (`link_faults`), and sends their heads to those who read (`taps`)."""

    def __init__(self, nodes: Sequence[str]) -> None:
        self._selector = selectors.DefaultSelector()
        self._effects = Effects()
        self._taps = Taps(nodes)
        self._late: list[tuple[float, int, Port, bytes]] = []
        self._count = 0
        Path(link_faults.DOOR).unlink(missing_ok=True)
        self._door = _datagrams()
        self._door.bind(link_faults.DOOR)
        self._selector.register(self._door, selectors.EVENT_READ, None)
        self._polled: dict[str, socket.socket] = {}
        self._where: dict[bytes, Port] = {}
        self.ports = [Port(node, self._poll) for node in nodes]
        for port in self.ports:
            self._selector.register(port.inbox, selectors.EVENT_READ, port)

    def turn(self, bound: float) -> None:
        """Forward the frames that have arrived, and those that are due; wait up to `bound` seconds for them."""
        due = self._late[0][0] - time.monotonic() if self._late else bound
        if self._taps.open:
            due = min(due, self._taps.send())
        for key, events in self._selector.select(min(bound, max(0.0, due))):
            port: Port | None = key.data
            if port is None:
                self._door.recv(_FRAME)
                self.read_files()
                continue
            if events & selectors.EVENT_READ:
                self._take(port)
            if events & selectors.EVENT_WRITE:
                port.flush()
        while self._late and self._late[0][0] <= time.monotonic():
            _, _, target, frame = heapq.heappop(self._late)
            target.send(frame)

    def read_files(self) -> None:
        """Apply the network's faults and taps as they are now; those whose owner has ended are over."""
        self._taps.read()
        faults = tuple(held.fault for held in link_faults.read_links(Path()))
        if faults != self._effects.faults:
            self._effects = Effects(faults)

    def _take(self, port: Port) -> None:
        for _ in range(_TURN):
            try:
                frame = port.inbox.recv(_FRAME)
            except BlockingIOError:
                return
            if len(frame) < 14:
                continue
            target, source = frame[:6], frame[6:12]
            if not source[0] & 1:
                self._where[source] = port
            known = None if target[0] & 1 else self._where.get(target)
            came = [
                self._forward(port, other, frame)
                for other in (self.ports if known is None else (known,))
                if other is not port
            ]
            if self._taps.open:
                self._taps.take(port.node, known.node if known else "", frame, lost=not any(came))

    def _forward(self, source: Port, target: Port, frame: bytes) -> bool:
        """Forward a frame as the faults let it; return whether it is not lost."""
        late = self._effects.delay(source.node, target.node, frame) if self._effects.faults else 0.0
        if late and len(self._late) < _LATE:
            self._count += 1  # Frames that are due at the same moment keep their order.
            heapq.heappush(self._late, (time.monotonic() + late, self._count, target, frame))
        elif late == 0:
            target.send(frame)
        return late is not None

    def _poll(self, port: Port) -> None:
        """Poll for when a port's machine accepts more; stop polling when no frame is queued for it."""
        wanted = port.outbox if port.waiting else None
        if (polled := self._polled.get(port.node)) is not wanted:
            if polled is not None:
                self._selector.unregister(polled)
                del self._polled[port.node]
            if wanted is not None:
                self._selector.register(wanted, selectors.EVENT_WRITE, port)
                self._polled[port.node] = wanted


def _datagrams() -> socket.socket:
    one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.setblocking(False)
    return one


def main(identity: str, *nodes: str) -> None:
    """Switch frames between `nodes` until the process is ended or the folder is deleted. As the one process that lives
    as long as the machines, it also limits the size of their console logs, and undoes the faults inside them whose
    owners have ended."""
    os.umask(0o077)
    here, lock = Path(), Path.cwd().parent / "cluster.lock"
    switch = Switch(nodes)
    beside = Path(f".{PID_FILE}.{identity}")
    beside.write_text(str(os.getpid()))
    beside.replace(PID_FILE)
    due, mending = 0.0, threading.Thread()
    while os.stat(".").st_nlink:  # noqa: PTH116  a deleted folder has no path any more
        switch.turn(_CHECK)
        if (now := time.monotonic()) >= due:
            due = now + _CHECK
            switch.read_files()
            for node in nodes:
                console.trim(Path(node))
            if not mending.is_alive():  # a machine may take long to answer, and frames do not wait for it
                mending = threading.Thread(target=machine_faults.mend_orphans, args=(here, lock), daemon=True)
                mending.start()


if __name__ == "__main__":
    main(*sys.argv[1:])
