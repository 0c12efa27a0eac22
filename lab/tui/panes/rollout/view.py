"""The rollout: the progress of each service's update, its old and new slots, its policy, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.text import count_of
from lab.tui.cluster.grid import task_mark
from lab.tui.panes.common import finish, format_duration, pack
from lab.tui.panes.rollout.reason import describe_wait, seconds_watched
from lab.tui.panes.rollout.slots import (
    Kind,
    Place,
    count_failed,
    is_mixed,
    is_old,
    is_rolling_back,
    places,
    version_before,
)
from lab.tui.spans import Line, Span, Tone, fit, join_line, width, wrap
from lab.world.manager_clock import clock_ahead
from lab.world.swarm import BROKEN

if TYPE_CHECKING:
    from lab.world.swarm import Service, Task, UpdateStatus
    from lab.world.world import World

HELP = (
    "How each service's update goes, slot by slot: ● is of the version that the service should have now, ◌ of another "
    "one, ◑ on its way in, ✘ failed. Beside it the policy, and what the update waits for: a task to run, the delay "
    "between batches, or the time for which each new task is watched. Times are the managers', to about a second."
)
EMPTY = (
    "No service is deployed. Once there is one, an update of it shows here, slot by slot: "
    "docker service update --image IMAGE SERVICE, or docker stack deploy with a changed file."
)

_STATES: dict[str, tuple[str, Tone]] = {
    "updating": ("◑ updating", "move"),
    "paused": ("■ paused", "bad"),
    "completed": ("✔ completed", "run"),
    "rollback_started": ("◀ rolling back", "bad"),
    "rollback_paused": ("■ rollback paused", "bad"),
    "rollback_completed": ("◀ rolled back", "bad"),
}
_STOPPED = ("paused", "rollback_started", "rollback_paused", "rollback_completed")
_ACTIVE = ("updating", "paused", "rollback_started", "rollback_paused")
_KINDS: dict[Kind, tuple[str, str, Tone]] = {
    "new": ("●", "new", "run"),
    "way": ("◑", "on its way", "move"),
    "old": ("◌", "old", "quiet"),
    "failed": ("✘", "failed", "bad"),
}
_CELLS = 240
"""The most slots that are drawn one by one."""


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
    """Return all services: those being updated first and in full, then those that were updated, then the rest."""
    inner = max(room, 30)
    if not world.swarm.services:
        return finish(wrap([(EMPTY, "quiet")], inner), room)
    return finish(_all(world, inner, height, now + clock_ahead(world)), room)


def _all(world: World, room: int, height: int, now: float) -> Iterator[Line]:
    """`now` is the managers' clock."""
    active: list[Service] = []
    past: list[Service] = []
    quiet: list[Service] = []
    for service in sorted(world.swarm.services.values(), key=lambda service: (service.name, service.id)):
        if service.status.state in _ACTIVE or is_mixed(world, service):
            active.append(service)
        else:
            (past if service.status.state else quiet).append(service)
    past.sort(key=lambda service: -max(service.status.completed, service.status.started))
    for place, service in enumerate((*active, *past)):
        if place:
            yield ()
        yield from _service(world, service, room, height, now, whole=place < max(1, len(active)))
    if quiet and (active or past):
        yield ()
    for service in quiet:
        runs = f"{world.swarm.running.get(service.id, 0)} of {service.desired} run"
        left: Line = ((f"▌{service.name}", "name"), (f"  {service.spec.image}", "quiet"))
        yield fit(left, ((f"{runs}, no update", "quiet"),), room)


