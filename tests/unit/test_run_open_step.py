"""A step that is open: whatever brings its state counts, what did it is said, and nothing is noticed that was so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lab.errors import LabError
from lab.run.open_step import OpenStep, open_step
from lab.run.results import StepResult
from lab.world.entries import Captured, CommandBegan, CommandEnded, Hit, StepMoved
from lab.world.request import Request
from tests.builders import lesson_of
from tests.doubles.driver import Answered
from tests.unit.test_run_runner import UP, Recording

EVERYWHERE = {"http": {"port": 8080, "every_node": True}}
CERTIFICATE = {"certificate": {"host": "app.localhost"}}


def opened(driver: Recording, **changes: Any) -> OpenStep:
    lesson = lesson_of({**UP, **changes})
    return open_step(lesson, lesson.steps[0], driver)


def settle(driver: Recording, turns: int = 20) -> None:
    for _ in range(turns):
        driver.swarm.tick()
        driver.time.now += 1
    driver.look()


def look(driver: Recording, step: OpenStep, *, turns: int = 40) -> StepResult | None:
    """Look, as time passes, until the step is done."""
    for _ in range(turns):
        settle(driver, 1)
        if step.look(0.0):
            return step.finish()
    return None


@pytest.mark.parametrize("typed", ["docker service scale web=4", "docker service update --replicas 4 web"])
def test_any_command_that_brings_the_state_counts_and_is_named(typed: str) -> None:
    driver = Recording()
    step = opened(driver)
    assert look(driver, step, turns=3) is None
    assert driver.facts(StepMoved) == [], "an open step has not begun"
    driver.run(typed)
    result = look(driver, step)
    assert result is not None
    assert (result.passed, result.command) == (True, ""), "no command is said to have run that did not"
    assert [type(fact) for fact in driver.facts(StepMoved)] == [StepMoved]
    assert driver.facts(StepMoved)[-1] == StepMoved("one", "up", "passed", f"Done by `{typed}`.")


def test_a_state_that_no_command_in_this_terminal_brought_counts_too() -> None:
    driver = Recording()
    step = opened(driver)
    driver._type("docker service scale web=4", "")  # as from another terminal
    assert look(driver, step) is not None
    assert driver.facts(StepMoved)[-1] == StepMoved("one", "up", "passed", "Done, and not by a command typed here.")


def test_the_output_of_any_command_counts_and_an_exit_status_only_of_its_verb() -> None:
    wants = [{"output": {"contains": "web"}}, {"exit": 1}]
    driver = Recording()
    step = opened(driver, run="docker secret rm absent", then=wants)
    driver.run("docker service ls")
    assert look(driver, step, turns=3) is None, "its exit status is that of another verb"
    assert [check.now.ok for check in step.checks] == [True, False]


def test_what_was_so_when_it_was_opened_is_not_noticed_until_it_was_otherwise() -> None:
    driver = Recording()
    driver.run("docker service scale web=4")
    settle(driver)
    step = opened(driver)
    assert step.was_so
    assert look(driver, step, turns=3) is None
    driver.run("docker service scale web=2")
    look(driver, step, turns=12)
    assert not step.was_so
    driver.run("docker service scale web=4")
    result = look(driver, step)
    assert result is not None
    assert driver.facts(StepMoved)[-1] == StepMoved(
        "one", "up", "passed", "Done after `docker service scale web=2` and `docker service scale web=4`."
    )


def test_a_value_of_the_step_is_captured_when_it_is_opened_and_a_missing_one_is_told() -> None:
    driver = Recording()
    opened(driver, capture={"box": {"service": "web", "take": "container"}}, run="docker kill {{box}}")
    assert [fact.name for fact in driver.facts(Captured) if isinstance(fact, Captured)] == ["box"]
    with pytest.raises(LabError, match="not known yet"):
        opened(driver, run="docker kill {{elsewhere}}")


def test_requests_are_sent_only_when_nothing_else_is_missing() -> None:
    driver = Recording()
    asks = {"port": 8080, "every_node": True, "replicas": 4}
    step = opened(driver, then=[{"http": asks}, {"running": {"service": "web", "exactly": 4}}])
    before = len(driver.journal.world.hits)
    assert look(driver, step, turns=4) is None
    assert len(driver.journal.world.hits) == before
    driver.run("docker service scale web=4")
    result = look(driver, step)
    assert result is not None
    assert result.passed


def test_what_was_typed_while_the_page_was_opened_counts() -> None:
    driver = Recording()
    lesson = lesson_of(UP)
    since = driver.journal.world
    driver.run("docker service scale web=4")
    settle(driver)
    step = open_step(lesson, lesson.steps[0], driver, since)
    assert not step.was_so
    assert look(driver, step) is not None
    assert driver.facts(StepMoved)[-1] == StepMoved("one", "up", "passed", "Done by `docker service scale web=4`.")


def test_an_error_that_repeats_what_is_looked_for_does_not_count() -> None:
    driver = Recording()
    step = opened(driver, run="docker service ls", then=[{"output": {"contains": "no such thing"}}])
    driver.journal.write(CommandBegan(90, "node1", "docker inspect thing", ""))
    driver.journal.write(CommandEnded(90, 1, 0.1, "no such thing"))
    assert look(driver, step, turns=3) is None
    driver.journal.write(CommandBegan(91, "node1", "echo no such thing", ""))
    driver.journal.write(CommandEnded(91, 0, 0.1, "no such thing"))
    assert look(driver, step) is not None


def test_an_open_step_types_nothing() -> None:
    driver = Recording()
    look(driver, opened(driver), turns=5)
    assert driver.facts(CommandBegan) == []


class Waiting(Recording):
    """Rounds of requests are answered when the test says so, and no source ever looks while somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds: list[Answered] = []
        self.looked: list[str] = []

    def ask_soon(self, requests: Mapping[Request, int]) -> Answered:
        self.rounds.append(Answered(ended=False))
        return self.rounds[-1]

    def look_soon(self, source: str) -> Callable[[], bool]:
        self.looked.append(source)
        return lambda: False

    def refresh(self, what: str) -> None:
        raise AssertionError("an open step waits for no source")

    def answer(self, number: int, *nodes: str, status: int = 200, ended: bool = True) -> None:
        """These nodes have answered round `number` now."""
        hits = tuple(Hit(node, 8080, "/", status, "a-replica", 1.0) for node in nodes)
        one = self.rounds[number]
        one.hits, one.ended = (*one.hits, *hits), ended
        for hit in hits:
            self.journal.write(hit)


