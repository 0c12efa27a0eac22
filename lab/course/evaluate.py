"""Whether a check holds in a world, and why: pure predicates. `why` is a sentence with the real figures, and is what
a lesson's hints are keyed to."""

from __future__ import annotations

from collections.abc import Iterator

from lab.course import answers, edge
from lab.course.asks import Exists, Exit, Happened, NodeIs, Output, Placed, Replaced, Running, ServiceIs, Updated
from lab.course.asks_edge import CertificateIs, Http, LoadIs, Renewed, RouterIs, Tcp
from lab.course.checks import Check
from lab.course.finding import Finding, Moment
from lab.course.trace import replacements
from lab.course.words import many, several
from lab.world.swarm import BROKEN, ENDED, Service, Task
from lab.world.world import World

__all__ = ["Finding", "Moment", "evaluate"]


def evaluate(check: Check, world: World, moment: Moment) -> Finding:
    """Whether `check` (with captured values filled in) holds in `world`."""
    match check.ask:
        case Running() as ask:
            return _running(ask, world)
        case ServiceIs() as ask:
            return _service(ask, world)
        case Happened() as ask:
            return _happened(ask, world, moment.since)
        case Replaced() as ask:
            return _replaced(ask, world, moment.since)
        case Placed() as ask:
            return _placed(ask, world)
        case NodeIs() as ask:
            return _node(ask, world)
        case Exists() as ask:
            return _exists(ask, world)
        case Exit() as ask:
            return answers.ended(ask, world, moment)
        case Output() as ask:
            return answers.printed(ask, world, moment)
        case Http() as ask:
            return answers.answered(ask, world, moment)
        case Tcp() as ask:
            return answers.connected(ask, world, moment)
        case Updated() as ask:
            return _updated(ask, world, moment.since)
        case CertificateIs() as ask:
            return edge.served(ask, world)
        case Renewed() as ask:
            return edge.renewed(ask, world, moment.since)
        case RouterIs() as ask:
            return edge.routed(ask, world)
        case LoadIs() as ask:
            return edge.loaded(ask, world, moment.since)


def _running(ask: Running, world: World) -> Finding:
    service = world.service(ask.service)
    if service is None:
        return Finding(ask.exactly == 0, f"there is no service {ask.service}")
    live = len(world.live_tasks(service.id))
    leaving = [] if ask.exactly is None else list(_leaving(world, service))
    if ask.exactly is None:
        return Finding(
            live >= (ask.at_least or 0), _count(world, service, live, max(ask.at_least or 0, service.desired))
        )
    if live == ask.exactly == service.desired and not leaving:
        return Finding(True, _count(world, service, live, ask.exactly))
    if live == ask.exactly and service.desired == live:
        return Finding(False, f"{live} tasks of {service.name} run; {several(leaving)}")
    if live == ask.exactly:
        return Finding(False, f"{live} tasks of {service.name} run, but {service.desired} are wanted")
    return Finding(False, _count(world, service, live, ask.exactly))


def _service(ask: ServiceIs, world: World) -> Finding:
    service = world.service(ask.name)
    if service is None:
        return Finding(ask.absent, f"there is no service {ask.name}")
    if ask.absent:
        return Finding(False, f"service {ask.name} is there, with {len(world.live_tasks(service.id))} running tasks")
    state = service.status.state.replace("_", " ") or "not updated yet"
    wrong = [
        f"{ask.name} wants {many(service.desired, 'replica')}, not {ask.replicas}"
        if ask.replicas not in (None, service.desired)
        else "",
        f"{ask.name} has the image {service.spec.image}, not {ask.image}"
        if ask.image not in (None, service.spec.image)
        else "",
        f"{ask.name} is {state}" + (f": {service.status.message}" if service.status.message else "")
        if ask.update not in (None, service.status.state)
        else "",
    ]
    said = [w for w in wrong if w]
    right = f"{ask.name} wants {many(service.desired, 'replica')} of {service.spec.image}"
    return Finding(not said, several(said) if said else right + (f"; {state}" if ask.update else ""))


def _happened(ask: Happened, world: World, since: World) -> Finding:
    service = world.service(ask.service)
    if service is None:
        return Finding(False, f"there is no service {ask.service}")
    fresh = [t for t in world.tasks_of(service.id) if _newly(t, ask, since)]
    fits = [t for t in fresh if _fits(t, ask, world)]
    if len(fits) >= ask.at_least:
        return Finding(True, several(_told(world, t) for t in fits))
    others = [t for t in world.tasks_of(service.id) if t not in fits and _moved(t, since) and t.state in ENDED]
    tail = f"; {several(_told(world, t) for t in others)}" if others else ""
    if ask.at_least > 1:
        return Finding(False, f"{len(fits)} of {ask.at_least} tasks of {ask.service} {_did(ask)} since{tail}")
    return Finding(False, f"no task of {ask.service} {_did(ask)} since the step began{tail}")


def _replaced(ask: Replaced, world: World, since: World) -> Finding:
    service = world.service(ask.service)
    if service is None:
        return Finding(False, f"there is no service {ask.service}")
    pairs = [p for p in replacements(since, world, service.id) if not ask.on or world.node_name(p.old.node) == ask.on]
    live = len(world.live_tasks(service.id))
    whole = ask.then_running is None or live == ask.then_running
    done = [p for p in pairs if p.done]
    if len(done) >= ask.at_least and whole:
        names = ", ".join(
            sorted({f"{world.task_name(p.new)} now runs on {world.node_name(p.new.node)}" for p in done if p.new})
        )
        return Finding(True, names)
    if len(done) >= ask.at_least:
        return Finding(False, _count(world, service, live, ask.then_running or 0))
    waits = [_waits(world, p.old, p.new) for p in pairs if not p.done]
    if waits:
        return Finding(False, several(waits))
    where = f" on {ask.on}" if ask.on else ""
    ran = [t for t in since.live_tasks(service.id) if not ask.on or since.node_name(t.node) == ask.on]
    if not ran:
        return Finding(False, f"no task of {ask.service} ran{where} when the step began")
    return Finding(False, f"every task of {ask.service}{where} that ran when the step began still does")


