"""`reset` of several labs: side by side, a line each, the slowest named, one failure among them."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from lab.cli import main
from lab.cluster import api
from lab.errors import LabError
from lab.lesson.model import Lesson
from lab.session import run
from lab.session.reset_to import Done


@pytest.fixture
def labs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three labs, of which `c` fails; each reset waits for the others, so that one after the other would never end."""
    asked: list[str] = []
    together = threading.Barrier(3, timeout=20)

    def reset_cluster(name: str, lesson: Lesson, step: str | None, **_: Any) -> Done:
        asked.append(name)
        together.wait()
        if name == "c":
            raise LabError("node1 does not answer")
        return Done(lesson.id, ("make service web",), (), 2.0 if name == "a" else 5.0)

    monkeypatch.setattr(run, "reset_cluster", reset_cluster)
    monkeypatch.setattr(api, "names", lambda: ("a", "b", "c"))
    return asked


@pytest.mark.parametrize("which", [["--name", "a,b,c"], ["--all-labs"]], ids=["named", "all"])
def test_they_go_side_by_side_and_each_has_its_line(
    labs: list[str], which: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reset", "--to", "scaling", *which]) == 1
    assert sorted(labs) == ["a", "b", "c"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a  The cluster is at scaling: 1 thing put right in 2.0 s")
    assert lines[2] == "c  failed: node1 does not answer"
    assert lines[3] == "The slowest was b, with 5.0 s."


def test_as_json_it_is_one_object(labs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reset", "--to", "scaling", "--name", "a,b,c", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert set(found["labs"]) == {"a", "b"}
    assert found["failed"] == {"c": "node1 does not answer"}


def test_a_name_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["reset", "--name", "a,,b"])
    assert ended.value.code == 2
    assert "is not a name" in capsys.readouterr().err
