"""The base of the modal screens: each has one result, however fast the keys come."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A modal screen that is dismissed at most once. A second Enter in the same read of the keyboard finds it still
    there, but no longer on top."""

    _ended = False

    def end(self, result: Result) -> None:
        """Dismiss the dialog with its result; later results are dropped."""
        if not self._ended:
            self._ended = True
            self.dismiss(result)
