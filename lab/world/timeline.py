"""The changes between two worlds, in words: `web.3 failed on node2 (exit 137); a new task was assigned to node4`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from lab.text import count_of
from lab.world.entries import AcmeTold, CertificateSeen, RoutesSeen, SwarmChanged
from lab.world.swarm import BROKEN, Node, Service, Task

if TYPE_CHECKING:
    from lab.world.swarm_state import Swarm

Tone = Literal["good", "bad", "plain", "lab"]
Kind = Literal[
    "", "command", "act", "load", "load-failed", "task-runs", "task-ended", "task-died", "node-down", "node-left", "dns"
]  # fmt: skip
"""What a line is about, for code that looks for such lines: the text is for people."""


class Line(NamedTuple):
    """A line of the timeline before it gets its time, with the ids of the service, the task and the node that it is
    about. `stamp` is when the task entered its state, by the managers' clock."""

    text: str
    tone: Tone = "plain"
    service: str = ""
    task: str = ""
    node: str = ""
    kind: Kind = ""
    stamp: float = 0.0


_QUIET = frozenset({"new", "allocated", "accepted", "preparing", "ready", "starting"})


def swarm_lines(before: Swarm, after: Swarm, fact: SwarmChanged) -> Iterator[Line]:
    """Yield the lines that one poll of the swarm adds to the timeline. The cost depends on what changed. A first poll
    in an empty world reports only what could not be read: everything else would be new."""
    for odd in fact.unread:
        yield Line(odd.why, "bad")
    if fact.first and not before.nodes:
        return
    unread = {odd.id for odd in fact.unread}
    for node in fact.nodes:
        yield from _node(before.nodes.get(node.id), node)
    for service in fact.services:
        yield from _service(before.services.get(service.id), service)
    yield from _tasks(before, after, fact.tasks)
    for thing in fact.named:
        if thing.id not in before.objects:
            yield Line(f"{thing.what} {thing.name} was created", "plain")
    for id in fact.gone:
        if id not in unread:  # It still exists.
            yield from _tell_removed(before, id)


def _node(old: Node | None, new: Node) -> Iterator[Line]:
    if old is None:
        yield Line(f"{new.name} joined as a {new.role}", "good", node=new.id)
        return
    if new.state != old.state:
        text = f"{new.name} is {new.state} (was {old.state})"
        # A node that is unknown (after an election all are, until they are heard) or disconnected keeps its tasks.
        kind: Kind = "node-down" if new.state == "down" else ""
        yield Line(text, "good" if new.state == "ready" else "bad", node=new.id, kind=kind)
    if new.availability != old.availability:
        yield Line(f"{new.name} is set to {new.availability}", "plain", node=new.id)
    if new.role != old.role:
        yield Line(f"{new.name} is now a {new.role}", "plain", node=new.id)
    if new.leader and not old.leader:
        yield Line(f"{new.name} leads the managers", "plain", node=new.id)
    if new.reachability != old.reachability and new.role == "manager" and new.reachability:
        yield Line(f"manager {new.name} is {new.reachability}", "plain", node=new.id)


def _service(old: Service | None, new: Service) -> Iterator[Line]:
    if old is None:
        yield Line(f"service {new.name} was created, {count_of(new.desired, 'task')} desired", "good", service=new.id)
        return
    # A global job's own count falls with each completed task, and that task has a line of its own.
    if new.desired != old.desired and new.spec.mode != "global-job":
        yield Line(f"{new.name}: desired {old.desired} → {new.desired}", "plain", service=new.id)
    if new.spec.image != old.spec.image:
        yield Line(f"{new.name}: image {old.spec.image} → {new.spec.image}", "plain", service=new.id)
    if new.status != old.status and new.status.state:
        tone: Tone = "bad" if "paused" in new.status.state or "rollback" in new.status.state else "plain"
        yield Line(f"{new.name}: {new.status.words}", tone, service=new.id)


def _tasks(before: Swarm, after: Swarm, tasks: tuple[Task, ...]) -> Iterator[Line]:
    fresh = {t.id: t for t in tasks if t.id not in before.tasks}
    told: set[str] = set()
    for task in tasks:
        old = before.tasks.get(task.id)
        if old is None or old.state == task.state or task.state not in BROKEN:
            continue
        heir = next((t for t in fresh.values() if (t.service, t.key) == (task.service, task.key)), None)
        text = _describe_end(after, task)
        if heir is not None and heir.id not in told:
            told.add(heir.id)
            text += f"; {_describe_heir(after, heir)}"
        yield Line(text, "bad", task.service, task.id, task.node, "task-ended", task.changed)
    for task in tasks:
        if task.id in told and task.state in _QUIET | {"assigned", "pending"}:
            continue
        old = before.tasks.get(task.id)
        yield from (line._replace(stamp=task.changed) for line in _tell_task(after, old, task))


