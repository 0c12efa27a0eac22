"""The course against the talk: every point has a step, no claim is empty, and what is not covered is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import paths
from lab.cli import main
from lab.lesson.course import SYLLABUS, check_paths, load_course, load_syllabus
from lab.lesson.sign import find_step
from tests.course import LESSONS
from tests.unit.test_lesson_load import GOOD

HEAD = "title: T\nlessons: [good]\ntopics:\n  - {id: scaling, title: T, slides: [S], lessons: [good]}\n"
TYPED = "{id: ls, title: The list, topic: scaling, how: by hand, sign: {command: service ls}}"


def problems(folder: Path, *lines: str, lesson: str = GOOD, head: str = HEAD) -> list[tuple[str, int | None, str]]:
    (folder / "good.yaml").write_text(lesson)
    (folder / SYLLABUS).write_text(head + "".join(f"{line}\n" for line in lines))
    return [(Path(p.path or "").name, p.line, p.reason) for p in check_paths([folder])[0]]


def test_a_point_that_a_step_has_is_covered(tmp_path: Path) -> None:
    assert problems(tmp_path, "points:", f"  - {TYPED}") == []


@pytest.mark.parametrize(
    ("how", "sign", "verb"),
    [
        ("by hand", "{command: service create}", "types"),
        ("by hand", '{command: service ls, check: \'"state": "down"\'}', "types"),
        ("by hand", "{command: service ls, says: Do more}", "types"),
        ("seen", "{pane: load}", "shows"),
        ("seen", "{reads: app.yaml}", "shows"),
        ("measured", "{check: '\"exactly\": 4'}", "measures"),
    ],
)
def test_a_point_that_no_step_has_is_told_with_its_line(tmp_path: Path, how: str, sign: str, verb: str) -> None:
    point = f"  - {{id: it, title: The point, topic: scaling, how: {how}, sign: {sign}}}"
    assert problems(tmp_path, "points:", f"  - {TYPED}", point) == [
        (SYLLABUS, 7, f"no lesson {verb} the point it (The point)")
    ]
    assert problems(tmp_path, "points:", f"  - {TYPED}", point, "not_covered: [it]") == []


def test_not_covered_names_nothing_that_is_covered_or_unknown(tmp_path: Path) -> None:
    assert problems(tmp_path, "points:", f"  - {TYPED}", "not_covered:", "  - ls", "  - lss") == [
        (SYLLABUS, 8, "not_covered names ls, but good:one covers it"),
        (SYLLABUS, 9, "not_covered names lss, which is no point; did you mean 'ls'?"),
    ]


def test_a_lesson_claims_no_topic_that_none_of_its_steps_touches(tmp_path: Path) -> None:
    head = HEAD + "  - {id: mesh, title: T, slides: [S], lessons: [good]}\n"
    point = "  - {id: door, title: T, topic: mesh, how: seen, sign: {pane: mesh}}"
    claims = GOOD.replace("topics: [scaling]", "topics: [scaling, mesh]")
    found = problems(tmp_path, "points:", f"  - {TYPED}", point, lesson=claims, head=head)
    assert found == [
        (SYLLABUS, 8, "no lesson shows the point door (T)"),
        (SYLLABUS, 5, "the topic mesh names the lesson good, none of whose steps touches a point of it"),
        ("good.yaml", 3, "the lesson claims the topic mesh, but none of its steps touches a point of it"),
    ]
    shown = claims.replace("minutes: 5", "minutes: 5\npanes: [mesh]")
    assert problems(tmp_path, "points:", f"  - {TYPED}", point, lesson=shown, head=head) == [], "open from the start"


def test_a_topic_has_points_and_a_point_a_topic(tmp_path: Path) -> None:
    point = TYPED.replace("topic: scaling", "topic: scalng")
    assert [reason for _, _, reason in problems(tmp_path, "points:", f"  - {point}")] == [
        "the point ls names the topic scalng, which is not here; did you mean 'scaling'?",
        "the topic scaling has no points",
        "the topic scaling names the lesson good, none of whose steps touches a point of it",
        "the lesson claims the topic scaling, but none of its steps touches a point of it",
    ]


@pytest.mark.parametrize(
    ("how", "sign", "reason"),
    [
        ("by hand", "{check: load}", "by hand needs command"),
        ("seen", "{command: ls}", "seen needs pane or reads"),
        ("measured", "{pane: load}", "measured needs check"),
        ("measured", "{says: load}", "words alone show nothing"),
        ("by hand", "{command: '('}", "is not a regular expression"),
    ],
)
def test_a_sign_can_show_what_the_point_asks_for(tmp_path: Path, how: str, sign: str, reason: str) -> None:
    point = f"  - {{id: it, title: T, topic: scaling, how: {how}, sign: {sign}}}"
    ((file, line, said),) = problems(tmp_path, "points:", point)
    assert (file, line) == (SYLLABUS, 6)
    assert reason in said


def test_what_is_not_covered_is_a_note_and_no_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = "{id: it, title: The point, topic: scaling, how: by hand, sign: {command: absent}}"
    assert problems(tmp_path, "points:", f"  - {TYPED}", f"  - {missing}", "not_covered: [it]") == []
    assert main(["check", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["problems"] == []
    assert said["notes"] == [
        {"path": str(tmp_path / SYLLABUS), "line": 8, "reason": "not covered by a lesson yet: it (The point)"}
    ]
    assert main(["check", str(tmp_path)]) == 0
    assert "0 wrong, 1 point of the talk not covered yet" in capsys.readouterr().out
    (tmp_path / SYLLABUS).write_text((tmp_path / SYLLABUS).read_text().replace("not_covered: [it]\n", ""))
    assert main(["check", str(tmp_path)]) == 2
    assert f"{tmp_path / SYLLABUS}:7: no lesson types the point it (The point)" in capsys.readouterr().out


def test_a_course_with_gaps_can_be_taken(tmp_path: Path) -> None:
    assert problems(tmp_path, "points:", f"  - {TYPED.replace('service ls', 'absent')}") != []
    assert [lesson.id for lesson in load_course(tmp_path)] == ["good"]


def test_each_point_of_the_course_is_covered_by_some_lesson_but_not_by_all() -> None:
    """A sign that every lesson has would prove nothing."""
    for point in load_syllabus(paths.lessons() / SYLLABUS).points:
        having = [lesson.id for lesson in LESSONS if find_step(point.sign, lesson) is not None]
        assert len(having) <= len(LESSONS) * 0.6, point.id
