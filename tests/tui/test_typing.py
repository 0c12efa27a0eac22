"""At the terminal: a prompt without a key, a lone Escape for the shell and two for the person, no manager."""

from __future__ import annotations

import pytest

from lab.errors import EngineError
from tests.tui.conftest import desk
from tests.tui.fake import FakeStage


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two presses belong together however slow the machine is."""
    monkeypatch.setattr("lab.tui.widgets.terminal.TWICE", 60.0)


@pytest.mark.usefixtures("patient")
async def test_two_escapes_leave_nothing_behind_in_the_shell() -> None:
    async with desk() as it:
        await it.press("t", "a", "escape", "escape")
        await it.be(lambda: not it.app.ui.typing, "left")
        await it.press("t", "d")
        await it.be(lambda: "".join(it.stage.typed) == "ad", "only the letters were typed")


@pytest.mark.usefixtures("patient")
async def test_an_escape_goes_before_the_key_after_it() -> None:
    async with desk() as it:
        await it.press("t", "escape", "d", "d")
        await it.be(lambda: "".join(it.stage.typed) == "\x1bdd", "typed")


async def test_a_lone_escape_reaches_the_shell_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.tui.widgets.terminal.TWICE", 0.01)
    async with desk() as it:
        await it.press("t", "escape")
        await it.be(lambda: "".join(it.stage.typed) == "\x1b", "typed")
        assert it.app.ui.typing


@pytest.mark.usefixtures("patient")
async def test_an_escape_is_not_lost_to_a_click_elsewhere() -> None:
    async with desk() as it:
        await it.press("t", "escape")
        await it.pilot.click("#timeline")
        await it.be(lambda: "".join(it.stage.typed) == "\x1b", "typed")
        assert not it.app.ui.typing


@pytest.mark.parametrize("key", ["t", "4"])
async def test_whoever_comes_to_the_terminal_finds_a_shell(key: str) -> None:
    async with desk() as it:
        assert it.stage.shells == 0
        await it.press(key)
        await it.be(lambda: it.stage.shells == 1, "a shell")
        await it.see("A shell is being opened")
        assert it.stage.typed == []


async def test_without_a_manager_the_pane_says_so() -> None:
    why = EngineError("no manager answers: every one is off", remedy="swarmlab status")
    async with desk(FakeStage(no_shell=why)) as it:
        await it.press("t")
        await it.see("There is no shell: no manager answers: every one is off", "next: swarmlab status")
        await it.press("x")
        await it.see("There is no shell")
        it.stage.no_shell = None
        await it.press("y")
        await it.be(lambda: it.stage.typed == ["y"], "typed")


async def test_a_replay_opens_no_shell() -> None:
    async with desk(FakeStage(live=False)) as it:
        await it.press("4", "t")
        await it.see("The shell's output shows here.")
        assert it.stage.shells == 0
