"""The grammar of the command line, a contract that others rely on. Commands are imported when they are called."""

from __future__ import annotations

import argparse
import importlib
import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lab import __version__
from lab.cli.out import Out
from lab.cluster import faults, providers
from lab.terminal.sanitize import visible
from lab.tui.appearance import MOTION, MOTION_VARIABLE, THEME_VARIABLE, THEMES

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Command = Callable[[argparse.Namespace, Out], int]

_LESSON = "a lesson's id, or its file (.yaml)"
_OUTSIDE = "the file of the recording's lesson, if that is not in the course"


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments, with `command` to call. Wrong usage exits with code 2 and a sentence (argparse)."""
    parser = _Parser(
        prog="swarmlab",
        description="A terminal lab for Docker Swarm and Traefik. Without a command: the lab, where you were.",
    )
    parser.add_argument("--version", action="version", version=f"swarmlab {__version__}")
    parser.set_defaults(command=_call("start", "start"))
    _name(parser)
    parser.add_argument("--yes", action="store_true", help="install missing Debian packages without asking")
    parser.add_argument(
        "--plain",
        dest="line_by_line",
        nargs="?",
        const="",
        metavar="LESSON",
        help="the lab line by line, for screen readers, logs and plain terminals; at this lesson, or where you were",
    )
    parser.add_argument("--colour", action="store_true", help="with --plain: good news in green, bad news in red")
    _appearance(parser, default=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    def add(name: str, where: str, what: str, *, json: bool = True, named: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        sub.set_defaults(command=_call(where, name.replace("-", "_")))
        if json:
            sub.add_argument("--json", action="store_true", help="one JSON object on standard output")
        if named:
            _name(sub, default=argparse.SUPPRESS)
        return sub

    up = add("up", "cluster", "bring the cluster up; run again, it goes on where it stopped")
    up.add_argument(
        "--provider",
        choices=providers.choices(),
        default=providers.AUTO,
        help="where the machines come from; only vm, virtual machines, is in this version",
    )
    up.add_argument("--nodes", type=_whole_number(1, 7), metavar="N", help="how many machines (a new lab: 4)")
    up.add_argument(
        "--images",
        choices=("packages", "official"),
        help="made from Debian packages, in every node's own store (a new lab), or pulled from a registry by the nodes",
    )
    up.add_argument(
        "--yes", action="store_true", default=argparse.SUPPRESS, help="install missing Debian packages without asking"
    )
    add("status", "cluster", "nodes, roles, leader, addresses, ports")
    add("env", "cluster", 'lines for eval "$(swarmlab env)": then docker talks to the cluster')
    doctor = add("doctor", "cluster", "what this machine has, what it lacks, and what brings it", named=False)
    doctor.add_argument("--install", action="store_true", help="install the Debian packages that are missing")
    doctor.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help="with --install: do not ask")
    down = add("down", "cluster", "remove the cluster: no process, no disk, no lock stays")
    down.add_argument("--purge", action="store_true", help="remove the cache of disks and all snapshots, too")
    up.add_argument("--fresh", action="store_true", help="boot a new lab's machines, instead of starting a saved swarm")
    snapshot = add("snapshot", "snapshots", "save the whole cluster as it is, under a name")
    snapshot.add_argument("snapshot", metavar="SNAPSHOT", help="lowercase letters, digits and hyphens")
    snapshot.add_argument("--remove", action="store_true", help="delete this snapshot instead")
    add("snapshots", "snapshots", "the snapshots of the cluster: what runs in them, how large and how old they are")
    restore = add("restore", "snapshots", "put the whole cluster back to a snapshot")
    restore.add_argument("snapshot", metavar="SNAPSHOT")
    add("undo", "snapshots", "take back the last step that was passed: the cluster as it was before it")
    node = add("node", "cluster", f"a fault on a machine, or its undoing: {', '.join(faults.FAULTS)}")
    node.add_argument("verb", choices=tuple(faults.FAULTS))
    node.add_argument("node", metavar="NODE")
    takes = [f"{verb} {' '.join(a.name for a in fault.takes)}" for verb, fault in faults.FAULTS.items() if fault.takes]
    node.add_argument("more", nargs="*", metavar="MORE", help=f"what a fault takes besides: {', '.join(takes)}")

    names = add("dns", "dns", "serve the demo's names by DNS, with health checks; or ask where a name leads")
    names.add_argument("host", nargs="?", metavar="NAME", help="ask the name server for this name")
    names.add_argument("--route53", metavar="ZONE", help="use this hosted zone of Amazon's Route 53; it costs money")
    names.add_argument(
        "--address", action="append", default=[], metavar="NODE=ADDRESS", help="publish this record there; repeat it"
    )
    names.add_argument("--remove", action="store_true", help="remove the lab's records and health checks there")
    challenge = add(
        "challenge", "challenges", "something broken, for you to find and repair; or the list of challenges"
    )
    challenge.add_argument("challenge", nargs="?", metavar="NAME", help="break this one, and tell its symptom")
    challenge.add_argument("--seed", type=int, metavar="N", help="the values of this seed, in place of your own")
    challenge.add_argument(
        "--plain", dest="line_by_line", action="store_const", const="", default=argparse.SUPPRESS, help="line by line"
    )
    challenge.add_argument("--new", action="store_true", help="other values than the last time")
    _appearance(challenge)
    add("lessons", "lessons", "the lessons, and what you passed")
    run = add("run", "lessons", "go through lessons without a screen, and prove every check")
    run.add_argument("lessons", nargs="*", metavar="LESSON", help=_LESSON)
    run.add_argument("--all", action="store_true", help="all lessons, in the syllabus's order")
    run.add_argument("--shard", metavar="I/N", help="with --all: the I-th of N parts that take about the same time")
    run.add_argument("--until", metavar="STEP", help="stop after this step")
    run.add_argument("--record", metavar="FOLDER", help="also save the tape of each lesson that passes there")
    reset = add("reset", "lessons", "reset the cluster to the start of a lesson or of a step", named=False)
    reset.add_argument(
        "--name", type=_lab_names, default=argparse.SUPPRESS, metavar="NAME[,NAME...]", help="which lab, or several"
    )
    reset.add_argument("--all-labs", action="store_true", help="all labs on this machine, side by side")
    reset.add_argument(
        "--to",
        metavar="LESSON[:STEP]",
        default="",
        help=f"{_LESSON}, and a step (default: the lesson that you were at)",
    )
    reset.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    reset.add_argument(
        "--by",
        choices=("auto", "api", "snapshot"),
        default="auto",
        help="by the engines' API, by a snapshot of that start, or (the default) by a snapshot if there is one",
    )
    ahead = add("prepare", "snapshots", "save the starts of lessons ahead: each reset to one then takes seconds")
    ahead.add_argument(
        "lessons",
        nargs="*",
        metavar="LESSON",
        help=f"{_LESSON}; or the name of a path, for the starts that its talk needs",
    )
    ahead.add_argument("--all", action="store_true", help="all lessons")
    ahead.add_argument("--steps", action="store_true", help="the starts of their steps, too")
    record = add("record", "lessons", "run a lesson and keep its tape")
    record.add_argument("lesson", metavar="LESSON", help=_LESSON)
    record.add_argument("-o", "--output", metavar="FILE", help="default: LESSON.tape in this folder's recordings/")
    check = add("check", "lessons", "lessons, stacks and recordings: file, line, what is wrong", named=False)
    check.add_argument("paths", nargs="*", type=_path, metavar="PATH", help="a file, a folder and all below it, or -")
    check.add_argument(
        "-c",
        "--compose-file",
        dest="stack",
        action="append",
        default=[],
        type=_path,
        metavar="FILE",
        help="a file of one stack; repeat it for override files, as with docker stack deploy",
    )
    check.add_argument(
        "--figures", action="store_true", help="list the figures in lessons' texts that no check or promise proves, too"
    )

    new = add("new", "authors", "begin a lesson of your own: a file that already proves", named=False)
    new.add_argument("what", choices=("lesson",))
    new.add_argument("lesson", type=_lesson_id, metavar="NAME", help="its id: lowercase letters, digits and hyphens")
    new.add_argument("-o", "--output", type=_path, metavar="FILE", help="default: NAME.yaml in this folder")
    dev = add("dev", "authors", "show a lesson's file in the lab, and again whenever it is saved", json=False)
    dev.add_argument("file", type=_path, metavar="FILE")
    _appearance(dev)

    talk = add(
        "present", "talk", "give a talk: live, and from its recordings where the cluster does not answer", json=False
    )
    talk.add_argument(
        "talk", nargs="*", metavar="PATH|LESSON[:STEP]", help="default: talk-25; swarmlab lessons lists all"
    )
    talk.add_argument(
        "--minutes", type=_minutes, metavar="N", help="the slot that it must fit (default: the path's own)"
    )
    talk.add_argument(
        "--auto", action="store_true", help="go on with the recording by itself where a step fails or is late"
    )
    talk.add_argument("--replay", action="store_true", help="from the recordings only")
    talk.add_argument("--rehearse", action="store_true", help="learn how long you take for each step")
    talk.add_argument("--typing", choices=("human", "at-once"), default="human", help="how commands are typed")
    talk.add_argument("--resume", action="store_true", help="go on where the last talk was ended by a fault")
    talk.add_argument("--no-restart", action="store_true", help="do not start it again when it is ended by a fault")
    _appearance(talk)
    notes = add("notes", "talk", "the speaker's notes, beside a talk that is being given", json=False)
    _appearance(notes)
    board = add("board", "talk", "the audience's board: the talk as it goes, for browsers", json=False)
    board.add_argument(
        "--host",
        type=_host,
        default="127.0.0.1",
        help="the address to listen on; another than loopback: with TLS, and tokens",
    )
    board.add_argument("--port", type=_whole_number(1024, 65535), default=8765, metavar="N", help="default: 8765")
    before = add("preflight", "talk", "five minutes before a talk: is everything there that it needs")
    before.add_argument("talk", nargs="*", metavar="PATH|LESSON[:STEP]", help="default: talk-25")
    replay = add("replay", "tapes", "show a recording; no cluster, no Docker, no network", json=False, named=False)
    replay.add_argument("recording", metavar="RECORDING", help="a file, or the name of a lesson")
    replay.add_argument("--lesson", type=_path, metavar="FILE", help=_OUTSIDE)
    replay.add_argument("--plain", action="store_true", help="print it, without a screen")
    _appearance(replay)
    replay.add_argument("--speed", type=_speed, default=1.0, metavar="X|max", help="playback speed factor (default 1)")
    export = add("export", "export", "turn recordings into a cast, a handout or a log", json=False, named=False)
    export.add_argument(
        "recordings",
        nargs="*",
        metavar="RECORDING",
        help="a file, or the name of a lesson; several, or the name of a path through the lessons, make one handout",
    )
    export.add_argument("--all", action="store_true", help="the whole course as one handout")
    export.add_argument("--lesson", type=_path, metavar="FILE", help=_OUTSIDE)
    export.add_argument(
        "--format",
        choices=("cast", "markdown", "html", "page"),
        required=True,
        help="cast: for asciinema; markdown, html: a handout, the lesson's text with what was recorded; page: the run "
        "to explore in a browser",
    )
    export.add_argument(
        "--log", action="store_true", help="with markdown: what happened, second by second, without the lesson's text"
    )
    export.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    return parser.parse_args(argv)


class _Parser(argparse.ArgumentParser):
    """An argparse parser without abbreviations: a typo must not become another option."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        super()._print_message(visible(message), file)


