"""present and notes: a talk on a stage, and the speaker's second terminal."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from lab import paths
from lab.cli.out import Out, to_json
from lab.errors import EngineError, InputError, LabError, MissingError

if TYPE_CHECKING:
    from lab.lesson.talk import Talk
    from lab.session.talk.forecast import SlideTime
    from lab.session.talk.talk_stage import TalkSource

#: Set in the process that shows the talk; the one that started it starts it again if it ends by a fault.
CHILD = "SWARMLAB_TALK"
#: Its values: a talk that begins, and one that goes on after a fault.
_BEGINS, _GOES_ON = "begins", "goes on"
#: So many faults within so many seconds: it is not started again.
_FAULTS, _WITHIN = 4, 20.0
#: Seconds that the process which shows the talk may take to end when this one is told to.
_ENDING = 5.0
#: Exit codes that are no faults: the speaker ended it, or it could not begin.
_ENDED, _REFUSED = (0, 130), (2, 3)
#: Put the terminal back after a process that could not: the keyboard's usual codes, no alternate screen, no mouse, no
#: reports of focus and size, no pasted brackets, long lines wrapped, a cursor.
_SANE = (
    "\x1b[<u\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[?1004l\x1b[?2048l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[0m"
)


def present(args: argparse.Namespace, out: Out) -> int:
    """Give a talk: live, and from its recordings where the cluster does not answer. Begins where it was when the app
    was ended by a fault."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        way = "replay LESSON --plain prints a recording" if args.replay else "run LESSON goes through a lesson"
        raise InputError("a talk needs a terminal", remedy=f"swarmlab {way} without one")
    _find(args)  # a mistake in a name is told before the screen opens
    if os.environ.get(CHILD) or args.no_restart:
        return _present(args, out)
    return _watch(args, out)


def _watch(args: argparse.Namespace, out: Out) -> int:
    """Run the talk in a process of its own, and again from where it was if that ends by a fault."""
    from lab.session.talk.resume import forget_standing  # the process that shows the talk has its own imports

    faults: list[float] = []
    begins = _BEGINS
    while True:
        code = _show(begins)
        if code in _ENDED:
            forget_standing(args.name)
        if code in (*_ENDED, *_REFUSED, 128 + 1, 128 + 15):  # the last two: it was ended from outside
            return code
        faults = [at for at in faults if time.monotonic() - at < _WITHIN] + [time.monotonic()]
        if len(faults) >= _FAULTS:
            out.note("The talk ended by a fault again and again. swarmlab present --resume goes on with it.")
            return 1
        begins = _GOES_ON


def _show(begins: str) -> int:
    """Run the process that shows the talk; return its exit code, negative for a signal, with the terminal as it was.
    Whatever interrupts this process ends that one first."""
    import termios  # only this path needs it

    before = termios.tcgetattr(sys.stdin)
    process = subprocess.Popen([sys.executable, "-m", "lab.cli", *sys.argv[1:]], env={**os.environ, CHILD: begins})
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDING)
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.returncode < 0:  # else it has put the terminal back itself
            with suppress(termios.error, OSError):  # the terminal is gone
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
                sys.stdout.write(_SANE)
                sys.stdout.flush()


def _present(args: argparse.Namespace, out: Out) -> int:
    from lab.session.replay import ReplayStage  # after the arguments are known to be good
    from lab.session.talk.forecast import find_times
    from lab.session.talk.rehearsals import keep_rehearsal, read_rehearsals, recorded_seconds
    from lab.session.talk.resume import Standing, forget_standing, keep_standing, read_standing
    from lab.session.talk.talk_socket import TalkSocket
    from lab.session.talk.talk_stage import TalkStage
    from lab.tui.appearance import read_appearance
    from lab.tui.run_app import end_at_once
    from lab.tui.talk import present as show
    from lab.tui.talk.talk_keys import remote_actions

    talk = _find(args)
    recorded = recorded_seconds(talk)
    times = dict(zip((s.id for s in talk.slides), find_times(talk, recorded, read_rehearsals(talk)), strict=True))
    goes_on = args.resume or os.environ.get(CHILD) == _GOES_ON
    standing = read_standing(args.name, talk, time.time()) if goes_on else Standing()
    hub = TalkSocket(args.name, "notes", remote_actions(), lambda _: None)
    board = TalkSocket(args.name, "board", ("next", "back", "black"), lambda _: None)
    hub.open()
    board.open()
    if not goes_on:
        forget_standing(args.name)  # only now: it is not another talk's
    stage = TalkStage(
        talk,
        ReplayStage(),
        None if args.replay else lambda: _live(args.name),
        auto=args.auto,
        seconds={id: each.machine for id, each in times.items()},
    )
    try:
        code, taken = show(
            talk,
            stage,
            times,
            standing=standing,
            keep=keep_standing(args.name, talk),
            slot=(args.minutes or talk.minutes) * 60,
            appearance=read_appearance(args.theme, args.motion),
            typing=args.typing == "human",
            hub=hub,
            board=board,
        )
    finally:
        hub.close()
        board.close()
        stage.close()
    if args.rehearse and taken:
        try:
            keep_rehearsal(talk, taken)
        except LabError as error:  # the talk has been given all the same: it must not begin again
            raise MissingError(f"the rehearsal is not kept: {error.sentence}", remedy=error.remedy) from error
        _print_table(talk, taken, out)
    busy = not stage.unused
    if busy:
        end_at_once(code)
    return code


