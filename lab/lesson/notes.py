"""Notes for the speaker: a text, or a few parts in a fixed order."""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator, Tag

from lab.schema.value import AS_PARTS, AS_TEXT, Text, Value


class Notes(Value):
    """Notes for the speaker in parts, shown in this order."""

    say: Text
    """What to say, in a sentence."""
    point_at: Text | None = None
    """What to point at on the screen."""
    while_it_runs: Text | None = None
    """What to tell while everybody waits."""
    ask: Text | None = None
    """What to ask the room."""
    if_it_fails: Text | None = None
    """What to do then."""

    @property
    def markdown(self) -> str:
        """All of it as Markdown, a paragraph a part."""
        parts = {"Say": self.say, "Point at": self.point_at, "While it runs": self.while_it_runs}
        parts |= {"Ask": self.ask, "If it fails": self.if_it_fails}
        return "\n\n".join(f"**{label}:** {text}" for label, text in parts.items() if text)


def _form(value: object) -> str:
    return AS_TEXT if isinstance(value, str) else AS_PARTS


AnyNotes = Annotated[Annotated[Text, Tag(AS_TEXT)] | Annotated[Notes, Tag(AS_PARTS)], Discriminator(_form)]


def notes_markdown(notes: str | Notes | None) -> str:
    """Return notes of either form as Markdown; "" for none."""
    return notes.markdown if isinstance(notes, Notes) else notes or ""
