"""What the Traefik of a stack file says of itself: its version by its image, and what its flags define."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lab.compose.model import Service, Stack
from lab.world.traefik_services import runs_traefik

_VERSION = re.compile(r":v?([0-9]+)(?:[.-]|$)")
_NAMED = re.compile(r"--(?P<what>entrypoints|certificatesresolvers)\.(?P<name>[^.=]+)[.=]", re.IGNORECASE)
_PROVIDER = re.compile(r"--providers\.(swarm|docker)(?:[.=].*)?", re.IGNORECASE)
_OLD_RULES = re.compile(r"--core\.defaultrulesyntax=v2", re.IGNORECASE)
_CONSTRAINTS = re.compile(r"--providers\.swarm\.constraints=(.*)", re.IGNORECASE)
_LABEL = re.compile(r"\s*Label\(\s*`([^`$]*)`\s*,\s*`([^`$]*)`\s*\)\s*")
#: With any of these Traefik makes the entry point `traefik` by itself.
_INTERNAL = re.compile(r"--(api\.insecure|ping|metrics\.prometheus|providers\.rest)(=true|\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class EdgeFlags:
    """`services` are those that run Traefik; `version` is 3 unless an image says 2. What no flag names is None: a file
    or the environment may define it."""

    services: tuple[str, ...] = ()
    version: int = 3
    entrypoints: frozenset[str] | None = None
    resolvers: frozenset[str] | None = None
    providers: frozenset[str] = frozenset()
    old_rules: bool = False
    constraints: tuple[tuple[str, str], ...] = ()
    """Labels with values that a service needs to be read; none where the expression has more than && in it."""


def read_edge(stack: Stack) -> EdgeFlags:
    """Return what the Traefik of this file says; the defaults if there is none."""
    edges = {name: flags for name, service in stack.services.items() if (flags := edge_words(service))}
    named: dict[str, set[str]] = {"entrypoints": set(), "certificatesresolvers": set()}
    words = [word for flags in edges.values() for word in flags]
    for what, name in _find_named(words):
        named[what].add(name)
    if named["entrypoints"] and any(_INTERNAL.fullmatch(word) for word in words):
        named["entrypoints"].add("traefik")
    images = [_VERSION.search(stack.services[name].image.rpartition("/")[2]) for name in edges]
    return EdgeFlags(
        tuple(edges),
        2 if any(found and found[1] == "2" for found in images) else 3,
        frozenset(named["entrypoints"]) or None,
        frozenset(named["certificatesresolvers"]) or None,
        frozenset(found[1].lower() for word in words if (found := _PROVIDER.fullmatch(word))),
        any(_OLD_RULES.fullmatch(word) for word in words),
        tuple(pair for word in words for pair in _read_constraints(word)),
    )


def edge_words(service: Service) -> tuple[str, ...]:
    """Return the flags of a Traefik service; nothing for another program."""
    words = (*service.entrypoint, *service.command)
    return words if runs_traefik(service.image, words) else ()


def _find_named(words: list[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        if found := _NAMED.match(word):
            yield found["what"].lower(), found["name"]


def _read_constraints(word: str) -> Iterator[tuple[str, str]]:
    flag = _CONSTRAINTS.fullmatch(word)
    labels = [_LABEL.fullmatch(part) for part in flag[1].split("&&")] if flag else []
    if all(labels):
        yield from ((found[1], found[2]) for found in labels if found)
