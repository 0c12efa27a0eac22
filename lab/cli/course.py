"""lessons, run, reset, record, check: the commands about lessons."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from lab import paths
from lab.cli.out import Out
from lab.cli.output_files import expect_writable
from lab.errors import InputError
from lab.lesson import progress
from lab.lesson.course import check_paths, load_course
from lab.lesson.model import Lesson
from lab.schema.diagnostics import More


def lessons(args: argparse.Namespace, out: Out) -> int:
    """List the lessons in the syllabus's order."""
    from lab.tape.find import tapes  # only this command needs it

    recorded = tapes()
    course = load_course()
    rows = [
        {
            "id": lesson.id,
            "title": lesson.title,
            "topics": lesson.topics,
            "minutes": lesson.minutes,
            "steps": [step.id for step in lesson.steps],
            "passed": sorted(progress.passed_steps(args.name, lesson)),
            "recording": lesson.id in recorded,
        }
        for lesson in course
    ]
    out.result({"lessons": rows})
    if not out.json:
        for row, lesson in zip(rows, course, strict=True):
            done = f"{len(progress.passed_steps(args.name, lesson))}/{len(lesson.steps)}"
            tape = "recorded" if row["recording"] else ""
            out.say(f"{lesson.id:<16} {lesson.minutes:>3} min  {done:>5} steps  {tape:<9} {lesson.title}")
    return 0


def choose_lessons(names: Sequence[str], *, everything: bool = False) -> tuple[Lesson, ...]:
    """Return the lessons with these ids, in the order given. Raises InputError for an unknown id, and when none is
    given."""
    course = load_course()
    if everything:
        return course
    if not names:
        raise InputError("no lesson was named", remedy="name one or more, or use --all; swarmlab lessons lists them")
    known = {lesson.id: lesson for lesson in course}
    for name in names:
        if name not in known:
            raise InputError(f"there is no lesson {name}", remedy=f"the lessons are: {', '.join(known)}")
    return tuple(known[name] for name in names)


def run(args: argparse.Namespace, out: Out) -> int:
    """Run lessons from their checkpoints; exit with 0 only when every check was false before and true after."""
    from lab.cluster import api  # only this command needs it
    from lab.session.run import go_through

    wanted = choose_lessons(args.lessons, everything=args.all)
    if args.until and not any(lesson.step(args.until) for lesson in wanted):
        raise InputError(f"none of these lessons has a step {args.until}")
    began = time.monotonic()
    with api.at_work(args.name, f"running {', '.join(lesson.id for lesson in wanted)}"):
        results = [go_through(args.name, lesson, out.say, until=args.until) for lesson in wanted]
    held = all(result.passed for result in results)
    out.result({"passed": held, "seconds": round(time.monotonic() - began, 1), "lessons": results})
    return 0 if held else 1


def reset(args: argparse.Namespace, out: Out) -> int:
    """Reset the cluster to the start of a lesson or step."""
    from lab.session.run import reset_cluster  # only this command needs it

    name, _, step = args.to.partition(":")
    name = name or progress.last_lesson(args.name) or load_course()[0].id
    (lesson,) = choose_lessons([name])
    if step and lesson.step(step) is None:
        steps = ", ".join(s.id for s in lesson.steps)
        raise InputError(f"lesson {lesson.id} has no step {step}", remedy=f"its steps are: {steps}")
    with out.progress() as report:
        done = reset_cluster(args.name, lesson, step or None, dry_run=args.dry_run, by=args.by, report=report)
    out.result(done)
    if not out.json:
        for action in done.actions:
            out.say(("would " if done.dry_run else "") + action)
        for left in done.left:
            out.say(f"left alone: {left}")
        many = f"{len(done.actions)} thing{'s' if len(done.actions) != 1 else ''}"
        if not done.actions:
            out.say(f"The cluster is at {done.to}: nothing to do ({done.seconds:.1f} s).")
        elif done.dry_run:
            out.say(f"{many} to put right on the way to {done.to}; nothing was done.")
        else:
            how = ", by a snapshot" if done.by == "snapshot" else f" (by the API: {done.why})" if done.why else ""
            out.say(f"The cluster is at {done.to}: {many} put right in {done.seconds:.1f} s{how}.")
    return 0


def record(args: argparse.Namespace, out: Out) -> int:
    """Run a lesson from its checkpoint and save the tape."""
    from lab.cluster import api  # only this command needs it
    from lab.session.run import go_through
    from lab.tape.find import SUFFIX

    (lesson,) = choose_lessons([args.lesson])
    target = Path(args.output) if args.output else Path("recordings") / f"{lesson.id}{SUFFIX}"
    expect_writable(target)
    with api.at_work(args.name, f"recording {lesson.id}"):
        result = go_through(args.name, lesson, out.say, tape=target)
    out.result({"recording": target, "lesson": result})
    if not out.json:
        out.say(f"recorded: {target}" + ("" if result.passed else " (the lesson did not pass)"))
    return 0 if result.passed else 1


def check(args: argparse.Namespace, out: Out) -> int:
    """Report what is wrong with lessons, stack files and recordings; without a path, with all that ship with the
    program. `lessons`, `stacks` and `recordings` name those when no such path exists. A recording of a lesson in the
    course must match the lesson as it is now. The files that --compose-file names are checked as one stack."""
    from lab.session.compare_recording import check_recording  # only this command needs it

    own = {"lessons": paths.lessons(), "stacks": paths.stacks(), "recordings": paths.recordings()}
    given = [own[p] if p in own and not Path(p).exists() else Path(p) for p in args.paths]
    stack = [Path(p) for p in args.stack]
    targets = given or ([] if stack else list(own.values()))
    problems, looked_at = check_paths(targets, check_recording, stack=stack)
    out.result(
        {"checked": looked_at, "problems": [{"path": p.path, "line": p.line, "reason": p.reason} for p in problems]}
    )
    if not out.json:
        for problem in problems:
            out.say(problem.sentence)
        many = sum(p.many if isinstance(p, More) else 1 for p in problems)
        over = "more than " if any(isinstance(p, More) and not p.many for p in problems) else ""
        out.say(f"{looked_at} file{'s' if looked_at != 1 else ''} checked, {over}{many} wrong")
    return 2 if problems else 0
