"""What an engine answers, whatever it is, becomes a value or a sentence."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lab.cluster import swarm_init
from lab.engine import client as engine
from lab.engine.endpoint import Endpoint
from lab.errors import EngineError

NODE = Endpoint("node1", "manager", "tcp://127.0.0.1:1")


def answering(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    client = SimpleNamespace(
        info=lambda: answer, api=SimpleNamespace(nodes=lambda: answer), close=lambda: None, nodes=None
    )
    monkeypatch.setattr(engine, "connect", lambda *_: client)


@pytest.mark.parametrize("answer", [None, 7, "x", [], {"Swarm": ["x"]}, {"Swarm": "x"}])
def test_an_engine_that_says_nonsense_of_itself_is_silent(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    answering(monkeypatch, answer)
    found = swarm_init.read_engine(NODE)
    assert found.local == ""
    assert "that does not conform to its API" in found.error


@pytest.mark.parametrize("answer", [None, 7, [None], [{}], [{"ID": "a", "Spec": "x"}], ["x"]])
def test_a_listing_of_another_shape_is_a_sentence(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(EngineError, match="node1 gave an answer that does not conform to its API"):
        swarm_init.list_nodes(NODE)
