"""Snapshots of checkpoints: kept after a reset that took long, so that the next one takes seconds."""

from __future__ import annotations

import hashlib

from lab import paths
from lab.cluster.snapshot import Snapshot
from lab.lesson.checkpoint import Checkpoint
from lab.session.cluster_driver import ClusterDriver

DIGEST = "digest"
"""The key in a snapshot's `about` with the digest of its checkpoint."""

KEEP_FROM = 15.0
"""Seconds that a reset must have taken for its result to be kept."""


def name_of(lesson: str, step: str | None) -> str:
    """Return the name of the snapshot of a checkpoint. It has a dot, which no name of a user's own has."""
    return f"{lesson}.{step or 'start'}"


def digest_of(checkpoint: Checkpoint, driver: ClusterDriver) -> str:
    """Return the digest of everything that a checkpoint's world depends on: its text, the stacks' folder, and this
    machine's settings but for the keys and the password, which are in the snapshot."""
    total = hashlib.sha256(checkpoint.model_dump_json().encode())
    for path in sorted(path for path in paths.stacks().rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(paths.stacks())}:".encode() + path.read_bytes())
    edge = driver.edge
    total.update(repr((edge.domain, edge.acme, edge.email, edge.http_port, edge.https_port, edge.images)).encode())
    return total.hexdigest()[:16]


def find_snapshot(driver: ClusterDriver, checkpoint: Checkpoint, name: str) -> tuple[Snapshot | None, str]:
    """Return the snapshot of a checkpoint that can be restored, and why there is none in a sentence without a full
    stop. The start of a step may be that of a lesson: one of another name is as good when its digest is the same."""
    if driver.cluster.snapshots is None:
        return None, f"a cluster of the provider {driver.cluster.provider} has no snapshots"
    every = [each for each in driver.cluster.snapshots.all() if each.kind == "checkpoint"]
    every.sort(key=lambda each: each.name != name)
    digest = digest_of(checkpoint, driver)
    same = [each for each in every if each.about.get(DIGEST) == digest]
    if fitting := next((each for each in same if not each.unfit), None):
        return fitting, ""
    if same:
        return None, f"its snapshot {same[0].unfit}"
    if any(each.name == name for each in every):
        return None, "its snapshot is of another version of the lesson, its stacks or the settings"
    return None, "there is no snapshot of it yet"
