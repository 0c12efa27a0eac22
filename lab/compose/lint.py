"""Mistakes that people make in a stack file: each with its line, the service, and what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lab.compose import lint_docker, lint_edge, lint_traefik, read, unsupported
from lab.compose.interpolate import has_variables
from lab.compose.model import Stack
from lab.compose.referenced_files import find_missing, found, is_file, resolve_path
from lab.errors import InputError
from lab.schema.diagnostics import limit_problems, take_first
from lab.schema.document import Document, Place

Found = Iterator[tuple[Place, str]]
"""The place of a mistake, and a sentence."""

#: The engine's limits, in bytes.
_LARGEST = {"secrets": 500_000, "configs": 1_000_000}


def find_mistakes(doc: Document) -> list[InputError]:
    """Return everything that is wrong with a stack file, by line: what `docker stack deploy` rejects, and what it
    accepts but the swarm or Traefik then ignores."""
    refused, stack = read.find_problems(doc)
    all_ = [*refused, *unsupported.ignored_keys(doc)]
    stack = read.read_acceptable(doc) if stack is None else stack
    if stack is not None:
        rules: tuple[Callable[[Stack, Document], Found], ...] = (
            lint_traefik.check_label_places,
            lint_traefik.check_labels,
            lint_traefik.check_flags,
            lint_edge.check_networks,
            lint_edge.check_names,
            lint_edge.check_constraints,
            lint_edge.check_providers,
            lint_docker.check_constraints,
            lint_docker.check_health_tests,
            lint_docker.check_addresses,
            lint_docker.check_texts,
            _images,
            _externals,
            _jobs,
            _ports,
            _files,
            _binds,
        )
        for rule in rules:
            all_ += take_first((doc.problem(place, sentence) for place, sentence in rule(stack, doc)), doc.path)
    return limit_problems(all_, doc.path)


def _images(stack: Stack, _: Document) -> Found:
    for name, service in stack.services.items():
        last = service.image.rpartition("/")[2]
        if not has_variables(service.image) and ":" not in last and "@" not in last:
            yield (
                ("services", name, "image"),
                f"service {name}: the image {service.image} has no tag, so each node may run another version; "
                f"write {service.image}:VERSION",
            )


def _externals(_: Stack, doc: Document) -> Found:
    """Find the older form of an external object, of which docker warns: `external: {name: x}`."""
    for section in ("networks", "volumes", "secrets", "configs"):
        things = doc.data.get(section)
        for key, thing in things.items() if isinstance(things, dict) else ():
            if isinstance(thing, dict) and isinstance(thing.get("external"), dict):
                name = thing["external"].get("name", key)
                more = "" if name == key else f" and name: {name}"
                what = f"{section.removesuffix('s')} {key}"
                sentence = f"{what}: a name under external is deprecated; write external: true{more}"
                yield (section, key, "external"), sentence


def _jobs(stack: Stack, _: Document) -> Found:
    for name, service in stack.services.items():
        if service.deploy.mode.endswith("-job") and service.deploy.update_config is not None:
            sentence = f"service {name}: a job ({service.deploy.mode}) takes no update_config; delete it"
            yield ("services", name, "deploy", "update_config"), sentence


def _ports(stack: Stack, doc: Document) -> Found:
    taken: dict[tuple[int, str], tuple[str, str]] = {}
    for name, service in stack.services.items():
        place: Place = ("services", name, "ports")
        ingress = [port for port in service.ports if port.mode == "ingress"]
        if service.deploy.endpoint_mode == "dnsrr" and ingress:
            yield (
                place,
                f"service {name}: endpoint_mode dnsrr has no virtual IP for the routing mesh; publish its ports "
                f"with mode: host, or take endpoint_mode: vip",
            )
        # After a port range, item numbers differ from those in the file: then the list's own line must do.
        listed = doc.at(place)
        exact = isinstance(listed, list) and len(service.ports) == len(listed)
        before: set[tuple[object, ...]] = set()
        for index, port in enumerate(service.ports):
            if not port.published:
                continue
            first, mode = taken.setdefault((port.published, port.protocol), (name, port.mode))
            same = (port.published, port.protocol)
            # Within one service, swarmkit rejects this whatever the target and the mode (validateEndpointSpec).
            if same in before or (first != name and "ingress" in (mode, port.mode)):
                yield (
                    (*place, index) if exact else place,
                    f"service {name}: port {port.published}/{port.protocol} is published by {first} already",
                )
            before.add(same)


def _files(stack: Stack, doc: Document) -> Found:
    for what, things in (("secrets", stack.secrets), ("configs", stack.configs)):
        for key, thing in things.items():
            if not thing.file or not _can_check(doc, (what, key, "file"), thing.file):
                continue
            one, path = what.removesuffix("s"), resolve_path(doc, thing.file)
            there = found(path)
            if there is None or not is_file(path):
                yield (what, key, "file"), f"{one} {key}: {find_missing(doc, thing.file)}"
            elif (size := there.st_size) > _LARGEST[what]:
                most = _LARGEST[what] // 1000
                sentence = f"{one} {key}: {thing.file} has {size:,} bytes; a {one} holds at most {most} KB"
                yield (what, key, "file"), sentence


def _binds(stack: Stack, doc: Document) -> Found:
    for name, service in stack.services.items():
        for index, mount in enumerate(service.volumes):
            place: Place = ("services", name, "volumes", index)
            relative = mount.source.startswith(".") and not has_variables(mount.source)
            if mount.type == "bind" and relative and found(resolve_path(doc, mount.source)) is None:
                yield (
                    place,
                    f"service {name}: there is no {mount.source} beside {doc.path.name}; and it must be on every node "
                    f"where a task may run: a config or a secret goes there by itself",
                )


def _can_check(doc: Document, place: Place, text: str) -> bool:
    """Return whether a path can be checked here: an absolute one that depends on a setting may be another machine's."""
    if has_variables(text):
        return False
    return not (Path(text).is_absolute() and "$" in str(doc.at(place)))
