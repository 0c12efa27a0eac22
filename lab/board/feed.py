"""What the board shows now: the last view of the talk, for as many viewers as there are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

from lab.board.page import parts_of
from lab.errors import LabError
from lab.session.talk.talk_client import TalkClient
from lab.session.talk.talk_views import BoardView

AGAIN = 1.0
"""Seconds between two attempts to find the talk."""

Connect = Callable[[], TalkClient[BoardView]]


class BoardFeed:
    """Follows a talk, and the next one. A viewer who is behind gets the newest view and misses those between, so that
    nobody has a queue."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._client: TalkClient[BoardView] | None = None
        self._parts, self._number = parts_of(None), 0
        self._news: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = threading.Event()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to follow, on behalf of viewers in this loop."""
        self._loop, self._news = loop, asyncio.Event()
        threading.Thread(target=self._follow, name="board", daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._ended.set()
        if self._client is not None:
            self._client.close()

    def press(self, action: str) -> bool:
        """Press one of the talk's keys; return whether there is a talk to get it."""
        try:
            if self._client is not None:
                self._client.ask(action)
                return True
        except LabError:
            pass  # It has just ended.
        return False

    async def views(self, beat: float) -> AsyncIterator[str]:
        """Yield what is on the page now, and again as it changes; "" when nothing has changed for `beat` seconds."""
        seen = -1
        while True:
            if seen != self._number:
                seen = self._number
                yield self._parts
                continue
            news = self._news
            if news is None:
                return
            try:
                await asyncio.wait_for(news.wait(), beat)
            except TimeoutError:
                yield ""

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                self._client = self._connect()
                for view in self._client.views():
                    self._show(parts_of(view))
            except LabError:
                pass  # No talk yet, or one of another version.
            self._client = None
            self._show(parts_of(None))
            self._ended.wait(AGAIN)

    def _show(self, parts: str) -> None:
        if self._loop is not None and parts != self._parts:
            try:
                self._loop.call_soon_threadsafe(self._tell, parts)
            except RuntimeError:
                pass  # The loop is gone.

    def _tell(self, parts: str) -> None:
        self._parts, self._number = parts, self._number + 1
        if self._news is not None:
            self._news.set()
            self._news = asyncio.Event()
