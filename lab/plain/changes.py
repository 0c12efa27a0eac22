"""The answers to `w` and `c`: what the swarm is and what changed in it, and the verdicts of a step's checks now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lab.plain.line import Line, Tone, fill_text
from lab.plain.narrator import in_words
from lab.plain.place import Place
from lab.tape.transcript import new_lines
from lab.text import count_of
from lab.world import jobs
from lab.world.swarm import Node, Service
from lab.world.swarm_state import Swarm
from lab.world.world import World

MOST = 40
"""The most lines of what happened; of more, the last."""


def swarm_lines(before: World, now: World) -> Iterator[Line]:
    """Yield what runs, which nodes there are, and what happened since the world `before`."""
    if not now.swarm.nodes:
        yield Line("Nothing is known of the swarm yet.")
        return
    yield from _services(before.swarm, now.swarm)
    yield from _nodes(now.swarm)
    found = new_lines(before, now)
    if not found:
        yield Line("Nothing has changed since you last asked.")
        return
    yield Line("Since you last asked:")
    if len(found) > MOST:
        yield Line(f"{len(found) - MOST} earlier changes are left out.")
    for change in found[-MOST:]:
        tone: Tone = "good" if change.tone == "good" else "bad" if change.tone == "bad" else ""
        yield Line(in_words(change.text), tone)


def check_lines(place: Place, now: float) -> Iterator[Line]:
    """Yield the verdicts of the step's checks, as they were judged last; `now` is the journal's time, in seconds."""
    step = place.step
    if step is None:
        yield Line("There is nothing to check on this page.")
        return
    for number, check in enumerate(step.checks):
        verdict = place.world.lesson.verdicts.get((place.lesson.id, step.id, number))
        text = fill_text(verdict.text if verdict else check.sentence, place.values)
        if verdict is None:
            # A step that another command than its own has brought: nobody asked for the exit status of its own.
            how = "not asked for" if place.state == "passed" else "not looked at yet"
            yield Line(f"{text}: {how}.", lead=f"{number + 1}. ")
            continue
        found = verdict.why_at(verdict.at if place.state == "failed" else now)
        why = f" ({in_words(found)})" if found and found != verdict.text else ""
        word, tone = ("Holds", "good") if verdict.ok else ("Does not hold", "bad")
        yield Line(f"{word}: {text}{why}", "good" if tone == "good" else "bad", lead=f"{number + 1}. ")


def _services(before: Swarm, now: Swarm) -> Iterator[Line]:
    if not now.services:
        yield Line("There is no service.")
    for service in sorted(now.services.values(), key=lambda each: each.name):
        words, was = _counts(now, service), before.services.get(service.id)
        old = _counts(before, was) if was is not None else ""
        more = " (new)" if was is None else f" (was {old})" if old != words else ""
        where = Counter(now.node_name(task.node) for task in now.live_tasks(service.id))
        on = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in sorted(where.items()))
        yield Line(f"Service {service.name}: {words}{more}" + (f"; on {on}" if on else ""))
    for id, gone in before.services.items():
        if id not in now.services:
            yield Line(f"Service {gone.name} is gone.")


def _counts(swarm: Swarm, service: Service) -> str:
    words = f"{swarm.running.get(service.id, 0)} of {count_of(service.desired, 'task')} running"
    complete = jobs.count_completed(swarm, service)
    words += f", {complete} complete" if complete or service.spec.is_job else ""
    return f"{words}, {service.status.words}" if service.status.words else words


def _nodes(swarm: Swarm) -> Iterator[Line]:
    nodes = sorted(swarm.nodes.values(), key=lambda each: each.name)
    well = [node for node in nodes if not _describe_odd(node)]
    leader = next((node.name for node in nodes if node.leader), "")
    managers = sum(node.role == "manager" for node in nodes)
    parts = [f"{count_of(managers, 'manager')}{f', {leader} leads' if leader else ', none leads'}"]
    parts += [count_of(len(nodes) - managers, "worker")] if len(nodes) > managers else []
    ready = "all are ready" if len(well) == len(nodes) else f"{len(well)} of them ready and active"
    yield Line(f"{count_of(len(nodes), 'node')} ({'; '.join(parts)}): {ready}.")
    for node in nodes:
        if odd := _describe_odd(node):
            yield Line(f"Node {node.name}: {odd}", "bad")


def _describe_odd(node: Node) -> str:
    """Return what is not as usual with a node, "" for nothing."""
    found = [node.state] * (node.state != "ready") + [f"set to {node.availability}"] * (node.availability != "active")
    return ", ".join([*found, node.reachability] if node.reachability not in ("", "reachable") else found)
