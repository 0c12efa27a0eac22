"""Damaged files of the lab: a sentence where it needs them, and new ones where it can make them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.cli import main
from lab.cluster import edge_settings, lab_paths
from lab.cluster.vm import state
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import LabError
from tests.unit.lab_folders import tree
from tests.unit.test_cluster_machine import a_lab

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": []},
        {"nodes": None},
        {"created": "2026-01-02T03:04:05"},
        {"created": 1e308},
        {"name": "another"},
        {"disk": "../../elsewhere"},
        {"switch": ""},
        {"first_port": 70_000},
    ],
    ids=str,
)
def test_a_damaged_record_is_a_sentence(
    home: Path, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    state.save_state(a_lab())
    path = lab_paths.lab_folder("default") / "lab.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert main(["status"]) == 1
    assert "is damaged" in capsys.readouterr().err
    assert main(["down"]) == 0


@pytest.mark.parametrize("change", [{"name": "../../treasure"}, {"identity": ""}, {"engine": 0}], ids=str)
def test_a_node_that_cannot_be_is_a_sentence_and_leads_nowhere(home: Path, change: dict[str, object]) -> None:
    treasure = home / "treasure"
    treasure.mkdir()
    (treasure / "pid").write_text("mine")
    made = a_lab()
    state.save_state(made)
    path = lab_paths.lab_folder("default") / "lab.json"
    record = json.loads(path.read_text())
    record["nodes"][0] |= change
    path.write_text(json.dumps(record))
    with pytest.raises(LabError, match="is damaged"):
        state.load_state("default")
    assert main(["down"]) == 0
    assert tree(treasure) == {"pid"}


def test_a_lab_made_in_the_future_is_new(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The clock was set back since."""
    state.save_state(a_lab().model_copy(update={"created": datetime(2999, 1, 1, tzinfo=UTC)}))
    assert main(["status"]) == 1
    assert "up for 0 h 0 min" in capsys.readouterr().out
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["age_seconds"] >= 0


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"\n", b"a\nb", b"\x1b[2J"], ids=str)
def test_a_password_that_is_damaged_and_keys_that_are_not_whole_are_made_anew(home: Path, damage: bytes) -> None:
    state.save_state(a_lab())
    cluster = VmCluster(state.load_state("default"))
    found = edge_settings.read_settings(cluster)
    assert found.password
    (found.folder / "password").write_bytes(damage)
    for name in ("ca.pem", "key.pem"):
        (found.folder / name).unlink()
        again = edge_settings.read_settings(cluster)
        assert len(again.password) > 8
        (found.folder / name).write_bytes(b"")
        edge_settings.read_settings(cluster)
        assert (found.folder / name).read_bytes().startswith(b"-----BEGIN ")
    assert (again.folder / "ca.pem").is_file()
