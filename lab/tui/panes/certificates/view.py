"""The certificates as each node serves them: verdicts, validity, chain, what Traefik knows, the progress of orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lab.text import count_of
from lab.tui.cluster.grid import natural_key
from lab.tui.panes.certificates.orders import order_news, order_progress
from lab.tui.panes.common import LABEL, Fact, facts, finish, format_duration, heading, pack
from lab.tui.spans import Line, Span, Tone, fit, width, wrap
from lab.world.traefik_services import routed_hosts

if TYPE_CHECKING:
    from lab.world.entries import CertificateSeen
    from lab.world.traefik import Certificate
    from lab.world.world import World

HELP = (
    "Per host name what each node serves in a real TLS handshake, whether it may be trusted, and how long it is valid: "
    "the bar is its whole life, the full part has passed. Below it whether Traefik knows the certificate, and how its "
    "order at the ACME server goes. A name whose nodes serve different certificates shows each of them."
)
EMPTY = (
    "No certificate has been seen. There must be a Traefik that listens for TLS, and a service whose labels have a "
    "router with a Host rule: docker stack deploy --resolve-image never -c stacks/edge.yaml "
    "-c stacks/edge.pebble.yaml edge"
)

_MARKS: dict[str, tuple[str, str, Tone]] = {
    "good": ("✔", "good", "run"),
    "default": ("▲", "default", "move"),
    "self-signed": ("▲", "self-signed", "move"),
    "untrusted": ("✘", "untrusted", "bad"),
    "expired": ("✘", "expired", "bad"),
    "early": ("✘", "too early", "bad"),
    "wrong-name": ("✘", "wrong name", "bad"),
    "unreachable": ("✘", "unreachable", "bad"),
    "unreadable": ("✘", "unreadable", "bad"),
}
_BRIEF: tuple[frozenset[str], ...] = (frozenset(), frozenset({"good"}), frozenset({"good", "default", "self-signed"}))
"""The verdicts shown in brief, more of them the less room there is."""
_LEAD = 2 + LABEL
Seen = tuple[float, "CertificateSeen"]


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
    """Return all host names: those in labels, handshakes and orders. Where they do not fit in `height` rows, less is
    said of good certificates, and then of those that Traefik made itself."""
    ordered = {name.lower() for _, told in world.edge.acme for name in told.hosts}
    names = sorted({host for host, _ in world.edge.certificates} | set(routed_hosts(world)) | ordered)
    inner = max(room, 30)
    if not names:
        return finish(wrap([(EMPTY, "quiet")], inner), room)
    for brief in _BRIEF:
        drawn = list(_all(world, names, inner, now, brief))
        if len(drawn) <= height:
            break
    return finish(drawn, room)


def _all(world: World, names: list[str], room: int, now: float, brief: frozenset[str]) -> Iterator[Line]:
    for place, host in enumerate(names):
        if place:
            yield ()
        yield from _host(world, host, room, now, brief)
    yield from _list_known(world, room, now)


def _host(world: World, host: str, room: int, now: float, brief: frozenset[str]) -> Iterator[Line]:
    seen = sorted(
        (pair for (name, _), pair in world.edge.certificates.items() if name == host),
        key=lambda pair: natural_key(pair[1].node),
    )
    told, said = order_news(world, host, now), _summary(seen)
    both: Line = (told, ("  ", ""), said) if told else (said,)
    if told and width(both) + width(((host, ""),)) + 3 > room:
        yield fit(((f"▌{host}", "name"),), (said,), room)
        both = (told,)
    else:
        yield fit(((f"▌{host}", "name"),), both, room)
        both = ()
    if both:
        yield fit((), both, room)
    verdicts = {fact.verdict for _, fact in seen}
    if seen and (not brief or len(verdicts) > 1):
        yield from pack((_verdict(fact, len(verdicts) > 1) for _, fact in seen), room, (("  ", ""),))
    if not seen:
        yield (("  ◌ no node has been asked for it yet", "quiet"),)
    yield from _reasons(seen, room, now)
    alike: dict[str, list[Seen]] = {}
    for pair in seen:
        if pair[1].certificate is not None:
            alike.setdefault(pair[1].certificate.fingerprint, []).append(pair)
    for group in sorted(alike.values(), key=len, reverse=True):
        if len(alike) > 1:
            yield from wrap([("served by " + _nodes(fact for _, fact in group), "strong")], room, (("  ", ""),))
        yield from _certificate(world, group, room, now, all(fact.verdict in brief for _, fact in group))
    yield from order_progress(world, host, room, _LEAD, bool(brief))


def _nodes(facts: Iterator[CertificateSeen]) -> str:
    return ", ".join(fact.node for fact in facts)


def _summary(seen: list[Seen]) -> Span:
    verdicts = {fact.verdict for _, fact in seen}
    if not seen:
        return "◌ not asked yet", "quiet"
    if verdicts == {"good"}:
        prints = {fact.certificate.fingerprint for _, fact in seen if fact.certificate}
        differ = "" if len(prints) < 2 else f", but {len(prints)} different certificates"
        return f"✔ good on {count_of(len(seen), 'node')}{differ}", "move" if differ else "run"
    if len(verdicts) == 1:
        glyph, word, tone = _MARKS[verdicts.pop()]
        return f"{glyph} {word} on {count_of(len(seen), 'node')}", tone
    good = sum(fact.verdict == "good" for _, fact in seen)
    return f"✘ good on {good} of {count_of(len(seen), 'node')}", "bad"


def _verdict(fact: CertificateSeen, whole: bool) -> Line:
    """Return a node's verdict, or only its mark where the word for it appears above."""
    glyph, word, tone = _MARKS[fact.verdict]
    return (f"{fact.node} ", ""), (f"{glyph} {word}" if whole else glyph, tone)


