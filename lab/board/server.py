"""The board's web server: two pages, a stream of what is on them, and three keys for whoever has the remote's token."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from lab.board.access import Access
from lab.board.feed import BoardFeed
from lab.board.page import board_page, remote_page

VIEWERS = 250
"""Connections at a time, for a room of two hundred."""
BEAT = 15.0
"""Seconds after which a connection on which nothing happens is tried, so that a browser that went away is noticed."""
SLOW = 20.0
"""Seconds that a viewer may take to read one view; then the connection is given up."""
HEAD = 10.0
"""Seconds within which a connection's first request must be there, and each later one that has begun."""
HEADERS = 16 * 1024
"""Bytes of a request's line and headers."""
ACTIONS = ("next", "back", "black")

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


def board_app(access: Access, feed: BoardFeed, style: str) -> Starlette:
    """Return the application; `style` is the CSS of the pictures."""

    async def page(request: Request) -> Response:
        if not access.may_see(request.query_params.get("t", "")):
            return _refuse()
        return _html(lambda nonce: board_page(style, nonce))

    async def remote(request: Request) -> Response:
        if not access.may_press(request.query_params.get("t", "")):
            return _refuse()
        return _html(lambda nonce: remote_page(style, nonce))

    async def press(request: Request) -> Response:
        action = request.path_params["action"]
        if not access.may_press(request.query_params.get("t", "")) or request.headers.get("origin") is None:
            return _refuse()
        if action not in ACTIONS:
            return PlainTextResponse("there is no such key", 404)
        return PlainTextResponse("", 204) if feed.press(action) else PlainTextResponse("no talk now", 409)

    @asynccontextmanager
    async def life(_: Starlette) -> Any:
        feed.start(asyncio.get_running_loop())
        yield
        feed.close()

    routes = [
        Route("/", page),
        Route("/remote", remote),
        Route("/events", _Events(access, feed)),
        Route("/press/{action}", press, methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=life)
    app.add_middleware(_OnlyHere, access=access)
    return app


def make_server(access: Access, feed: BoardFeed, style: str, tls: tuple[str, str] | None) -> uvicorn.Server:
    """Return the server; `tls` are the paths of its certificate and key."""
    more: dict[str, Any] = {"ssl_certfile": tls[0], "ssl_keyfile": tls[1]} if tls is not None else {}
    config = uvicorn.Config(
        board_app(access, feed, style),
        host=access.host,
        port=access.port,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=VIEWERS,
        backlog=VIEWERS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=HEADERS,
        **more,
    )
    return uvicorn.Server(config)


class _Protocol(H11Protocol):
    """HTTP/1.1 that closes a connection on which no request is finished in time, so that idle ones take nobody's
    place."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expected_after: Any = None
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_between and self.cycle is not self._expected_after:
            self._expect()

    @property
    def _is_between(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _expect(self) -> None:
        self._expected_after = self.cycle
        self.loop.call_later(HEAD, self._give_up, self.cycle)

    def _give_up(self, after: Any) -> None:
        if self._is_between and self.cycle is after:
            self.transport.close()


class _OnlyHere:
    """Refuses what was asked of another host, or by another page."""

    def __init__(self, app: Any, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            if not self._access.is_asked_here(headers):
                await _refuse()(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Events:
    """The stream of what is on the page, as server-sent events."""

    def __init__(self, access: Access, feed: BoardFeed) -> None:
        self._access, self._feed = access, feed

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method != "GET" or not self._access.may_see(request.query_params.get("t", "")):
            await _refuse()(scope, receive, send)
            return
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_wait_for_the_end(receive))
        try:
            async for parts in self._feed.views(BEAT):
                line = f"data: {parts}\n\n" if parts else ": still here\n\n"
                body = {"type": "http.response.body", "body": line.encode(), "more_body": True}
                await asyncio.wait_for(send(body), SLOW)
                if gone.done():
                    return
        except (TimeoutError, OSError):
            return  # It does not read, or is gone.
        finally:
            gone.cancel()


async def _wait_for_the_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _refuse() -> Response:
    return PlainTextResponse("not for you", 403)


def _html(make: Callable[[str], str]) -> Response:
    nonce = secrets.token_urlsafe(12)
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'"
    return HTMLResponse(
        make(nonce),
        headers={
            "content-security-policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        },
    )
