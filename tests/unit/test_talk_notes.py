"""The speaker's notes over a local socket: what is sent, who may listen, and what they may ask for."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import paths
from lab.errors import InputError, LabError
from lab.session.talk.talk_client import TalkClient
from lab.session.talk.talk_socket import MOST, TalkSocket, socket_path
from lab.session.talk.talk_views import NotesView, describe_cluster, read_view, to_line
from lab.wait import wait_until
from lab.world.world import World

BOUND = 30.0
VIEW = NotesView(place=1, count=3, title="One service", notes="**Say:** hello", cluster="4 of 4 nodes ready")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.STATE, str(tmp_path))


@pytest.fixture
def asked() -> queue.Queue[str]:
    return queue.Queue()


@pytest.fixture
def hub(asked: queue.Queue[str]) -> Iterator[TalkSocket]:
    hub = TalkSocket("default", "notes", ("next", "back"), asked.put)
    hub.open()
    yield hub
    hub.close()


def test_the_socket_is_this_users_alone(hub: TalkSocket) -> None:
    assert stat.S_IMODE(hub.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(hub.path.parent.stat().st_mode) & 0o077 == 0


def test_listeners_get_the_notes_as_they_are_and_as_they_change(hub: TalkSocket) -> None:
    hub.publish(VIEW)
    clients = [TalkClient("default", NotesView) for _ in range(3)]
    seen = [client.views() for client in clients]
    assert [next(each) for each in seen] == [VIEW] * 3
    later = VIEW.model_copy(update={"place": 2})
    hub.publish(later)
    assert [next(each) for each in seen] == [later] * 3
    for client in clients:
        client.close()


def test_a_listener_presses_only_the_keys_it_may(hub: TalkSocket, asked: queue.Queue[str]) -> None:
    client = TalkClient("default", NotesView)
    client.ask("quit")
    client.ask("next")
    assert asked.get(timeout=BOUND) == "next"
    assert asked.empty()
    client.close()


@pytest.mark.parametrize("line", [b"\xff\xfe\n", b"{}\n", b'{"action": 3}\n', b"[" * 50_000 + b"\n", b"x" * 200_000])
def test_nonsense_is_ignored_and_others_are_still_served(hub: TalkSocket, asked: queue.Queue[str], line: bytes) -> None:
    bad = socket.socket(socket.AF_UNIX)
    bad.connect(str(hub.path))
    with contextlib.suppress(OSError):
        bad.sendall(line)
    client = TalkClient("default", NotesView)
    client.ask("back")
    assert asked.get(timeout=BOUND) == "back"
    bad.close()
    client.close()


def test_one_that_does_not_read_holds_up_nobody(hub: TalkSocket) -> None:
    slow, client = TalkClient("default", NotesView), TalkClient("default", NotesView)
    views = client.views()
    for place in range(400):
        view = VIEW.model_copy(update={"place": place, "notes": "x" * 4000})
        hub.publish(view)
        assert next(views).place == place
    slow.close()
    client.close()


def test_more_than_a_few_are_refused(hub: TalkSocket) -> None:
    hub.publish(VIEW)
    clients = [TalkClient("default", NotesView) for _ in range(MOST)]
    assert [next(client.views()) for client in clients] == [VIEW] * MOST
    assert list(TalkClient("default", NotesView).views()) == []
    for client in clients:
        client.close()


def test_a_second_talk_on_a_lab_is_refused_and_a_dead_ones_socket_is_taken_over(hub: TalkSocket) -> None:
    with pytest.raises(InputError, match="already"):
        TalkSocket("default", "notes", (), lambda _: None).open()
    dead = socket_path("other", "notes")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(dead))
    listener.close()
    assert dead.exists()
    other = TalkSocket("other", "notes", (), lambda _: None)
    other.open()
    other.publish(VIEW)
    assert next(TalkClient("other", NotesView).views()) == VIEW
    other.close()
    assert not dead.exists()


def test_without_a_talk_the_notes_say_so() -> None:
    with pytest.raises(LabError, match="no talk is being given"):
        TalkClient("default", NotesView)


def test_when_the_talk_ends_the_notes_end(hub: TalkSocket) -> None:
    client = TalkClient("default", NotesView)
    hub.publish(VIEW)
    views = client.views()
    assert next(views) == VIEW
    hub.close()
    assert list(views) == []
    wait_until("the socket is removed", BOUND, lambda: "it is there" if os.path.lexists(hub.path) else "")


def test_what_cannot_be_read_is_a_sentence() -> None:
    assert read_view(NotesView, to_line(VIEW)) == VIEW
    with pytest.raises(LabError, match="cannot read"):
        read_view(NotesView, b"{}\n")


def test_the_cluster_in_a_sentence() -> None:
    assert describe_cluster(None) == describe_cluster(World()) == "Nothing has been seen of the cluster yet."
