"""Reset: how the cluster differs from a checkpoint, and how it gets there."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lab.cluster.model import Cluster, Progress, Report
from lab.errors import EngineError, InputError, WaitError
from lab.lesson.checkpoint import Checkpoint, NodeState, checkpoint_before
from lab.lesson.model import Lesson
from lab.reset import ownership
from lab.reset.actions import Plan, RemoveVolume
from lab.reset.apply import BOUND, apply
from lab.reset.plan import plan
from lab.reset.settle import Limits, MachinesEnded, wait_until_settled
from lab.session import checkpoint_snapshots
from lab.session.cluster_driver import ClusterDriver
from lab.session.kept_certificates import VOLUME
from lab.session.save_snapshot import save
from lab.session.trusted_certificates import list_certified_hosts
from lab.world.entries import ActDone

#: Attempts before a reset gives up; after machines end during one, they are powered on again for the next.
ATTEMPTS = 4
#: Seconds within which Traefik has its certificates, else it is made anew.
_ORDER = 90.0
#: Seconds for a manager to answer before a reset that has a snapshot restores it.
_QUICK = 5.0


@dataclass(frozen=True)
class Done:
    """What a reset found and did, as sentences, in order. `left` says what could not be touched, and why. `by` says
    which way it went, `why` why not by a snapshot."""

    to: str
    actions: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float
    dry_run: bool = False
    by: Literal["api", "snapshot"] = "api"
    why: str = ""


By = Literal["auto", "api", "snapshot"]
"""How a reset goes: by the engines' API, by a snapshot of the checkpoint, or by a snapshot if there is one."""


def reset_to(
    driver: ClusterDriver, lesson: Lesson, step: str | None = None, *, dry_run: bool = False, by: By = "auto"
) -> Done:
    """Reset the cluster to the start of a step (None: of the lesson). Restores a snapshot of that checkpoint, or powers
    on what should run. Then it inspects, acts, and waits until the cluster is there, whichever way it went; when a
    machine ends meanwhile, it starts over from that state.

    Raises WaitError with what was still missing, EngineError when no manager answers, MachinesEnded when machines keep
    ending, InputError when it is to go by a snapshot and there is none.
    """
    began = time.monotonic()
    checkpoint = checkpoint_before(lesson, step)
    to = f"{lesson.id}:{step}" if step else lesson.id
    needed = _find_needed(driver.cluster, checkpoint)
    if dry_run:
        found = _preview(driver, checkpoint)
        healed = [f"heal: {sentence}" for sentence in driver.broken()]
        return _summarize(to, [*healed, *(a.sentence for a in found.actions)], found, began, dry_run=True)
    name = checkpoint_snapshots.name_of(lesson.id, step)
    saved, why = (None, "") if by == "api" else checkpoint_snapshots.find_snapshot(driver, checkpoint, name)
    if by == "snapshot" and saved is None:
        raise InputError(f"{to} cannot be reset to by a snapshot: {why}", remedy=f"swarmlab reset --to {to} --by api")
    if saved is not None and by == "auto" and _is_there(driver, checkpoint, needed):
        saved = None
    done: list[str] = []
    if saved is not None:
        driver.restore(saved.name)
        done.append(f"restore the snapshot {saved.name}")
    for attempt in range(ATTEMPTS):
        try:
            done += _power_on(driver, needed)
            done += _heal(driver)
            driver.look()
            if driver.cluster.made_by_lab and driver.end_autolock():
                done.append("end the lock of the managers")
            done += _rejoin(driver, checkpoint, needed)
            found = _plan(driver, checkpoint, volumes=saved is None)
            done += [a.sentence for a in found.actions]
            if found.actions:
                driver.journal.write(ActDone(f"reset to {to}: {len(found.actions)} to put right"))
            # Even with nothing to do, it waits for changes under way.
            apply(found.actions, checkpoint, driver, made_by_lab=driver.cluster.made_by_lab, needed=needed)
            done += _renew(driver, checkpoint, needed, to)
        except (MachinesEnded, EngineError, WaitError) as error:
            ended = needed.intersection(driver.powered_off())
            if not ended or attempt == ATTEMPTS - 1:
                if by == "api" and checkpoint_snapshots.find_snapshot(driver, checkpoint, name)[0] is not None:
                    error.remedy = f"swarmlab reset --to {to} --by snapshot"
                raise
            driver.journal.write(ActDone(f"reset: {', '.join(sorted(ended))} went off meanwhile; planning again"))
        else:
            break
    return replace(_summarize(to, done, found, began), by="api" if saved is None else "snapshot", why=why)


def _is_there(driver: ClusterDriver, checkpoint: Checkpoint, needed: frozenset[str]) -> bool:
    """Return whether the cluster, as far as a quick look tells, is at the checkpoint: then nothing is restored."""
    if needed.intersection(driver.powered_off()):
        return False
    try:
        driver.look(_QUICK)
        return not (_plan(driver, checkpoint, volumes=False).actions or _preview_plan(driver, checkpoint).actions)
    except EngineError:
        return False


def _summarize(to: str, actions: Sequence[str], found: Plan, began: float, *, dry_run: bool = False) -> Done:
    left = tuple(x.sentence for x in found.left)
    return Done(to, tuple(actions), left, round(time.monotonic() - began, 2), dry_run)


