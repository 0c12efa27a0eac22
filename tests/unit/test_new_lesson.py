"""`swarmlab new lesson`: a file that is valid, of every part of the form, and proven on the model of a swarm."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lab import paths
from lab.cli import main
from lab.cli.lessons import choose_lessons
from lab.errors import InputError
from lab.lesson.checkpoint import checkpoint_after, checkpoint_before
from lab.lesson.course import Problems, check_paths, load_lesson
from lab.lesson.model import Lesson, Step
from lab.lesson.new_lesson import new_lesson
from lab.lesson.notes import Notes
from lab.reset.apply import apply
from lab.reset.plan import plan
from lab.run.runner import run_lesson
from lab.session.replay import ReplayStage
from lab.world.entries import Checked
from tests.doubles.driver import ModelDriver


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new lesson's file, in the current folder."""
    monkeypatch.chdir(tmp_path)
    assert main(["new", "lesson", "my-lesson"]) == 0
    return tmp_path / "my-lesson.yaml"


def at_start(lesson: Lesson) -> ModelDriver:
    driver = ModelDriver()
    driver.look()
    checkpoint = checkpoint_before(lesson)
    apply(plan(driver.journal.world, checkpoint, made_by_lab=True).actions, checkpoint, driver, clock=driver.time)
    return driver


def with_ways(step: Step) -> Step:
    """The step with its first other way in the command's place."""
    return step.model_copy(update={"run" if step.run else "solution": step.ways[0]})


def test_a_new_lesson_is_well(file: Path) -> None:
    assert check_paths([file]) == ((), 1)
    assert max(len(line) for line in file.read_text().splitlines()[1:]) <= 80


@pytest.mark.parametrize("other_way", [False, True])
def test_every_check_is_false_before_and_true_after(file: Path, other_way: bool) -> None:
    lesson = load_lesson(file)
    if other_way:
        lesson = lesson.model_copy(update={"steps": tuple(map(with_ways, lesson.steps))})
    driver = at_start(lesson)
    result = run_lesson(lesson, driver)
    assert result.passed, result.why
    assert not [check for step in result.steps for check in step.checks if check.before or not check.after]
    assert plan(driver.journal.world, checkpoint_after(lesson), made_by_lab=True).actions == ()


def test_it_shows_every_part_that_most_lessons_have(file: Path) -> None:
    lesson = load_lesson(file)
    given, turn = lesson.steps
    assert given.run and given.question and given.question.choices and given.question.because
    assert turn.your_turn and turn.solution
    assert all(step.hints and step.after and step.ways and isinstance(step.notes, Notes) for step in lesson.steps)
    assert lesson.recap and lesson.terms and lesson.quiz and lesson.kubernetes


def test_its_hints_match_what_its_checks_find(file: Path) -> None:
    """A hint that matches no finding helps nobody."""
    lesson = load_lesson(file)
    driver = at_start(lesson)
    found = [("scale", "there is no service web")]
    driver.journal.read(lambda entry, _: found.append(of(entry.fact)) if isinstance(entry.fact, Checked) else None)
    run_lesson(lesson, driver)
    for step in lesson.steps:
        for hint in step.hints:
            assert [why for id, why in found if id == step.id and re.search(str(hint.when), why)], hint.when


def of(fact: Checked) -> tuple[str, str]:
    return fact.step, fact.why


def test_its_schema_is_the_installed_one(file: Path) -> None:
    first = file.read_text().splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named is not None
    assert named[1] == (paths.lessons() / "schema.json").resolve().as_uri()


def test_beside_the_schema_it_is_named_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "lessons", lambda: tmp_path)
    assert main(["new", "lesson", "x", "-o", str(tmp_path / "x.yaml")]) == 0
    assert (tmp_path / "x.yaml").read_text().startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize("id", ["null", "true", "42", "1e5", "a", "a" * 60, "title", "schema", "x-"])
