"""lessons, run, reset, record, check: the commands about lessons."""

from __future__ import annotations

import argparse
import shlex
import textwrap
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lab import paths
from lab.cli.out import Out
from lab.cli.output_files import expect_writable
from lab.errors import InputError, LabError, MissingError
from lab.lesson import progress
from lab.lesson.course import SYLLABUS, check_paths, load_course, load_lesson, load_syllabus
from lab.lesson.find_challenge import challenges, find_challenge, seed_for
from lab.lesson.model import Lesson
from lab.run.results import slowest_steps
from lab.schema.diagnostics import More, did_you_mean
from lab.text import count_of

if TYPE_CHECKING:
    from lab.cluster.model import Progress
    from lab.session.reset_to import Done


def lessons(args: argparse.Namespace, out: Out) -> int:
    """List the lessons in the syllabus's order, and the paths through them."""
    from lab.tape.find import tapes  # only this command needs it

    recorded = tapes()
    course = load_course()
    ways = load_syllabus(paths.lessons() / SYLLABUS).paths
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
    out.result({"lessons": rows, "paths": [{"id": id, **path.model_dump()} for id, path in ways.items()]})
    if not out.json:
        for row, lesson in zip(rows, course, strict=True):
            done = f"{len(progress.passed_steps(args.name, lesson))}/{len(lesson.steps)}"
            tape = "recorded" if row["recording"] else ""
            out.say(f"{lesson.id:<16} {lesson.minutes:>3} min  {done:>5} steps  {tape:<9} {lesson.title}")
        for id, path in ways.items():
            out.say(f"\n{id:<16} {path.minutes:>3} min  {path.title}")
            for line in textwrap.wrap(" ".join(path.steps), 76, break_on_hyphens=False):
                out.say(f"    {line}")
    return 0


def choose_lessons(names: Sequence[str], *, everything: bool = False, lab: str = "") -> tuple[Lesson, ...]:
    """Return the lessons with these ids, or in these files, in the order given; the id of a challenge may be one
    without a seed: then it is the one of this `lab`. Raises InputError for an unknown id, and when none is given;
    Problems for a file that is wrong."""
    if everything:
        return load_course()
    if not names:
        raise InputError("no lesson was named", remedy="name one or more, or use --all; swarmlab lessons lists them")
    # A file may belong to a course that is being changed, and cannot be loaded now.
    known = {} if all(map(is_file_name, names)) else {lesson.id: lesson for lesson in load_course()}
    for name in names:
        if name in known or is_file_name(name):
            continue
        if (challenge := find_challenge(f"{name}-{seed_for(lab, name)}" if name in challenges() else name)) is None:
            there = f"the lessons are: {', '.join(known)}; the name of a lesson's file ends in .yaml"
            meant = did_you_mean(name, (*known, *challenges()))
            remedy = f"{there}; swarmlab challenge lists the challenges"
            raise InputError(f"there is no lesson {name}{meant}", remedy=remedy)
        known = {**known, name: challenge}
    return tuple(load_lesson(Path(name)) if is_file_name(name) else known[name] for name in names)


def is_file_name(name: str) -> bool:
    """Return whether a lesson is named by its file: no id has a slash or a suffix."""
    return "/" in name or name.endswith((".yaml", ".yml"))


def run(args: argparse.Namespace, out: Out) -> int:
    """Run lessons from their checkpoints; exit with 0 only when every check was false before and true after. With
    --record, the tape of each that passed is saved in that folder; the tape of one that did not, beside it."""
    from lab.cluster import api  # only this command needs it
    from lab.session.run import go_through, record_passed
    from lab.session.shard import take_shard
    from lab.tape.find import SUFFIX

    if args.shard and not args.all:
        raise InputError("--shard goes with --all", remedy=f"swarmlab run --all --shard {shlex.quote(args.shard)}")
    wanted = choose_lessons(args.lessons, everything=args.all, lab=args.name)
    if args.shard:
        wanted = take_shard(wanted, args.shard)
    if args.until and not any(lesson.step(args.until) for lesson in wanted):
        raise InputError(f"none of these lessons has a step {args.until}")
    if args.record and args.until:
        raise InputError("--record is for whole lessons", remedy="leave out --until")
    folder = Path(args.record) if args.record else None
    if folder is not None:
        for lesson in wanted:
            expect_writable(folder / f"{lesson.id}{SUFFIX}")

    began = time.monotonic()
    with api.at_work(args.name, f"running {', '.join(lesson.id for lesson in wanted)}"):
        results = [
            record_passed(args.name, lesson, out.say, folder)
            if folder
            else go_through(args.name, lesson, out.say, until=args.until)
            for lesson in wanted
        ]
    held = all(result.passed for result in results)
    seconds, slowest = round(time.monotonic() - began, 1), slowest_steps(results)
    out.result({"passed": held, "seconds": seconds, "lessons": results, "slowest": slowest})
    if args.all and not out.json:
        passed = sum(result.passed for result in results)
        out.say(f"{passed} of {count_of(len(results), 'lesson')} passed in {seconds:.0f} s. The slowest steps:")
        for step in slowest:
            out.say(f"{step.seconds:>8.1f} s  {step.lesson}:{step.step}")
    return 0 if held else 1