def _call(module: str, name: str) -> Command:
    def command(args: argparse.Namespace, out: Out) -> int:
        return int(getattr(importlib.import_module(f"lab.cli.{module}"), name)(args, out))

    return command


def _name(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    parser.add_argument(
        "--name",
        type=_lab_name,
        default=default or os.environ.get("SWARMLAB_NAME") or "default",
        help="which lab, when there are several (SWARMLAB_NAME)",
    )


def _appearance(parser: argparse.ArgumentParser, default: str | None = argparse.SUPPRESS) -> None:
    parser.add_argument(
        "--theme", choices=THEMES, default=default, help=f"of the lab's screen (default: the last; {THEME_VARIABLE})"
    )
    parser.add_argument(
        "--motion", choices=MOTION, default=default, help=f"off: nothing is animated or blinks ({MOTION_VARIABLE})"
    )


def _lab_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name: lower-case letters, digits and dashes, at most 31")
    return text


def _lab_names(text: str) -> str:
    for name in text.split(","):
        _lab_name(name)
    return text


def _lesson_id(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an id: lowercase letters, digits and hyphens, at most 60")
    return text


def _path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the path is empty; write . for this folder")
    return text


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return read


def _host(text: str) -> str:
    """Return an address, or a name of one, as browsers write it: what is printed and drawn must be what they open."""
    import ipaddress  # only the board needs it
    import re  # the same

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        name = text.lower()
        if not re.fullmatch(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*", name):
            raise argparse.ArgumentTypeError(f"{text!r} is neither an address nor the name of one") from None
        return name
    if address.is_unspecified:
        raise argparse.ArgumentTypeError(
            f"{text!r} means all addresses of this machine: name the one that the room's browsers open (ip address)"
        )
    return str(address)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 1 <= minutes <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes from 1 to 600")
    return minutes


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is neither max nor a number from 0.01 to 1000")
    return speed
