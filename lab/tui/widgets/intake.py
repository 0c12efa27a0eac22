"""What shells print, on its way to their screens: taken in bit by bit, so that a flood of it never delays the keys."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from lab.terminal.sanitize import ScreenFilter
from lab.tui.draw_guard import sentence

if TYPE_CHECKING:
    from lab.tui.widgets.emulator import Emulator

_BUDGET = 0.03
"""Seconds of processor time for the output that one frame takes in."""
_HURRIED = 0.008
"""The same while keys are pressed."""
_PIECE = 4096
"""Characters taken in between two checks of that time."""
_JOINED = 16_384
"""Characters from which on waiting output is not joined with what comes after it."""
_FEW = 8
"""Sequences in a piece that may each need as much work as a screenful of text (repeat this letter, scroll so far, erase
all): the reason why the budget is of time, not of characters."""
_HEAVY = re.compile(r"\[(?!\?(?:1|7|12|25|2004)[hl])\??[0-9;]*(?:[0-9]{3}[@LMPSTXb]|[Jhl])")
_BACKLOG = 1.0
"""Seconds of processor time for all waiting output; beyond that, only the newest is kept, worth a quarter of it."""
_RATE = 500_000.0
"""Characters taken in per second of processor time, as a first estimate."""
_LEAST = 4_096
"""The lowest limit of characters that may wait."""
_MOST = 262_144
"""The highest."""


class Intake:
    """The shells' screens, and the output that waits for them. `size` says how large a new screen is."""

    def __init__(self, size: Callable[[], tuple[int, int]]) -> None:
        self.screens: dict[str, Emulator] = {}
        self._size = size
        self._clean: dict[str, ScreenFilter] = {}
        self._waiting: deque[tuple[str, str]] = deque()
        self._backlog, self._rate, self._hurried = 0, _RATE, 0.0

    def feed(self, node: str, text: str) -> None:
        """Queue output of the shell on `node`."""
        self._backlog += len(text)
        if self._waiting and self._waiting[-1][0] == node and len(self._waiting[-1][1]) < _JOINED:
            text = self._waiting.pop()[1] + text
        self._waiting.append((node, text))

    def hurry(self) -> None:
        """Take in less at a time for a second, so that the effect of a key press is seen at once."""
        self._hurried = time.monotonic() + 1.0

    def clear(self) -> None:
        """Forget every screen, and what waits."""
        self.screens.clear()
        self._clean.clear()
        self._waiting.clear()
        self._backlog = 0

    @property
    def waits(self) -> bool:
        """Whether there is more to take in."""
        return bool(self._waiting)

    def take_in(self) -> str:
        """Take in waiting output, within the budget; return the node whose output came last, "" when there was none."""
        if self._backlog > (most := int(min(_MOST, max(_LEAST, _BACKLOG * self._rate)))):
            self._skip(most // 4)
        last = ""
        began, before = time.thread_time(), self._backlog
        until = began + (_HURRIED if time.monotonic() < self._hurried else _BUDGET)
        while self._waiting and time.thread_time() < until:
            last, text = self._waiting.popleft()
            taken = self._take_until(until, last, text)
            self._backlog -= taken
            if taken < len(text):
                self._waiting.appendleft((last, text[taken:]))
        spent = time.thread_time() - began
        if spent > _HURRIED / 2:
            self._rate += 0.3 * ((before - self._backlog) / spent - self._rate)
        return last

    def _take_until(self, until: float, node: str, text: str) -> int:
        """Take in pieces until the thread's clock reaches `until`; return how many characters were taken."""
        from lab.tui.widgets.flood import passing_end  # not needed for the first paint

        at = 0
        while at < len(text):
            heavy = next(islice(_HEAVY.finditer(text, at, at + _PIECE), _FEW, None), None)
            end = at + _PIECE if heavy is None else heavy.start() - 1
            end = max(end, passing_end(text, at))
            self._take(node, text[at:end])
            at = min(end, len(text))
            if time.thread_time() >= until:
                break
        return at

    def _take(self, node: str, text: str) -> None:
        from lab.tui.widgets.emulator import Emulator  # not needed for the first paint

        screen = self.screens.get(node)
        if screen is None:
            screen = self.screens[node] = Emulator(*self._size())
            self._clean[node] = ScreenFilter(mouse=True)
        try:
            screen.feed(self._clean[node].feed(text))
        except Exception as error:  # noqa: BLE001  boundary: no output may end the app
            screen = self.screens[node] = Emulator(*screen.size)
            screen.feed(f"[{sentence(error, 'what was printed could not be drawn')}]\r\n")

    def _skip(self, keep: int) -> None:
        """Drop a backlog too long to ever be read, except for its end, and say so."""
        node = self._waiting[-1][0]
        end = "".join(text for n, text in self._waiting if n == node)[-keep:]
        note = f"\x18\x1b[0m\r\n[{(self._backlog - len(end)) // 1000} kB more are not shown]\r\n"
        self._waiting.clear()
        self._waiting.append((node, note + end.partition("\n")[2]))
        self._backlog = len(self._waiting[0][1])
