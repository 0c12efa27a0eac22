"""The cluster pane as pure functions, which return each row as spans of text with a tone.

Nodes are columns. With less room a cell says less (words, short, glyphs); with the least, there are no columns and
every row names its node instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len

from lab.tui.spans import Line, Span, Tone
from lab.world.jobs import count_completed, count_wanted, is_settled
from lab.world.swarm import BROKEN, ENDED, Node, Service, Task

if TYPE_CHECKING:
    from lab.world.world import World

Style = Literal["words", "short", "glyphs", "list"]

#: A state's glyph and word. The word is shown wherever it fits, so that no meaning depends on colour alone.
MARKS = {
    "new": ("◌", "new"),
    "allocated": ("◌", "allocated"),
    "pending": ("◌", "pending"),
    "assigned": ("◔", "assigned"),
    "accepted": ("◔", "accepted"),
    "preparing": ("◑", "preparing"),
    "ready": ("◕", "ready"),
    "starting": ("◕", "starting"),
    "running": ("●", "running"),
    "complete": ("✔", "complete"),
    "shutdown": ("◦", "stopped"),
    "failed": ("✘", "failed"),
    "rejected": ("⊘", "rejected"),
    "remove": ("◦", "removed"),
    "orphaned": ("?", "orphaned"),
}
_SHORT = {
    "running": "run", "preparing": "prep", "starting": "start", "assigned": "given", "accepted": "given",
    "new": "wait", "allocated": "wait", "pending": "wait", "complete": "done", "stopped": "stop", "stopping": "stop",
    "rejected": "rej", "orphaned": "orph", "removed": "gone",
}  # fmt: skip
LEGEND = "● running  ◑ on its way  ✘ failed  ◦ stopped"
LABEL = 6
_WIDEST = 22
_FEWEST: dict[Style, int] = {"words": 12, "short": 8, "glyphs": 4}


@dataclass(frozen=True)
class Columns:
    """The nodes' columns: their ids from left to right, each `width` cells wide, starting at cell `LABEL`."""

    nodes: tuple[str, ...]
    width: int
    style: Style
    total: int

    def start(self, node: str) -> int | None:
        """Return the first cell of a node's column, or None when it has none."""
        return LABEL + self.nodes.index(node) * self.width if node in self.nodes else None


def columns(world: World | None, width: int) -> Columns:
    """Return the columns for a pane `width` cells wide, in the most detailed style that fits every node."""
    nodes = tuple(n.id for n in sorted(world.swarm.nodes.values(), key=lambda n: natural_key(n.name))) if world else ()
    each = (width - LABEL) // max(1, len(nodes))
    for style, fewest in _FEWEST.items():
        if nodes and each >= fewest:
            return Columns(nodes, min(each, _WIDEST), style, width)
    return Columns((), 0, "list", width)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts node2 before node10."""
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", name) if p)


def task_mark(world: World, task: Task) -> tuple[str, str, Tone]:
    """Return a task's glyph, word and tone. A task that its manager believes to run on a node that is down is lost."""
    glyph, word = MARKS.get(task.state, ("?", task.state))
    node = world.swarm.nodes.get(task.node)
    if task.state in BROKEN:
        return glyph, (f"exit {task.exit}" if task.exit else word), "bad"
    if task.state in ENDED:
        return glyph, word, "quiet"
    if node is not None and node.state == "down":
        return "?", "lost", "bad"
    if task.state == "running" and not task.live:
        return "◍", "stopping", "move"
    return glyph, word, "run" if task.state == "running" else "move"


def is_moving(task: Task) -> bool:
    """Whether a task is on its way in: it should run, but does not yet."""
    return task.state not in ENDED and task.state != "running"


class _Row:
    """One row being drawn: a character and its tone for each cell."""

    def __init__(self, width: int) -> None:
        self.chars: list[str] = [" "] * width
        self.tones: list[Tone] = [""] * width

    def put(self, x: int, text: str, tone: Tone, room: int) -> int:
        """Write at most `room` cells from `x`; text that is cut ends in `…`. Return the first free cell."""
        room = min(room, len(self.chars) - x)
        if not text.isascii():
            text = "".join(c if cell_len(c) == 1 else "·" for c in text)
        if room <= 0:
            return x
        if len(text) > room:
            text = text[: room - 1] + "…"
        self.chars[x : x + len(text)] = list(text)
        self.tones[x : x + len(text)] = [tone] * len(text)
        return x + len(text)

    def spans(self) -> Line:
        return tuple(_merge(self.chars, self.tones))


