"""The smallest Textual app that says something: what the lab's first paint is held against."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Minimal(App[None]):
    """One line."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static("minimal is ready")


if __name__ == "__main__":
    Minimal().run()