def _tell_task(swarm: Swarm, old: Task | None, task: Task) -> Iterator[Line]:
    name, where = swarm.task_name(task), swarm.node_name(task.node)
    state_was = old.state if old else ""
    about = (task.service, task.id, task.node)
    if task.state == "running" and state_was != "running":
        node = swarm.nodes.get(task.node)
        if not task.live or (node is not None and node.state == "down"):
            return  # The managers have given it up, or have not heard from its node.
        took = max(0.0, task.changed - task.created)
        yield Line(f"{name} runs on {where} ({took:.1f} s after it was created)", "good", *about, kind="task-runs")
    elif task.state == "pending" and task.error and (old is None or old.error != task.error):
        yield Line(f"{name} waits: {task.error}", "bad", *about)
    elif task.state in BROKEN and old is None:
        yield Line(_describe_end(swarm, task), "bad", *about, kind="task-ended")
    elif task.state in {"shutdown", "complete"} and state_was != task.state and old is not None:
        how = "was shut down" if task.state == "shutdown" else "is complete"
        on = f" on {where}" if task.node else ""  # one that was never placed has no node
        yield Line(f"{name} {how}{on}", "plain", *about, kind="task-ended")
    elif task.node and (old is None or not old.node) and task.state in _QUIET | {"assigned"}:
        yield Line(f"{name} was assigned to {where}", "plain", *about)


def certificate_lines(before: CertificateSeen | None, fact: CertificateSeen) -> Iterator[Line]:
    """Yield the lines that a handshake adds to the timeline: a changed certificate, or a changed verdict."""
    one, other = fact.certificate, before.certificate if before else None
    if one and (other is None or one.fingerprint != other.fingerprint):
        tone: Tone = "good" if fact.verdict == "good" else "bad"
        yield Line(f"{fact.host}: {_describe_served(fact)}, first seen on {fact.node}", tone)
    elif before is None or before.verdict != fact.verdict:
        text = f"{fact.host} on {fact.node}: {fact.verdict}" + (f" ({fact.why})" if fact.why else "")
        yield Line(text, "good" if fact.verdict == "good" else "bad")


def _describe_served(fact: CertificateSeen) -> str:
    one = fact.certificate
    if one is None:
        return fact.verdict
    if fact.verdict == "default":
        return "Traefik's own default certificate"
    how = "" if fact.verdict == "good" else f", {fact.verdict}" + (f" ({fact.why})" if fact.why else "")
    return f"a certificate from {one.issuer or one.subject}{how}"


def acme_lines(before: Sequence[tuple[float, AcmeTold]], fact: AcmeTold) -> Iterator[Line]:
    """Yield the lines that an order's log line adds to the timeline: none while the order stays in its stage, unless it
    failed."""
    last = next((told.stage for _, told in reversed(before) if told.hosts == fact.hosts), None)
    if fact.stage != last or fact.stage == "failed":
        name = "".join(f"{host}: " for host in fact.hosts if host not in fact.text)
        yield Line(f"ACME: {name}{fact.text}", "bad" if fact.stage == "failed" else "plain")


def routes_lines(before: RoutesSeen | None, fact: RoutesSeen) -> Iterator[Line]:
    """Yield the lines that a poll of Traefik adds to the timeline: routers added, removed or faulty, and the state of
    Traefik's API."""
    if before is None or before.state != fact.state:
        if fact.state not in ("live", "none"):
            yield Line(f"Traefik's API: {fact.state} ({fact.why})", "bad")
        if before is None or before.state != "live":
            return
    known = {(r.protocol, r.name): r for r in before.routers}
    for router in fact.routers:
        old = known.pop((router.protocol, router.name), None)
        if old is None and router.status != "disabled":
            yield Line(f"Traefik: router {router.name} routes {router.rule} to {router.service}", "good")
        elif (old is None or old.status != router.status) and router.status != "enabled":
            why = f": {router.errors[0]}" if router.errors else ""
            yield Line(f"Traefik: router {router.name} is {router.status}{why}", "bad")
    if fact.state == "live":
        for _, name in known:
            yield Line(f"Traefik: router {name} is gone", "plain")


def _describe_heir(swarm: Swarm, heir: Task) -> str:
    return f"a new task was assigned to {swarm.node_name(heir.node)}" if heir.node else "a new task was created"


def _describe_end(swarm: Swarm, task: Task) -> str:
    why = f"exit {task.exit}" if task.exit else task.error
    where = f" on {swarm.node_name(task.node)}" if task.node else ""
    return f"{swarm.task_name(task)} {task.state}{where}" + (f" ({why})" if why else "")


def _tell_removed(before: Swarm, id: str) -> Iterator[Line]:
    if service := before.services.get(id):
        yield Line(f"service {service.name} was removed", "plain", service=id)
    elif node := before.nodes.get(id):
        yield Line(f"{node.name} left the swarm", "bad", node=id, kind="node-left")
    elif thing := before.objects.get(id):
        yield Line(f"{thing.what} {thing.name} was removed", "plain")


def death_line(swarm: Swarm, task: Task, exit: int | None) -> Line:
    """Return the line about a container's death, which its engine reports at once."""
    code = "" if exit is None else f" (exit {exit})"
    text = f"{swarm.task_name(task)}: its container died on {swarm.node_name(task.node)}{code}"
    return Line(text, "bad", task.service, task.id, task.node, "task-died")