def _merge(chars: list[str], tones: list[Tone]) -> Iterator[Span]:
    start = 0
    for x in range(1, len(chars) + 1):
        if x == len(chars) or tones[x] != tones[start]:
            yield "".join(chars[start:x]), tones[start]
            start = x


def head_row(world: World, cols: Columns) -> tuple[Line, Line]:
    """Return the two lines above the columns: names and leader, then roles or what is wrong with a node."""
    first, second = _Row(cols.total), _Row(cols.total)
    if cols.style == "list":
        ready = sum(n.state == "ready" for n in world.swarm.nodes.values())
        first.put(1, f"{ready} of {len(world.swarm.nodes)} nodes ready", "head", cols.total - 1)
        ills = [f"{n.name} {_ailment(n)}" for n in world.swarm.nodes.values() if _ailment(n)]
        second.put(1, ", ".join(ills), "bad", cols.total - 1)
        return first.spans(), second.spans()
    for id in cols.nodes:
        node, x = world.swarm.nodes[id], cols.start(id) or 0
        ill = _ailment(node)
        name = node.name if cols.style != "glyphs" else node.name[-(cols.width - 1) :]
        end = first.put(x, name, "bad" if node.state != "ready" else "head", cols.width - 1)
        if node.leader and end + 2 < x + cols.width:
            first.put(end + 1, "★ leader" if cols.width >= len(name) + 11 else "★", "lab", x + cols.width - end - 1)
        if ill:
            second.put(x, ill, "bad" if node.state != "ready" else "move", cols.width - 1)
        elif cols.style != "glyphs":
            second.put(x, node.role, "quiet", cols.width - 1)
    return first.spans(), second.spans()


def _ailment(node: Node) -> str:
    if node.state != "ready":
        return f"✘ {node.state.upper()}"
    if node.availability != "active":
        return f"■ {node.availability}"
    return "✘ unreachable" if node.reachability == "unreachable" else ""