def _reasons(seen: list[Seen], room: int, now: float) -> Iterator[Line]:
    """Yield each verdict that is not good, once, as a sentence with the nodes it is about."""
    found: dict[str, list[CertificateSeen]] = {}
    for at, fact in seen:
        if fact.verdict != "good":
            found.setdefault(_reason(fact, fact.now + now - at), []).append(fact)
    for text, facts_ in found.items():
        glyph, _, tone = _MARKS[facts_[0].verdict]
        where = f"{_nodes(iter(facts_))}: " if len(found) > 1 or len(facts_) < len(seen) else ""
        yield from wrap([(where, "strong"), (text, "why" if tone == "bad" else "")], room, ((f"  {glyph} ", tone),))


def _reason(fact: CertificateSeen, wall: float) -> str:
    """Return a verdict as a sentence, with its `why` where the certificate does not explain it."""
    one = fact.certificate
    if one is None or fact.verdict in ("unreachable", "unreadable"):
        what = {"unreachable": "No TLS handshake", "unreadable": "It cannot be read"}
        return f"{what.get(fact.verdict, _MARKS[fact.verdict][1])}: {fact.why or 'no reason is known'}."
    match fact.verdict:
        case "default":
            return "This is the default certificate, which Traefik signs itself: it has none for this name."
        case "self-signed":
            return f"It is signed by itself ({one.issuer or one.subject}): no CA issued it."
        case "untrusted":
            why = fact.why or f"its chain ends at {one.issuer or 'nobody'}, which is no authority that is known here"
            return f"It cannot be trusted: {why}."
        case "expired":
            return f"It ran out {format_duration(wall - one.not_after)} ago, on {_date(one.not_after)}."
        case "early":
            return f"It begins in {format_duration(one.not_before - wall)}, on {_date(one.not_before)}."
        case _:
            return f"It is for {', '.join(one.names) or one.subject or 'no name at all'}, not for {fact.host}."


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "an impossible date"


def _certificate(world: World, group: list[Seen], room: int, now: float, short: bool) -> Iterator[Line]:
    at, fact = max(group, key=lambda pair: pair[0])
    one = fact.certificate
    if one is None:
        return
    wall = fact.now + now - at
    told: list[Fact] = [("issuer", [(one.issuer or "?", "strong")])]
    if not short:
        told += [("key", [(one.key or "?", "")]), ("names", [(", ".join(one.names) or "none", "")])]
        if one.subject not in one.names:
            told.append(("subject", [(one.subject or "empty", "")]))
    yield from facts(told, room)
    yield from _validity(one, wall, room, short)
    if not short:
        chain = " ← ".join(one.chain) or "nothing was served with it"
        yield from facts([("chain", [(chain, "")])], room)
        told = [
            ("fingerprint", [(group_digits(one.fingerprint), "code")]),
            ("serial", [(one.serial[:24] or "?", "code")]),
        ]
        yield from facts(told, room)
    yield from facts([("Traefik", [_traefik(world, fact)])], room)


