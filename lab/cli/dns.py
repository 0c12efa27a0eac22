"""dns: the demo's names, served here or by Route 53, and where one of them leads now."""

from __future__ import annotations

import argparse
import ipaddress
import threading
from collections.abc import Sequence

from lab.cli.out import Out
from lab.cluster import api, edge_settings
from lab.cluster.edge_settings import EdgeSettings
from lab.cluster.model import Cluster
from lab.errors import InputError, LabError, MissingError
from lab.text import count_of
from lab.world.dns import AddressRecord

_PUBLISHED = "swarmlab dns --route53 ZONE --address node1=ADDRESS --address node2=ADDRESS"


def dns(args: argparse.Namespace, out: Out) -> int:
    """Serve the names until Ctrl-C; or ask where NAME leads; or publish the names in Route 53, or remove them there."""
    cluster = api.find(args.name)
    settings = edge_settings.read_settings(cluster)
    if args.route53:
        return _publish(args, settings, out)
    if args.address or args.remove:
        raise InputError("--address and --remove are for Route 53", remedy=_PUBLISHED)
    return ask(args.host, cluster, settings, out) if args.host else serve(cluster, settings, out, threading.Event())


def ask(host: str, cluster: Cluster, settings: EdgeSettings, out: Out) -> int:
    """Ask the lab's name server for a name, and print the answer as a zone file would have it, with the nodes' names.
    Raises LabError if there is no answer."""
    from lab.dns.client import resolve  # only this command needs its library
    from lab.dns.server import LOOPBACK

    name = host.rstrip(".") if "." in host else f"{host}.{settings.domain}"
    try:
        answer = resolve(name, (LOOPBACK, settings.dns_port))
    except LabError as error:
        raise LabError(error.sentence, remedy="swarmlab dns, in another terminal, serves the names") from error
    nodes = {endpoint.lan_address: endpoint.node for endpoint in cluster.endpoints()}
    found = [{"address": each, "node": nodes.get(each, "")} for each in answer.addresses]
    out.result({"name": name, "ttl": answer.ttl, "answers": found})
    if not out.json:
        for each in found:
            out.say(f"{name}. {answer.ttl:.0f} IN A {each['address']:<15} ; {each['node']}".rstrip(" ;"))
    return 0


def serve(cluster: Cluster, settings: EdgeSettings, out: Out, ended: threading.Event) -> int:
    """Serve the names, and tell what changes, until `ended` is set. Raises LabError when the port is taken."""
    from lab.engine.client import connect  # only this command needs them
    from lab.watch.dns.source import DnsSource
    from lab.watch.swarm import SwarmSource
    from lab.world.dns import ZoneServed
    from lab.world.entries import Entry
    from lab.world.journal import Journal
    from lab.world.world import World

    journal, endpoints = Journal(), cluster.endpoints()
    told = [0]

    def tell(_: Entry, world: World) -> None:
        changes = [change.text for change in world.changes if change.kind == "dns"]
        for text in changes[told[0] :]:
            out.note(text)
        told[0] = len(changes)

    swarm = SwarmSource(journal, endpoints, connect, events=False)
    source = DnsSource(journal, endpoints, settings.domain, settings.dns_port, cluster.capacity.patience, clients=False)
    stop_reading = journal.read(tell)
    swarm.start()
    source.start()
    try:
        journal.wait(lambda world: world.dns.zone is not None, 30.0)
        zone = journal.world.dns.zone or ZoneServed("off")
        if zone.state != "live":
            raise LabError(zone.why or "the names are not served", remedy=f"swarmlab dns {zone.names[0]}")
        out.result({"port": zone.port, "names": zone.names, "records": zone.records, "ttl": zone.ttl})
        out.say(f"{count_of(len(zone.names), 'name')} on 127.0.0.1, port {zone.port}, until Ctrl-C. Ask with")
        out.say(f"  dig @127.0.0.1 -p {zone.port} {zone.names[0]}")
        ended.wait()
    finally:
        source.close()
        swarm.close()
        stop_reading()
    return 0


def _publish(args: argparse.Namespace, settings: EdgeSettings, out: Out) -> int:
    from lab.dns.zone import TTL, Zone  # only this command needs them
    from lab.watch.dns.source import NAMES

    try:
        from lab.dns.route53 import Route53Zone  # an optional dependency
    except ImportError as error:
        raise MissingError("boto3 is not installed", remedy="pip install 'swarmlab[route53]'") from error
    hosted = Route53Zone(args.route53, f"{NAMES[0]}.{settings.domain}")
    if args.remove:
        hosted.withdraw()
        out.say("The lab's records and health checks are gone.")
        out.result({"zone": args.route53, "nodes": {}})
        return 0
    if args.address:
        names = tuple(f"{name}.{settings.domain}" for name in NAMES)
        hosted.publish(Zone(settings.domain, names, tuple(read_addresses(args.address)), TTL))
    health = hosted.health()
    out.result({"zone": args.route53, "nodes": health})
    if not out.json:
        for node, healthy in health.items():
            out.say(f"{node:<12} {'healthy' if healthy else 'unhealthy'}")
        if not health:
            out.say(f"Nothing is published in this zone. Next: {_PUBLISHED}")
    return 0


def read_addresses(given: Sequence[str]) -> Sequence[AddressRecord]:
    """Return the records for NODE=ADDRESS arguments. Raises InputError for one that is not public: Amazon's checkers
    would never reach it."""
    records = []
    for text in given:
        node, _, address = text.partition("=")
        try:
            found = ipaddress.IPv4Address(address)
        except ValueError:
            found = None
        if not node or found is None:
            raise InputError(f"{text} is not NODE=ADDRESS, such as node1=8.8.8.8")
        if not found.is_global:
            raise InputError(f"{address} is not a public address, and Route 53 checks no other")
        records.append(AddressRecord(node, str(found)))
    return records
