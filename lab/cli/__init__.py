"""The command line: `main` parses, calls, and turns every error into a sentence and an exit code.

0 done · 1 it ran and something is not as it should be · 2 wrong usage or bad input · 3 something needed is missing
(said with the command that brings it) · 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP.
"""

# Nothing is imported here (not even from __future__) but what the interpreter has loaded: an interrupt before `main`
# would show a traceback.
import sys


def main(argv: list[str] | tuple[str, ...] | None = None) -> int:
    """Run the command line; the answer is the exit code. No traceback reaches the user.

    Without `argv` the process is the command's own: its arguments, its signals and its streams are taken over.
    """
    own = argv is None
    try:
        try:
            from lab.cli.rim import run  # Ctrl-C while modules load is handled here

            return run(sys.argv[1:] if argv is None else list(argv), own=own)
        finally:
            if own:
                import signal  # only the end needs it

                # From here on another Ctrl-C ends the process as the system does it, without a word.
                signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt as interrupt:
        return getattr(interrupt, "exit_code", 130)
