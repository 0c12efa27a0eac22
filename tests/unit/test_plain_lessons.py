"""Every lesson of the course can be taken from its text alone: what is typed is an answer to what was printed."""

from __future__ import annotations

import re

import pytest

from lab.session.replay import ReplayStage
from tests.course import LESSONS
from tests.doubles.plain_desk import PlainDesk, plain_desk
from tests.doubles.stage import ModelStage
from tests.unit.test_lessons import BEYOND

PLAYED = [lesson.id for lesson in LESSONS if lesson.id not in BEYOND]
MANY = 200
"""The most lines that anybody needs to type for a lesson."""

_COMMAND = re.compile(r"^This runs:\n((?:    .*\n)+)", re.MULTILINE)
_WAY = re.compile(r"^This does it(?: on \S+)?:\n((?:    .*\n)+)", re.MULTILINE)
_TRUE = "every check true."


class Learner:
    """Somebody who sees the printed text and nothing else. Types each command by hand where it can be typed in one line
    and on a manager, if `by_hand`; else presses Enter."""

    def __init__(self, desk: PlainDesk, *, by_hand: bool = False) -> None:
        self.desk, self.by_hand = desk, by_hand
        self.tried: set[str] = set()

    def take(self) -> None:
        """Go through the lesson that is open, to its end."""
        text = self.desk.read()
        for _ in range(MANY):
            prompt = self.desk.prompt
            if prompt.startswith("end of the lesson") and "asks" not in prompt:
                return
            text = self.desk.type(self.answer(prompt, text))
        raise AssertionError(f"no end after {MANY} lines\n{self.desk.printed}")

    def answer(self, prompt: str, text: str) -> str:
        """What is typed at this prompt, below this text."""
        if prompt.startswith("a number from 1"):
            return "1"
        if prompt.startswith("a number"):
            return "3"
        if "your turn" in prompt or "again" in prompt:
            way = _WAY.search(text)
            return _typed(way[1]) if way else "h"
        shown = _COMMAND.search(text)
        if self.by_hand and shown is not None and prompt not in self.tried and "\n" not in shown[1].strip():
            self.tried.add(prompt)  # Once; what does not do it by hand is left to Enter.
            return _typed(shown[1])
        return ""


def _typed(shown: str) -> str:
    return "\n".join(line.strip() for line in shown.strip().split("\n"))


@pytest.mark.parametrize("by_hand", [False, True], ids=["by Enter", "by hand"])
@pytest.mark.parametrize("id", PLAYED)
def test_every_lesson_is_taken_from_its_text_on_the_model(id: str, by_hand: bool) -> None:
    with plain_desk(ModelStage(), lesson=id) as desk:
        Learner(desk, by_hand=by_hand).take()
        assert _TRUE in desk.printed
        assert "not done" not in desk.printed
        if by_hand:
            assert "Done by `" in desk.printed


@pytest.mark.parametrize("id", [lesson.id for lesson in LESSONS])
def test_every_lesson_is_taken_from_its_text_on_its_recording(id: str) -> None:
    """Those too that ask what no model of a swarm can answer. Nothing acts on the terminal or is a drawing."""
    with plain_desk(ReplayStage(speed=None), lesson=id) as desk:
        Learner(desk).take()
        assert _TRUE in desk.printed
        assert max(map(len, _prose(desk.printed))) <= 80
        for line in ("w", "c", "h", "?", "p", "c"):
            desk.type(line)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", desk.printed)
        own = "".join(_prose(desk.printed))
        assert not re.search(r"[\u2190-\u2bff]|\*\*", own), "no arrows, lines, ticks, and no marks of Markdown"


def _prose(text: str) -> list[str]:
    """The lines but commands, files and output, and without the prompts: no terminal ends their lines here."""
    return [re.sub("^.* > ", "", line) for line in text.split("\n") if not line.startswith("    ")]
