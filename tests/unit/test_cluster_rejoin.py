"""Engines that left their swarm, or founded another one, are brought back into it; the others are left alone."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from lab.cluster.rejoin import rejoin
from lab.engine import client as engine
from lab.engine.endpoint import Endpoint
from lab.errors import EngineError

NAMES = ("node1", "node2", "node3", "node4")
ENDPOINTS = tuple(
    Endpoint(name, "worker" if name == "node4" else "manager", f"tcp://{name}:1", lan_address=name) for name in NAMES
)


class Engines:
    """Four engines, each in a swarm: by its name the swarm, and by the swarm what its managers list."""

    def __init__(self) -> None:
        self.swarm_of: dict[str, str] = dict.fromkeys(NAMES, "ours")
        self.nodes: dict[str, list[dict[str, Any]]] = {"ours": []}
        self.did: list[str] = []
        self.silent: set[str] = set()
        self.without_quorum: set[str] = set()
        for name in NAMES:
            self.list_node(name, "ours", "worker" if name == "node4" else "manager", f"{name}-1")

    def list_node(self, name: str, swarm: str, role: str, id: str) -> None:
        manager = {"Reachability": "reachable", "Leader": name == "node1" or swarm != "ours"}
        self.nodes.setdefault(swarm, []).append(
            {
                "ID": id,
                "Version": {"Index": 1},
                "Spec": {"Role": role, "Availability": "active", "Labels": {}},
                "Description": {"Hostname": name},
                "Status": {"State": "ready"},
                **({"ManagerStatus": manager} if role == "manager" else {}),
            }
        )

    def own(self, name: str) -> dict[str, Any] | None:
        """What the managers of a node's swarm list for it."""
        listed = self.nodes.get(self.swarm_of[name], [])
        named = [raw for raw in listed if raw["Description"]["Hostname"] == name and self.is_ready(raw)]
        return named[-1] if named else None

    @staticmethod
    def is_ready(raw: dict[str, Any]) -> bool:
        return bool(raw["Status"]["State"] == "ready")

    def part(self, name: str, into: str = "") -> None:
        """Take an engine out of its swarm; its managers go on listing it, as down."""
        raw = self.own(name)
        if raw is not None:
            raw["Status"]["State"] = "down"
        self.swarm_of[name] = into
        if into:
            self.list_node(name, into, "manager", f"{name}-{into}")

    def force_new_cluster(self) -> None:
        """Make node1 a cluster of its own that node4 follows, and bring node2 and node3 back from the old one."""
        self.nodes["old"] = deepcopy(self.nodes["ours"])
        self.nodes["old"][0]["ManagerStatus"] = {"Reachability": "unreachable"}
        self.nodes["old"][1]["ManagerStatus"]["Leader"] = True
        self.nodes["old"][3]["Status"]["State"] = "unknown"
        for raw in self.nodes["ours"][1:3]:
            raw["Status"]["State"] = "down"
            del raw["ManagerStatus"]
        self.swarm_of |= {"node2": "old", "node3": "old"}

    def connect(self, endpoint: Endpoint, _: float = 0.0) -> Any:
        name = endpoint.node
        if name in self.silent:
            raise EngineError(f"{name} does not answer")
        listed = self.nodes.get(self.swarm_of[name], [])

        def list_nodes() -> list[dict[str, Any]]:
            if self.swarm_of[name] in self.without_quorum:
                raise EngineError("the swarm does not have a leader")
            return [*listed]

        def info() -> dict[str, Any]:
            raw = self.own(name)
            manager = raw is not None and raw["Spec"]["Role"] == "manager"
            state = "active" if self.swarm_of[name] else "inactive"
            return {"Swarm": {"LocalNodeState": state, "NodeID": raw["ID"] if raw else "", "ControlAvailable": manager}}

        def join(*, join_token: str, remote_addrs: list[str], **_: Any) -> None:
            guide = remote_addrs[0].partition(":")[0]
            self.did.append(f"{name} joins by {guide} as {join_token}")
            self.swarm_of[name] = self.swarm_of[guide]
            self.list_node(name, self.swarm_of[name], join_token, f"{name}-2")

        def leave(*, force: bool) -> None:
            self.did.append(f"{name} leaves")
            self.part(name)

        def remove(id: str, force: bool) -> None:
            raw = next(raw for raw in listed if raw["ID"] == id)
            assert raw["Spec"]["Role"] == "worker" or "ManagerStatus" not in raw, (
                "one of Raft's members is demoted first"
            )
            self.did.append(f"forget {id}")
            listed[:] = [raw for raw in listed if raw["ID"] != id]

        def update(id: str, _: int, spec: dict[str, Any]) -> None:
            raw = next(raw for raw in listed if raw["ID"] == id)
            if spec["Role"] != raw["Spec"]["Role"] and "ManagerStatus" not in raw:
                raise EngineError("can't find manager in raft memberlist")
            raw["Spec"] = spec

        def ping(*_: Any, **__: Any) -> Any:
            raw = self.own(name)
            role = "manager" if raw and raw["Spec"]["Role"] == "manager" else "worker"
            return SimpleNamespace(headers={"Swarm": f"active/{role}" if self.swarm_of[name] else "inactive"})

        api = SimpleNamespace(
            base_url="",
            get=ping,
            nodes=list_nodes,
            inspect_swarm=lambda: {"JoinTokens": {"Manager": "manager", "Worker": "worker"}},
            inspect_node=lambda id: next(raw for raw in listed if raw["ID"] == id),
            update_node=update,
            remove_node=remove,
        )
        return SimpleNamespace(info=info, api=api, swarm=SimpleNamespace(join=join, leave=leave), close=lambda: None)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Engines:
    made = Engines()
    monkeypatch.setattr(engine, "connect", made.connect)
    return made


