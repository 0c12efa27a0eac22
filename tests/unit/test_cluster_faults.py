"""A fault is a row: what is derived from it, and what a cluster that cannot do it answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.cli.parser import parse
from lab.cluster.faults import FAULTS, Fault, apply_fault
from lab.cluster.model import Cluster, silent
from lab.errors import InputError
from lab.lesson.model import act_model

REBOOTED: list[str] = []
REBOOT = Fault("reboot {}", "the lab rebooted {}", "{} was rebooted", "", lambda _, node, __: REBOOTED.append(node))


def cluster(*verbs: str) -> Cluster:
    """One that can do these."""
    return cast(Cluster, SimpleNamespace(provider="double", faults=frozenset(verbs)))


def test_every_fault_has_its_words_and_is_undone_by_another() -> None:
    for verb, fault in FAULTS.items():
        assert all("{}" in text for text in (fault.asks, fault.told, fault.state)), verb
        assert not fault.undo or FAULTS[fault.undo].undo == "", verb


def test_a_new_fault_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line takes it, and says it in its help; a lesson may name it; its words are its row's."""
    monkeypatch.setitem(cast(dict[str, Any], FAULTS), "reboot", REBOOT)
    assert parse(["node", "reboot", "node2"]).verb == "reboot"
    model = act_model(FAULTS)
    act = model.model_validate({"reboot": "node2"})
    assert (act.action, act.node, act.sentence) == ("reboot", "node2", "reboot node2")
    assert "reboot" in model.model_json_schema()["properties"]
    assert "reboot: reboot it" in str(model.__doc__)
    apply_fault(cluster("reboot"), "reboot", "node2", silent)
    assert REBOOTED == ["node2"]


def test_what_a_cluster_cannot_do_is_said() -> None:
    with pytest.raises(InputError, match="provider double cannot power node2 off") as raised:
        apply_fault(cluster("cut", "heal"), "stop", "node2", silent)
    assert raised.value.remedy == "it can: cut, heal"
