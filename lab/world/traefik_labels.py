"""Traefik's labels on a service: what they declare, the hosts of a rule, and known mistakes.

The syntax is that of Traefik 3 with its swarm provider: `traefik.http.routers.NAME.rule`, keys are case-insensitive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lab.world.traefik_fields import find_blanks, find_wrong_fields
from lab.world.traefik_rules import find_faults, matchers, translate_rule

KINDS = ("routers", "services", "middlewares")
#: Traefik 1's names, from the particular to the general, and what took their place.
_NEW_NAMES = {
    "traefik.backend.healthcheck": "traefik.http.services.NAME.loadbalancer.healthcheck.path",
    "traefik.backend.loadbalancer.sticky": "traefik.http.services.NAME.loadbalancer.sticky.cookie",
    "traefik.backend.loadbalancer.stickiness": "traefik.http.services.NAME.loadbalancer.sticky.cookie",
    "traefik.backend": "traefik.http.services.NAME.loadbalancer.server.port",
    "traefik.port": "traefik.http.services.NAME.loadbalancer.server.port",
    "traefik.protocol": "traefik.http.services.NAME.loadbalancer.server.scheme",
    "traefik.domain": "traefik.http.routers.NAME.rule: Host(`...`)",
    "traefik.frontend.entrypoints": "traefik.http.routers.NAME.entrypoints",
    "traefik.frontend.priority": "traefik.http.routers.NAME.priority",
    "traefik.frontend.auth.basic.users": "traefik.http.middlewares.NAME.basicauth.users",
    "traefik.frontend.auth.basic": "traefik.http.middlewares.NAME.basicauth",
    "traefik.frontend.headers": "traefik.http.middlewares.NAME.headers",
    "traefik.frontend.ratelimit": "traefik.http.middlewares.NAME.ratelimit",
    "traefik.frontend.redirect": "traefik.http.middlewares.NAME.redirectscheme.scheme",
    "traefik.frontend.whitelist": "traefik.http.middlewares.NAME.ipallowlist.sourcerange",
    "traefik.frontend": "traefik.http.routers.NAME.rule: Host(`...`)",
}
#: What may follow `traefik.` in Traefik 3, and in 1 but for a segment's name.
_SECOND = frozenset({"enable", "http", "tcp", "udp", "tls", "swarm", "docker", "frontend", "backend"})
_TCP_MATCHERS = frozenset({"hostsni", "hostsniregexp", "alpn", "clientip"})


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake in a label. `label` is the key as written, `wrong` says what is wrong with it, `write` what to write
    instead.

    `hint`: the label may still be right, since what it names may be defined on a service that was not checked.
    """

    label: str
    wrong: str
    write: str
    hint: bool = False

    @property
    def sentence(self) -> str:
        """The mistake in one line."""
        return f"{self.label}: {self.wrong}; write {self.write}"


class Label(NamedTuple):
    """A label as written."""

    key: str
    value: str


class Options(dict[str, Label]):
    """The options of one router, service or middleware, in lowercase, each with its label."""

    def value(self, option: str) -> str:
        """Return the value of an option, "" if it is not set."""
        label = self.get(option)
        return "" if label is None else label.value


@dataclass(slots=True)
class Declared:
    """Everything that labels declare: options by (protocol, kind, name); a kind is one of KINDS."""

    things: dict[tuple[str, str, str], Options] = field(default_factory=dict)

    def of(self, protocol: str, kind: str) -> dict[str, Options]:
        """Return everything declared of a kind, by name."""
        return {name: options for (p, k, name), options in self.things.items() if (p, k) == (protocol, kind)}


def parse_labels(labels: Mapping[str, str]) -> Declared:
    """Parse what a service's labels declare for Traefik."""
    found = Declared()
    for key, value in labels.items():
        parts = key.split(".")
        low = [part.lower() for part in parts]
        if len(parts) > 4 and low[0] == "traefik" and low[1] in ("http", "tcp", "udp") and low[2] in KINDS:
            found.things.setdefault((low[1], low[2], parts[3]), Options())[".".join(low[4:])] = Label(key, value)
    return found


def read_enable(labels: Mapping[str, str]) -> bool | None:
    """Return the value of `traefik.enable`; None if it is not set."""
    given = next((value for key, value in labels.items() if key.lower() == "traefik.enable"), None)
    return None if given is None else given.strip().lower() in ("true", "1", "t")


