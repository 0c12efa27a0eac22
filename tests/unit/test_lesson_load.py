"""Lessons from YAML: whatever a file holds, the answer is a lesson or sentences with file and line."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab import paths
from lab.cluster.faults import FAULTS
from lab.errors import InputError
from lab.lesson.checkpoint import Checkpoint, checkpoint_after
from lab.lesson.course import Problems, check_paths, load_course, load_lesson, load_syllabus
from lab.lesson.model import Lesson
from lab.schema import template

GOOD = """\
id: good
title: A lesson
topics: [scaling]
minutes: 5
about: About it.
steps:
  - id: one
    title: One
    text: Do it.
    run: docker service ls
    then:
      - running: {service: web, exactly: 3}
  - id: two
    title: Two
    text: Do more.
    act: {stop: node4}
    then:
      - node: {name: node4, state: down}
"""


STACK = GOOD + "start:\n  networks: [edge]\n  secrets: {api-key-1: {random: 8}}\n  stacks:\n"


def wrong(tmp_path: Path, text: str | bytes, name: str = "good.yaml") -> list[tuple[int, str]]:
    """Line and reason of everything wrong with a file of this text."""
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    problems, looked_at = check_paths([path])
    assert looked_at == 1
    assert all(p.exit_code == 2 and str(p).startswith(f"{path}:") for p in problems)
    return [(p.line, p.reason) for p in problems]


def test_a_good_lesson(tmp_path: Path) -> None:
    assert wrong(tmp_path, GOOD) == []
    assert load_lesson(tmp_path / "good.yaml").steps[0].bound == 120.0


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("id: [good\n", 2, "not YAML"),
        ("", 1, "the file is empty"),
        ("# only words\n", 1, "the file is empty"),
        ("- id: good\n", 1, "not a list"),
        ("just words\n", 1, "not one single value"),
        (GOOD.replace("title: A", "titel: A"), 2, "unknown key 'titel'; did you mean 'title'?"),
        (GOOD.replace("  - id: two\n    title", "  - title"), 13, "step 2 has no 'id'"),
        (GOOD.replace("id: two", "id: one"), 13, "duplicate step id one; first used in line 7"),
        (GOOD.replace("running:", "runing:"), 12, "unknown key 'runing'; did you mean 'running'?"),
        (GOOD.replace("exactly", "exacty"), 12, "unknown key 'exacty'; did you mean 'exactly'?"),
        (GOOD.replace("    run:", "    bound: -3\n    run:"), 10, "'bound' must be more than 0, not -3"),
        (GOOD.replace("    run:", "    bound: soon\n    run:"), 10, "'bound' must be a number, not \"soon\""),
        (GOOD.replace("title: A lesson", "title: !!python/object/apply:os.system [ls]"), 2, "tags are not taken"),
        (GOOD.replace("topics: [scaling]", "topics: &a [b, b]\nmore: [*a, *a, *a]"), 3, "anchors and aliases"),
        (GOOD.encode().replace(b"About", b"\xe9"), 5, "not UTF-8: byte 0xe9"),
        (GOOD + "start:\n  secrets:\n    A: {file: ../../etc/passwd}\n", 21, "leaves the lesson's folder"),
        (GOOD + "start:\n  secrets:\n    A: {file: /etc/passwd}\n", 21, "leaves the lesson's folder"),
        (GOOD + "start:\n  secrets:\n    A: {file: absent.txt}\n", 21, "there is no file absent.txt"),
        (GOOD + "title: again\n", 19, "the key 'title' stands here twice; first in line 2"),
        (GOOD + "---\nid: other\n", 19, "a second document"),
        (GOOD.replace("minutes: 5", "minutes: " + "[" * 60), 4, "nested more than"),
        (GOOD.replace("docker service ls", "docker kill {{box}}"), 10, "{{box}} is used before it is captured"),
        (GOOD.replace("docker service ls", "echo '{{box}}'"), 7, "stands inside quotes"),
        (GOOD.replace("docker service ls", "cat <<< a << b {{box}}"), 7, "stands after <<"),
        (GOOD.replace("    run:", "    act: {stop: node4}\n    run:"), 7, "a step has run or act, not both"),
        (
            GOOD.replace("stop: node4", "stop: a, cut: b"),
            16,
            f"exactly one of {', '.join(FAULTS)}, load",
        ),
        (GOOD.replace("id: good", "id: Not Good"), 1, "'id' is \"Not Good\", which is not of the form"),
        (GOOD.replace("exactly: 3", "exactly: -1"), 12, "'exactly' must be at least 0, not -1"),
        (GOOD.replace("state: down", "state: dead"), 18, "'state' must be one of"),
        (GOOD + "    leaves: {services: {web: {replicas: 3}}}\n", 19, "has no 'image'"),
        (GOOD + "    leaves: {services: {web: {imge: x}}}\n", 19, "unknown key 'imge'"),
        (GOOD + "start:\n  stacks:\n    edge: {file: none.yaml}\n", 21, "none.yaml: there is no such file"),
        (GOOD + "start:\n  stacks:\n    edge: {file: ../README.md}\n", 21, "leaves the stacks' folder"),
        (GOOD + "start:\n  stacks:\n    edge: {file: viz/server.js}\n", 21, "viz/server.js, line"),
        (GOOD + "start:\n  stacks:\n    edge: {fil: edge.yaml}\n", 21, "unknown key 'fil'; did you mean 'file'?"),
        (
            GOOD + "start:\n  stacks:\n    acme: {file: acme.yaml}\n",
            19,
            "stack acme uses the network edge, which is not",
        ),
        (STACK + "    app: {file: app.yaml, env: {API_KEY: '2'}}\n", 19, "stack app uses the secret api-key-2, which"),
        (STACK + "    app: {file: app.yaml, fresh_with: [no]}\n", 19, "with the stack no, which is not there"),
        (STACK + "    app: {file: app.yaml, over: [none.yaml]}\n", 23, "none.yaml: there is no such file"),
        (STACK + "    app: {file: app.yaml, over: [../README.md]}\n", 23, "leaves the stacks' folder"),
        (STACK + "    app: {file: app.yaml, env: {ON_FAILURE: stop}}\n", 19, "app.yaml, line"),
        (GOOD + "    leaves: {stacks: {app: {env: {VERSION: '2'}}}}\n", 19, "has no 'file'"),
        (GOOD + "    leaves: {stacks: {app: {evn: {}}}}\n", 19, "unknown key 'evn'"),
        (
            GOOD + "start: {secrets: {A: {login: true, text: x}}}\n",
            19,
            "exactly one of text, file, stack, random, login",
        ),
        (GOOD.replace("text: Do it.", 'text: "\\ud800"'), 9, "not text"),
        (GOOD.replace("text: Do it.", 'text: "\\U00200000"'), 0, "not YAML"),
        ("id: \x00\n", 1, "not text"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str | bytes, line: int, reason: str) -> None:
    found = wrong(tmp_path, text)
    assert [(n, r) for n, r in found if n == line and reason in r], found


def test_the_former_id_of_the_cluster_pane_is_still_read(tmp_path: Path) -> None:
    text = GOOD.replace("minutes: 5", "minutes: 5\npanes: [reconciliation, load]")
    assert wrong(tmp_path, text.replace("    text: Do it.", "    text: Do it.\n    pane: reconciliation")) == []
    (tmp_path / "good.yaml").write_text(text)
    assert load_lesson(tmp_path / "good.yaml").panes == ("cluster", "load")


def test_all_that_is_wrong_is_told_not_only_the_first(tmp_path: Path) -> None:
    text = GOOD.replace("minutes: 5", "minutes: many").replace("exactly", "exacty").replace("state: down", "state: x")
    assert [line for line, _ in wrong(tmp_path, text)] == [4, 12, 18]
    with pytest.raises(Problems) as caught:
        load_lesson(tmp_path / "good.yaml")
    assert len(caught.value.problems) == 3
    assert str(caught.value).count("good.yaml:") == 3


def test_fifty_megabytes_are_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "good.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    (problem,) = check_paths([path])[0]
    assert "too large: 50,000,000 bytes" in problem.reason


def test_no_file_a_device_and_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    problems, _ = check_paths([tmp_path / "none.yaml", tmp_path / "pipe.yaml", Path("/dev/zero")])
    assert [p.reason for p in problems] == ["there is no such file", "not a regular file", "not a regular file"]


def test_a_link_out_of_the_folder_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.txt").write_text("x")
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "secret.txt")
    text = GOOD + "start: {configs: {a: {file: link.txt}}}\n"
    assert "leaves the lesson's folder" in wrong(tmp_path, text, "in/good.yaml")[0][1]


def test_a_file_beside_the_lesson_is_read(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("server {}\n")
    assert wrong(tmp_path, GOOD + "start: {configs: {a: {file: nginx.conf}}}\n") == []
    assert load_lesson(tmp_path / "good.yaml").start.configs["a"].text == "server {}\n"


def test_words_that_other_yaml_takes_for_something_else_stay_words(tmp_path: Path) -> None:
    text = GOOD.replace("title: One", "title: on").replace("    run:", "    on: no\n    run:")
    assert wrong(tmp_path, text) == []
    step = load_lesson(tmp_path / "good.yaml").steps[0]
    assert (step.title, step.on) == ("on", "no")


def test_recordings_are_checked_by_what_is_given(tmp_path: Path) -> None:
    (tmp_path / "a.tape").write_text("x")

    def tape(path: Path) -> None:
        raise InputError("cut off", path=path, line=7)

    problems, looked_at = check_paths([tmp_path], tape)
    assert [(p.line, p.reason, looked_at) for p in problems] == [(7, "cut off", 1)]


def test_a_folder_is_held_against_its_syllabus(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "twin.yml").write_text(GOOD)
    assert "no syllabus.yaml" in check_paths([tmp_path])[0][0].reason
    topics = "topics:\n  - {id: scalng, title: T, slides: [S], lessons: [absent]}\n"
    (tmp_path / "syllabus.yaml").write_text("title: T\nlessons: [gone]\n" + topics)
    reasons = [p.reason for p in check_paths([tmp_path])[0]]
    assert reasons == [
        "there is no lesson gone",
        "topic scalng names the lesson absent, which is not among the lessons",
        "the lesson good is not in syllabus.yaml",
        "the topic scaling is not in syllabus.yaml; did you mean 'scalng'?",
        "the id good stands in good.yaml too",
        "the lesson good is not in syllabus.yaml",
        "the topic scaling is not in syllabus.yaml; did you mean 'scalng'?",
    ]
    with pytest.raises(Problems):
        load_course(tmp_path)


def test_a_course_is_read_again_when_one_of_its_files_has_changed(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    topics = "topics:\n  - {id: scaling, title: T, slides: [S], lessons: [good]}\n"
    (tmp_path / "syllabus.yaml").write_text("title: T\nlessons: [good]\n" + topics)
    (lesson,) = load_course(tmp_path)
    assert load_course(tmp_path)[0] is lesson
    (tmp_path / "good.yaml").write_text(GOOD.replace("A lesson", "Another lesson"))
    assert [each.title for each in load_course(tmp_path)] == ["Another lesson"]


def test_what_every_lesson_is_given_may_stand_inside_quotes(tmp_path: Path) -> None:
    """Host names are plain words: in a rule's backquotes they can stand as they are."""
    (tmp_path / "mine.yaml").write_text(GOOD.replace("docker service ls", "echo 'Host(`a.{{domain}}`)' {{domain}}"))
    (step, *_) = load_lesson(tmp_path / "mine.yaml").steps
    assert template.fill_command(step.run or "", {"domain": "labs.example.org"}) == (
        "echo 'Host(`a.labs.example.org`)' labs.example.org"
    )