def test_any_id_makes_a_lesson(tmp_path: Path, id: str) -> None:
    path = tmp_path / "any.yaml"
    path.write_text(new_lesson(id, "file:///NAME/TITLE/SCHEMA.json"))
    assert load_lesson(path).id == id
    assert "$schema=file:///NAME/TITLE/SCHEMA.json\n" in path.read_text()


def test_an_existing_file_is_not_overwritten(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("mine")
    assert main(["new", "lesson", "my-lesson"]) == 2
    assert "my-lesson.yaml exists already\n  next: choose another file with -o" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_where_it_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "lesson", "x", "-o", str(tmp_path / "no" / "x.yaml")]) == 2
    assert "make its folder first" in capsys.readouterr().err


def test_what_to_do_next_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "lesson", "x", "-o", "a file.yaml"]) == 0
    said = capsys.readouterr().out
    assert [f"swarmlab {word} 'a file.yaml'" in said for word in ("dev", "check", "run", "record")] == [True] * 4
    assert main(["new", "lesson", "x", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"lesson": "x", "file": "x.yaml"}


def test_a_lesson_is_named_by_its_id_or_its_file(file: Path) -> None:
    mine, scaling, again = choose_lessons(["./my-lesson.yaml", "scaling", "my-lesson.yaml"])
    assert (mine.id, scaling.id) == ("my-lesson", "scaling")
    assert mine == again
    with pytest.raises(InputError, match="there is no lesson my-lesson"):
        choose_lessons(["my-lesson"])
    file.write_text("id: x\n")
    with pytest.raises(Problems, match=r"my-lesson\.yaml:1: "):
        choose_lessons([str(file)])


@pytest.mark.parametrize("line", ["run FILE", "record FILE -o x.tape", "reset --to FILE", "reset --to FILE:back"])
def test_a_lesson_outside_the_course_is_read_before_a_cluster_is_asked_for(
    file: Path, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(file.parent / "state"))
    argv = line.replace("FILE", str(file)).split()
    assert main(argv) == 3
    assert "swarmlab up" in capsys.readouterr().err
    file.write_text(file.read_text().replace("running:", "runing:", 1))
    assert main(argv) == 2
    line_number = next(n for n, each in enumerate(file.read_text().splitlines(), 1) if "runing" in each)
    assert f"{file}:{line_number}: check 1 of step 1 has the unknown key 'runing'" in capsys.readouterr().err


def test_a_file_beside_a_course_that_cannot_be_loaded_can_be_run(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "lessons", lambda: file.parent)
    assert choose_lessons([str(file)])[0].id == "my-lesson"


def test_dev_needs_a_file_and_a_terminal(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev", "none.yaml"]) == 2
    assert "none.yaml: there is no such file\n  next: swarmlab new lesson NAME" in capsys.readouterr().err
    assert main(["dev", str(file)]) == 2
    assert f"needs a terminal\n  next: swarmlab check {file}" in capsys.readouterr().err


def test_a_recording_is_shown_with_its_lesson_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine.yaml"
    text = (paths.lessons() / "scaling.yaml").read_text()
    mine.write_text(text.replace("title: Drain its node", "title: Leave its node"))
    for argv in (
        ["replay", "scaling", "--plain", "--speed", "max", "--lesson", str(mine)],
        ["export", "scaling", "--format", "markdown", "--lesson", str(mine)],
    ):
        assert main(argv) == 0
        said = capsys.readouterr().out
        assert "Leave its node" in said
        assert "Drain its node" not in said
    stage = ReplayStage(paths.recordings() / "scaling.tape", lesson=load_lesson(mine))
    assert [step.title for step in stage.lessons()[0].steps][1] == "Leave its node"
    assert main(["replay", "secrets", "--plain", "--lesson", str(mine)]) == 2
    assert "the recording is of the lesson secrets, not of scaling" in capsys.readouterr().err