def reset(args: argparse.Namespace, out: Out) -> int:
    """Reset the cluster to the start of a lesson or step; several clusters side by side."""
    from lab.cluster import api  # only this command needs it
    from lab.session.run import reset_cluster

    names = api.names() if args.all_labs else tuple(dict.fromkeys(args.name.split(",")))
    if not names:
        raise MissingError("there is no lab on this machine", remedy="swarmlab up")
    wanted, _, step = args.to.partition(":")
    wanted = wanted or progress.last_lesson(names[0]) or load_course()[0].id
    (lesson,) = choose_lessons([wanted], lab=names[0])
    if step and lesson.step(step) is None:
        steps = ", ".join(s.id for s in lesson.steps)
        raise InputError(f"lesson {lesson.id} has no step {step}", remedy=f"its steps are: {steps}")
    with out.progress() as report:

        def one(name: str) -> Done:
            def tell(said: Progress) -> None:
                report(said if len(names) == 1 else replace(said, text=f"{name}: {said.text}", done=None))

            return reset_cluster(name, lesson, step or None, dry_run=args.dry_run, by=args.by, report=tell)

        if len(names) == 1:
            done = one(names[0])
        else:
            with ThreadPoolExecutor(len(names)) as pool:
                began = {name: pool.submit(one, name) for name in names}
    if len(names) > 1:
        return _tell_several(out, {name: _take_outcome(future) for name, future in began.items()})
    out.result(done)
    if not out.json:
        for action in done.actions:
            out.say(("would " if done.dry_run else "") + action)
        for left in done.left:
            out.say(f"left alone: {left}")
        out.say(_describe(done))
    return 0


def _describe(done: Done) -> str:
    many = f"{len(done.actions)} thing{'s' if len(done.actions) != 1 else ''}"
    if not done.actions:
        return f"The cluster is at {done.to}: nothing to do ({done.seconds:.1f} s)."
    if done.dry_run:
        return f"{many} to put right on the way to {done.to}; nothing was done."
    how = ", by a snapshot" if done.by == "snapshot" else f" (by the API: {done.why})" if done.why else ""
    return f"The cluster is at {done.to}: {many} put right in {done.seconds:.1f} s{how}."


def _take_outcome(future: Future[Done]) -> Done | LabError:
    try:
        return future.result()
    except LabError as error:
        return error


def _tell_several(out: Out, ended: Mapping[str, Done | LabError]) -> int:
    """Tell how the resets of several clusters went, a line each, and which was the slowest."""
    failed = {name: error for name, error in ended.items() if isinstance(error, LabError)}
    done = {name: one for name, one in ended.items() if not isinstance(one, LabError)}
    out.result({"labs": done, "failed": {name: error.sentence for name, error in failed.items()}})
    if not out.json:
        width = max(map(len, ended))
        for name, one in ended.items():
            out.say(f"{name:<{width}}  {f'failed: {one.sentence}' if isinstance(one, LabError) else _describe(one)}")
        if len(done) > 1:
            slowest = max(done, key=lambda name: done[name].seconds)
            out.say(f"The slowest was {slowest}, with {done[slowest].seconds:.1f} s.")
    return 1 if failed else 0


def record(args: argparse.Namespace, out: Out) -> int:
    """Run a lesson from its checkpoint and save the tape."""
    from lab.cluster import api  # only this command needs it
    from lab.session.run import go_through
    from lab.tape.find import SUFFIX

    (lesson,) = choose_lessons([args.lesson], lab=args.name)
    target = Path(args.output) if args.output else Path("recordings") / f"{lesson.id}{SUFFIX}"
    expect_writable(target)
    with api.at_work(args.name, f"recording {lesson.id}"):
        result = go_through(args.name, lesson, out.say, tape=target)
    out.result({"recording": target, "lesson": result})
    if not out.json:
        out.say(f"recorded: {target}" + ("" if result.passed else " (the lesson did not pass)"))
    return 0 if result.passed else 1


def _figures(targets: Sequence[Path]) -> tuple[InputError, ...]:
    from lab.lesson.figures import find_unproven  # only when it is asked for

    return tuple(find_unproven(targets))


def _notes(targets: Sequence[Path]) -> tuple[InputError, ...]:
    """Return what the syllabuses among the targets say that no lesson covers yet."""
    from lab.lesson.coverage import find_uncovered  # only this command needs it

    files = [each if each.name == SYLLABUS else each / SYLLABUS for each in targets]
    return tuple(note for file in files if file.is_file() for note in find_uncovered(file))


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
    figures = _figures(targets) if args.figures else ()
    notes = () if problems else _notes(targets)
    found = {"problems": problems, "notes": notes, **({"figures": figures} if args.figures else {})}
    listed = {key: [{"path": p.path, "line": p.line, "reason": p.reason} for p in each] for key, each in found.items()}
    out.result({"checked": looked_at, **listed})
    if not out.json:
        for problem in (*problems, *figures, *notes):
            out.say(problem.sentence)
        many = sum(p.many if isinstance(p, More) else 1 for p in problems)
        over = "more than " if any(isinstance(p, More) and not p.many for p in problems) else ""
        read = f", {len(figures)} with a figure to look at" if args.figures else ""
        gaps = f", {count_of(len(notes), 'point')} of the talk not covered yet" if notes else ""
        out.say(f"{looked_at} file{'s' if looked_at != 1 else ''} checked, {over}{many} wrong{read}{gaps}")
    return 2 if problems else 0
