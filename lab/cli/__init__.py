"""The command line: `main` parses, runs a command, and turns every error into a sentence and an exit code.

0 done · 1 it ran and something is not as it should be · 2 wrong usage or bad input · 3 something required is missing
(reported with the command that provides it) · 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP.
"""

# Import nothing here (not even from __future__) but what the interpreter has already loaded: an interrupt before `main`
# would show a traceback.
import sys


def main(argv: list[str] | tuple[str, ...] | None = None) -> int:
    """Run the command line and return the exit code. The user never sees a traceback.

    Without `argv`, use the arguments of the process, and take over its signals and streams.
    """
    own = argv is None
    try:
        try:
            from lab.cli.boundary import run  # Ctrl-C while modules load is handled here

            return run(sys.argv[1:] if argv is None else list(argv), own=own)
        finally:
            if own:
                import signal  # only the end needs it

                # From here on, another Ctrl-C ends the process by the system's default, silently.
                signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt as interrupt:
        return getattr(interrupt, "exit_code", 130)
