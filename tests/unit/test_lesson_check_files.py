"""Which files a check looks at, and that no file, however bad, keeps the others from being looked at."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.cli import main
from lab.lesson.course import check_paths
from lab.schema.diagnostics import MOST, More

STACK = "services:\n  web:\n    image: nginx:1.26\n"
BAD = STACK.replace(":1.26", "")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def wrong(path: Path) -> list[str]:
    return [problem.reason for problem in check_paths([path])[0]]


def test_a_folder_is_looked_through_with_all_below_it(tmp_path: Path) -> None:
    bad = [write(tmp_path / "edge" / "compose.yaml", BAD), write(tmp_path / "shop" / "prod" / "stack.yml", BAD)]
    write(tmp_path / "shop" / "compose.yaml", STACK)
    problems, looked_at = check_paths([tmp_path])
    assert [p.path for p in problems] == bad
    assert looked_at == 3


def test_a_file_without_an_image_is_checked_over_the_one_that_it_is_laid_over(tmp_path: Path) -> None:
    write(tmp_path / "app.yaml", BAD)
    over = write(tmp_path / "app.prod.yaml", "services:\n  web:\n    hostname: x\n    links: [db]\n")
    (reason,) = wrong(over)
    assert reason.startswith("service web: 'links' has no effect")
    assert len(wrong(tmp_path)) == 2, "the missing tag of app.yaml is told once"
    write(tmp_path / "app.prod.yaml", STACK)
    assert wrong(tmp_path / "app.prod.yaml") == [], "a whole stack stands for itself"
    alone = write(tmp_path / "other.prod.yaml", "services:\n  web:\n    hostname: x\n")
    assert "image" in wrong(alone)[0]


@pytest.mark.parametrize("folder", [".git", ".venv", "venv", "node_modules", "shop/node_modules"])
def test_folders_of_programs_are_passed_over(tmp_path: Path, folder: str) -> None:
    write(tmp_path / folder / "compose.yaml", BAD)
    write(tmp_path / "compose.yaml", STACK)
    assert check_paths([tmp_path]) == ((), 1)


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "out" / "compose.yaml", BAD)
    write(tmp_path / "in" / "compose.yaml", STACK)
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "file.yaml").symlink_to(tmp_path / "out" / "compose.yaml")
    assert check_paths([tmp_path / "in"]) == ((), 1)


@pytest.mark.parametrize(
    "text",
    [
        "scrape_configs: []\n",
        "http:\n  services: {}\n",
        "kind: Pod\n---\nkind: Service\n",
        "a: {{ .Values.a }}\n",
        "steps: [{script: make}]\n",
        "volumes: {a: }\n",
    ],
)
def test_other_yaml_in_a_tree_is_passed_over_and_told_when_it_is_named(tmp_path: Path, text: str) -> None:
    other = write(tmp_path / "other.yaml", text)
    write(tmp_path / "compose.yaml", STACK)
    assert check_paths([tmp_path]) == ((), 1)
    assert wrong(other) != []


@pytest.mark.parametrize("text", ["services: {a: 1, a: 2}\n", "services:\n\tweb: 1\n", "id: a\nsteps: [\n"])
def test_a_stack_or_lesson_that_is_no_good_yaml_is_told_in_a_tree_too(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a" / "compose.yaml", text)
    (problem,) = check_paths([tmp_path])[0]
    assert problem.line > 0


def test_too_many_folders(tmp_path: Path) -> None:
    (tmp_path / "/".join("abcdefghijklmnop")).mkdir(parents=True)
    assert "not all" in wrong(tmp_path)[-1]


def test_nothing_to_look_at_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "prometheus.yaml", "scrape_configs: []\n")
    assert main(["check", str(tmp_path)]) == 2
    said = capsys.readouterr().out
    assert "there is no lesson, stack file or recording in this folder or below it" in said
    assert "0 files checked" in said


def test_json_is_a_stack_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "stack.json", '{"services":\n\t{"web": {"image": "nginx:1.26",\n\t"ports": ["80:80", "80:80"]}}}'
    )
    assert [(p.line, p.reason) for p in check_paths([path], lambda _: None)[0]] == [
        (3, "service web: port 80/tcp is published by web already")
    ]
    assert wrong(write(tmp_path / "bad.json", '{"services": ')) != []


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def check(text: bytes) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        return main(["check", "-"]), capsys.readouterr().out

    assert check(STACK.encode()) == (0, "1 file checked, 0 wrong\n")
    code, said = check(BAD.encode())
    assert code == 2
    assert said.startswith("-:3: service web: the image nginx has no tag")
    assert "-: too large" not in said
    assert "-:1: the file has no 'title'" in check(b"id: a\nsteps: []\n")[1]
    assert "-:1: too large: at most 262,144 are read" in check(b"x" * 300_000)[1]


def test_what_nobody_foresaw_is_a_problem_of_that_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.tape", "x")
    write(tmp_path / "b.yaml", BAD)

    def tape(path: Path) -> object:
        raise RuntimeError("never thought of")

    problems, looked_at = check_paths([tmp_path], tape)
    assert looked_at == 2
    assert [p.path for p in problems] == [tmp_path / "a.tape", tmp_path / "b.yaml"]
    assert problems[0].reason == "checking this file failed: RuntimeError: never thought of"
    assert "report it" in problems[0].remedy


def test_the_first_of_many_problems_are_told_and_how_many_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "stack.yaml", "services:\n" + "".join(f"  s{n}: {{}}\n" for n in range(1_000)))
    problems, _ = check_paths([path])
    assert [p.line for p in problems[:MOST]] == list(range(2, MOST + 2))
    assert isinstance(problems[-1], More)
    assert [p.reason for p in problems[MOST:]] == ["and 900 more"]
    assert main(["check", str(path)]) == 2
    assert "1 file checked, 1000 wrong" in capsys.readouterr().out


def test_a_search_without_end_stops_at_what_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ", ".join(f"n{n}" for n in range(2_000))
    path = write(tmp_path / "stack.yaml", f"{STACK}    networks: [{names}]\n")
    assert wrong(path)[MOST:] == ["and more"]
    assert main(["check", str(path)]) == 2
    assert "more than 100 wrong" in capsys.readouterr().out


def test_problems_of_all_kinds_are_counted_together(tmp_path: Path) -> None:
    services = "".join(f"  s{n}:\n    image: x\n    build: .\n" for n in range(80))
    assert wrong(write(tmp_path / "stack.yaml", f"services:\n{services}"))[MOST:] == ["and 60 more"]


ESCAPES = r"\e]0;P\a\x9b2J\u202e"
SAFE = r"\x1b]0;P\x07\x9b2J\u202e"


@pytest.mark.parametrize(
    "text",
    [
        f'services:\n  "{ESCAPES}": {{image: "x:1", build: .}}\n',
        f'services:\n  a: {{image: "x:1", "{ESCAPES}": 1}}\n',
        f'services:\n  a: {{image: "{ESCAPES}"}}\n',
        f'services:\n  a: {{image: "x:1", networks: ["{ESCAPES}"]}}\n',
        f'services:\n  a: {{image: "x:1", ports: ["{ESCAPES}"]}}\n',
        f'services:\n  a: {{image: "x:1", configs: [c]}}\nconfigs: {{c: {{file: "{ESCAPES}"}}}}\n',
        f'services:\n  a: {{image: "x:1", labels: {{"traefik.{ESCAPES}": "1"}}}}\n',
        f'id: "{ESCAPES}"\nsteps: [{{text: "{{{{a}}}}"}}]\n',
        f'id: a\nsteps: [{{"{ESCAPES}": 1}}]\n',
        f'id: a\nsteps: []\nstart: {{stacks: {{a: {{file: "{ESCAPES}"}}}}}}\n',
        f'"{ESCAPES}": 1\n"{ESCAPES}": 1\nservices: \n',
    ],
)
def test_names_out_of_a_file_are_safe_on_a_terminal(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "file.yaml", text)
    assert main(["check", str(path)]) == 2
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())
    assert all(p.sentence.isprintable() for p in check_paths([path])[0])


def test_a_name_is_quoted_as_python_quotes_it(tmp_path: Path) -> None:
    path = write(tmp_path / "file.yaml", f'services:\n  a: {{image: "x:1", networks: ["{ESCAPES}"]}}\n')
    assert wrong(path) == [f"service a uses the network {SAFE}, which does not stand under networks at the top"]


def test_half_of_a_surrogate_pair_is_told_with_its_line(tmp_path: Path) -> None:
    for text in ('services:\n  "\\ud800": {image: "x:1"}\n', 'id: a\n"\\udfff": 1\nsteps: []\n'):
        (problem,) = check_paths([write(tmp_path / "file.yaml", text)])[0]
        assert (problem.line, problem.reason) == (2, "holds a character that is not text (half of a surrogate pair)")


def _ports(size: int) -> str:
    return f"{STACK}    ports: ['1-{size * 30}:1-{size * 30}', '1-{size * 30}:1-{size * 30}']\n"


def _labels(size: int) -> str:
    items = ", ".join(f'"traefik.http.routers.r{n}.rule=x"' for n in range(size))
    return f"{STACK}    labels: [{items}]\n    deploy: {{labels: [{items}]}}\n"


@pytest.mark.costly
@pytest.mark.parametrize(
    "made",
    [
        lambda n: f"{STACK}    stop_grace_period: '{'1' * n * 100}'\n",
        lambda n: f"{STACK}    deploy: {{resources: {{limits: {{memory: '{'1' * n * 100}x'}}}}}}\n",
        lambda n: f"{STACK}    environment: {{A: '{'${A:-' * n * 20}'}}\n",
        lambda n: f"{STACK}    environment: {{A: '${{{'A' * n * 100}'}}\n",
        lambda n: f"{STACK}    networks: [{', '.join(f'n{i}' for i in range(n))}]\n"
        f"networks: {{{', '.join(f'm{i}: ' for i in range(n))}}}\n",
        _ports,
        _labels,
        lambda n: f"id: a\nsteps: [{', '.join(['{}'] * n)}]\n",
        lambda n: f"id: a\nsteps: [{{text: '{'{{a ' * n * 20}'}}]\n",
        lambda n: f"id: a\nsteps: [{{{', '.join(f'k{i}: 1' for i in range(n))}}}]\n",
        lambda n: f"steps: [{','.join(['{}'] * n * 40)}]\n",
    ],
    ids=["duration", "size", "setting", "name", "undeclared", "ports", "labels", "steps", "holes", "keys", "values"],
)  # fmt: skip
def test_a_check_takes_longer_only_as_a_file_grows(tmp_path: Path, made: Callable[[int], str]) -> None:
    """Ten times the text takes at most some forty times as long, not a hundred or a thousand."""
    small, large = (write(tmp_path / f"{n}.yaml", made(n)) for n in (100, 1_000))
    check_paths([small])

    def seconds(path: Path) -> float:
        began = time.process_time()
        check_paths([path])
        return time.process_time() - began

    assert min(seconds(large) for _ in range(2)) <= 40 * max(min(seconds(small) for _ in range(3)), 0.01)