def _service(world: World, service: Service, room: int, height: int, now: float, whole: bool) -> Iterator[Line]:
    slots = places(world, service)
    yield _head(service, slots, room, now)
    yield from wrap(_versions(world, service), room, (("  ", ""),))
    if whole or any(place.kind != "new" for place in slots):
        yield from _bar(service, slots, room)
    words = describe_wait(world, service, slots, now)
    if words:
        yield from wrap(words, room, (("  ▸ ", words[0][1]),))
    if not whole:
        return
    yield from pack(_policy(service), room, (("  ", ""),), gap=1)
    ratio = tuple(_failures(world, service, slots))
    if ratio:
        yield from pack(ratio, room, (("  ", ""),), gap=1)
    if len(slots) <= max(8, height // 2):
        for place in slots:
            yield from _slot(world, service, place, room, now)
    else:
        yield from _cells(world, slots, room)


def _head(service: Service, slots: Sequence[Place], room: int, now: float) -> Line:
    word, tone = _STATES.get(service.status.state, (service.status.state or "▲ tasks of two versions", "move"))
    new = sum(place.kind == "new" for place in slots)
    right: Line = ((f"{new} of {max(len(slots), service.desired)} {_word(service, 'new')}", "strong"),)
    state: Line = ((f"  {word}", tone), (_describe_duration(service.status, now), ""))
    name = max(8, room - width((*state, *right)) - 3)
    shown = service.name if len(service.name) < name else f"{service.name[: name - 2]}…"
    return fit(((f"▌{shown}", "name"), *state), right, room)


def _word(service: Service, kind: Kind) -> str:
    """Return the name for a slot or task: in a rollback, the older version is the target."""
    if is_rolling_back(service):
        return {"new": "back", "old": "undone"}.get(kind, _KINDS[kind][1])
    return _KINDS[kind][1]


def _describe_duration(status: UpdateStatus, now: float) -> str:
    if not status.started:
        return ""
    if status.completed >= status.started and "completed" in status.state:
        return f" in {format_duration(status.completed - status.started)}"
    # A pause has no timestamp of its own.
    return (
        f" for {format_duration(max(0.0, now - status.started))}"
        if status.state in ("updating", "rollback_started")
        else ""
    )


def _versions(world: World, service: Service) -> Iterator[Span]:
    """Yield the old and the new image."""
    image, old = service.spec.image, version_before(world, service)
    back = is_rolling_back(service)
    if old is not None and old.image and old.image != image:
        yield f"from {old.image} {'back to' if back else 'to'} ", "quiet"
        yield image, "code"
    elif old is not None:
        yield image, "code"
        yield (": same image, the settings of before" if back else ": same image, other settings"), "quiet"
    else:
        yield image, "code"


def _bar(service: Service, slots: Sequence[Place], room: int) -> Iterator[Line]:
    """Yield a cell for each slot, in order; where there are too many, a cell for several slots, by version."""
    if not slots:
        return
    order: tuple[Kind, ...] = ("new", "way", "failed", "old")
    kinds, space = [place.kind for place in slots], room - 4
    counts = [(kind, kinds.count(kind)) for kind in order if kind in kinds]
    if len(kinds) > space:
        by_version = sorted(kinds, key=order.index)
        kinds = [by_version[x * len(by_version) // space] for x in range(space)]
    bar = join_line((_KINDS[kind][0], _KINDS[kind][2]) for kind in kinds)
    words = [((f"{_KINDS[kind][0]} {count} {_word(service, kind)}", _KINDS[kind][2]),) for kind, count in counts]
    yield from pack((bar, *words), room, (("  ", ""),))


def _policy(service: Service) -> Iterator[Line]:
    policy = service.spec.update
    yield (
        ("policy: " + ("all at once" if not policy.parallelism else f"{policy.parallelism} at a time") + ",", "quiet"),
    )
    yield ((f"{policy.delay:g} s between batches,", "quiet"),)
    yield ((f"each watched {policy.monitor:g} s,", "quiet"),)
    yield ((f"{policy.order},", "quiet"),)
    yield ((f"on failure {policy.failure_action}", "quiet"),)


def _failures(world: World, service: Service, slots: Sequence[Place]) -> Iterator[Line]:
    """Yield the failure ratio beside the allowed one."""
    found, allowed = count_failed(world, service, slots), service.spec.update.max_failure_ratio
    if not found.made:
        return
    tone: Tone = "bad" if found.failed else "quiet"
    what = "undone task" if is_rolling_back(service) else "new task"
    yield ((f"{'✘ ' * bool(found.failed)}{found.failed} of {count_of(found.made, what)} failed:", tone),)
    over = ": too many" if found.ratio > allowed and service.status.state in _STOPPED else ""
    counted = f"{found.slots} of {count_of(found.of, 'slot')} = {100 * found.ratio:.0f} %"
    yield ((f"{counted}, allowed {100 * allowed:.0f} %{over}", "bad" if over else "quiet"),)


def _slot(world: World, service: Service, place: Place, room: int, now: float) -> Iterator[Line]:
    """Yield one slot: its coming or serving task, the older one still running, how long it is watched, failed ones."""
    first: Line = ((f"{place.label[:10]:>4} ", "quiet"),)
    shown = place.coming if place.kind == "way" else place.serving
    things: list[Line] = [_task(world, service, shown or place.newest)]
    if place.kind == "way" and place.serving is not None:
        things.append(_task(world, service, place.serving))
    seconds, monitor = seconds_watched(service, place, now), service.spec.update.monitor
    if seconds is not None:
        full = min(5, int(5 * seconds / monitor))
        text = f"watched {'▮' * full}{'▯' * (5 - full)} {seconds:.1f} of {monitor:g} s"
        things.append(((text, "move"),))
    things.extend(_list_failures(world, service, place))
    yield from pack(things, room, first)


def _task(world: World, service: Service, task: Task) -> Line:
    """Return version, state and node, in columns."""
    _, word, tone = task_mark(world, task)
    old, runs = is_old(service, task), task.state == "running"
    kind: Kind = "failed" if task.state in BROKEN else "old" if old else "new" if runs else "way"
    where = world.swarm.node_name(task.node) or "no node"
    text = f"{_KINDS[kind][0]} {_word(service, 'old' if old else 'new')} {word:<9} {where:<6}"
    return ((text, "quiet" if kind == "old" and tone == "run" else tone),)


def _list_failures(world: World, service: Service, place: Place) -> Iterator[Line]:
    ids = world.swarm.attempts.get((service.id, place.newest.key), ())
    found = [
        task for task in map(world.swarm.tasks.__getitem__, ids) if task.state in BROKEN and not is_old(service, task)
    ]
    if found:
        last = found[0]
        why = last.error or (f"exit {last.exit}" if last.exit is not None else last.message)
        yield ((f"✘ {len(found)} failed" + (f": {why}" if why else ""), "why"),)


def _cells(world: World, slots: Sequence[Place], room: int) -> Iterator[Line]:
    """Yield many slots as a short cell each, those with something to see first."""
    order: tuple[Kind, ...] = ("failed", "way", "old", "new")
    shown = sorted(slots, key=lambda place: order.index(place.kind))[:_CELLS]
    cells = []
    for place in shown:
        glyph, _, tone = _KINDS[place.kind]
        task = place.coming if place.kind == "way" and place.coming else place.serving or place.newest
        where = f" {world.swarm.node_name(task.node)}" if task.slot else ""
        cells.append((f"{place.label:>4} {glyph}{where}", tone))
    wide = max(width((cell,)) for cell in cells)
    yield from pack((((text.ljust(wide), tone),) for text, tone in cells), room, (("  ", ""),))
    if len(slots) > len(shown):
        yield ((f"  … and {len(slots) - len(shown)} more", "quiet"),)
