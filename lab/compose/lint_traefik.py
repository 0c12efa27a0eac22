"""Traefik mistakes in a stack file: labels where it does not look, and labels and flags that it does not accept."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from lab.compose.edge_flags import edge_words, read_edge
from lab.compose.model import Stack
from lab.schema.document import Document, Place
from lab.world import traefik_labels as known

Found = Iterator[tuple[Place, str]]

_MODE = re.compile(r"--providers\.docker\.swarmmode(=.*)?", re.IGNORECASE)
_REFRESH = re.compile(r"--providers\.docker\.swarmmoderefreshseconds(=.*)?", re.IGNORECASE)
_SWARM = re.compile(r"--providers\.swarm(?:$|([.=]))", re.IGNORECASE)
_DOCKER = re.compile(r"--providers\.docker(\..*|=.*)?", re.IGNORECASE)


#: What the flags of Traefik 2 and 3 begin with.
_FLAGS: tuple[str, ...] = (
    *("accesslog", "api", "certificatesresolvers", "configfile", "core", "entrypoints", "experimental", "global"),
    *("hostresolver", "hub", "log", "metrics", "ocsp", "pilot", "ping", "providers", "serverstransport", "spiffe"),
    *("tcpserverstransport", "tracing"),
)
#: What follows the name of an entry point, and what follows these others.
_FURTHER: Mapping[str, tuple[str, ...]] = {
    "entrypoints": (
        *("address", "allowacmebypass", "asdefault", "forwardedheaders", "http", "http2", "http3", "observability"),
        *("proxyprotocol", "reuseport", "transport", "udp"),
    ),
    "certificatesresolvers": ("acme", "tailscale"),
    "providers.swarm": (
        *("allowemptyservices", "constraints", "defaultrule", "endpoint", "exposedbydefault", "httpclienttimeout"),
        *("network", "password", "refreshseconds", "tls", "usebindportip", "username", "watch"),
    ),
    "api": ("basepath", "dashboard", "dashboardname", "debug", "disabledashboardad", "insecure"),
}
#: Flags of Traefik 1, without their dashes, and what took their place; each with all that follows a dot.
_OF_TRAEFIK_1 = {
    "docker.domain": "--providers.swarm.defaultrule=Host(`...`)",
    "docker.swarmmode": "--providers.swarm=true",
    "docker": "--providers.swarm",
    "defaultentrypoints": "--entrypoints.NAME.asdefault=true",
    "acme.entrypoint": "--certificatesresolvers.NAME.acme.tlschallenge=true",
    "acme.onhostrule": "--entrypoints.NAME.http.tls.certresolver=NAME",
    "acme": "--certificatesresolvers.NAME.acme",
    "web": "--api=true, and a router to api@internal",
    "loglevel": "--log.level",
    "traefiklog": "--log",
}
#: An entry point of Traefik 1: `--entryPoints=Name:http Address::80`.
_NAMED_ENTRYPOINT = re.compile(
    r"--entrypoints=(?P<quote>['\"]?)name:(?P<name>\S+)\s+address:(?P<address>[^\s'\"]+)", re.IGNORECASE
)
#: Flags of Traefik 2 with which 3 does not start, and what to do instead.
_OF_TRAEFIK_2 = {
    "experimental.http3": "--entrypoints.NAME.http3=true",
    "pilot": "nothing: Traefik Pilot is gone",
    "tracing.jaeger": "--tracing.otlp=true",
    "tracing.zipkin": "--tracing.otlp=true",
    "tracing.datadog": "--tracing.otlp=true",
    "metrics.influxdb": "--metrics.influxdb2",
}


def check_label_places(stack: Stack, doc: Document) -> Found:
    """Find Traefik labels that are set on the containers, not on the service."""
    for name, service in stack.services.items():
        places = _labels(doc, ("services", name, "labels"))
        for label in service.labels:
            if label.lower().startswith("traefik."):
                yield (
                    places.get(label, ("services", name, "labels")),
                    f"label {label} of service {name} is outside deploy, so Swarm ignores it; "
                    f"move it under deploy.labels",
                )


def check_labels(stack: Stack, doc: Document) -> Found:
    """Find mistakes in the labels that Traefik reads."""
    edge = read_edge(stack)
    defined = {
        middleware
        for service in stack.services.values()
        for middleware in known.parse_labels(service.deploy.labels).of("http", "middlewares")
    }
    for name, service in stack.services.items():
        at: Place = ("services", name, "deploy", "labels")
        places = _labels(doc, at)
        for mistake in known.find_mistakes(
            service.deploy.labels, edge.entrypoints, frozenset(defined), version=edge.version, old_rules=edge.old_rules
        ):
            # A middleware may belong to another stack: that is not a mistake in this file.
            if not mistake.hint:
                place = places.get(mistake.label, at)
                yield place, f"label {mistake.label} of service {name}: {mistake.wrong}; write {mistake.write}"


def check_flags(stack: Stack, _: Document) -> Found:
    """Find flags of Traefik 1 and 2: Traefik 3 does not start with them, or finds no swarm. Where an image says
    Traefik 2, find those that it does not know."""
    edge = read_edge(stack)
    for name, service in stack.services.items():
        for_swarm = any(_MODE.fullmatch(word) or _REFRESH.fullmatch(word) for word in edge_words(service))
        for index, word in enumerate(service.command if edge_words(service) else ()):
            version, write = _replace_flag(word)
            wrong = f"{word} is of Traefik {version}, and Traefik {edge.version} does not start"
            if edge.version == 2:
                write = "" if version == 2 else write
                if not write and (of_3 := _SWARM.match(word)):
                    wrong = f"{word} is of Traefik 3, and Traefik 2 does not start"
                    more = word[of_3.end() :]
                    write = f"--providers.docker.{more}" if of_3[1] == "." else "--providers.docker.swarmMode=true"
            elif for_swarm and not write and (write := _translate_flag(word)):
                removed = _MODE.fullmatch(word) or _REFRESH.fullmatch(word)
                other = "sets the provider of a single engine, which knows no swarm in Traefik 3"
                wrong = f"{word} " + ("is of Traefik 2, and Traefik 3 does not start" if removed else other)
            if not write and (near := _nearest_flag(word)):
                wrong, write = f"Traefik knows no flag {word.partition('=')[0]}, and does not start", near
            if write:
                place: Place = ("services", name, "command", index)
                yield place, f"service {name}: {wrong}; write {write}"


def _replace_flag(word: str) -> tuple[int, str]:
    """Return of which version a flag is that Traefik 3 does not know, and what replaces it, "" if it knows it."""
    if named := _NAMED_ENTRYPOINT.match(word):
        return 1, f"--entrypoints.{named['name']}.address={named['address']}"
    flag, _, value = word.removeprefix("--").partition("=")
    for version, flags in ((1, _OF_TRAEFIK_1), (2, _OF_TRAEFIK_2)):
        for old, write in flags.items():
            rest = flag[len(old) :]
            if word.startswith("--") and flag.lower().startswith(old) and rest[:1] in ("", "."):
                # What has one name in its place keeps the rest and the value.
                plain = re.fullmatch(r"--[\w.]+", write) is not None
                return version, f"{write}{rest}={value or 'true'}" if plain else write
    return 0, ""


def _nearest_flag(word: str) -> str:
    """Return the flag that a word which is none is nearest to, "" if it is one or near to none."""
    flag, sign, value = word.removeprefix("--").partition("=")
    parts = flag.split(".")
    words = [part.lower() for part in parts]
    if not word.startswith("--") or len(flag) > 200:
        return ""
    known, place = _FLAGS, 0
    if words[0] in _FLAGS:
        named = words[0] in ("entrypoints", "certificatesresolvers")
        of = words[0] if named or words[0] == "api" else ".".join(words[:2])
        known, place = _FURTHER.get(of, ()), of.count(".") + (2 if named else 1)
    if place >= len(words) or words[place] in known:
        return ""
    close = difflib.get_close_matches(words[place], known, n=1, cutoff=0.8)
    return f"--{'.'.join((*parts[:place], close[0], *parts[place + 1 :]))}{sign}{value}" if close else ""


def _translate_flag(word: str) -> str:
    if _MODE.fullmatch(word):
        return "--providers.swarm=true"
    value = word.partition("=")[2]
    if _REFRESH.fullmatch(word):
        return f"--providers.swarm.refreshseconds={value or 15}"
    if not _DOCKER.fullmatch(word):
        return ""
    rest = re.sub(r"(?i)^--providers\.docker", "", word)
    return f"--providers.swarm{rest or '=true'}"


def _labels(doc: Document, place: Place) -> Mapping[str, Place]:
    """Return the place of each label: under its key, or as an item of a list."""
    here = doc.at(place)
    if isinstance(here, list):
        return {str(item).partition("=")[0]: (*place, index) for index, item in reversed([*enumerate(here)])}
    return {label: (*place, label) for label in here} if isinstance(here, dict) else {}