def _updated(ask: Updated, world: World, since: World) -> Finding:
    service = world.service(ask.service)
    if service is None:
        return Finding(False, f"there is no service {ask.service}")
    before, now = since.services.get(service.id), service.status
    if not now.state or (before is not None and before.status == now):
        return Finding(False, f"no update of {ask.service} since the step began")
    told = f"{ask.service}: {now.state.replace('_', ' ')}" + (f" ({now.message})" if now.message else "")
    return Finding(now.state == ask.state, told)


def _placed(ask: Placed, world: World) -> Finding:
    service = world.service(ask.service)
    if service is None:
        return Finding(False, f"there is no service {ask.service}")
    live = world.live_tasks(service.id)
    if not live:
        return Finding(False, f"no task of {ask.service} runs")
    ids = {t.node for t in live}
    here = ", ".join(f"{n} {sum(t.node == i for t in live)}" for n, i in sorted((world.node_name(i), i) for i in ids))
    why = f"tasks of {ask.service} by node: {here}"
    if ask.role:
        wrong = sorted({world.node_name(i) for i in ids if (n := world.nodes.get(i)) is None or n.role != ask.role})
        return Finding(not wrong, why + (f"; no {ask.role}: {', '.join(wrong)}" if wrong else ""))
    if ask.nodes:
        wrong = sorted({world.node_name(i) for i in ids} - set(ask.nodes))
        return Finding(not wrong, why + (f"; {', '.join(wrong)} should have none" if wrong else ""))
    if ask.at_least:
        return Finding(len(ids) >= ask.at_least, f"{why}; that is {many(len(ids), 'node')}")
    idle = sorted(n.name for n in world.nodes.values() if _takes_tasks(n.state, n.availability) and n.id not in ids)
    return Finding(not idle, why + (f"; none on {', '.join(idle)}" if idle else ""))


def _node(ask: NodeIs, world: World) -> Finding:
    node = world.node(ask.name)
    if node is None:
        return Finding(False, f"there is no node {ask.name}")
    ok = (
        ask.state in (None, node.state)
        and ask.availability in (None, node.availability)
        and ask.role in (None, node.role)
        and ask.leader in (None, node.leader)
    )
    says = f"{node.name} is a {node.role}, {node.state}, {node.availability}" + (", the leader" if node.leader else "")
    if ask.label is not None:
        name, _, value = ask.label.partition("=")
        ok = ok and node.labels.get(name) == value
        says += f"; labels: {', '.join(f'{k}={v}' for k, v in sorted(node.labels.items())) or 'none'}"
    return Finding(ok, says)


def _exists(ask: Exists, world: World) -> Finding:
    there = any(n.what == ask.what and n.name == ask.name for n in world.named.values())
    return Finding(there is not ask.absent, f"there is {'a' if there else 'no'} {ask.what} {ask.name}")


def _count(world: World, service: Service, live: int, wanted: int) -> str:
    """`2 of 3 tasks of web run; web.3 is preparing on node2`."""
    text = f"{live} of {wanted} tasks of {service.name} run"
    tasks = world.tasks_of(service.id)
    newest = [t for i, t in enumerate(tasks) if i == 0 or tasks[i - 1].key != t.key]
    coming = [_is(world, t) for t in newest if t.state not in ENDED | {"running"}]
    broken = [_told(world, t) for t in newest if t.state in BROKEN]
    return "; ".join([text, *coming[:3], *broken[:3]])


def _leaving(world: World, service: Service) -> Iterator[str]:
    for task in world.tasks_of(service.id):
        node = world.nodes.get(task.node)
        if task.state == "running" and not task.live and node is not None and node.state == "ready":
            yield f"{world.task_name(task)} is still stopping on {node.name}"


def _waits(world: World, old: Task, new: Task | None) -> str:
    return f"{_told(world, old)}; " + (_is(world, new) if new else "no new task was made for its slot yet")


def _is(world: World, task: Task) -> str:
    where = f" on {world.node_name(task.node)}" if task.node else ""
    error = f" ({task.error})" if task.error else ""
    return f"{world.task_name(task)} is {task.state}{where}{error}"


def _told(world: World, task: Task) -> str:
    where = f" on {world.node_name(task.node)}" if task.node else ""
    if task.state not in ENDED:
        return f"{world.task_name(task)}{where} is to stop"
    verb = {"shutdown": "was shut down", "complete": "is complete", "failed": "failed"}.get(
        task.state, f"was {task.state}"
    )
    code = f" (exit {task.exit})" if task.exit else f" ({task.error})" if task.error else ""
    return f"{world.task_name(task)} {verb}{where}{code}"


def _moved(task: Task, since: World) -> bool:
    old = since.tasks.get(task.id)
    return old is None or old.state != task.state


def _newly(task: Task, ask: Happened, since: World) -> bool:
    """In the state now, and not when the step began."""
    return task.state == ask.task and _moved(task, since)


def _fits(task: Task, ask: Happened, world: World) -> bool:
    return (ask.exit is None or task.exit == ask.exit) and (not ask.on or world.node_name(task.node) == ask.on)


def _did(ask: Happened) -> str:
    text = Happened.model_construct(**{**ask.model_dump(), "at_least": 1}).sentence
    return text.removeprefix(f"a task of {ask.service} ")


def _takes_tasks(state: str, availability: str) -> bool:
    return state == "ready" and availability == "active"
