"""The audience's board over real sockets: what viewers get, and what nobody gets."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import expect, sync_playwright

from lab import paths
from lab.board import server as board_server
from lab.board.access import Access, is_loopback, write_certificate
from lab.board.feed import BoardFeed
from lab.board.page import parts_of
from lab.board.server import make_server
from lab.session.talk.talk_client import TalkClient
from lab.session.talk.talk_socket import TalkSocket
from lab.session.talk.talk_views import BoardView
from lab.wait import wait_until

BOUND = 30.0
#: As root, Chromium has no sandbox.
ARGS = "--no-sandbox" if os.geteuid() == 0 else ""
VIEW = BoardView(
    place=0,
    count=3,
    talk="A talk",
    lesson="A lesson",
    title="One <b>service</b>",
    text="A **service** <script>alert(1)</script> says [what](javascript:alert(1)) should run.",
    commands=("docker service create --name <x>",),
    picture='<svg class="pane"></svg>',
    live=True,
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Board:
    """A board that is served, and the talk behind it."""

    def __init__(self, access: Access, talk: TalkSocket, served: uvicorn.Server) -> None:
        self.access, self.talk, self.served = access, talk, served
        self.url = next(iter(access.origins & {f"{'https' if access.tls else 'http'}://127.0.0.1:{access.port}"}))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, verify=False, timeout=BOUND, trust_env=False)

    @contextlib.contextmanager
    def viewing(self, token: str = "") -> Iterator[Iterator[dict[str, str]]]:
        url = f"{self.url}/events?t={token}"
        client = httpx.Client(verify=False, timeout=BOUND, trust_env=False)
        with client, client.stream("GET", url) as answer:
            assert answer.status_code == 200
            yield (json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))


@contextlib.contextmanager
def a_board(asked: Callable[[str], None] = lambda _: None, tls: bool = False, **more: Any) -> Iterator[Board]:
    talk = TalkSocket("default", "board", ("next", "back", "black"), asked)
    talk.open()
    talk.publish(VIEW)
    access = Access("127.0.0.1", free_port(), tls=tls, **more)
    files = write_certificate(paths.make(paths.state() / "talk"), access.host)[:2] if tls else None
    feed = BoardFeed(lambda: TalkClient("default", BoardView))
    served = make_server(access, feed, ".pane {}", tuple(map(str, files)) if files else None)  # type: ignore[arg-type]
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    wait_until("the board is served", BOUND, lambda: "" if served.started else "not yet")
    yield Board(access, talk, served)
    served.should_exit = True
    thread.join(BOUND)
    talk.close()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.STATE, str(tmp_path))


@pytest.fixture
def asked() -> queue.Queue[str]:
    return queue.Queue()


@pytest.fixture
def board(asked: queue.Queue[str]) -> Iterator[Board]:
    with a_board(asked.put) as board:
        yield board


@pytest.fixture
def closed() -> Iterator[Board]:
    """A board that is not for everybody."""
    with a_board(token="seen", remote="pressed", tls=True) as board:
        yield board


def test_a_viewer_gets_the_talk_as_it_is_and_as_it_goes_on(board: Board) -> None:
    with board.viewing() as views:
        first = next(view for view in views if "title" in view)
        assert first["title"] == "One &lt;b&gt;service&lt;/b&gt;"
        assert "LIVE" in first["badge"]
        board.talk.publish(VIEW.model_copy(update={"place": 1, "live": False}))
        later = next(views)
        assert "REPLAY" in later["badge"]
        assert later["where"] == "2/3 A talk"
        board.talk.publish(VIEW.model_copy(update={"black": True}))
        assert next(views)["picture"] == ""
        board.talk.close()
        assert "no talk now" in next(views)["badge"]


def test_no_text_becomes_a_script() -> None:
    parts = json.loads(parts_of(VIEW))
    assert "<strong>service</strong>" in parts["text"]
    assert "<script" not in parts["text"]
    assert "href=" not in parts["text"]
    assert "&lt;x&gt;" in parts["commands"]


def test_the_page_lets_no_foreign_script_run(board: Board) -> None:
    answer = board.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
    assert f'<script nonce="{nonce}">' in answer.text
    assert nonce not in board.get("/").text


@pytest.mark.parametrize("path", ["/", "/events", "/remote"])
def test_another_hosts_name_or_page_is_refused(board: Board, path: str) -> None:
    assert board.get(path, host="evil.example").status_code == 403
    assert board.get(path, origin="https://evil.example").status_code == 403


@pytest.mark.parametrize("path", ["/", "/events"])
def test_without_the_token_nothing_is_shown(closed: Board, path: str) -> None:
    assert closed.get(path).status_code == 403
    assert closed.get(f"{path}?t=wrong").status_code == 403
    assert closed.get(f"{path}?t=%00").status_code == 403


def test_with_the_token_it_is_shown_over_tls(closed: Board) -> None:
    assert closed.access.address.startswith("https://")
    with closed.viewing("seen") as views:
        assert "LIVE" in next(view for view in views if "title" in view)["badge"]


def test_the_remote_presses_three_keys_and_only_from_its_own_page(board: Board, asked: queue.Queue[str]) -> None:
    def press(action: str, token: str, origin: str | None) -> int:
        headers = {} if origin is None else {"origin": origin}
        url = f"{board.url}/press/{action}?t={token}"
        return httpx.post(url, headers=headers, timeout=BOUND, trust_env=False).status_code

    token = board.access.remote
    with board.viewing() as views:
        next(views)
        assert press("next", "", board.url) == 403
        assert press("next", token, None) == 403
        assert press("next", token, "https://evil.example") == 403
        assert press("quit", token, board.url) == 404
        assert press("next", token, board.url) == 204
        assert asked.get(timeout=BOUND) == "next"
        assert asked.empty()
    assert board.get(f"/remote?t={token}").status_code == 200
    assert board.get("/remote?t=seen").status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/events/..", "/press/../remote", "/\x00"],
)
def test_path_tricks_lead_nowhere(board: Board, path: str) -> None:
    with socket.create_connection(("127.0.0.1", board.access.port), timeout=BOUND) as raw:
        host = next(iter(board.access.names))
        raw.sendall(f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode("latin-1"))
        answer = b""
        while part := raw.recv(65536):
            answer += part
    assert answer.split()[1] in (b"400", b"403", b"404", b"405")


def test_giant_headers_and_half_requests_are_given_up_and_others_served(board: Board) -> None:
    half = [socket.create_connection(("127.0.0.1", board.access.port), timeout=BOUND) for _ in range(20)]
    for each in half:
        each.sendall(b"GET / HTTP/1.1\r\nx: ")
    with contextlib.suppress(OSError):
        half[0].sendall(b"y" * (4 * board_server.HEADERS))
        assert half[0].recv(100).split()[1:2] in ([b"400"], [b"431"])
    assert board.get("/").status_code == 200
    for each in half:
        each.close()


def test_connections_on_which_nothing_comes_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_server, "HEAD", 0.2)
    with a_board() as board:
        idle = socket.create_connection(("127.0.0.1", board.access.port), timeout=BOUND)
        idle.sendall(b"GET /")
        assert idle.recv(1) == b""
        idle.close()
        assert board.get("/").status_code == 200


def test_a_second_request_that_does_not_end_is_closed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_server, "HEAD", 0.4)
    with a_board() as board, board.viewing() as views:
        next(views)
        slow = socket.create_connection(("127.0.0.1", board.access.port), timeout=BOUND)
        slow.sendall(b"GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\nGET / HT")
        while slow.recv(65536):
            pass
        slow.close()
        # So the time for a request is over for the viewer, too, who asked before.
        board.talk.publish(VIEW.model_copy(update={"title": "Later"}))
        assert any(view.get("title") == "Later" for view in views)


def test_two_hundred_viewers_get_the_same_and_one_who_does_not_read_holds_up_nobody(board: Board) -> None:
    host = next(iter(board.access.names))
    viewers = []
    for _ in range(200):
        raw = socket.create_connection(("127.0.0.1", board.access.port), timeout=BOUND)
        raw.sendall(f"GET /events HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        viewers.append(raw)
    readers = [each.makefile("rb") for each in viewers[1:]]  # the first one never reads
    for reader in readers:
        while b"A talk" not in (line := reader.readline()):
            assert line
    for place in range(1, 3):
        board.talk.publish(VIEW.model_copy(update={"place": place, "picture": "x" * 100_000}))
        for reader in readers:
            while f"{place + 1}/3".encode() not in (line := reader.readline()):
                assert line
    for reader in readers:
        reader.close()
    for each in viewers:
        each.close()


def test_more_viewers_than_a_room_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_server, "VIEWERS", 4)  # the next one counts, too
    with a_board() as board, contextlib.ExitStack() as stack:
        seen = [stack.enter_context(board.viewing()) for _ in range(3)]
        assert all(next(each) for each in seen)
        assert board.get("/").status_code == 503


@pytest.mark.costly
def test_a_real_browser_shows_it_on_a_phone_and_copies_a_command(board: Board) -> None:
    program = shutil.which("chromium")
    assert program, "there is no chromium: make browser"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGS.split())
        context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text))
        page.goto(board.url + "/", timeout=1000 * BOUND)
        expect(page.locator("#badge")).to_contain_text("LIVE", timeout=1000 * BOUND)
        expect(page.locator("h1")).to_have_text(VIEW.title)
        expect(page.locator("svg.pane")).to_have_count(1)
        expect(page.locator("li pre")).to_have_text(VIEW.commands[0])
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        board.talk.publish(VIEW.model_copy(update={"live": False}))
        expect(page.locator("#badge")).to_contain_text("REPLAY", timeout=1000 * BOUND)
        assert problems == []
        browser.close()


def test_what_listens_beyond_loopback_has_tls_and_a_token(tmp_path: Path) -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("192.0.2.7")
    assert not is_loopback("talk.example")
    certificate, key, fingerprint = write_certificate(tmp_path, "192.0.2.7")
    assert key.stat().st_mode & 0o077 == 0
    assert len(fingerprint.split(":")) == 32
    context = ssl.create_default_context(cafile=str(certificate))
    context.load_cert_chain(certificate, key)
    access = Access("192.0.2.7", 8765, token="x", tls=True)
    assert access.address == "https://192.0.2.7:8765/?t=x"
    assert Access("::1", 80).address.startswith("http://[::1]:80/") or "localhost" in Access("::1", 80).address
