"""What `docker stack deploy` takes and then changes or passes over, or what the swarm refuses afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.compose.model import Stack
from lab.schema.document import Document, Place

Found = Iterator[tuple[Place, str]]

#: A hash of htpasswd whose dollars are not doubled; docker reads the scheme's name as a setting.
_HASH = re.compile(r"(?<!\$)\$(apr1)\$")
_SETTING = re.compile(r"(?<!\$)(?:\$\$)*\$(?:\{|[_a-zA-Z])")
#: `ADDRESS:PUBLISHED:TARGET`, the address perhaps of IPv6.
_ADDRESS = re.compile(r"(\[[^\]]*\]|[^:]*):[^:]*:[^:]*")
_EVERY_ADDRESS = re.compile(r"(0\.0\.0\.0|\[::\])?")
_TESTS = ("CMD", "CMD-SHELL", "NONE")
_MAPPINGS: tuple[Place, ...] = (("environment",), ("labels",), ("deploy", "labels"), ("sysctls",))


def check_constraints(stack: Stack, _: Document) -> Found:
    """Find constraints without an operator (swarmkit, manager/constraint/constraint.go)."""
    for name, service in stack.services.items():
        for index, text in enumerate(service.deploy.placement.constraints):
            if "==" not in text and "!=" not in text and "$" not in text:
                key, sign, value = text.partition("=")
                write = f"{key.strip()} == {value.strip()}" if sign else f"{text} == VALUE"
                place: Place = ("services", name, "deploy", "placement", "constraints", index)
                yield place, f"service {name}: the constraint {text} has neither == nor !=; write {write}"


def check_health_tests(stack: Stack, _: Document) -> Found:
    """Find tests that no engine runs: the tasks would stay in the state starting."""
    for name, service in stack.services.items():
        test = service.healthcheck.test if service.healthcheck else ()
        if test and test[0] not in _TESTS and "$" not in test[0]:
            yield (
                ("services", name, "healthcheck", "test"),
                f"service {name}: a test that is a list begins with CMD, CMD-SHELL or NONE, not {test[0]}; "
                f"write CMD before it",
            )


def check_addresses(stack: Stack, doc: Document) -> Found:
    """Find ports that are meant for one address: docker publishes them on all."""
    for name in stack.services:
        ports = doc.at(("services", name, "ports"))
        for index, text in enumerate(ports if isinstance(ports, list) else ()):
            found = _ADDRESS.fullmatch(text) if isinstance(text, str) and "$" not in text else None
            if found and not _EVERY_ADDRESS.fullmatch(found[1]):
                rest = text[len(found[1]) + 1 :]
                yield (
                    ("services", name, "ports", index),
                    f"service {name}: a swarm publishes {text} on every address, not on {found[1]} alone; "
                    f"write {rest}, or publish nothing",
                )


def check_texts(stack: Stack, doc: Document) -> Found:
    """Find settings in keys, which docker does not fill in, hashes whose dollars it does, and what is a number or a
    date by YAML 1.1 where a text is meant."""
    for name in stack.services:
        for path in _MAPPINGS:
            place: Place = ("services", name, *path)
            here = doc.at(place)
            yield from _find_twice(name, place, here)
            pairs = here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
            for key, value in pairs:
                at = (*place, key)
                if isinstance(key, str) and _SETTING.search(key):
                    yield (
                        at,
                        f"service {name}: docker fills settings into values only, and the key {key} stays as it is; "
                        f'write an item of a list, - "{key}=..."',
                    )
                if isinstance(value, str) and (found := _HASH.search(value)):
                    yield (
                        at,
                        f"service {name}: docker takes ${found[1]} for a setting, and what is left is no hash; "
                        f"write each $ of a hash as $$",
                    )
                if (written := doc.numbers.get(at)) is not None:
                    yield (
                        at,
                        f"service {name}: docker reads {written[0]} as {written[1]}; "
                        f'write "{written[0]}" in quotes for a text',
                    )


def _find_twice(service: str, place: Place, here: object) -> Found:
    """Find names that a list has twice with different values: docker takes the last."""
    first: dict[str, str] = {}
    for index, item in enumerate(here if isinstance(here, list) else ()):
        if isinstance(item, str):
            key = item.partition("=")[0]
            if first.setdefault(key, item) != item:
                yield (
                    (*place, index),
                    f"service {service}: {key} is set twice under {place[-1]}, and the last one counts; delete one",
                )
