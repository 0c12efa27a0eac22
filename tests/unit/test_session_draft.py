"""A lesson's file while it is written: read again when it was saved, with what is wrong with it told once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import InputError
from lab.lesson import progress
from lab.lesson.course import Problems, load_lesson
from lab.lesson.model import Lesson
from lab.lesson.new_lesson import new_lesson
from lab.session.draft import Draft, first_changed
from lab.session.live import LiveStage
from lab.session.reading import ReadingStage
from lab.world.entries import Captured
from tests.doubles.cluster import DoubleCluster
from tests.doubles.engine import fake_cluster

TEXT = new_lesson("mine", "schema.json")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    return path


def draft_of(path: Path) -> tuple[Draft, ReadingStage]:
    made: list[ReadingStage] = []

    def make(lessons: tuple[Lesson, ...]) -> ReadingStage:
        made.append(ReadingStage(path.name, lessons))
        return made[-1]

    draft = Draft(path, make)
    draft.stage()
    return draft, made[0]


def looks(draft: Draft, count: int = 3) -> list[str]:
    """The titles of what was read in so many looks, and whether it waits."""
    found = [saved for saved in (draft.reload() for _ in range(count)) if saved is not None]
    return [saved.lesson.title + " waits" * saved.waits for saved in found]


def test_a_save_is_read_once_and_the_stage_has_it(path: Path) -> None:
    draft, stage = draft_of(path)
    assert looks(draft) == []
    path.write_text(TEXT.replace("title: Mine", "title: Another title"))
    assert looks(draft) == ["Another title"]
    assert [lesson.title for lesson in stage.lessons()] == ["Another title"]


def test_a_file_is_read_when_it_has_come_to_rest(path: Path) -> None:
    """An editor may delete, create, fill and rename; what it leaves counts."""
    draft, _ = draft_of(path)
    path.unlink()
    assert draft.reload() is None
    path.write_text("")
    assert draft.reload() is None
    beside = path.with_suffix(".new")
    beside.write_text(TEXT.replace("title: Mine", "title: Whole"))
    beside.replace(path)
    assert draft.reload() is None
    assert looks(draft) == ["Whole"]


def test_a_save_that_has_to_wait_is_told_once_and_again_when_the_stage_has_it(path: Path) -> None:
    class Busy(ReadingStage):
        free = False

        def revise(self, lesson: Lesson) -> bool:
            return self.free and super().revise(lesson)

    stage = Busy(path.name)
    draft = Draft(path, lambda _: stage)
    draft.stage()
    path.write_text(TEXT.replace("title: Mine", "title: One"))
    assert looks(draft, 5) == ["One waits"]
    path.write_text(TEXT.replace("title: Mine", "title: Other"))
    assert looks(draft, 5) == ["Other waits"]
    stage.free = True
    assert looks(draft) == ["Other"]
    assert [lesson.title for lesson in stage.lessons()] == ["Other"]


def test_a_save_of_the_same_length_is_seen_by_its_time(path: Path) -> None:
    draft, _ = draft_of(path)
    path.write_text(TEXT.replace("title: Mine", "title: Ours"))
    os.utime(path, ns=(1, 1))
    assert looks(draft) == ["Ours"]


def test_what_is_wrong_is_raised_once_for_each_save(path: Path) -> None:
    draft, stage = draft_of(path)
    path.write_text(TEXT.replace("minutes: 5", "minutes: five"))
    assert draft.reload() is None
    with pytest.raises(Problems, match=r"mine\.yaml:5: 'minutes' must be a whole number"):
        draft.reload()
    assert looks(draft) == []
    assert stage.lessons()[0].minutes == 5
    path.unlink()
    assert draft.reload() is None
    with pytest.raises(Problems, match="there is no such file"):
        looks(draft)
    path.write_text(TEXT)
    assert looks(draft) == ["Mine"]


def test_a_file_that_is_wrong_from_the_start_is_told_by_the_first_looks(path: Path) -> None:
    path.write_text("id: mine\n")
    draft, stage = draft_of(path)
    assert stage.lessons() == ()
    with pytest.raises(Problems, match="the file has no 'title'"):
        looks(draft)
    path.write_text(TEXT)
    assert looks(draft) == ["Mine"]


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("title: Back to one", "title: Back", None),
        ("Two tasks were created.", "Look at it.", None),
        ("choices: [One, Two, Three]", "choices: [One, Two, Four]", None),
        ("solution: docker service scale web=1", "solution: docker service update --replicas 1 web", "back"),
        ("run: docker service scale web=3", "run: docker service scale web=4", "scale"),
        ("- running: {service: web, exactly: 1}", "- running: {service: web, exactly: 2}", "back"),
        ("id: back", "id: down", "down"),
        ("image: nginx:1.26", "image: nginx:1.27", "scale"),
    ],
)
def test_only_what_a_step_does_makes_it_another(path: Path, old: str, new: str, changed: str | None) -> None:
    before = load_lesson(path)
    path.write_text(TEXT.replace(old, new).replace("step: back", "step: down"))
    assert path.read_text() != TEXT
    assert first_changed(before, load_lesson(path)) == changed


def test_a_step_that_was_added_or_removed_counts_from_its_place(path: Path) -> None:
    both = load_lesson(path)
    one = both.model_copy(update={"steps": both.steps[:1]})
    last = both.model_copy(update={"steps": both.steps[1:]})
    assert (first_changed(one, both), first_changed(both, one), first_changed(both, last)) == ("back", None, "back")


def test_a_reading_stage_shows_how_a_step_ends_and_does_nothing(path: Path) -> None:
    _, stage = draft_of(path)
    with pytest.raises(InputError, match="no lesson is open"):
        stage.play("scale")
    stage.open("mine")
    stage.play("scale")
    stage.play("back")
    steps = stage.journal.world.lesson.steps
    assert {step: each.state for (_, step), each in steps.items()} == {"scale": "passed", "back": "passed"}
    assert not stage.journal.world.lesson.verdicts
    stage.reset("back")
    assert [step for _, step in stage.journal.world.lesson.steps] == ["scale"]
    stage.reset()
    assert not stage.journal.world.lesson.steps
    with pytest.raises(InputError, match="nothing to take back"):
        stage.offer_undo()


@pytest.fixture
def stage(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveStage]:
    """The lesson opened on a cluster of doubles, its first step passed."""
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    lesson = load_lesson(path)
    progress.pass_step("default", lesson, "scale")
    with fake_cluster() as (swarm, engines):
        stage = LiveStage(DoubleCluster(swarm, engines), lessons=(lesson,))
        try:
            stage.open("mine")
            stage.journal.write(Captured("guess", "Two"))
            yield stage
        finally:
            stage.close()


def passed(stage: LiveStage) -> list[str]:
    return [step for (_, step), each in stage.journal.world.lesson.steps.items() if each.state == "passed"]


def revise(stage: LiveStage, path: Path, old: str, new: str) -> Lesson:
    path.write_text(TEXT.replace(old, new))
    lesson = load_lesson(path)
    assert stage.revise(lesson)
    return lesson


def test_a_live_stage_keeps_what_passed_while_only_texts_change(stage: LiveStage, path: Path) -> None:
    assert passed(stage) == ["scale"]
    lesson = revise(stage, path, "Ask for three.", "Ask for more.")
    assert stage.lessons() == (lesson,)
    assert passed(stage) == ["scale"]
    revise(stage, path, "solution: docker service scale web=1", "solution: docker service scale --detach web=1")
    assert passed(stage) == ["scale"]
    assert stage.journal.world.lesson.captured["guess"] == "Two"


def test_a_step_that_does_something_else_is_to_be_passed_again(stage: LiveStage, path: Path) -> None:
    lesson = revise(stage, path, "run: docker service scale web=3", "run: docker service scale web=4")
    assert passed(stage) == []
    assert progress.passed_steps("default", lesson) == ()
    assert stage.journal.world.lesson.captured["guess"] == "Two"


def test_the_lab_does_not_come_back_to_a_lesson_that_is_not_in_the_course(stage: LiveStage) -> None:
    assert progress.last_lesson("default") == ""


def test_a_new_id_is_offered_in_place_of_the_old_one(stage: LiveStage, path: Path) -> None:
    revise(stage, path, "id: mine", "id: yours")
    assert stage.open("yours").id == "yours"
    with pytest.raises(InputError, match="there is no lesson mine"):
        stage.open("mine")
