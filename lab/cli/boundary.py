"""The boundary of the command line: exceptions become a sentence and an exit code, and signals become exceptions."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress

from lab.cli.out import Out
from lab.cli.signals import Ended, ended_by_signals
from lab.errors import LabError, explain_os_error


def run(argv: list[str], *, own: bool) -> int:
    """Parse and run a command, and return its exit code. With `own`, take over this process's signals and streams."""
    if own:
        _open_closed_streams()
    _never_fail_to_encode()
    with ended_by_signals() if own else nullcontext(lambda: None) as came:
        try:
            return _run_command(argv, came)
        finally:
            _flush()


UNEXPECTED = "an unexpected error occurred"
"""The start of the sentence about an error that is none of the lab's own: nothing that anybody types or sends may lead
to it."""

GO_ON = ("up", "down", "reset", "doctor")
"""The commands that inspect the current state first and do what is left."""


def _run_command(argv: list[str], came: Callable[[], KeyboardInterrupt | None]) -> int:
    out = Out(json="--json" in argv)
    try:
        from lab.cli.parser import parse  # an error in its imports is reported here too

        args = parse(argv)
        out.json = getattr(args, "json", False)
        code: int = args.command(args, out)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as interrupt:
        return _report_interrupt(argv, out, interrupt)
    except Exception as error:  # noqa: BLE001  the boundary: an unexpected error must still be a sentence
        # Some libraries turn an interrupt into an error of their own.
        return _report_interrupt(argv, out, told) if (told := came()) else _report_error(out, error)


def _report_interrupt(argv: list[str], out: Out, interrupt: KeyboardInterrupt) -> int:
    how = f"ended by {interrupt}" if isinstance(interrupt, Ended) else "interrupted"
    goes_on = not argv or argv[0] in GO_ON
    words = f"\nswarmlab: {how}" + ("; the same command goes on where it stopped." if goes_on else ".")
    return _say(out, words, how, "", getattr(interrupt, "exit_code", 130))


def _report_error(out: Out, error: Exception) -> int:
    if isinstance(error, BrokenPipeError):  # the reader (head, less) is gone: nobody reads a message
        return 1
    known = explain_os_error(error) if isinstance(error, OSError) else error
    if isinstance(known, LabError):
        return _say(out, f"swarmlab: {known}", known.sentence, known.remedy, known.exit_code)
    what, remedy = f"{type(error).__name__}: {error}", f"please report it {_keep(error)}"
    words = f"swarmlab: {UNEXPECTED}: {what}\n  next: {remedy}"
    return _say(out, words, what, remedy, 1)


def _say(out: Out, words: str, sentence: str, remedy: str, code: int) -> int:
    out.note(words)
    with suppress(LabError, BrokenPipeError):  # when standard output itself failed, that was just reported
        out.result({"error": sentence, "remedy": remedy, "exit": code})
    return code


def _keep(error: Exception) -> str:
    """Save the traceback to a file, and return where it is, in words. A home that cannot be written is no second
    error."""
    import traceback  # only an unforeseen error needs it

    from lab import error_log  # only an unforeseen error needs it

    try:
        log = error_log.save_traceback(error)
    except (OSError, LabError) as trouble:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"with this place: {where.filename}:{where.lineno} (no log could be kept: {trouble})"
    return f"with the file {log}"


def _open_closed_streams() -> None:
    """Open the null device for a stream that the process started without; else the next file opened gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  as long as the process lives


def _never_fail_to_encode() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _flush() -> None:
    """Write what is left in the buffers, or drop it: the interpreter would complain about it at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