def service_row(world: World, service: Service, cols: Columns) -> Line:
    """Return a service's line: its name, desired and running tasks and, where they fit, image, ports and update."""
    row = _Row(cols.total)
    running, done, whole = (
        world.swarm.running.get(service.id, 0),
        count_completed(world.swarm, service),
        count_wanted(world.swarm, service),
    )
    tone: Tone = "run" if is_settled(world.swarm, service) else "move"
    x = row.put(0, f"▌{service.name}", "name", max(12, cols.total // 3)) + 2
    counts = f"desired {service.desired}  running {running}" if cols.total >= 46 else f"{running}/{service.desired}"
    if whole:
        counts += f"  completed {done}/{whole}" if cols.total >= 46 else f" ({done}/{whole})"
    elif done:
        counts += f"  completed {done}" if cols.total >= 46 else f" ({done})"
    x = row.put(x, counts, tone, cols.total - x) + 1
    have, want = (done, whole) if whole else (running + done, service.desired)
    if 0 < max(want, have) <= 12:
        x = row.put(x, "▮" * min(have, want) + "▯" * (want - have) + "+" * (have - want), tone, cols.total - x) + 1
    for text, tone in _details(service):
        if x + 1 + len(text) > cols.total:
            row.put(min(x + 1, cols.total - 1), "…", "quiet", 1)
            break
        x = row.put(x + 1, text, tone, cols.total - x - 1) + 1
    return row.spans()


def _details(service: Service) -> Iterator[Span]:
    status = service.status
    done = status.state == "completed"
    if status.state and not done:
        bad = "paused" in status.state or "rollback" in status.state
        yield status.words, "bad" if bad else "move"
    if service.spec.mode != "replicated":
        yield service.spec.mode, "quiet"
    if service.spec.image:
        yield service.spec.image.split("@")[0], "quiet"
    for port in service.spec.ports:
        yield f":{port.published or 'any'}→{port.target}", "quiet"  # 0: the engine chooses one
    if done:
        yield status.words, "quiet"


def slot_row(world: World, service: str, key: str, cols: Columns, phase: int = 0) -> Line:
    """Return one slot's line: each attempt in its node's column and, for a task on its way, an arrow to its new node.

    `phase` moves the arrow's dashes: 0, 1, 2, ...
    """
    ids = world.swarm.attempts.get((service, key), ())
    # A replicated job counts its slots from 0, which the engine leaves out.
    label = key if key.isdigit() else "0"
    return _attempts_row(world, [world.swarm.tasks[id] for id in ids], label.rjust(4), cols, phase)


def global_row(world: World, service: str, cols: Columns, phase: int = 0) -> Line:
    """Return all tasks of a global service in one line: it has one slot on every node."""
    keys = world.swarm.slots.get(service)
    found = [world.swarm.tasks[id] for key in keys or () for id in world.swarm.attempts.get((service, key), ())]
    if cols.style != "list":
        return _attempts_row(world, found, " all", cols, phase, arrows=False)
    row, x = _Row(cols.total), LABEL
    newest = [world.swarm.tasks[world.swarm.attempts[service, key][0]] for key in keys or ()]
    count: dict[tuple[str, str, Tone], int] = {}
    for task in newest:
        here = task_mark(world, task)
        count[here] = count.get(here, 0) + 1
    for (glyph, word, tone), many in count.items():
        x = row.put(x, f"{glyph} {many} {word}", tone, cols.total - x) + 2
    return row.spans()


def _attempts_row(world: World, tasks: list[Task], label: str, cols: Columns, phase: int, arrows: bool = True) -> Line:
    row = _Row(cols.total)
    now = tasks[0] if tasks else None
    row.put(0, label, "quiet", LABEL - 1)
    if now is None:
        return row.spans()
    if is_moving(now):
        row.put(LABEL - 2, "▸", "move", 1)
    if cols.style == "list":
        _write_tasks(world, row, tasks, LABEL)
        return row.spans()
    ends: dict[str, int] = {}
    for node in dict.fromkeys(task.node for task in tasks):
        x = cols.start(node)
        if x is not None:
            ends[node] = _cell(world, row, [t for t in tasks if t.node == node], cols, x)
    free = max(ends.values(), default=LABEL - 1) + 1
    if not now.node:
        _write_waiting(world, row, now, free)
    elif away := [task for task in tasks if task.node and task.node not in ends and (task is now or not arrows)]:
        # Their nodes are gone and no longer have a column.
        _write_tasks(world, row, away, free)
    elif arrows and is_moving(now):
        _arrow(row, cols, tasks, ends, phase)
    return row.spans()


def _cell(world: World, row: _Row, tasks: list[Task], cols: Columns, x: int) -> int:
    """Write one slot's attempts on one node: the newest in words, then earlier ones' glyphs. Return the end cell."""
    limit = x + cols.width - 1
    glyph, word, tone = task_mark(world, tasks[0])
    text = {"words": f"{glyph} {word}", "short": _shorten(glyph, word)}.get(cols.style, glyph)
    x = row.put(x, text, tone, limit - x) + (cols.style != "glyphs")
    for place, task in enumerate(tasks[1:], 1):
        if x >= limit:
            row.put(limit - 1, "…", "quiet", 1)
            return limit
        glyph, _, tone = task_mark(world, task)
        left = len(tasks) - place
        code = f"{glyph}{task.exit}" + (" " if left > 1 else "")
        if task.exit and cols.style == "words" and limit - x >= len(code) + left - 1:
            x = row.put(x, code, tone, limit - x)
            continue
        x = row.put(x, "…" if left > limit - x and x == limit - 1 else glyph, tone, 1)
    return min(x, limit)


def _shorten(glyph: str, word: str) -> str:
    return f"{glyph} {word.removeprefix('exit ')}" if word.startswith("exit ") else f"{glyph} {_SHORT.get(word, word)}"


def _write_tasks(world: World, row: _Row, tasks: list[Task], x: int) -> None:
    for place, task in enumerate(tasks):
        glyph, word, tone = task_mark(world, task)
        text = f"{glyph} {word}" if not place or task.exit else glyph
        text += f" {world.swarm.node_name(task.node)}" if task.node else ""
        if not place and not task.node and task.error:
            text += f": {task.error}"
        x = row.put(x, text, tone, len(row.chars) - x) + 2


def _write_waiting(world: World, row: _Row, task: Task, x: int) -> None:
    glyph, word, tone = task_mark(world, task)
    row.put(x, f"{glyph} {word}" + (f": {task.error}" if task.error else ": no node yet"), tone, len(row.chars) - x)


def _arrow(row: _Row, cols: Columns, tasks: list[Task], ends: dict[str, int], phase: int) -> None:
    before = next((t for t in tasks[1:] if t.node and t.node != tasks[0].node), None)
    came = cols.start(before.node) if before else None
    goes = cols.start(tasks[0].node)
    if before is None or came is None or goes is None:
        return
    right = came < goes
    start, stop = (ends[before.node] + 1, goes - 1) if right else (ends[tasks[0].node] + 1, came - 1)
    if stop - start < 2 or before.node not in ends:
        return
    for x in range(start, stop):
        if row.chars[x] == " ":
            dash = "━" if (x + (-phase if right else phase)) % 3 else "╌"
            row.put(x, dash, "move", 1)
    row.put(stop - 1 if right else start, "▶" if right else "◀", "move", 1)
