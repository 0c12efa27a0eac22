"""challenge: something that the lab breaks, for the learner to repair."""

from __future__ import annotations

import argparse
import sys

from lab.cli.cluster import consent
from lab.cli.out import Out
from lab.cli.start import is_whole, say_what_stays
from lab.errors import InputError
from lab.lesson import progress
from lab.lesson.challenge import MOST_SEEDS, Challenge, as_lesson
from lab.lesson.course import load_challenges
from lab.lesson.find_challenge import find_attempts, seed_for
from lab.lesson.model import Lesson
from lab.lesson.standing import describe_attempt
from lab.schema.diagnostics import did_you_mean
from lab.tui.appearance import Appearance, read_appearance


def challenge(args: argparse.Namespace, out: Out) -> int:
    """List the challenges; or break one out of sight, and open the lab on it: the app on a terminal, else line by
    line."""
    every = {each.id: each for each in load_challenges()}
    if args.challenge is None:
        return _list(args.name, tuple(every.values()), out)
    chosen = every.get(args.challenge)
    if chosen is None:
        near = did_you_mean(args.challenge, every)
        raise InputError(f"there is no challenge {args.challenge}{near}", remedy="swarmlab challenge lists them")
    if args.seed is not None:
        if not 0 <= args.seed < MOST_SEEDS:
            raise InputError(f"a seed is a number from 0 to {MOST_SEEDS - 1}")
        progress.record_seed(args.name, chosen.id, args.seed)
    lesson = as_lesson(chosen, seed_for(args.name, chosen.id, new=args.new and args.seed is None))
    appearance = read_appearance(args.theme, args.motion)  # a wrong one is said before anything is broken
    _break(args, lesson, out)
    if args.json:
        out.result({"challenge": chosen.id, "lesson": lesson.id, "symptom": lesson.steps[0].text})
        return 0
    return _open(args, lesson, appearance, out)


def _list(name: str, every: tuple[Challenge, ...], out: Out) -> int:
    found = tuple(find_attempts(name, every, {}))
    rows = [(each, attempt, describe_attempt(attempt)) for each, attempt in zip(every, found, strict=True)]
    out.result(
        {
            "challenges": [
                {
                    "id": each.id,
                    "title": each.title,
                    "minutes": each.minutes,
                    "seed": attempt.seed if attempt.begun else None,
                    "repaired": attempt.repaired,
                }
                for each, attempt, _ in rows
            ]
        }
    )
    if not out.json:
        for each, _, state in rows:
            out.say(f"{each.id:<16} {each.minutes:>3} min  {state:<9} {each.title}")
    out.say("\nswarmlab challenge NAME breaks the cluster, and tells you the symptom. Any repair counts.")
    return 0


def _break(args: argparse.Namespace, lesson: Lesson, out: Out) -> None:
    from lab.cluster import api  # only this path needs it
    from lab.session.run import reset_cluster

    with out.progress(plain=True) as report:
        if not is_whole(args.name):
            api.up(args.name, report=report, consent=consent(args.yes, out))
        reset_cluster(args.name, lesson, None, report=report, held=not args.json)


def _open(args: argparse.Namespace, lesson: Lesson, appearance: Appearance, out: Out) -> int:
    from lab.cluster import api  # only this path needs it
    from lab.session.live import LiveStage

    if args.line_by_line is None and sys.stdin.isatty() and sys.stdout.isatty():
        from lab.tui import launch  # only a screen needs it

        code = launch(
            lambda: LiveStage(api.find(args.name), saves=True),
            live=True,
            lesson=lesson.id,
            appearance=appearance,
        )
    else:
        from lab.cli.plain import take_a_seat  # only without a screen

        stage = LiveStage(api.find(args.name), typing=0.0, saves=True)
        code = take_a_seat(args, stage, lesson.id)
    say_what_stays(args, out)
    return code
