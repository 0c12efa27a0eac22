"""Checks on what a command printed and on what a published port answered: pure, as all checks."""

from __future__ import annotations

import re
from itertools import takewhile

from lab.course.asks import Exit, Output
from lab.course.asks_edge import Http, Tcp
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
    """Whether a published port, or a host through Traefik, answered as asked, in the last round of requests."""
    hits, good, bad = _round(ask, world, moment)
    if bad is not None:
        return bad
    said = f"{len(good)} of {len(hits)} requests to {_name(ask)} were answered"
    if ask.replicas:
        replicas = {h.replica for h in good if h.replica}
        return Finding(len(replicas) >= ask.replicas, f"{said}, by {many(len(replicas), 'replica')}")
    return Finding(True, said)


def connected(ask: Tcp, world: World, moment: Moment) -> Finding:
    """Whether a TCP connection to a published port was answered as asked, in the last round."""
    hits, good, bad = _round(ask, world, moment)
    if bad is not None:
        return bad
    return Finding(True, f"{len(good)} of {len(hits)} connections to {_name(ask)} were answered")


def _round(ask: Http | Tcp, world: World, moment: Moment) -> tuple[list[Hit], list[Hit], Finding | None]:
    """The last round's answers, those that are as asked, and what is wrong with the round when something is."""
    hits, name = _of(ask, world, moment), _name(ask)
    if not hits:
        return [], [], Finding(False, f"{name} has not been asked yet")
    good = [h for h in hits if not _wrong(ask, h)]
    found = _not_everywhere(ask, world, hits, good, name)
    if found is None and not good:
        found = Finding(False, f"{name} of {hits[-1].node}: {_wrong(ask, hits[-1])}")
    return hits, good, found


def _of(ask: Http | Tcp, world: World, moment: Moment) -> list[Hit]:
    sent = ask.request
    key = (sent.port, sent.path, sent.host, sent.protocol, sent.login)
    hits = _new_hits(world, moment.asked)
    return [h for h in hits if (h.port, h.path, h.host, h.protocol, h.login) == key]


def _name(ask: Http | Tcp) -> str:
    """`port 8080`, or the host's name."""
    return ask.request.host or f"port {ask.request.port}"


def _not_everywhere(ask: Http | Tcp, world: World, hits: list[Hit], good: list[Hit], name: str) -> Finding | None:
    for node in sorted(world.nodes.values(), key=lambda n: n.name) if ask.every_node else ():
        of_node = [h for h in hits if h.node == node.name]
        if node.state == "ready" and (not of_node or any(h not in good for h in of_node)):
            bad = next((h for h in of_node if h not in good), None)
            return Finding(False, f"{name} of {node.name}: {'was not asked' if bad is None else _wrong(ask, bad)}")
    return None


def _wrong(ask: Http | Tcp, hit: Hit) -> str:
    """What is not as asked in one answer; "" when all is."""
    if isinstance(ask, Tcp):
        if not hit.status:
            return _answer(hit.status, hit.error)
        return "" if ask.contains in hit.body else f"answers “{hit.body[:60]}”, without “{ask.contains}”"
    if hit.status != ask.status:
        return _answer(hit.status, hit.error)
    text = f"answers {hit.status}"
    if ask.contains and ask.contains not in hit.body:
        return f"{text}, without “{ask.contains}”"
    if ask.lacks and ask.lacks in hit.body:
        return f"{text}, with “{ask.lacks}”"
    if ask.location and ask.location not in hit.location:
        return f"{text}, to {hit.location or 'nowhere'}"
    if ask.version and ask.version != hit.version:
        return f"{text}, of version {hit.version or 'unknown'}"
    return ""


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