def hosts_of_rule(rule: str) -> tuple[str, ...]:
    """Return the host names that a rule matches."""
    asked = (m for m in matchers(rule) if m.name.lower() == "host" and not m.negated)
    return tuple(value.lower() for matcher in asked for value in matcher.values if value)


def default_name(name: str) -> str:
    """Return the default name that Traefik gives to what no label names: `app_frontend` becomes `app-frontend`."""
    return "-".join(re.findall(r"[A-Za-z0-9]+", name))


def find_mistakes(
    labels: Mapping[str, str],
    entrypoints: frozenset[str] | None = None,
    middlewares: frozenset[str] = frozenset(),
    *,
    version: int = 3,
    old_rules: bool = False,
) -> tuple[Mistake, ...]:
    """Find known mistakes in one service's labels. `entrypoints` are the existing entry points, if known; `middlewares`
    the names of those that other services' labels define; `version` is Traefik's, `old_rules` whether its rules are by
    default those of 2. Nothing is found if Traefik is configured to ignore the
    service."""
    if blanks := tuple(Mistake(*each) for each in find_blanks(labels)):
        return blanks
    if read_enable(labels) is False and not any(find_wrong_fields(_enabling(labels))):
        return ()
    found = parse_labels(labels)
    return (
        *_find_old(labels, version),
        *(Mistake(*each) for each in find_wrong_fields(labels)),
        *_http_ports(labels, found),
        *_tcp(found),
        *_routers(found, entrypoints, middlewares, old_rules=old_rules or version == 2),
        *_links(found),
    )


def _enabling(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if key.lower() == "traefik.enable"}


def _find_old(labels: Mapping[str, str], version: int) -> Iterator[Mistake]:
    """Find leftovers of Traefik 1 and 2, and names that are not quite right."""
    both = any(key.lower().startswith("traefik.swarm.") for key in labels)
    for key, value in labels.items():
        parts, low = key.split("."), key.lower()
        words = low.split(".")
        if words[0] != "traefik":
            continue
        # A segment of Traefik 1 has its name in second place: traefik.api.port.
        segment = len(words) > 2 and words[1] not in _SECOND and words[2] in ("port", "frontend", "protocol")
        plain = ".".join(("traefik", *words[2:])) if segment else low
        if version == 2 and low.startswith("traefik.swarm."):
            yield Mistake(key, "Traefik 2 does not read labels of a swarm provider", f"traefik.docker.{key[14:]}")
        elif version != 2 and low.startswith("traefik.docker."):
            if both:
                wrong = "it stands beside labels of the swarm provider, and with both Traefik passes the service over"
                yield Mistake(key, wrong, f"traefik.swarm.{key[15:]} alone")
            else:
                wrong = "it still works, but the swarm provider has its own name for this"
                yield Mistake(key, wrong, f"traefik.swarm.{key[15:]}")
        elif old := next((o for o in _NEW_NAMES if plain == o or plain.startswith(f"{o}.")), None):
            rule = translate_rule(value) if plain == "traefik.frontend.rule" else None
            write = f"traefik.http.routers.NAME.rule: {rule}" if rule else _NEW_NAMES[old]
            write = write.replace("NAME", parts[1]) if plain != low else write
            yield Mistake(key, "this is Traefik 1 syntax, which is no longer read", write)
        elif len(words) > 3 and words[1] in ("http", "tcp", "udp") and f"{words[2]}s" in KINDS:
            yield Mistake(
                key,
                "Traefik knows no such field, and drops all labels of the service",
                ".".join((*parts[:2], f"{words[2]}s", *parts[3:])),
            )
        elif version != 2 and words[2:3] == ["middlewares"] and words[4:5] == ["ipwhitelist"]:
            new = ".".join((*parts[:4], "ipallowlist", *parts[5:]))
            yield Mistake(key, "ipwhitelist is called ipallowlist in Traefik 3", new)


_DROPPED = 'all HTTP labels of the service are dropped ("port is missing")'


