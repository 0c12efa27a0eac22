"""The certificates pane, as plain text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.panes.certificates import view
from lab.tui.spans import plain, width
from lab.world.entries import AcmeTold, CertificateSeen, Fact, RoutesSeen
from lab.world.world import World
from tests.tui.edge import ROUTES, WALL, certificate, deployed, served
from tests.tui.edge_strategies import worlds

APP = "node-app.localhost"
ONE = certificate(APP)


def drawn(now: World, at: float = 20.0, room: int = 70, height: int = 100) -> str:
    return plain(view.lines(now, room, height, at))


def block(text: str, host: str = APP) -> str:
    """What is said of one host."""
    return text.partition(f"▌{host}")[2].partition("▌")[0]


def at(seconds: float, facts: list[Fact]) -> list[tuple[float, Fact]]:
    return [(seconds, fact) for fact in facts]


def told(seconds: float, stage: str, text: str = "", *hosts: str) -> tuple[float, Fact]:
    return seconds, AcmeTold(hosts or (APP,), stage, text or stage)  # type: ignore[arg-type]


def test_a_certificate_that_all_nodes_serve_is_told_once() -> None:
    text = block(drawn(deployed((5.0, ROUTES), *at(6.0, served(APP, ONE)))))
    assert "✔ good on 4 nodes" in text and "node1 ✔  node2 ✔  node3 ✔  node4 ✔" in text
    assert text.count("issuer") == 1 and text.count("fingerprint") == 1
    for said in ("EC P-256", "3F1C 9A7B E2D4 55AA", "4a2f9c0011", f"{APP} ← Pebble Intermediate CA 2f1e"):
        assert said in text
    assert "✔ knows this certificate, among its 2" in text


def test_what_is_left_goes_on_with_the_journals_time() -> None:
    now = deployed(*at(6.0, served(APP, ONE)))
    assert "27 min left of 30 min" in drawn(now, 6.0)
    assert "17 min left of 30 min" in drawn(now, 606.0)
    assert "ran out 3 min ago" in drawn(now, 6.0 + 1620 + 200)
    days = certificate(APP, not_after=WALL + 89.5 * 86400)
    assert "89 days left of 89 days" in drawn(deployed(*at(6.0, served(APP, days))), 6.0)

    def passed(seconds: float) -> int:
        return drawn(now, 6.0 + seconds).count("▓")

    assert 0 < passed(0) < passed(600) < passed(1500)


def test_nodes_with_different_certificates_are_told_apart() -> None:
    old = certificate(APP, "00ddee1122334455", not_before=WALL - 7200, not_after=WALL - 3600)
    now = deployed(
        (5.0, ROUTES),
        *at(6.0, served(APP, ONE, nodes="12")),
        *at(6.0, served(APP, old, "expired", nodes="3")),
        *at(6.0, served(APP, None, "unreachable", nodes="4", why="refused")),
    )
    text = block(drawn(now, 6.0))
    assert "✘ good on 2 of 4 nodes" in text and "node3 ✘ expired  node4 ✘ unreachable" in text
    assert "served by node1, node2" in text and "served by node3" in text
    assert "00DD EE11" in text and "3F1C 9A7B" in text
    assert "node3: It ran out 60 min ago" in text and "node4: No TLS handshake: refused." in text
    assert "▲ does not list this certificate among its 2" in text


@pytest.mark.parametrize(
    ("verdict", "more", "word", "sentence"),
    [
        (
            "default",
            {"issuer": "TRAEFIK DEFAULT CERT"},
            "▲ default",
            "which Traefik signs itself: it has none for this",
        ),
        ("self-signed", {"issuer": "me"}, "▲ self-signed", "signed by itself (me): no CA issued it"),
        ("untrusted", {"issuer": "Odd CA"}, "✘ untrusted", "It cannot be trusted: its chain ends at Odd CA, which"),
        ("early", {"not_before": WALL + 600}, "✘ too early", "It begins in 10 min"),
        ("wrong-name", {"names": ("b.c", "d.e")}, "✘ wrong name", f"It is for b.c, d.e, not for {APP}."),
    ],
)
def test_verdicts_are_told_apart(verdict: str, more: dict[str, Any], word: str, sentence: str) -> None:
    text = block(drawn(deployed(*at(6.0, served(APP, certificate(APP, **more), verdict))), 6.0, room=118))
    assert f"node1 {word[0]}  node2" in text and f"{word} on 4 nodes" in text and sentence in text


def test_the_end_of_a_chain_is_told_once() -> None:
    why = "its chain ends at Odd CA, which is no known authority"
    facts = served(APP, certificate(APP, issuer="Odd CA"), "untrusted", why=why)
    text = block(drawn(deployed(*at(6.0, facts)), 6.0, room=118))
    assert f"It cannot be trusted: {why}." in text and text.count("chain ends") == 1


def test_what_is_no_certificate_says_why() -> None:
    text = block(drawn(deployed(*at(6.0, served(APP, None, "unreadable", why="not ASN.1")))))
    assert "✘ unreadable on 4 nodes" in text and "It cannot be read: not ASN.1." in text and "issuer" not in text


def test_an_order_is_a_track() -> None:
    first = deployed(told(1.0, "ordering"), told(3.0, "proving", "trying to solve the challenge"))
    text = drawn(first, 8.0)
    assert "● ordering 00:01 ─ ◑ proving 00:03 ─ ◌ issued" in text
    assert "◑ order under way, proving for 5 s" in text and "trying to solve the challenge" in text
    assert "● ordering 00:01 ─ ● proving 00:03 ─ ● issued 00:05" in drawn(deployed(*told_well()), 8.0)


def told_well(start: float = 0.0) -> list[tuple[float, Fact]]:
    return [told(start + 1, "ordering"), told(start + 3, "proving"), told(start + 5, "issued")]


def test_a_line_without_a_name_belongs_to_the_order_under_way() -> None:
    nameless = AcmeTold((), "proving", "Validations succeeded; requesting certificates.")
    assert "◑ proving 00:04" in drawn(deployed(told(1.0, "ordering"), (4.0, nameless)), 8.0)
    assert "● issued 00:05" in drawn(deployed(*told_well(), (6.0, nameless)), 8.0)
    assert "proving" not in drawn(deployed((4.0, nameless)), 8.0)


def test_a_failed_order_says_what_it_needs() -> None:
    now = deployed(told(1.0, "ordering"), told(3.0, "failed", "acme: error 400: connection refused"))
    lines = view.lines(now, 70, 100, 9.0)
    text = plain(lines)
    assert "● ordering 00:01 ─ ✘ failed 00:03" in text and "✘ order failed 6 s ago" in text
    assert "Traefik has no timer for another try: it asks" in text and "it restarts." in text
    assert ("acme: error 400: connection refused", "bad") in [span for line in lines for span in line]


def test_a_renewal_is_seen() -> None:
    new = certificate(APP, "77777777aaaaaaaa")
    first = deployed(*told_well(), *at(6.0, served(APP, ONE)))
    assert "✔ issued 12 s ago" in drawn(first, 17.0) and "renewed" not in drawn(first, 17.0)
    going = deployed(*told_well(), *at(6.0, served(APP, ONE)), told(100.0, "renewing"))
    assert "◑ renewal under way, renewing for 3 s" in drawn(going, 103.0)
    done = deployed(*told_well(), *at(6.0, served(APP, ONE)), *told_well(100.0), *at(107.0, served(APP, new)))
    assert "✔ renewed 12 s ago" in drawn(done, 117.0) and "7777 7777" in drawn(done, 117.0)
    assert "renewed" not in drawn(done, 117.0 + 3600)
    silent = deployed(*at(6.0, served(APP, ONE)), *at(107.0, served(APP, new)))
    assert "✔ renewed 10 s ago" in drawn(silent, 117.0)


def test_a_first_certificate_after_the_default_one_is_no_renewal() -> None:
    default = certificate(APP, "dddd", issuer="TRAEFIK DEFAULT CERT")
    now = deployed(*at(0.5, served(APP, default, "default")), *told_well(), *at(6.0, served(APP, ONE)))
    assert "✔ issued 5 s ago" in drawn(now, 10.0)


def test_traefiks_own_list_says_what_is_served() -> None:
    text = drawn(deployed((5.0, ROUTES), *at(6.0, served(APP, ONE))), room=118)
    assert "Traefik's own list" in text and f"✔ served {APP}" in text and "◌ unserved traefik.localhost" in text
    silent = drawn(deployed((5.0, RoutesSeen("refused", "status 401")), *at(6.0, served(APP, ONE))))
    assert "✘ cannot be asked: status 401" in silent


def test_names_that_were_not_asked_for_yet_are_there_too() -> None:
    text = drawn(deployed())
    assert "▌node-app.localhost" in text and "▌traefik.localhost" in text and "no node has been asked for it" in text


def test_without_room_what_is_good_says_less() -> None:
    now = deployed((5.0, ROUTES), *at(6.0, served(APP, ONE)), *at(6.0, served("traefik.localhost", ONE)))
    assert "serial" in drawn(now) and "serial" not in drawn(now, height=15)
    assert "left of" in drawn(now, height=15)


def test_an_empty_world_says_what_must_be_there() -> None:
    assert "No certificate has been seen." in drawn(World()) and "stacks/edge.yaml" in drawn(World())


@given(worlds, st.integers(1, 130), st.integers(0, 60), st.floats(0, 1e5))
def test_any_world_keeps_within_the_room(now: World, room: int, height: int, later: float) -> None:
    assert all(width(line) <= room for line in view.lines(now, room, height, now.at + later))


@pytest.mark.parametrize("room", [56, 70, 118])
def test_the_demo_needs_no_more_room(room: int) -> None:
    facts: list[Fact] = served(APP, ONE)
    lines = view.lines(deployed((5.0, ROUTES), *at(6.0, facts)), room, 40, 9.0)
    assert all(width(line) <= room for line in lines) and isinstance(facts[0], CertificateSeen)
