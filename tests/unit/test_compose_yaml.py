"""YAML in stack files: anchors, merge keys, tags and numbers as docker's parser reads them; lessons take none of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.compose import read
from lab.errors import InputError
from lab.lesson.course import check_paths
from lab.schema import document
from lab.schema.document import Document


def of_stack(tmp_path: Path, text: str) -> Document:
    path = tmp_path / "stack.yml"
    path.write_text(text)
    return document.read_stack(path)


def refused(tmp_path: Path, text: str) -> tuple[int, str]:
    with pytest.raises(InputError) as caught:
        of_stack(tmp_path, text)
    return caught.value.line, caught.value.reason


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: &x 1\nb: *x\n", {"a": 1, "b": 1}),
        ("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}),
        ("a: &k b\n*k : 1\n", {"a": "b", "b": 1}),
        ("x: &x {a: 1}\ny: {<<: *x, b: 2}\n", {"x": {"a": 1}, "y": {"a": 1, "b": 2}}),
        ("y: {a: own, <<: {a: 1, b: 2}}\n", {"y": {"a": "own", "b": 2}}),
        ("y: {<<: {a: 1}, a: own}\n", {"y": {"a": "own"}}),
        ("y: {<<: [{a: first}, {a: second, b: 2}]}\n", {"y": {"a": "first", "b": 2}}),
        ("z: &z {<<: {a: 1}, b: 2}\ny: {<<: *z}\n", {"z": {"a": 1, "b": 2}, "y": {"a": 1, "b": 2}}),
        ("y: {<<: []}\n", {"y": {}}),
        ('y: {"<<": {a: 1}}\n', {"y": {"<<": {"a": 1}}}),
        ("y: <<\n", {"y": "<<"}),
        ("? a\n: 1\n", {"a": 1}),
    ],
)  # fmt: skip
def test_anchors_and_merge_keys(tmp_path: Path, text: str, data: dict[str, Any]) -> None:
    assert of_stack(tmp_path, text).data == data


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (
            "x: &x {a: 1}\ny:\n  <<: *x\n  <<: *x\n",
            4,
            "the key '<<' stands here twice; first in line 3: write one list",
        ),
        ("y:\n  a: 1\n  a: 2\n", 3, "the key 'a' stands here twice; first in line 2"),
        ("y:\n  <<: 1\n", 2, "`<<` takes a mapping, or a list of mappings"),
        ("x: &x [a]\ny:\n  <<: *x\n", 3, "`<<` takes a mapping"),
        ("y: {<<: [[{a: 1}]]}\n", 1, "`<<` takes a mapping"),
        ("y:\n", 0, ""),
        ("\ny: *x\n", 2, "*x is an unknown alias: no &x stands before it"),
        ("y: &y\n  a: *y\n", 2, "it would contain itself"),
        ("y: &y {<<: *y}\n", 1, "it would contain itself"),
        ("y:\n  1: a\n", 2, 'write "1" in quotes'),
        ("y: {true: a}\n", 1, 'write "true" in quotes'),
        ("y: {[a]: b}\n", 1, "a key must be a text"),
        ("y: !!int a\n", 1, "'a' cannot be read as !!int"),
        ("y: !!bool yes\n", 1, "'yes' cannot be read as !!bool"),
        ('y: !!binary "&&"\n', 1, "no base64"),
        ("y: .inf\n", 1, "docker takes no number .inf"),
        ("y: 1\n---\nz: 1\n", 2, "a second document begins here"),
        ('y:\n  - "\\ud800"\n', 2, "half of a surrogate pair"),
    ],
)
def test_what_docker_does_not_read(tmp_path: Path, text: str, line: int, reason: str) -> None:
    if not reason:
        assert of_stack(tmp_path, text).data == {"y": None}
        return
    at, said = refused(tmp_path, text)
    assert at == line
    assert reason in said


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0o440", 288), ("0440", 288), ("0O440", 288), ("-0o7", -7), ("0x1F", 31), ("0b11", 3), ("1_000", 1000),
        ("+7", 7), ("09", 9.0), ("0o9", "0o9"), ("1:30", "1:30"), ("_1", "_1"), (".5", 0.5), ("1e3", 1000.0),
        ("18446744073709551615", 2**64 - 1), ("18446744073709551616", 2.0**64), ("1e999", "1e999"),
        ("9" * 500, "9" * 500),
        ("yes", "yes"), ("on", "on"), ("True", True), ("~", None), ('"0440"', "0440"), ("8080:80", "8080:80"),
        ('!!int "7"', 7), ("!!str 7", "7"), ("!own 7", "7"), ("! 7", 7), ("!!float 7", 7), ("!!null ~", None),
        ("!!binary aGk=", "hi"), ("2024-13-01", "2024-13-01"), ("2024-01-01T10:00:00", "2024-01-01T10:00:00"),
    ],
)  # fmt: skip
def test_single_values(tmp_path: Path, text: str, value: object) -> None:
    found = of_stack(tmp_path, f"y: {text}\n").data["y"]
    assert found == value
    assert type(found) is type(value)


def test_collections_with_tags_are_as_without(tmp_path: Path) -> None:
    data = of_stack(tmp_path, "a: !!set {x, y}\nb: !own [1]\nc: !!map {k: v}\n").data
    assert data == {"a": {"x": None, "y": None}, "b": [1], "c": {"k": "v"}}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("018", "18"), ("0440", "288"), ("1.10", "1.1"), ("4.0", "4"), ("1000000.0", "1e+06"), ("0.00001", "1e-05"),
        ("1234567.5", "1.2345675e+06"), ("123456.5", "123456.5"), ("99999999999999999999", "1e+20"),
        ("2024-01-01", "2024-01-01 00:00:00 +0000 UTC"), ("2024-1-1 10:00:00.5", "2024-01-01 10:00:00.5 +0000 UTC"),
    ],
)  # fmt: skip
def test_numbers_and_dates_where_a_text_is_wanted(tmp_path: Path, given: str, text: str) -> None:
    path = tmp_path / "stack.yml"
    path.write_text(f"services: {{web: {{image: 'nginx:1.26', environment: {{A: {given}}}}}}}\n")
    assert read.read_stack(path).outline.services["web"].environment == {"A": text}


SHARED = """\
x-common: &common
  imgae: nginx:1.26
  stop_grace_period: 30
