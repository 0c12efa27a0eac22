"""The model of a swarm, through its engines' HTTP, keeps the contract that the real swarm keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from lab.engine.client import connect
from tests.contract.refusals import REFUSALS
from tests.contract.scenarios import SCENARIOS
from tests.contract.swarm import Api, Swarm
from tests.doubles.engine import FakeEngine
from tests.doubles.model import ModelSwarm, Time

#: How many turns of a quarter of a second a scenario waits for something.
TURNS = 400


@pytest.fixture
def swarm() -> Iterator[Swarm]:
    model = ModelSwarm(Time())
    engines = [FakeEngine(model, name) for name in ("node1", "node4")]

    def until(condition: Callable[[], bool], what: str) -> None:
        for _ in range(TURNS):
            if condition():
                return
            model.time.now += 0.25
            model.tick()
        raise AssertionError(f"still missing: {what}; the tasks: {model.tasks}")

    try:
        with closing(connect(engines[0].endpoint)) as manager, closing(connect(engines[1].endpoint)) as worker:
            yield Swarm(Api(manager.api), Api(worker.api), until, model.power)
    finally:
        for engine in engines:
            engine.stop()


@pytest.mark.parametrize("scenario", [*SCENARIOS, *REFUSALS], ids=lambda scenario: scenario.__name__)
def test_the_model_keeps_the_contract(swarm: Swarm, scenario: Callable[[Swarm], None]) -> None:
    scenario(swarm)
    swarm.clear()
    assert not [raw for raw in swarm.api.get("/services") if raw["Spec"]["Name"].startswith("contract-")]
