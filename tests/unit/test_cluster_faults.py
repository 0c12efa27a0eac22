"""A fault is a row: what is derived from it, and what a cluster that cannot do it answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import ValidationError

from lab.cli.parser import parse
from lab.cluster.faults import FAULTS, Fault, apply_fault
from lab.cluster.link_faults import LinkFault
from lab.cluster.machine_faults import MachineFault
from lab.cluster.model import Cluster, silent
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import InputError
from lab.lesson.act import act_model
from tests.unit.test_cluster_machine import a_lab

REBOOTED: list[str] = []
REBOOT = Fault(
    "reboot {}", "the lab rebooted {}", "{} was rebooted", "", lambda _, words, __, ___: REBOOTED.extend(words)
)


def cluster(*verbs: str) -> Cluster:
    """One that can do these."""
    return cast(Cluster, SimpleNamespace(provider="double", faults=frozenset(verbs)))


def test_every_fault_has_its_words_and_is_undone_by_another() -> None:
    for verb, fault in FAULTS.items():
        texts = (fault.asks, fault.told, fault.state)
        words = ["node2", *(argument.name for argument in fault.takes)]
        assert all(word in text.format(*words) for text in texts for word in words), verb
        assert not fault.undo or FAULTS[fault.undo].undo == "", verb


def test_a_new_fault_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line takes it, and says it in its help; a lesson may name it; its words are its row's; a cluster of
    machines has it."""
    monkeypatch.setitem(cast(dict[str, Any], FAULTS), "reboot", REBOOT)
    assert parse(["node", "reboot", "node2"]).verb == "reboot"
    model = act_model(FAULTS)
    act = model.model_validate({"reboot": "node2"})
    assert (act.action, act.node, act.sentence) == ("reboot", "node2", "reboot node2")
    assert "reboot" in model.model_json_schema()["properties"]
    assert "reboot: reboot it" in str(model.__doc__)
    apply_fault(cluster("reboot"), "reboot", "node2", silent)
    assert REBOOTED == ["node2"]
    assert "reboot" in VmCluster(a_lab()).faults


def test_a_cluster_of_machines_can_do_every_fault() -> None:
    assert VmCluster(a_lab()).faults == FAULTS.keys()


class Network:
    """A cluster whose links can be broken."""

    provider = "double"
    faults = frozenset(FAULTS)

    def __init__(self) -> None:
        self.broken: list[tuple[LinkFault | MachineFault, bool]] = []

    def break_link(self, fault: LinkFault, *, held: bool = False) -> None:
        self.broken.append((fault, held))

    def break_machine(self, fault: MachineFault, *, held: bool = False) -> None:
        self.broken.append((fault, held))


@pytest.mark.parametrize(
    ("verb", "target", "fault"),
    [
        ("partition", "node1 node2", LinkFault("node1", "node2", lost=1)),
        ("silence", "node1 node2", LinkFault("node1", "node2", one_way=True, lost=1)),
        ("delay", "node1 250", LinkFault("node1", delay=0.25)),
        ("lose", "node1 20", LinkFault("node1", lost=0.2)),
        ("block", "node1 7946", LinkFault("node1", lost=1, port=7946)),
        ("hang", "node1 engine", MachineFault("node1", "hang", what="engine")),
        ("hang", "node1 app_web", MachineFault("node1", "hang", what="app_web")),
        ("skew", "node1 -30", MachineFault("node1", "skew", minutes=-30)),
    ],
)
def test_a_fault_may_take_more_than_a_node(verb: str, target: str, fault: LinkFault | MachineFault) -> None:
    network = Network()
    apply_fault(cast(Cluster, network), verb, target, silent)
    apply_fault(cast(Cluster, network), verb, target, silent, held=True)
    assert network.broken == [(fault, False), (fault, True)]
    assert fault.sentence == FAULTS[verb].state.format(*target.split())
    act = act_model(FAULTS).model_validate({verb: target})
    assert (act.action, act.node, act.target) == (verb, "node1", target)
    assert parse(["node", verb, *target.split()]).more == target.split()[1:]


@pytest.mark.parametrize(
    ("verb", "target", "why"),
    [
        ("partition", "node1", "takes NODE PEER, not node1"),
        ("stop", "node1 node2", "takes NODE, not node1 node2"),
        ("delay", "node1 soon", "MS is a whole number, 1 to 60000 milliseconds, not soon"),
        ("lose", "node1 101", "PERCENT is a whole number, 1 to 100 percent, not 101"),
        ("skew", "node1 1.5", "MINUTES is a whole number, -500000 to 500000 minutes"),
        ("fill", "node1 90", "takes NODE, not node1 90"),
        ("block", "node1 0", "PORT is a whole number, 1 to 65535"),
    ],
)
def test_a_wrong_target_is_refused_by_the_command_and_in_a_lesson(verb: str, target: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        apply_fault(cast(Cluster, Network()), verb, target, silent)
    with pytest.raises(ValidationError, match=why):
        act_model(FAULTS).model_validate({verb: target})


def test_what_a_cluster_cannot_do_is_said() -> None:
    with pytest.raises(InputError, match="provider double cannot power node2 off") as raised:
        apply_fault(cluster("cut", "heal"), "stop", "node2", silent)
    assert raised.value.remedy == "it can: cut, heal"