def group_digits(fingerprint: str) -> str:
    """Return a fingerprint's first 16 digits, in groups of four."""
    digits = fingerprint.replace(":", "").upper()
    return " ".join(digits[i : i + 4] for i in range(0, 16, 4)).strip() + (" …" if len(digits) > 16 else "")


def _validity(one: Certificate, wall: float, room: int, short: bool) -> Iterator[Line]:
    whole, left = one.not_after - one.not_before, one.not_after - wall
    passed = min(1.0, max(0.0, (wall - one.not_before) / whole)) if whole > 0 else 1.0
    if left < 0:
        text, tone = f"ran out {format_duration(left)} ago", "bad"
    elif wall < one.not_before:
        text, tone = f"begins in {format_duration(one.not_before - wall)}", "bad"
    else:
        soon = passed >= 0.9
        text = f"{'▲ only ' * soon}{format_duration(left)} left of {format_duration(whole)}"
        tone = "move" if soon else "run"
    cells = max(8, min(40, room - _LEAD - width(((text, ""),)) - 2))
    full = min(cells, int(passed * cells))
    shown: Tone = "bad" if tone == "bad" else "move" if tone == "move" else "run"
    bar: list[Span] = [("▓" * full, "quiet"), ("░" * (cells - full), shown), (f" {text}", shown)]
    yield from facts([("valid", bar)] if short else [("valid", bar), ("", [(_span(one), "quiet")])], room)


def _span(one: Certificate) -> str:
    begin, end = _date(one.not_before), _date(one.not_after)
    if begin[:10] == end[:10] and begin[:1].isdigit():
        return f"{begin[:16]} to {end[11:]}"
    return f"{begin.removesuffix(' UTC')} to {end}"


def _prints(world: World) -> set[str]:
    given = world.edge.routes.certificates if world.edge.routes else ()
    return {_digits(one.fingerprint) for one in given}


def _digits(fingerprint: str) -> str:
    return fingerprint.replace(":", "").replace(" ", "").lower()


def _traefik(world: World, fact: CertificateSeen) -> Span:
    routes = world.edge.routes
    if routes is None:
        return "◌ has not been asked what it knows", "quiet"
    if routes.state != "live":
        return f"✘ cannot be asked: {routes.why or routes.state}", "why"
    if fact.certificate and _digits(fact.certificate.fingerprint) in _prints(world):
        return f"✔ knows this certificate, among its {len(routes.certificates)}", "run"
    if fact.verdict == "default":
        known = (
            f"it is not among the {len(routes.certificates)} that it lists" if routes.certificates else "it lists none"
        )
        return f"▲ made it up: {known}", "move"
    if not routes.certificates:
        return "◌ listed no certificate when it was last asked", "quiet"
    return f"▲ does not list this certificate among its {len(routes.certificates)}", "move"


def _list_known(world: World, room: int, now: float) -> Iterator[Line]:
    """Yield Traefik's own list, from its API."""
    routes = world.edge.routes
    if routes is None or routes.state != "live" or not routes.certificates:
        return
    served = {_digits(f.certificate.fingerprint) for _, f in world.edge.certificates.values() if f.certificate}
    latest = max(world.edge.certificates.values(), key=lambda pair: pair[0], default=None)
    yield ()
    yield heading("Traefik's own list", room, count_of(len(routes.certificates), "certificate"))
    for one in sorted(routes.certificates, key=lambda c: (c.names, -c.not_after)):
        known = _digits(one.fingerprint) in served
        mark: Span = ("✔ served ", "run") if known else ("◌ unserved ", "quiet")
        left = ""
        if latest is not None:
            over = one.not_after - (latest[1].now + now - latest[0])
            left = f"  {format_duration(over)} {'left' if over >= 0 else 'over'}"
        names = ", ".join(one.names) or one.subject or "no name"
        line: Line = (("  ", ""), mark, (names, ""), (f"  {one.issuer}", "quiet"))
        yield fit(line, ((f"{left}  {group_digits(one.fingerprint)[:9]}…", "quiet"),), room)
