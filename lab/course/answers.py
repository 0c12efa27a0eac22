"""Checks on what a command printed and on what a published port answered: pure, as all checks."""

from __future__ import annotations

import re
from itertools import takewhile

from lab.course.checks import Exit, Http, Output
from lab.course.finding import Finding, Moment
from lab.course.words import many
from lab.world.entries import Hit
from lab.world.world import Command, World

#: The docker CLI's groups of commands, whose verb is the third word.
_GROUPS = frozenset(
    {"config", "container", "image", "network", "node", "plugin", "secret", "service", "stack", "swarm", "system"}
)


def ended(ask: Exit, world: World, moment: Moment) -> Finding:
    """Whether the step's command ended with the status asked for."""
    done = [c for c in _commands(world, moment) if c.status is not None]
    if not done:
        return Finding(False, _no_command(world, moment))
    last = done[-1]
    return Finding(any(c.status == ask.status for c in done), f"the command ended with exit status {last.status}")


def printed(ask: Output, world: World, moment: Moment) -> Finding:
    """Whether the step's command printed what is asked for."""
    done = [c for c in _commands(world, moment) if c.status is not None]
    if not done:
        return Finding(False, _no_command(world, moment))
    if any(_prints(ask, c.output) for c in done):
        return Finding(True, "the output " + (ask.says or f"has “{ask.contains or ask.matches}”"))
    if not done[-1].output.strip():
        return Finding(False, "the command printed nothing")
    wanted = ask.says or f"“{ask.contains or ask.matches}”"
    return Finding(False, f"not in the output of the command: {wanted}")


def answered(ask: Http, world: World, moment: Moment) -> Finding:
    """Whether a published port answered as asked, in the last round of requests."""
    hits = [h for h in _new_hits(world, moment.asked) if (h.port, h.path) == (ask.port, ask.path)]
    if not hits:
        return Finding(False, f"port {ask.port} has not been asked yet")
    good = [h for h in hits if h.status == ask.status and (not ask.contains or ask.contains in h.body)]
    replicas = {h.replica for h in good if h.replica}
    for node in sorted(world.nodes.values(), key=lambda n: n.name) if ask.every_node else ():
        of_node = [h for h in hits if h.node == node.name]
        if node.state == "ready" and (not of_node or any(h not in good for h in of_node)):
            bad = next((h for h in of_node if h not in good), None)
            how = "was not asked" if bad is None else _answer(bad.status, bad.error)
            return Finding(False, f"port {ask.port} of {node.name}: {how}")
    if not good:
        bad = hits[-1]
        text = f", without “{ask.contains}”" if bad.status == ask.status else ""
        return Finding(False, f"port {ask.port} of {bad.node}: {_answer(bad.status, bad.error)}{text}")
    said = f"{len(good)} of {len(hits)} requests to port {ask.port} were answered"
    if ask.replicas:
        return Finding(len(replicas) >= ask.replicas, f"{said}, by {many(len(replicas), 'replica')}")
    return Finding(True, said)


def _new_hits(world: World, asked: World) -> list[Hit]:
    """The hits that were written since, oldest first."""
    last = asked.hits[-1] if asked.hits else None
    new = takewhile(lambda entry: entry is not last, reversed(world.hits))
    return [hit for _, hit in reversed(list(new))]


def _commands(world: World, moment: Moment) -> list[Command]:
    if moment.command is not None:
        return [c for c in world.commands if c.id == moment.command]
    verb, known = _verb(moment.like), {c.id for c in moment.since.commands}
    return [c for c in world.commands if verb and c.id not in known and _verb(c.text) == verb]


def _verb(command: str) -> list[str]:
    """What a command does, without its arguments: `docker service ps`, `docker kill`, `curl`."""
    words = command.rpartition("|")[2].split()
    return words[: 1 if words[:1] != ["docker"] else 3 if words[1:2] and words[1] in _GROUPS else 2]


def _no_command(world: World, moment: Moment) -> str:
    return "the command is still running" if _commands(world, moment) else "the command has not run yet"


def _prints(ask: Output, output: str) -> bool:
    if ask.contains:
        return ask.contains in output
    return any(re.search(str(ask.matches), line) for line in output.splitlines())


def _answer(status: int, error: str) -> str:
    return f"answers {status}" if status else f"no answer ({error or 'silent'})"
