"""What every app of this program needs: a terminal that survives anything, and an end that leaves it sane."""

from __future__ import annotations

import gc
import os
import sys
import warnings

from textual.app import App
from textual.driver import Driver

from lab.tui import theme as app_themes
from lab.tui.appearance import Appearance
from lab.tui.terminal_driver import TerminalDriver


class SafeApp(App[int]):
    """An app in the lab's themes that shows no traceback: an exception that ends it is `broken`."""

    _appearance: Appearance

    def get_driver_class(self) -> type[Driver]:
        return TerminalDriver

    @property
    def broken(self) -> Exception | None:
        """The exception that ended the app, or None after a normal exit."""
        return self._exception

    def panic(self, *_: object) -> None:
        """Show nothing, where Textual prints a traceback with the values of all variables: see `broken`."""
        self._close_messages_no_wait()

    def dress(self, appearance: Appearance) -> None:
        """Take a theme, and let things move or not."""
        for theme in app_themes.THEMES:
            if theme.name not in self.available_themes:
                self.register_theme(theme)
        self._appearance = appearance
        self.theme = f"lab-{appearance.theme}"
        if appearance.motion is not None:
            self.animation_level = "full" if appearance.motion else "none"

    @property
    def moves(self) -> bool:
        """Whether anything may be animated, or blink."""
        return self.animation_level != "none"

    def _fatal_error(self) -> None:
        self.panic()

    def _handle_exception(self, error: Exception) -> None:
        if self._exit:
            self.panic()  # The app is exiting: a late error, such as from a pane still being mounted, is no fault.
        else:
            super()._handle_exception(error)


def prepare_terminal() -> None:
    """Make the process ready for an app: once, before the app is made."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]  # no-color.org: an empty one asks for nothing; Textual takes it for set
    # An app that ends while a screen is being made leaves coroutines that nobody awaits; that is no fault.
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited", category=RuntimeWarning)
    # Busy threads (such as one that scans a flood of output for secrets) yield to the keys sooner than by default.
    sys.setswitchinterval(0.001)
    # Output makes thousands of cells, none of them garbage: the collector looks at them seven times less often.
    gc.set_threshold(5_000)


def run_app(app: SafeApp) -> int:
    """Run an app to its end and return its exit code. An exception that broke it is raised once the terminal is
    restored."""
    app.run()
    if app.broken is not None:
        raise app.broken
    return app.return_code or 0


def end_at_once(code: int) -> None:
    """End the process although a thread still waits, which missed the request to end. A normal exit of the interpreter
    would stop it wherever it is, which aborts the process if that is native code; it has nothing left to do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