NODES = ("node1", "node2", "node3", "node4")


def test_a_node_that_hangs_delays_no_later_round() -> None:
    driver = Waiting()
    step = opened(driver, then=[EVERYWHERE])
    driver.answer(0, *NODES[:3], ended=False)
    assert not step.look()
    assert len(driver.rounds) == 1, "it may still answer"
    driver.time.now += 3
    assert not step.look()
    assert len(driver.rounds) == 2
    driver.answer(1, *NODES)
    driver.answer(0, "node4", status=0)  # what hung was sent before
    assert step.look()


def test_a_node_that_is_down_is_not_waited_for() -> None:
    driver = Waiting()
    driver.act("stop", "node4")
    settle(driver)
    step = opened(driver, then=[EVERYWHERE])
    driver.run("docker service ls")
    driver.time.now += 3
    step.look()
    driver.answer(-1, *NODES[:3], ended=False)
    assert step.look()


def test_a_round_is_sent_again_only_after_a_pause() -> None:
    driver = Waiting()
    step = opened(driver, then=[EVERYWHERE])
    driver.answer(0, *NODES, status=503)
    for _ in range(10):
        assert not step.look()
        driver.time.now += 0.25
    assert len(driver.rounds) == 2


def test_what_is_missing_is_looked_for_again_and_again_without_waiting() -> None:
    driver = Waiting()
    step = opened(driver, then=[CERTIFICATE, {"running": {"service": "web", "exactly": 4}}])
    assert driver.looked == ["certificates"]
    for _ in range(9):
        assert not step.look()
        driver.time.now += 0.5
    assert driver.looked[1:] == ["", "certificates"] * 2, "every two seconds"


def test_answers_from_before_the_rest_was_so_prove_nothing() -> None:
    driver = Waiting()
    step = opened(driver, then=[EVERYWHERE, {"running": {"service": "web", "exactly": 4}}])
    driver.answer(0, *NODES)
    assert not step.look()
    driver.run("docker service scale web=4")
    for _ in range(20):
        settle(driver, 1)
        assert not step.look()
    assert all(check.now.ok for check in step.checks)
    assert len(driver.rounds) == 2
    driver.answer(1, *NODES)
    assert step.look()


def test_what_was_so_is_known_once_everything_has_answered() -> None:
    driver = Waiting()
    step = opened(driver, then=[EVERYWHERE])
    driver.answer(0, *NODES[:3], ended=False)
    assert not step.look()
    driver.answer(0, "node4")
    assert not step.look()
    assert step.was_so, "nothing was typed, and the first answers were as they should be"
