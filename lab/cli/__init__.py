"""The command line: `main` parses, calls, and turns every error into a sentence and an exit code.

0 done · 1 it ran and something is not as it should be · 2 wrong usage or bad input · 3 something needed is missing
(said with the command that brings it) · 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from lab.errors import LabError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the answer is the exit code. No traceback reaches the user."""
    from lab.cli.out import Out
    from lab.cli.parser import parse

    args = parse(sys.argv[1:] if argv is None else argv)
    out = Out(json=getattr(args, "json", False))
    try:
        code: int = args.command(args, out)
        sys.stdout.flush()
        return code
    except LabError as error:
        out.note(f"swarmlab: {error}")
        out.result({"error": error.sentence, "remedy": error.remedy, "exit": error.exit_code})
        return error.exit_code
    except KeyboardInterrupt:
        out.note("\nswarmlab: interrupted; the same command goes on where it stopped.")
        out.result({"error": "interrupted", "remedy": "", "exit": 130})
        return 130
    except BrokenPipeError:
        # The reader (head, less) went away: keep the interpreter from saying so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001  the rim: what nobody foresaw must still be a sentence
        log = _keep(error)
        out.note(
            f"swarmlab: something went wrong that nobody foresaw: {type(error).__name__}: {error}\n"
            f"  next: please report it with the file {log}"
        )
        out.result({"error": f"{type(error).__name__}: {error}", "remedy": f"report it with {log}", "exit": 1})
        return 1


def _keep(error: Exception) -> str:
    from lab import paths

    log = paths.make(paths.state()) / "error.log"
    log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return str(log)