def keep_checkpoint(
    driver: ClusterDriver,
    lesson: Lesson,
    step: str | None,
    done: Done,
    report: Report,
    *,
    at_least: float = checkpoint_snapshots.KEEP_FROM,
) -> None:
    """Keep the checkpoint that a reset has just reached as a snapshot, if that took `at_least` so many seconds and its
    provider has snapshots. Raises LabError when it cannot be saved."""
    if driver.cluster.snapshots is None or done.by == "snapshot" or done.seconds < at_least:
        return
    digest = checkpoint_snapshots.digest_of(checkpoint_before(lesson, step), driver)
    about = {"lesson": lesson.id, "step": step or "", checkpoint_snapshots.DIGEST: digest}
    report(Progress("snapshot", "keeping a snapshot of this start, for the next reset to it", 0.9))
    save(driver, checkpoint_snapshots.name_of(lesson.id, step), "checkpoint", about=about, report=report)


def _find_needed(cluster: Cluster, checkpoint: Checkpoint) -> frozenset[str]:
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


def _heal(driver: ClusterDriver) -> list[str]:
    broken = driver.broken()
    if broken:
        driver.heal()
    return [f"heal: {sentence}" for sentence in broken]


def _rejoin(driver: ClusterDriver, checkpoint: Checkpoint, needed: frozenset[str]) -> list[str]:
    """Bring engines back that are not in the swarm: a node that no manager lists cannot be put right. The engines
    themselves are asked, as the managers list one that has just left as ready until they miss its heartbeats."""
    members = {name for name in needed if checkpoint.nodes.get(name, NodeState()).in_swarm}
    back = driver.rejoin(members) if members else ()
    if back:
        driver.look()
    return [f"bring {name} back into the swarm" for name in back]


def _renew(driver: ClusterDriver, checkpoint: Checkpoint, needed: frozenset[str], to: str) -> list[str]:
    """Recreate what keeps certificates of an authority that is gone, and wait until what the stacks serve is trusted.
    Both can only be told once the cluster is at the checkpoint: until then its ACME server may still be on its way to
    another node."""
    if not (driver.cluster.made_by_lab and checkpoint.stacks):
        return []
    done: list[str] = []
    if outdated := driver.outdated_volumes():
        done += _recreate(driver, checkpoint, needed, outdated, to, "certificates of another authority are kept on")
    try:
        _wait_for_certificates(driver, checkpoint, needed, _ORDER)
    except WaitError:  # An order that failed is not made again while Traefik runs.
        done += _recreate(driver, checkpoint, needed, {VOLUME}, to, "a certificate was not issued; made anew:")
        _wait_for_certificates(driver, checkpoint, needed, BOUND)
    return done


def _recreate(
    driver: ClusterDriver, checkpoint: Checkpoint, needed: frozenset[str], volumes: Collection[str], to: str, why: str
) -> list[str]:
    """Recreate these volumes and what uses them. Returns what was done, in sentences."""
    driver.journal.write(ActDone(f"reset to {to}: {why} {', '.join(sorted(volumes))}"))
    again = _plan(driver, checkpoint, volumes=False, outdated=frozenset(volumes)).actions
    apply(again, checkpoint, driver, made_by_lab=driver.cluster.made_by_lab, needed=needed)
    return [a.sentence for a in again]


def _wait_for_certificates(driver: ClusterDriver, checkpoint: Checkpoint, needed: frozenset[str], bound: float) -> None:
    hosts = list_certified_hosts(checkpoint, driver.settings())
    limits = Limits(bound, time.monotonic() + bound, time.monotonic, needed)
    # The world does not show this: do not ask again for every new journal entry.
    wait_until_settled(lambda _: iter(driver.list_untrusted(hosts)), driver, limits, 0.97, lambda _: False)


def _find_outdated(driver: ClusterDriver, checkpoint: Checkpoint) -> frozenset[str]:
    return driver.outdated_volumes() if driver.cluster.made_by_lab and checkpoint.stacks else frozenset()


def _preview_plan(driver: ClusterDriver, checkpoint: Checkpoint) -> Plan:
    return _plan(driver, checkpoint, outdated=_find_outdated(driver, checkpoint))


def _plan(
    driver: ClusterDriver, checkpoint: Checkpoint, *, volumes: bool = True, outdated: frozenset[str] = frozenset()
) -> Plan:
    made = driver.cluster.made_by_lab
    found = plan(
        driver.journal.world,
        checkpoint,
        made_by_lab=made,
        ours=ownership.owned_ids(driver.cluster.name),
        env=driver.settings(),
        off=(*driver.powered_off(), *driver.cut_off()) if made else (),
        roles={endpoint.node: endpoint.role for endpoint in driver.cluster.endpoints()} if made else {},
        outdated_volumes=outdated,
    )
    # No manager knows about volumes: those of a stack that should not be here are looked up on the nodes themselves,
    # except right after a restore, which brought back the disks.
    listed = driver.volumes() if made and volumes else ()
    stale = [RemoveVolume(name) for name, stack in listed if stack not in checkpoint.stacks]
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
    return _preview_plan(driver, checkpoint)