def back() -> tuple[str, ...]:
    return rejoin(ENDPOINTS, bound=30, say=lambda *_: None)


def test_where_all_are_in_the_swarm_nothing_is_done(engines: Engines) -> None:
    assert back() == ()
    assert engines.did == []


def test_one_that_left_joins_again_in_its_own_role_and_its_old_entry_goes(engines: Engines) -> None:
    engines.part("node4")
    assert back() == ("node4",)
    assert engines.did == ["node4 joins by node1 as worker", "forget node4-1"]
    assert [raw["ID"] for raw in engines.nodes["ours"]] == ["node1-1", "node2-1", "node3-1", "node4-2"]


def test_a_manager_that_has_just_left_is_brought_back_though_it_is_still_listed_as_ready(engines: Engines) -> None:
    engines.part("node3")
    engines.nodes["ours"][2]["Status"]["State"] = "ready"
    assert back() == ("node3",)
    assert engines.did == ["node3 joins by node1 as manager", "forget node3-1"]


def test_one_with_a_swarm_of_its_own_leaves_that_first(engines: Engines) -> None:
    engines.part("node2", into="other")
    assert back() == ("node2",)
    assert engines.did[:2] == ["node2 leaves", "node2 joins by node1 as manager"]
    assert engines.swarm_of["node2"] == "ours"


def test_the_first_node_is_brought_back_by_another_manager(engines: Engines) -> None:
    engines.part("node1", into="other")
    engines.nodes["ours"][1]["ManagerStatus"]["Leader"] = True
    assert back() == ("node1",)
    assert engines.did[:2] == ["node1 leaves", "node1 joins by node2 as manager"]


def test_one_whose_entry_was_removed_is_brought_back(engines: Engines) -> None:
    engines.nodes["ours"].pop()
    assert back() == ("node4",)
    assert engines.swarm_of["node4"] == "ours"


def test_one_that_is_off_is_left_alone(engines: Engines) -> None:
    engines.silent.add("node3")
    assert back() == ()
    assert engines.did == []


def test_without_a_manager_that_lists_the_nodes_nothing_is_done(engines: Engines) -> None:
    engines.silent |= {"node1", "node2", "node3"}
    engines.part("node4")
    assert back() == ()
    assert engines.did == []


def test_while_the_swarm_has_no_quorum_it_is_not_left_for_one_that_a_node_founded(engines: Engines) -> None:
    engines.part("node4", into="other")
    engines.without_quorum.add("ours")
    assert back() == ()
    assert engines.did == []


@pytest.mark.parametrize("quorum", [True, False], ids=["a second swarm", "without a quorum"])
@pytest.mark.parametrize("forgotten", [True, False])
def test_lost_managers_of_a_forced_new_cluster_join_it(engines: Engines, quorum: bool, forgotten: bool) -> None:
    """Both swarms list the same nodes under the same ids, and the lost ones are none of the new one's Raft members."""
    engines.force_new_cluster()
    if forgotten:
        del engines.nodes["ours"][1:3]
    if not quorum:
        engines.without_quorum.add("old")
    assert back() == ("node2", "node3")
    assert engines.did[:2] == ["node2 leaves", "node3 leaves"]
    assert set(engines.swarm_of.values()) == {"ours"}
    assert [raw["ID"] for raw in engines.nodes["ours"]] == ["node1-1", "node4-1", "node2-2", "node3-2"]