x-labels: &labels
  a.b: true
services:
  one:
    <<: *common
    image: nginx:1.26
  two:
    image: nginx:1.26
    deploy:
      labels: *labels
"""


def test_what_is_wrong_in_a_shared_part_is_told_where_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "stack.yml"
    path.write_text(SHARED)
    found = [(p.line, p.reason) for p in check_paths([path])[0]]
    assert [line for line, _ in found] == [2, 3, 5]
    assert "'one' has the unknown key 'imgae'" in found[0][1]
    assert "service two" in found[2][1]


def test_a_stack_with_anchors_is_checked_as_if_written_out(tmp_path: Path) -> None:
    path = tmp_path / "stack.yml"
    path.write_text(
        "x-ports: &ports ['80:80']\nservices:\n  a: {image: 'x:1', ports: *ports}\n  b: {image: 'x:1', ports: *ports}\n"
    )
    (problem,) = check_paths([path])[0]
    assert (problem.line, problem.reason) == (1, "service b: port 80/tcp is published by a already")


@pytest.mark.parametrize(
    "text",
    [
        "x: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
        "x: &a {" + ", ".join(f"k{n}: 1" for n in range(3000)) + "}\ny: {<<: [" + ", ".join(["*a"] * 3000) + "]}\n",
        f"x: &a {'x' * 200_000}\ny: [{', '.join(['*a'] * 5000)}]\n",
        f"y: [{', '.join('1' * 25_000)}]\n",
    ],
    ids=["aliases", "merges", "texts", "values"],
)
def test_what_grows_without_end_is_bounded(tmp_path: Path, text: str) -> None:
    assert "holds more than 20,000 values" in refused(tmp_path, text)[1]


def test_merges_that_nest_without_end_are_bounded(tmp_path: Path) -> None:
    chain = "x0: &a0 {k: 1}\n" + "".join(f"x{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 200))
    assert "nested more than 48 deep" in refused(tmp_path, chain)[1]


@pytest.mark.parametrize("text", ["id: &a x\n", "id: *a\n", "id: !!str x\n"])
def test_lessons_take_neither_anchors_nor_tags(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lesson.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="not taken here"):
        document.read(path)


def test_what_is_wrong_with_a_lesson_is_told_as_of_a_lesson(tmp_path: Path) -> None:
    path = tmp_path / "lesson.yaml"
    path.write_text("id: a\nsteps:\n  - {1: a, x: .inf}\n")
    reasons = [p.reason for p in check_paths([path])[0]]
    assert "step 1 has the unknown key '1'" in reasons
    assert not any("docker" in reason for reason in reasons)