def _http_ports(labels: Mapping[str, str], found: Declared) -> Iterator[Mistake]:
    routers, services = found.of("http", "routers"), found.of("http", "services")
    others = any(protocol != "http" for protocol, _, _ in found.things)
    if services:
        yield from _without_port("http", services, _DROPPED)
    elif routers or found.of("http", "middlewares") or (read_enable(labels) and not others):
        name, options = next(iter(routers.items()), ("NAME", Options()))
        key = options.get("rule", next(iter(options.values()), Label("", ""))).key
        key = key or next((k for k in labels if k.lower() == "traefik.enable"), "traefik.enable")
        yield Mistake(key, f"no label names the port; {_DROPPED}", _port_label("http", name))


def _without_port(protocol: str, services: Mapping[str, Options], result: str) -> Iterator[Mistake]:
    for name, options in services.items():
        if not any(o in options for o in ("loadbalancer.server.port", "loadbalancer.server.url")):
            first, (key, _) = next(iter(options.items()))
            if (kind := first.split(".")[0]) in ("weighted", "mirroring", "failover"):
                wrong = f"labels cannot make a {kind} service, and {result.partition(' (')[0]}"
                yield Mistake(key, wrong, f"the service {name} in a file of Traefik's file provider")
                continue
            yield Mistake(key, f"the service {name} names no port; {result}", _port_label(protocol, name))


def _port_label(protocol: str, name: str) -> str:
    return f'traefik.{protocol}.services.{name}.loadbalancer.server.port: "80"'


def _tcp(found: Declared) -> Iterator[Mistake]:
    routers, services = found.of("tcp", "routers"), found.of("tcp", "services")
    dropped = 'all labels of the service are dropped ("port is missing")'
    yield from _without_port("tcp", services, dropped)
    for name, options in routers.items():
        key, rule = options.get("rule", Label(next(iter(options.values())).key, ""))
        names = {matcher.name.lower(): matcher for matcher in matchers(rule)}
        if not names.keys() & _TCP_MATCHERS:
            write = f"traefik.tcp.routers.{name}.rule: HostSNI(`*`)"
            yield Mistake(key, "a TCP router needs HostSNI", write)
        sni = names.get("hostsni")
        if sni and sni.values[:1] != ("*",) and not any(option.split(".")[0] == "tls" for option in options):
            write = f"HostSNI(`*`), or traefik.tcp.routers.{name}.tls.passthrough: true"
            yield Mistake(key, "HostSNI with a name needs TLS, and this router has none", write)
        if not services and not options.value("service"):
            yield Mistake(key, f"no label names the TCP service's port; {dropped}", _port_label("tcp", name))


def _routers(
    found: Declared, entrypoints: frozenset[str] | None, others: frozenset[str], *, old_rules: bool
) -> Iterator[Mistake]:
    for (protocol, kind, _), options in found.things.items():
        if kind != "routers":
            continue
        if "rule" in options and (options.value("rulesyntax") or ("v2" if old_rules else "v3")) != "v2":
            key, rule = options["rule"]
            # Of a TCP rule without any of its matchers, all there is to say is said by _tcp.
            if protocol == "http" or {matcher.name.lower() for matcher in matchers(rule)} & _TCP_MATCHERS:
                yield from (Mistake(key, wrong, write) for wrong, write in find_faults(rule, protocol))
        if entrypoints is not None and "entrypoints" in options:
            key, value = options["entrypoints"]
            for name in _split_list(value):
                if name not in entrypoints:
                    there = ", ".join(sorted(entrypoints)) or "none"
                    yield Mistake(key, f"there is no entry point {name}", f"one of those there are: {there}")
        if "middlewares" in options:
            key, value = options["middlewares"]
            for name in _split_list(value):
                if "@" not in name and name not in found.of(protocol, "middlewares") and name not in others:
                    write = f"traefik.{protocol}.middlewares.{name}.…, or the name with its @provider"
                    yield Mistake(key, f"no label here defines the middleware {name}", write, hint=True)


def _links(found: Declared) -> Iterator[Mistake]:
    """Find routers without a service: Traefik links a router to the service beside it only if there is just one."""
    for protocol in ("http", "tcp"):
        services = found.of(protocol, "services")
        for name, options in found.of(protocol, "routers").items():
            if len(services) > 1 and "service" not in options:
                key = options.get("rule", next(iter(options.values())))[0]
                meant = name if name in services else f"one of {', '.join(sorted(services))}"
                write = f"traefik.{protocol}.routers.{name}.service: {meant}"
                wrong = f"{len(services)} services are defined beside it, and it does not say which one to use"
                yield Mistake(key, wrong, write)


def _split_list(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]