def notes(args: argparse.Namespace, out: Out) -> int:  # noqa: ARG001
    """Show the speaker's notes of the talk that is being given, and press its keys."""
    from lab.session.talk.talk_client import TalkClient  # only this command needs it
    from lab.session.talk.talk_views import NotesView
    from lab.tui.appearance import read_appearance
    from lab.tui.talk.notes_app import show_notes

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the notes need a terminal", remedy="swarmlab export LESSON --format html has them on paper")
    return show_notes(lambda: TalkClient(args.name, NotesView), read_appearance(args.theme, args.motion))


def board(args: argparse.Namespace, out: Out) -> int:
    """Serve the audience's board until it is ended: the talk as it goes, to browsers."""
    from lab.board.access import Access, is_loopback, make_token, write_certificate  # only this command needs it
    from lab.board.feed import BoardFeed
    from lab.board.server import make_server
    from lab.session.talk.talk_client import TalkClient
    from lab.session.talk.talk_views import BoardView
    from lab.tui.pane_picture import picture_style

    open_to_others = not is_loopback(args.host)
    access = Access(args.host, args.port, token=make_token() if open_to_others else "", tls=open_to_others)
    feed = BoardFeed(lambda: TalkClient(args.name, BoardView))
    tls = None
    if open_to_others:
        certificate, key, fingerprint = write_certificate(paths.make(paths.state() / "talk"), args.host)
        tls = (str(certificate), str(key))
        out.say(f"The certificate was made for this talk: browsers warn once. SHA-256 {fingerprint}")
    out.say(f"The board:            {access.address}")
    if open_to_others:
        out.say(_code(access.address))
    out.say(f"The speaker's remote: {access.remote_address}")
    out.say("Ctrl-C ends it.")
    try:
        server = make_server(access, feed, picture_style(), tls)
        server.run()
    except SystemExit as error:  # uvicorn's way to say that it could not begin
        raise InputError(
            f"the address {args.host}:{args.port} cannot be used", remedy="name another one: --host, --port"
        ) from error
    return 0


def _code(address: str) -> str:
    """Return an address as a QR code for a terminal."""
    import io  # only for an address that others open

    import segno  # the same

    drawn = io.StringIO()
    segno.make(address, error="l").terminal(drawn, compact=True, border=2)
    return drawn.getvalue()


def preflight(args: argparse.Namespace, out: Out) -> int:
    """Look at everything that a talk needs; return 1 when something is missing without which it is not live."""
    from lab.session.talk.preflight import check_talk  # only this command needs it

    talk = _find(args)
    size = shutil.get_terminal_size() if sys.stdout.isatty() else None
    true_colour = os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
    with out.progress() as report:
        found = check_talk(args.name, talk, terminal=size, colours=2**24 if true_colour else 256, report=report)
    ready = all(item.ok for item in found if item.needed)
    out.result({"talk": talk.id, "ready": ready, "items": [to_json(item) for item in found]})
    if not out.json:
        for item in found:
            out.say(f" {'✔' if item.ok else '✘' if item.needed else '·'} {item.what:<18} {item.detail}")
            if item.remedy and not item.ok:
                out.say(f"   {'':<18} {item.remedy}")
        recorded = all(item.ok for item in found if item.what == "recordings")
        how = (
            "the talk would go on with its recordings" if recorded else "the talk cannot go on with all its recordings"
        )
        out.say("\nReady." if ready else f"\nNot ready: {how}.")
    return 0 if ready else 1


def _find(args: argparse.Namespace) -> Talk:
    from lab.lesson.course import SYLLABUS, load_course, load_syllabus  # after the arguments are known to be good
    from lab.lesson.talk import find_talk

    syllabus = load_syllabus(paths.lessons() / SYLLABUS)
    return find_talk(args.talk or ["talk-25"], load_course(), syllabus.paths)


def _live(name: str) -> TalkSource:
    """Return the cluster's stage. Raises LabError while there is none that a talk may put back to a step's start."""
    from lab.cluster import api  # only when there is a cluster
    from lab.session.live import LiveStage

    if name not in api.names():
        raise EngineError(f"there is no cluster {name}", remedy="swarmlab up")
    cluster = api.find(name)
    if not cluster.made_by_lab:
        raise LabError("a talk puts the cluster back to each step's start, and this one is not the lab's own")
    if not cluster.status().whole:
        raise EngineError("the cluster is not whole", remedy="swarmlab up")
    return LiveStage(cluster, typing=0.0)


def _print_table(talk: Talk, taken: Mapping[str, SlideTime], out: Out) -> None:
    from lab.session.talk.rehearsals import compare_rehearsals  # only after a rehearsal

    out.say(f"{'slide':<34} {'machine':>8} {'you':>6} {'usually':>8}")
    for row in compare_rehearsals(talk, taken):
        now = f"{row.now.machine:7.0f}s {row.now.words:5.0f}s" if row.now is not None else f"{'':>8} {'':>6}"
        usual = f"{row.usual.total:7.0f}s" if row.usual is not None else ""
        out.say(f"{row.id:<34.34} {now} {usual:>8}")
    usual_total = sum(row.usual.total for row in compare_rehearsals(talk, taken) if row.usual is not None)
    out.say(f"{'in all':<34} {'':>8} {'':>6} {usual_total:7.0f}s")
