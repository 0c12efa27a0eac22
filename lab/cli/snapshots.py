"""snapshot, snapshots, restore, undo, prepare: a cluster saved as it is, and put back."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime

from lab import paths
from lab.cli.lessons import choose_lessons
from lab.cli.out import Out, to_json
from lab.cluster import api
from lab.cluster.snapshot import Snapshot
from lab.lesson.course import SYLLABUS, load_course, load_syllabus
from lab.lesson.talk import find_talk
from lab.session.prepare import prepare as prepare_starts
from lab.session.prepare import starts_of, starts_of_talk
from lab.session.save_snapshot import snapshots_of
from lab.session.snapshot_by_name import restore_snapshot, take_snapshot, undo_step
from lab.text import format_size

_KINDS: Mapping[str, str] = {"own": "yours", "step": "before a step", "checkpoint": "a checkpoint"}


def snapshot(args: argparse.Namespace, out: Out) -> int:
    """Save the cluster as it is; with --remove, delete what was saved."""
    if args.remove:
        snapshots_of(api.find(args.name)).remove(args.snapshot)
        out.result({"removed": args.snapshot})
        if not out.json:
            out.say(f"The snapshot {args.snapshot} is gone.")
        return 0
    with out.progress() as report:
        saved = take_snapshot(args.name, args.snapshot, report)
    out.result(to_json(saved))
    if not out.json:
        out.say(f"{saved.name} is saved: {format_size(saved.size)}.")
        out.say(f"The cluster stood still for {saved.stood_still:.1f} s. Back to it: swarmlab restore {saved.name}")
    return 0


def snapshots(args: argparse.Namespace, out: Out) -> int:
    """List the cluster's snapshots."""
    found = snapshots_of(api.find(args.name)).all()
    out.result({"snapshots": [to_json(each) for each in found]})
    if not out.json:
        for line in list_lines(found, datetime.now(UTC)):
            out.say(line)
    return 0


def restore(args: argparse.Namespace, out: Out) -> int:
    """Put the cluster back to a snapshot."""
    began = datetime.now(UTC)
    with out.progress() as report:
        restored = restore_snapshot(args.name, args.snapshot, report)
    seconds = round((datetime.now(UTC) - began).total_seconds(), 1)
    out.result({**to_json(restored), "seconds": seconds})
    if not out.json:
        out.say(f"The cluster is as it was at {restored.name}, after {seconds:.1f} s.")
    return 0


def undo(args: argparse.Namespace, out: Out) -> int:
    """Take back the last step that was passed, or what was changed by hand since."""
    with out.progress() as report:
        lesson, undone = undo_step(args.name, report)
    out.result({"lesson": lesson, "before": undone.step, "by_hand": undone.by_hand})
    if not out.json:
        out.say(f"The cluster is as it was {undone.sentence}; the next step is {lesson}:{undone.step}.")
    return 0


def prepare(args: argparse.Namespace, out: Out) -> int:
    """Save the starts of lessons ahead, or those that a path through them needs."""
    known = load_syllabus(paths.lessons() / SYLLABUS).paths
    if len(args.lessons) == 1 and args.lessons[0] in known:
        starts = starts_of_talk(find_talk(args.lessons, load_course(), known), steps=args.steps)
    else:
        starts = starts_of(choose_lessons(args.lessons, everything=args.all), steps=args.steps)
    with out.progress() as report:
        done = prepare_starts(args.name, starts, report=report)
    out.result({"prepared": [to_json(each) for each in done]})
    if not out.json:
        for each in done:
            out.say(f"{each.to:<32} {f'saved in {each.seconds:.0f} s' if each.seconds else 'was saved already'}")
    return 0


def list_lines(found: tuple[Snapshot, ...], now: datetime) -> list[str]:
    """Return a table of snapshots as lines; `now` is in UTC."""
    if not found:
        return ["There are no snapshots. swarmlab snapshot NAME makes one."]
    rows = [("NAME", "KIND", "SIZE", "AGE", "RUNS")]
    for each in found:
        runs = each.unfit and f"(cannot be restored: it {each.unfit})"
        runs = runs or ", ".join(each.services) or "no service"
        rows.append(
            (each.name, _KINDS.get(each.kind, each.kind), format_size(each.size), _age(now, each.created), runs)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join((*(c.ljust(w) for c, w in zip(row, [*widths, 0], strict=True)),)).rstrip() for row in rows]
    return [*lines, "", f"{format_size(sum(each.size for each in found))} in all"]


def _age(now: datetime, then: datetime) -> str:
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
