"""Reset: how the cluster differs from a checkpoint, and how it gets there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from lab.cluster.model import Cluster
from lab.errors import EngineError, WaitError
from lab.lesson.checkpoint import Checkpoint, NodeState, checkpoint_before
from lab.lesson.model import Lesson
from lab.reset import ownership
from lab.reset.actions import Plan, RemoveVolume
from lab.reset.apply import apply
from lab.reset.plan import plan
from lab.reset.settle import MachinesEnded
from lab.session.cluster_driver import ClusterDriver
from lab.world.entries import ActDone

#: Attempts before a reset gives up; after machines end during one, they are powered on again for the next.
ATTEMPTS = 4


@dataclass(frozen=True)
class Done:
    """What a reset found and did, as sentences, in order. `left` says what could not be touched, and why."""

    to: str
    actions: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float
    dry_run: bool = False


def reset_to(driver: ClusterDriver, lesson: Lesson, step: str | None = None, *, dry_run: bool = False) -> Done:
    """Reset the cluster to the start of a step (None: of the lesson). Powers on what should run, inspects, acts, and
    waits until the cluster is there; when a machine ends meanwhile, starts over from that state.

    Raises WaitError with what was still missing, EngineError when no manager answers, MachinesEnded when machines keep
    ending.
    """
    began = time.monotonic()
    checkpoint = checkpoint_before(lesson, step)
    to = f"{lesson.id}:{step}" if step else lesson.id
    needed = _needed(driver.cluster, checkpoint)
    if dry_run:
        found = _preview(driver, checkpoint)
        return _done(to, [a.sentence for a in found.actions], found, began, dry_run=True)
    done: list[str] = []
    for attempt in range(ATTEMPTS):
        try:
            done += _power_on(driver, needed)
            driver.look()
            found = _plan(driver, checkpoint)
            done += [a.sentence for a in found.actions]
            if found.actions:
                driver.journal.write(ActDone(f"reset to {to}: {len(found.actions)} to put right"))
            # Even with nothing to do, it waits for changes under way.
            apply(found.actions, checkpoint, driver, made_by_lab=driver.cluster.made_by_lab, needed=needed)
        except (MachinesEnded, EngineError, WaitError):
            ended = needed.intersection(driver.powered_off())
            if not ended or attempt == ATTEMPTS - 1:
                raise
            driver.journal.write(ActDone(f"reset: {', '.join(sorted(ended))} went off meanwhile; planning again"))
        else:
            break
    return _done(to, done, found, began)


def _done(to: str, actions: Sequence[str], found: Plan, began: float, *, dry_run: bool = False) -> Done:
    left = tuple(x.sentence for x in found.left)
    return Done(to, tuple(actions), left, round(time.monotonic() - began, 2), dry_run)


def _needed(cluster: Cluster, checkpoint: Checkpoint) -> frozenset[str]:
    """Return the nodes of the lab's own machines that are on at the checkpoint."""
    if not cluster.made_by_lab:
        return frozenset()
    names = (endpoint.node for endpoint in cluster.endpoints())
    return frozenset(name for name in names if checkpoint.nodes.get(name, NodeState()).machine == "on")


def _power_on(driver: ClusterDriver, needed: frozenset[str]) -> list[str]:
    """Power on the machines that are off, before anything else: without its managers a cluster cannot even be
    inspected."""
    off = sorted(needed.intersection(driver.powered_off()))
    if off:
        driver.power_on(off)
    return [f"power {name} on" for name in off]


def _plan(driver: ClusterDriver, checkpoint: Checkpoint) -> Plan:
    made = driver.cluster.made_by_lab
    found = plan(
        driver.journal.world,
        checkpoint,
        made_by_lab=made,
        ours=ownership.owned_ids(driver.cluster.name),
        env=driver.settings(),
        off=driver.powered_off() if made else (),
    )
    # No manager knows about volumes: those of a stack that should not be here are looked up on the nodes themselves.
    stale = [RemoveVolume(name) for name, stack in driver.volumes() if stack not in checkpoint.stacks] if made else []
    return Plan((*found.actions, *(volume for volume in stale if volume not in found.actions)), found.left)


def _preview(driver: ClusterDriver, checkpoint: Checkpoint) -> Plan:
    """Return what a reset would do. Raises EngineError at once when too many managers are off to tell."""
    managers = [endpoint.node for endpoint in driver.cluster.endpoints() if endpoint.role == "manager"]
    off = [name for name in managers if name in driver.powered_off()]
    if 2 * len(off) >= len(managers):
        raise EngineError(
            f"{len(off)} of {len(managers)} managers are powered off, so the swarm cannot be asked what differs; "
            "a reset powers them on first",
            remedy="swarmlab reset, or swarmlab up",
        )
    driver.look()
    return _plan(driver, checkpoint)