def test_a_captured_value_is_one_word_of_the_command() -> None:
    assert template.fill_command("docker kill {{box}}", {"box": "a; rm -rf /"}) == "docker kill 'a; rm -rf /'"
    assert template.fill_command("docker ps --format '{{.Names}}'", {"Names": "x"}) == "docker ps --format '{{.Names}}'"


PLACES = {
    """a "{{b}}" '{{c}}' {{d}} \\"{{e}}""": [("b", "inside quotes"), ("c", "inside quotes")],
    "cat <<EOF\n{{x}}\nEOF": [("x", "after <<")],
    "cat {{x}} <<EOF\nhi\nEOF": [],
    "cat <<<{{x}}": [],
    "echo a # it's\necho {{x}}": [],
    "echo a#'b {{x}}'": [("x", "inside quotes")],
    "echo a # of {{x}}": [("x", "in a comment")],
    "echo $'it\\'s {{x}}'": [("x", "inside quotes")],
    "echo $'it\\'s' {{x}}": [],
    'echo "it\'s {{x}}"': [("x", "inside quotes")],
    'echo "$(echo "{{x}}")"': [("x", "after $(")],
    'echo "${A}" {{x}}': [],
    "echo `echo {{x}}`": [("x", "after `")],
    "echo $(( {{x}} ))": [("x", "after ((")],
    "echo ${{x}}": [("x", "right after a $")],
    "echo \\{{x}}": [("x", "right after a \\")],
    "echo $(echo {{x}})": [],
    'echo "a # b" $# {{x}}': [],
    "echo \\<<<a\n{{x}}": [("x", "after <<")],
    "cat <\\\n<E\n{{x}}\nE": [("x", "after <\\")],
    "echo \\ #'\n{{x}} '": [("x", "inside quotes")],
    "echo \\\n# it's\n'{{x}}'": [("x", "inside quotes")],
}


