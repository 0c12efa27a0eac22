"""What services of one stack file say of each other through Traefik: networks, routers, resolvers and providers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from lab.compose.edge_flags import EdgeFlags, edge_words, read_edge
from lab.compose.interpolate import has_variables
from lab.compose.model import Service, Stack
from lab.schema.document import Document, Place
from lab.world import traefik_labels as known

Found = Iterator[tuple[Place, str]]


def check_networks(stack: Stack, doc: Document) -> Found:
    """Find routed services that Traefik cannot reach, and networks that are named without the stack's prefix."""
    edge = read_edge(stack)
    own = {key for key, network in stack.networks.items() if not network.name and not network.external}
    prefixed = (
        "the stack's own network is called STACK_{0}; write name: {0} with the network, under networks at the top"
    )
    reached = {network for name in edge.services for network in _networks(stack, stack.services[name])}
    for name, service in stack.services.items():
        for label, value in service.deploy.labels.items():
            if label.lower() in ("traefik.swarm.network", "traefik.docker.network") and value in own:
                yield label_place(doc, name, label), f"label {label} of service {name}: {prefixed.format(value)}"
        for index, word in enumerate(service.command if name in edge.services else ()):
            flag, _, value = word.partition("=")
            if flag.lower() in ("--providers.swarm.network", "--providers.docker.network") and value in own:
                yield ("services", name, "command", index), f"service {name}: {word}: {prefixed.format(value)}"
        mine = _networks(stack, service)
        if edge.services and name not in edge.services and _is_routed(service) and not mine & reached:
            traefik = edge.services[0]
            place: Place = ("services", name, "networks")
            yield (
                place if doc.at(place) is not None else ("services", name),
                f"service {name} is on no network of {traefik}, so that Traefik cannot reach it; "
                f"write one of {', '.join(sorted(reached))}",
            )


def check_names(stack: Stack, doc: Document) -> Found:
    """Find names that no flag and no label of this file defines, and names that two services define differently."""
    edge = read_edge(stack)
    first: dict[tuple[str, str, str], tuple[str, dict[str, str]]] = {}
    every = {
        (protocol, defined)
        for service in stack.services.values()
        for (protocol, kind, defined) in known.parse_labels(service.deploy.labels).things
        if kind == "services"
    }
    for name, service in stack.services.items():
        if known.read_enable(service.deploy.labels) is False:
            continue
        for thing, options in known.parse_labels(service.deploy.labels).things.items():
            protocol, kind, called = thing
            values = {option: label.value for option, label in options.items()}
            before, others = first.setdefault(thing, (name, values))
            if kind != "services" and others != values:
                label = next(iter(options.values())).key
                yield (
                    label_place(doc, name, label),
                    f"label {label} of service {name}: {before} defines the {kind[:-1]} {called} too, and differently: "
                    f"Traefik drops both; write another name",
                )
            if kind == "routers":
                for option, wrong in _find_unknown(service, edge, protocol, options, every):
                    yield (
                        label_place(doc, name, options[option].key),
                        f"label {options[option].key} of service {name}: {wrong}",
                    )


def check_constraints(stack: Stack, doc: Document) -> Found:
    """Find routed services without a label that Traefik's constraints ask for."""
    edge = read_edge(stack)
    for name, service in stack.services.items():
        labels = service.deploy.labels
        for label, value in edge.constraints if _is_routed(service) else ():
            if labels.get(label) != value and not has_variables(labels.get(label)):
                place: Place = ("services", name, "deploy", "labels")
                yield (
                    label_place(doc, name, label) if label in labels else place,
                    f"service {name} does not meet the constraint of {edge.services[0]}, so that Traefik passes it "
                    f"over; write the label {label}: {value}",
                )


def check_providers(stack: Stack, _: Document) -> Found:
    """Find a Traefik 3 that reads containers only, though labels for it are under deploy."""
    edge = read_edge(stack)
    if edge.version != 3 or edge.providers != {"docker"} or not any(map(_is_routed, stack.services.values())):
        return
    for name in edge.services:
        words = stack.services[name].command
        if any("swarmmode" in word.lower() for word in words):
            continue
        for index, word in enumerate(words):
            if word.lower().startswith("--providers.docker") and edge_words(stack.services[name]):
                yield (
                    ("services", name, "command", index),
                    f"service {name}: {word.partition('=')[0]} reads containers, and no label under deploy is routed; "
                    f"write --providers.swarm=true",
                )
                break


def label_place(doc: Document, service: str, label: str) -> Place:
    """Return the place of a label under deploy: under its key, or as an item of a list."""
    place: Place = ("services", service, "deploy", "labels")
    here = doc.at(place)
    if isinstance(here, list):
        index = next((i for i, item in enumerate(here) if str(item).partition("=")[0] == label), None)
        return place if index is None else (*place, index)
    return (*place, label)


def _find_unknown(
    service: Service, edge: EdgeFlags, protocol: str, options: known.Options, every: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    resolver = options.value("tls.certresolver")
    defined = {each.lower() for each in edge.resolvers or ()}
    if edge.resolvers and resolver and not has_variables(resolver) and resolver.lower() not in defined:
        there = ", ".join(sorted(edge.resolvers))
        yield "tls.certresolver", f"there is no certificate resolver {resolver}; write one of those there are: {there}"
    if edge.providers == {"swarm"}:
        for option in ("middlewares", "service"):
            for each in options.value(option).split(","):
                if (bare := each.strip().removesuffix("@docker")) != each.strip():
                    yield option, f"what labels define ends in @swarm in Traefik 3; write {bare}@swarm"
    leads_to = options.value("service")
    if leads_to and "@" not in leads_to and (protocol, leads_to) not in every:
        beside = list(known.parse_labels(service.deploy.labels).of(protocol, "services"))
        if close := difflib.get_close_matches(leads_to[:100], beside, n=1):
            yield "service", f"no label defines the service {leads_to}; write {close[0]}"


def _is_routed(service: Service) -> bool:
    """Return whether labels ask Traefik to send something to this service's tasks."""
    if known.read_enable(service.deploy.labels) is False:
        return False
    things = known.parse_labels(service.deploy.labels).things
    routers = [options for (_, kind, _), options in things.items() if kind == "routers"]
    return any(not options.value("service").endswith("@internal") for options in routers)


def _networks(stack: Stack, service: Service) -> set[str]:
    """Return the names of a service's networks; one without any is on the stack's default network."""
    declared = {key: network.name or key for key, network in stack.networks.items()}
    return {declared.get(key, key) for key in service.networks or ("default",)}
