"""up, status, env, doctor, down, node: the commands about the cluster itself."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from lab import paths
from lab.cli.out import Out
from lab.cluster import api, edge_settings
from lab.cluster.faults import FAULTS, apply_fault
from lab.cluster.model import Cluster, ClusterStatus
from lab.cluster.provider import Consent
from lab.errors import InputError
from lab.text import count_of, format_size

#: Seconds that `up` waits for a swarm that was whole to be listed as whole again.
SETTLE = 60.0


def consent(yes: bool, out: Out) -> Consent:
    """Return how to ask the user before installing Debian packages: --yes means yes, no terminal means no."""

    def ask(commands: Sequence[str]) -> bool:
        out.note("Debian packages are missing. These commands install them:")
        for command in commands:
            out.note(f"  {command}")
        if yes:
            return True
        if not sys.stdin.isatty():
            return False
        return input("Run them now? [y/N] ").strip().lower() in {"y", "yes"}

    return ask


def up(args: argparse.Namespace, out: Out) -> int:
    """Bring up the cluster, or whatever part of it is missing."""
    began = datetime.now(UTC)
    with out.progress() as report:
        asked = consent(args.yes, out)
        cluster = api.up(args.name, args.provider, args.nodes, report, asked, args.images, fresh=args.fresh)
    status = _await_status(cluster)
    seconds = round((datetime.now(UTC) - began).total_seconds(), 1)
    out.result({**_plain(status), "seconds": seconds})
    if not out.json:
        print_status(out, status)
        out.say(
            f'\nThe cluster is up after {seconds:.0f} s. Next: swarmlab, or eval "$(swarmlab env)" and docker node ls'
        )
    return 0 if status.whole else 1


def _await_status(cluster: Cluster) -> ClusterStatus:
    """Return a whole status, or the last one at the bound: a manager that has just become leader may not list all nodes
    yet."""
    end = time.monotonic() + SETTLE
    while not (now := cluster.status()).whole and time.monotonic() < end:
        time.sleep(0.5)
    return now


def status(args: argparse.Namespace, out: Out) -> int:
    """Show the cluster's status; exit with 0 when it is whole, 1 when it is not, 3 when there is no cluster."""
    cluster = api.find(args.name)
    now = cluster.status()
    names = _names(edge_settings.read_settings(cluster))
    saved = cluster.snapshots.all() if cluster.snapshots is not None else ()
    size = sum(each.size for each in saved)
    out.result({**_plain(now), "names": names, "snapshots": {"count": len(saved), "bytes": size}})
    if not out.json:
        print_status(out, now)
        out.say("\nNAMES, when their stacks are deployed (through node1; the other nodes' port 443 serves them too)")
        for what, url in names.items():
            out.say(f"{what:<12} {url}")
        if saved:
            out.say(f"\n{count_of(len(saved), 'snapshot')}, {format_size(size)} (swarmlab snapshots)")
    return 0 if now.whole else 1


def _names(found: edge_settings.EdgeSettings) -> dict[str, str]:
    """Return the URLs for a browser on this machine: the demo's three host names."""
    port = "" if found.https_port == 443 else f":{found.https_port}"
    hosts = {"application": "node-app", "dashboard": "traefik", "visualizer": "viz"}
    paths = {"dashboard": "/dashboard/"}
    return {what: f"https://{host}.{found.domain}{port}{paths.get(what, '/')}" for what, host in hosts.items()}


def env(args: argparse.Namespace, out: Out) -> int:
    """Print lines for eval in a shell."""
    variables = api.env(api.find(args.name))
    out.result(variables)
    if not out.json:
        for name, value in variables.items():
            out.say(f"export {name}={shlex.quote(value)}")
    return 0


def doctor(args: argparse.Namespace, out: Out) -> int:
    """Show what this machine has and lacks; with --install, install what can be. Exit with 3 when something required is
    missing."""
    from lab.cluster.doctor import doctor as examine  # only this command needs it

    if args.install:
        api.install(consent(args.yes, out), out.note)
    found = examine()
    out.result(found)
    if not out.json:
        width = max(len(item.what) for item in found.items)
        for item in found.items:
            mark = "✔" if item.there else "✘" if item.needed else "·"
            out.say(f" {mark} {item.what:<{width}}  {item.detail}")
            if item.remedy and not item.there:
                out.say(f"   {'':<{width}}  next: {item.remedy}")
        out.say(f"\n{found.sentence}")
    return 0 if found.ready else 3


def down(args: argparse.Namespace, out: Out) -> int:
    """Remove the cluster completely."""
    with out.progress() as report:
        gone = api.down(args.name, purge=args.purge, report=report)
    out.result({"name": args.name, "removed": gone.cluster, "purged": gone.cache, "left": gone.left})
    if not out.json:
        out.say("The cluster is gone." if gone.cluster else "There was no cluster.")
        if args.purge:
            out.say("The cache is gone." if gone.cache else "There was no cache.")
        if gone.left:
            out.say(f"The lab did not make these, and left them in {paths.cache()}: {', '.join(gone.left)}")
    return 0


def node(args: argparse.Namespace, out: Out) -> int:
    """Cause a fault on a node, or undo it."""
    cluster = api.find(args.name)
    known = [n.name for n in cluster.status().nodes]
    if args.node not in known:
        raise InputError(f"there is no node called {args.node}; there are {', '.join(known)}")
    target = " ".join([args.node, *args.more])
    with out.progress() as report:
        apply_fault(cluster, args.verb, target, report)
    out.result({"node": args.node, "done": args.verb, **({"target": target} if args.more else {})})
    if not out.json:
        out.say(f"{FAULTS[args.verb].state.format(*target.split())}.")
    return 0


_IMAGES = {"packages": "in every node's own store", "official": "each node pulls what it needs from a registry"}


def print_status(out: Out, status: ClusterStatus) -> None:
    """Print the cluster as a table."""
    age = datetime.now(UTC) - status.created
    hours, rest = divmod(int(age.total_seconds()), 3600)
    how = f"{status.provider} ({status.acceleration})" if status.acceleration else status.provider
    out.say(f"{status.name}: {len(status.nodes)} nodes, {how}, up for {hours} h {rest // 60} min")
    if status.note:
        out.say(status.note)
    out.say(f"images: {status.images}, {_IMAGES[status.images]}")
    heads = ("NODE", "ROLE", "MACHINE", "ENGINE", "SWARM", "AVAIL", "LAN", "REACHED FROM HERE")
    out.say("\n" + _row(*heads))
    for n in status.nodes:
        role = "leader" if n.leader else n.role
        engine = "answers" if n.engine else "silent"
        state = "cut" if n.cut else n.swarm or "-"
        ports = " ".join(f"{port}→{local}" for port, (_, local) in sorted(n.published.items()))
        reached = f"127.0.0.1 {ports}"
        out.say(_row(n.name, role, n.machine, engine, state, n.availability or "-", n.lan_address, reached))
    for sentence in status.links:
        out.say(f"network: {sentence}")
    for sentence in status.machines:
        out.say(f"machine: {sentence}")


def _row(*cells: str) -> str:
    widths = (8, 8, 8, 8, 7, 7, 12, 0)
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _plain(status: ClusterStatus) -> dict[str, object]:
    from lab.cli.out import to_json  # only this command needs it

    age = (datetime.now(UTC) - status.created).total_seconds()
    found = to_json(status)
    found["age_seconds"] = round(age)
    found["leader"] = next((n.name for n in status.nodes if n.leader), "")
    return dict(found)