@pytest.mark.parametrize(("text", "wrong"), PLACES.items())
def test_where_a_captured_value_would_be_no_word_is_found(text: str, wrong: list[tuple[str, str]]) -> None:
    assert list(template.misplaced_placeholders(text)) == wrong


PIECES = [
    *("{{x}}", " ", "echo ", "'", '"', "#", " # it's\n", "\n", "\\", "$", "$(", ")", "`", "a", ";", "$'", "${A}"),
    *("<<E\n", "\nE\n", "((", "))", "<<<", "<", "\\\n", "\\<<<a\n", "\\ #'\n"),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(PIECES),
        min_size=2,
        max_size=9,
    ),
    st.sampled_from(
        ["$(>marker)", "`>marker`", "';>marker;'", '";>marker;"', "\\';>marker #", "a)];>marker", "|| >marker"]
    ),
)
def test_bash_never_runs_a_captured_value_that_may_stand_where_it_does(
    tmp_path: Path, pieces: list[str], value: str
) -> None:
    text = "".join(["echo {{x}} ", *pieces, " {{x}}"])
    if not list(template.misplaced_placeholders(text)):
        command = template.fill_command(text, {"x": value})
        (tmp_path / "marker").unlink(missing_ok=True)  # of an earlier example, which would hide which one made it
        subprocess.run(["bash", "-c", command], cwd=tmp_path, input=b"", capture_output=True, timeout=60)
        assert not (tmp_path / "marker").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda t: t.encode("utf-8", "surrogatepass"))))
