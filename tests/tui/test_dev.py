"""`swarmlab dev`: a lesson's file in the app, shown anew whenever it is saved, with what is wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.lesson.model import Lesson
from lab.lesson.new_lesson import new_lesson
from lab.session.draft import Draft, DraftStage
from lab.session.reading import ReadingStage
from lab.tui import stage_worker
from lab.tui.app import LabApp
from tests.tui.conftest import Desk
from tests.tui.fake import FakeStage

TEXT = new_lesson("mine", "schema.json")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_worker, "LOOK", 0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    return path


class LiveDouble(FakeStage):
    """A live stage whose lesson may change."""

    def __init__(self, lessons: tuple[Lesson, ...]) -> None:
        super().__init__(live=True)
        self.taught = lessons

        self.free = True

    def revise(self, lesson: Lesson) -> bool:
        self.taught = (lesson,) if self.free else self.taught
        return self.free


@asynccontextmanager
async def writing(path: Path, *, live: bool = False, size: tuple[int, int] = (160, 45)) -> AsyncIterator[Desk]:
    """The app on a lesson's file."""

    def make(lessons: tuple[Lesson, ...]) -> DraftStage:
        return LiveDouble(lessons) if live else ReadingStage(path.name, lessons)

    draft = Draft(path, make)
    app = LabApp(draft.stage, live=live, reload=draft.reload, clock=lambda: 0.0)
    async with app.run_test(size=size) as pilot:
        it = Desk(app, pilot, FakeStage())
        await it.be(lambda: app.ui.ready and not app.ui.busy, "ready")
        yield it


@pytest.mark.parametrize("live", [False, True])
async def test_an_edit_appears_at_the_same_step(path: Path, live: bool) -> None:
    async with writing(path, live=live) as desk:
        await desk.see("From one to three")
        await desk.press("n", "n")
        await desk.see("One task is enough again.")
        first = TEXT.index("  - id: scale")
        added = (
            TEXT[first : TEXT.index("  # Neither")].replace("id: scale", "id: more").replace("name: guess", "name: g")
        )
        text = TEXT[:first] + added + TEXT[first:]
        path.write_text(text.replace("One task is enough again.", "Another text."))
        await desk.see("Another text.", "Step 3 of 3")


async def test_a_broken_save_is_told_with_its_place_and_the_last_good_version_stays(path: Path) -> None:
    async with writing(path) as desk:
        await desk.press("n")
        await desk.see("Ask for three.")
        path.write_text(TEXT.replace("minutes: 5", "minutes: five").replace("bound: 120", "bond: 120"))
        wrong = [n for n, line in enumerate(path.read_text().splitlines(), 1) if "bond" in line]
        await desk.see(
            "mine.yaml:5: 'minutes' must be a whole number", f"mine.yaml:{wrong[0]}: ", "did you mean 'bound'?"
        )
        await desk.see("What you see is the last version without a mistake.", "Ask for three.")
        await desk.press("n", "p")
        await desk.see("mine.yaml:5: ")
        path.write_text(TEXT.replace("Ask for three.", "Ask for four."))
        await desk.see("Ask for four.")
        await desk.be(lambda: "mine.yaml:" not in desk.text, "mended")


async def test_a_save_while_a_step_runs_is_told_to_wait_and_shown_afterwards(path: Path) -> None:
    async with writing(path, live=True) as desk:
        await desk.press("n")
        await desk.see("Ask for three.")
        stage = desk.app._worker.stage
        assert isinstance(stage, LiveDouble)
        stage.free = False
        desk.app.see(busy="step")
        path.write_text(TEXT.replace("Ask for three.", "Ask for four."))
        await desk.see("The file was saved. The new version is shown once the step has ended.", "Ask for three.")
        stage.free = True
        await desk.see("Ask for four.")
        await desk.be(lambda: "The file was saved." not in desk.text, "shown")


async def test_many_mistakes_leave_room_for_the_lesson(path: Path) -> None:
    async with writing(path) as desk:
        path.write_text("\n".join(f"x{n}: 1" for n in range(20)))
        await desk.see("mine.yaml:1: ", "more. What you see is the last version")
        await desk.see("Enter begins.")


async def test_a_file_that_is_wrong_from_the_start_opens_once_it_is_mended(path: Path) -> None:
    path.write_text(TEXT.replace("title: Mine", "titel: Mine"))
    async with writing(path) as desk:
        await desk.see("the unknown key 'titel'; did you mean 'title'?", "Nothing is shown yet.")
        path.write_text(TEXT)
        await desk.see("5 minutes, 2 steps", "Enter begins.")
        await desk.be(lambda: "titel" not in desk.text, "mended")


async def test_a_new_id_opens_the_lesson_again(path: Path) -> None:
    async with writing(path) as desk:
        await desk.press("n")
        path.write_text(TEXT.replace("id: mine", "id: yours").replace("title: Mine", "title: Yours"))
        await desk.be(lambda: desk.app.ui.lesson is not None and desk.app.ui.lesson.id == "yours", "opened")
        await desk.see("Yours", "Enter begins.")


@pytest.mark.parametrize(("page", "after"), [(-1, -1), (0, 0), (1, 0), (2, 1)])
async def test_a_page_that_is_gone_gives_way_to_the_nearest(path: Path, page: int, after: int) -> None:
    """The opening page stays itself, and the last page too."""
    async with writing(path) as desk:
        await desk.see("From one to three")
        both = desk.app.ui.lesson
        assert both is not None
        desk.app.turn_to(page)
        assert desk.app.ui.page_in(both.model_copy(update={"steps": both.steps[:1]})) == after


async def test_without_a_cluster_a_step_is_shown_as_it_ends_and_nothing_claims_to_have_run(path: Path) -> None:
    async with writing(path) as desk:
        await desk.see("READING", "mine.yaml · no cluster")
        assert "REPLAY" not in desk.text
        await desk.press("enter", "n")
        await desk.see("make it so, in any way you like")
        assert "What you saw" not in desk.text
        await desk.press("enter")
        await desk.see("What you saw", "one way: docker service scale web=1", "Nothing ran")
        await desk.press("n")
        await desk.see("Nothing ran: there is no cluster here.", "In short")
        assert "every check true" not in desk.text
        await desk.press("p", "u", "t")
        assert not desk.app.ui.typing
        await desk.press("r", "enter")
        await desk.be(lambda: "What you saw" not in desk.text, "read again")


async def test_whatever_fails_in_a_reload_is_told(path: Path) -> None:
    class Failing(ReadingStage):
        def revise(self, lesson: Lesson) -> bool:
            raise LabError("the progress cannot be saved") if lesson.minutes == 6 else RuntimeError("odd")

    draft = Draft(path, lambda lessons: Failing(path.name, lessons))
    app = LabApp(draft.stage, reload=draft.reload, clock=lambda: 0.0)
    async with app.run_test(size=(160, 45)) as pilot:
        desk = Desk(app, pilot, FakeStage())
        await desk.idle()
        path.write_text(TEXT.replace("minutes: 5", "minutes: 6"))
        await desk.see("The lesson could not be loaded again: the progress cannot be saved")
        path.write_text(TEXT.replace("minutes: 5", "minutes: 7"))
        await desk.see("The lesson could not be loaded again: RuntimeError: odd")
