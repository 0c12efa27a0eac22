"""`swarmlab` without a command: the lab on a terminal, the whole tour in plain text elsewhere."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from lab.cli.cluster import consent, print_status
from lab.cli.out import Out
from lab.cluster.model import Report
from lab.errors import InputError, LabError

if TYPE_CHECKING:
    from lab.session import Stage

TOUR = ("first-service", "reconciliation")


def start(args: argparse.Namespace, out: Out) -> int:
    """Open the app at once, on the recordings while the cluster is created in the background; or the tour without a
    screen; or with --plain the lab line by line."""
    if args.line_by_line is not None:
        from lab.cli.plain import plain  # only this path needs it, and the first paint waits for imports

        return plain(args, out)
    if args.colour:
        raise InputError("--colour goes with --plain", remedy="swarmlab --plain --colour")
    if sys.stdin.isatty() and sys.stdout.isatty():
        return _app(args, out)
    return _tour(args, out)


def _app(args: argparse.Namespace, out: Out) -> int:
    """Open live at once on a cluster that is whole; else on the recordings, while the cluster is created."""
    from lab.lesson import progress  # only this path needs it, and the first paint waits for imports
    from lab.tui import launch
    from lab.tui.appearance import read_appearance

    appearance = read_appearance(args.theme, args.motion)
    where = progress.last_lesson(args.name)
    if is_whole(args.name):
        code = launch(lambda: _open_live(args.name), live=True, lesson=where, appearance=appearance)
        say_what_stays(args, out)
        return code

    def bring_up(report: Report) -> Stage:
        from lab.cli import background_up  # only this path needs it, and the first paint waits for imports

        # The user was asked about packages before the screen opened; what is still missing was refused then.
        background_up.make(background_up.command(args.name), report)
        return _open_live(args.name)

    _offer_packages(args, out)
    code = launch(_open_replay, bring_up=bring_up, lesson=where, appearance=appearance)
    say_what_stays(args, out)
    return code


def say_what_stays(args: argparse.Namespace, out: Out) -> None:
    """Say that the cluster stays, and what comes back to it or removes it."""
    from lab.cluster import api  # after the first paint, like all of the cluster's packages

    if args.name in api.names():
        name = "" if args.name == api.DEFAULT else f" --name {args.name}"
        out.say(f"The cluster stays: swarmlab{name} comes back to it, swarmlab down{name} removes it.")


def is_whole(name: str) -> bool:
    """Return whether there is a cluster of this name, with every node in the swarm."""
    from lab.cluster import api  # only this path needs it, and the first paint waits for imports

    return name in api.names() and api.find(name).status().whole


def _open_live(name: str) -> Stage:
    from lab.cluster import api  # only this path needs it, and the first paint waits for imports
    from lab.session.live import LiveStage

    return LiveStage(api.find(name), saves=True)


def _open_replay() -> Stage:
    from lab.session.replay import ReplayStage  # only this path needs it, and the first paint waits for imports

    return ReplayStage()


def _offer_packages(args: argparse.Namespace, out: Out) -> None:
    """Offer to install missing Debian packages on the plain terminal, before the app takes the screen."""
    from lab.cluster import api  # only this path needs it, and the first paint waits for imports

    try:
        api.install(consent(args.yes, out), out.note)
    except LabError as error:
        out.note(f"{error}\nYou can still play the recordings.")


def _tour(args: argparse.Namespace, out: Out) -> int:
    """Bring the cluster up, prove two lessons on it, and say what to do next; return 1 when one of them fails.

    When no cluster can be created, say why, show the recording instead, and return 0: such a machine can do no more.
    Raises InputError for an invalid setting, which the user must fix.
    """
    from lab.cli.lessons import choose_lessons  # only this path needs it, and the first paint waits for imports
    from lab.cluster import api
    from lab.session.run import go_through

    try:
        with out.progress() as report:
            cluster = api.up(args.name, "auto", None, report, consent(args.yes, out))
    except InputError:
        raise
    except LabError as error:
        out.say(f"No cluster can be made here: {error}\n\nHere is the recording instead.\n")
        _replay(out)
        return 0
    print_status(out, cluster.status())
    with api.at_work(args.name, "proving two lessons"):
        results = [go_through(args.name, lesson, out.say) for lesson in choose_lessons(TOUR)]
    out.say("\nThe cluster stays up. What next:")
    out.say("  swarmlab                          the lab on this cluster (on a terminal)")
    out.say('  eval "$(swarmlab env)"            then: docker node ls')
    out.say("  swarmlab run scaling              the next lesson, without a screen")
    out.say("  swarmlab down                     remove the cluster")
    return 0 if all(result.passed for result in results) else 1


def _replay(out: Out) -> None:
    from lab.cli.tapes import replay  # only this path needs it, and the first paint waits for imports

    replay(argparse.Namespace(recording="reconciliation", lesson=None, plain=True, speed=None), out)