@example(raw=b"%YAML 99999999999999999999.1\n---\na: 1")
@example(raw=b"? [a]\n: b")
@example(raw=b"a: 1e99999\nb: " + b"9" * 5000)
def test_no_bytes_raise_anything_but_problems(tmp_path: Path, raw: bytes) -> None:
    assert wrong(tmp_path, raw)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(), cuts=st.integers(1, 12))
def test_no_damaged_lesson_raises_anything_but_problems(tmp_path: Path, seed: int, cuts: int) -> None:
    text = list((paths.lessons() / "reconciliation.yaml").read_text(encoding="utf-8").splitlines())
    chance = random.Random(seed)
    for _ in range(cuts):
        at = chance.randrange(len(text))
        match chance.randrange(4):
            case 0:
                del text[at]
            case 1:
                text[at] = text[at][: chance.randrange(len(text[at]) + 1)]
            case 2:
                text[at] = " " * chance.randrange(6) + text[at].lstrip()
            case 3:
                text[at] = text[at].replace(":", chance.choice([": [", ": 5", ": {}", "", ": null #"]), 1)
    wrong(tmp_path, "\n".join(text))


_plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), value=_plain)
def test_any_value_in_any_place_is_taken_or_told(tmp_path: Path, place: int, value: object) -> None:
    """JSON is YAML: one part of a real lesson is replaced by anything."""
    data = Lesson.model_dump(load_lesson(paths.lessons() / "scaling.yaml"), mode="json", exclude_unset=True)
    spots: list[tuple[dict[str, object] | list[object], str | int]] = []

    def walk(part: object) -> None:
        keys: list[object] = (
            list(part) if isinstance(part, dict) else list(range(len(part))) if isinstance(part, list) else []
        )
        for key in keys:
            spots.append((part, key))  # type: ignore[arg-type]
            walk(part[key])  # type: ignore[index]

    walk(data)
    around, key = spots[place % len(spots)]
    around[key] = value  # type: ignore[index]
    wrong(tmp_path, json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass"), "scaling.yaml")


def test_the_syllabus_refuses_a_topic_twice(tmp_path: Path) -> None:
    path = tmp_path / "syllabus.yaml"
    topic = "  - {id: a, title: T, slides: [S]}\n"
    path.write_text(f"title: T\nlessons: []\ntopics:\n{topic}{topic}")
    with pytest.raises(InputError, match="a stands twice") as caught:
        load_syllabus(path)
    assert caught.value.line == 5


def test_stacks_in_a_lesson_and_what_a_step_leaves_of_them(tmp_path: Path) -> None:
    acme = "    acme: {file: acme.yaml}\n    app: {file: app.yaml}\n"
    leaves = "    leaves: {stacks: {app: {env: {VERSION: '2'}}, acme: null}}\n"
    path = tmp_path / "good.yaml"
    path.write_text(STACK.replace("start:", leaves + "start:") + acme)
    lesson = load_lesson(path)
    assert list(lesson.start.stacks) == ["acme", "app"]
    left = checkpoint_after(lesson)
    assert {name: (state.file, dict(state.env)) for name, state in left.stacks.items()} == {
        "app": ("app.yaml", {"VERSION": "2"})
    }
    assert left.stack_services == ("app_frontend", "app_backend")
    assert Checkpoint.model_validate_json(left.model_dump_json(exclude_unset=True)) == left
