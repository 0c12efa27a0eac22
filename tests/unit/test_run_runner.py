"""Going through steps: what is typed, what is awaited, what is written and what is said when it does not come true."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from lab.cli.out import to_json
from lab.errors import Cancelled, EngineError, InputError, LabError, WaitError
from lab.lesson.hints import describe_taken, hint_for, list_hints
from lab.lesson.model import Step
from lab.run.capture import capture_from_output, known_values
from lab.run.runner import StepResult, run_lesson, run_step
from lab.world.entries import (
    Captured,
    Checked,
    CommandBegan,
    CommandEnded,
    Entry,
    Fact,
    LessonOpened,
    ManagerLink,
    StepMoved,
)
from lab.world.waiting import say_how_long
from tests.builders import lesson_of
from tests.doubles.driver import ModelDriver

CREATE = "docker service create --name web --replicas 2 --publish 8080:80 nginx:1.26"
UP: dict[str, Any] = {
    "id": "up",
    "title": "Up",
    "text": "Up.",
    "run": "docker service scale web=4",
    "then": [{"running": {"service": "web", "exactly": 4}}],
    "bound": 60,
    "hints": [
        {"when": r"(?P<task>web\.\d) is (?P<state>\w+)", "say": "`{{task}}` is {{state}}."},
        {"say": "Look at `docker service ps web`."},
    ],
}


class Recording(ModelDriver):
    """A model with a service of two, and all that is written to its journal."""

    def __init__(self) -> None:
        super().__init__()
        self._type(CREATE, "")
        self.swarm.tick()
        self.time.now += 1
        self.swarm.tick()
        self.look()
        self.entries: list[Entry] = []
        self.journal.read(lambda entry, _: self.entries.append(entry))

    def facts(self, *kinds: type) -> list[Fact]:
        return [e.fact for e in self.entries if isinstance(e.fact, kinds)]


def go(driver: ModelDriver, *, strict: bool = True, **changes: Any) -> StepResult:
    lesson = lesson_of({**UP, **changes})
    return run_step(lesson, lesson.steps[0], driver, strict=strict)


def test_a_step_that_comes_true() -> None:
    driver = Recording()
    result = go(driver)
    assert result.passed
    assert (result.command, result.status, result.bound) == ("docker service scale web=4", 0, 60.0)
    (running, ended) = result.checks
    assert (running.before, running.after, ended.before, ended.after) == (False, True, False, True)
    assert running.why_before == "2 of 4 tasks of web run"
    assert running.seconds is not None
    assert 0 < running.seconds <= result.seconds
    kinds = [type(fact) for fact in driver.facts(StepMoved, Checked, CommandBegan, CommandEnded)]
    assert kinds[:5] == [StepMoved, Checked, Checked, CommandBegan, CommandEnded]
    assert driver.facts(StepMoved)[-1] == StepMoved("one", "up", "passed")
    assert json.loads(json.dumps(to_json(result)))["checks"][0]["after"] is True


def test_a_verdict_is_written_when_it_changes_and_not_otherwise() -> None:
    driver = Recording()
    go(driver)
    checked = [f for f in driver.facts(Checked) if isinstance(f, Checked) and f.check == 0]
    assert [c.phase for c in checked] == ["before", *["after"] * (len(checked) - 1)]
    assert all((a.ok, a.why) != (b.ok, b.why) for a, b in pairwise(checked))
    assert checked[-1].ok


def test_what_holds_before_anything_was_done_fails_and_nothing_is_typed() -> None:
    driver = Recording()
    result = go(driver, then=[{"running": {"service": "web", "exactly": 2}}])
    assert not result.passed
    assert result.why == "this held before anything was done: 2 tasks of web run (2 of 2 tasks of web run)"
    assert result.checks[0].before
    assert driver.facts(CommandBegan) == []


def test_a_learner_who_did_it_already_is_told_so() -> None:
    driver = Recording()
    result = go(driver, strict=False, then=[{"running": {"service": "web", "exactly": 2}}])
    assert result.passed
    assert result.already
    assert driver.facts(StepMoved)[-1] == StepMoved("one", "up", "passed", "it was so already")
    assert driver.facts(CommandBegan) == []


def test_a_command_that_fails_ends_the_step_at_once() -> None:
    driver = Recording()
    result = go(driver, run="docker secret create A -", then=[{"exists": {"secret": "B"}}])
    assert not result.passed
    driver.swarm.create_named("secrets", "KEY")
    result = go(driver, run="docker secret create KEY -", then=[{"exists": {"secret": "B"}}])
    assert (result.status, result.passed) == (1, False)
    assert result.seconds < 2
    assert "the command ended with exit status 1" in result.why
    asked = go(driver, run="docker secret create KEY -", then=[{"exit": 1}])
    assert asked.passed


def test_at_the_bound_the_last_finding_and_its_hint_are_told() -> None:
    driver = Recording()
    for name in ("node2", "node3", "node4"):
        driver.run(f"docker node update --availability drain {name}")
    driver.swarm.lost["node1"] = driver.time.now - 5
    result = go(driver, then=[{"running": {"service": "web", "exactly": 4}}], bound=8)
    assert not result.passed
    assert 8 <= result.seconds < 10
    assert result.why.startswith("1 of 4 tasks of web run; web.2 is preparing on node1")
    assert result.hint == "`web.2` is preparing."
    moved = driver.facts(StepMoved)[-1]
    assert isinstance(moved, StepMoved)
    assert moved.why == f"{result.why}\n{result.hint}"
    last = driver.facts(Checked)[-1]
    assert isinstance(last, Checked)
    assert say_how_long(last.why, last.waits, driver.journal.now()) == result.why
    assert "web.2 is preparing on node1 for 7 s; web.3" in result.why


def test_hints() -> None:
    step = Step.model_validate_json(json.dumps(UP))
    assert hint_for(step, "2 of 4 tasks of web run; web.3 is pending") == "`web.3` is pending."
    told = list_hints(step, ["1 of 4", "web.2 is new"])
    assert [(hint.id, hint.text) for hint in told[:2]] == [
        ("0", "`web.2` is new."),
        ("1", "Look at `docker service ps web`."),
    ]
    assert [hint.id for hint in told[2:]] == ["pointer"], "the page shows the command itself"
    turn = step.model_copy(update={"run": None, "solution": "docker service scale web=4", "hints": ()})
    assert [(hint.id, hint.command) for hint in list_hints(turn, [])] == [
        ("pointer", ""),
        ("solution", "docker service scale web=4"),
    ]
    assert list_hints(turn.model_copy(update={"solution": None}), []) == ()
    assert hint_for(step, "anything else") == "Look at `docker service ps web`."
    assert hint_for(step.model_copy(update={"hints": ()}), "x") == ""


def test_an_error_of_the_hands_becomes_a_failed_step_with_its_words() -> None:
    class Interrupted(Recording):
        def run(self, text: str, *, node: str = "", step: str = "", bound: float = 120.0) -> CommandEnded:
            raise WaitError(f"`{text}` to end", bound, "its end")

    driver = Interrupted()
    result = go(driver)
    assert result.why == "waited 60 s for `docker service scale web=4` to end; still missing: its end"
    assert [c.after for c in result.checks] == [False, False]
    assert isinstance(driver.facts(StepMoved)[-1], StepMoved)


def test_the_wish_to_stop_ends_a_wait() -> None:
    class Stopped(Recording):
        def _turn(self) -> None:
            super()._turn()
            self.load_spec = True

    with pytest.raises(Cancelled):
        go(Stopped(), then=[{"exists": {"secret": "never"}}])


def test_captures_are_taken_when_the_step_begins_and_put_in_as_words() -> None:
    driver = Recording()
    taken = {
        "box": {"service": "web", "slot": 2, "take": "container"},
        "node": {"service": "web", "slot": 2, "take": "node"},
    }
    killed = [{"happened": {"service": "web", "task": "failed", "exit": 137, "on": "{{node}}"}}]
    changes: dict[str, Any] = {"capture": taken, "run": "docker kill {{box}}", "on": "{{node}}", "then": killed}
    step = lesson_of({**UP, **changes}).steps[0]
    values = known_values(step, driver.journal.world)
    result = go(driver, **changes)
    assert result.passed
    assert result.captured == values == {"box": values["box"], "node": "node2"}
    assert result.command == f"docker kill {values['box']}"
    assert result.node == "node2"
    assert result.checks[0].text == "a task of web failed (exit 137) on node2"
    assert driver.facts(Captured) == [Captured("box", values["box"]), Captured("node", "node2")]
    missing = go(driver, **{**changes, "capture": {**taken, "box": {"service": "web", "slot": 9, "take": "container"}}})
    assert missing.why.startswith("no task of web.9 runs, to take box from")


def test_a_capture_from_the_output_is_there_for_the_next_step() -> None:
    driver = Recording()
    first = {
        **UP,
        "run": "docker service ls",
        "then": [{"output": {"contains": "web"}}],
        "capture": {"id": {"output": r"^(svc\S+) "}},
    }
    second = {
        **UP,
        "id": "then",
        "run": "docker service scale web=3",
        "then": [{"service": {"name": "web", "replicas": 3}}],
    }
    lesson = lesson_of(first, {**second, "text": "{{id}}"})
    assert run_lesson(lesson, driver).passed
    assert driver.journal.world.lesson.captured["id"].startswith("svc")
    with pytest.raises(LabError, match="nothing to take id from"):
        capture_from_output(lesson.steps[0], "no such line")
    failed = run_lesson(lesson_of({**first, "capture": {"id": {"output": "(absent)"}}}), driver)
    assert "nothing to take id from" in failed.why


def test_a_step_that_needs_a_value_of_a_step_not_gone_through() -> None:
    taken = {"box": {"service": "web", "take": "container"}}
    lesson = lesson_of({**UP, "capture": taken}, {**UP, "id": "kill", "run": "docker kill {{box}}"})
    result = run_step(lesson, lesson.steps[1], Recording())
    assert result.why == "{{box}} is not known yet\n  next: go through step up first"
    assert result.command == ""


def test_http_is_asked_before_and_again_until_it_holds() -> None:
    driver = Recording()
    asks = {"port": 8080, "every_node": True, "replicas": 4}
    result = go(driver, then=[{"http": asks}, {"running": {"service": "web", "exactly": 4}}])
    assert result.passed, result.why
    assert result.checks[0].why_before.endswith("by 2 replicas")
    assert result.checks[0].why_after.endswith("by 4 replicas")


def test_a_lesson_ends_at_its_first_failure_or_where_it_should() -> None:
    never = {**UP, "id": "never", "then": [{"exists": {"secret": "never"}}], "run": "docker service ls", "bound": 2}
    lesson = lesson_of(UP, never, {**UP, "id": "after"})
    driver = Recording()
    result = run_lesson(lesson, driver)
    assert [s.step for s in result.steps] == ["up", "never"]
    assert not result.passed
    assert result.why == "step never: there is no secret never"
    assert driver.entries[0].fact == LessonOpened("one")
    until = run_lesson(lesson, Recording(), until="up")
    assert until.passed
    assert len(until.steps) == 1
    with pytest.raises(InputError, match="no step absent"):
        run_lesson(lesson, Recording(), until="absent")


TURN: dict[str, Any] = {key: value for key, value in UP.items() if key != "run"}


def test_where_it_is_the_learners_turn_the_lab_waits_for_the_world() -> None:
    class Learner(Recording):
        turns = 0

        def _turn(self) -> None:
            super()._turn()
            self.turns += 1
            if self.turns == 3:
                self.run("docker service scale web=4")

    driver, lesson = Learner(), lesson_of(TURN)
    result = run_step(lesson, lesson.steps[0], driver, strict=False)
    assert result.passed, result.why
    assert (result.command, result.status, [check.before for check in result.checks]) == ("", None, [False])
    assert [fact.step for fact in driver.facts(CommandBegan) if isinstance(fact, CommandBegan)] == [""]


def test_a_turn_that_nobody_takes_ends_at_its_bound() -> None:
    lesson = lesson_of({**TURN, "bound": 3})
    result = run_step(lesson, lesson.steps[0], Recording(), strict=False)
    assert not result.passed
    assert result.why == "2 of 4 tasks of web run"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            "docker service scale web=4",
            "The command is `docker service scale`. `docker service scale --help` lists its ",
        ),
        ("docker ps --all", "The command is `docker ps`."),
        (
            "x=$(docker secret ls -q); docker secret rm $x",
            "The commands are `docker secret ls` and `docker secret rm`.",
        ),
        ("curl -sI http://web", "The command is `curl`; `curl --help` lists its options."),
    ],
)
def test_a_pointer_names_the_command_and_its_reference(command: str, told: str) -> None:
    (hint,) = list_hints(lesson_of({**UP, "run": command, "hints": []}).steps[0], [])
    assert hint.text.startswith(told)


@pytest.mark.parametrize(
    ("command", "page"),
    [("docker service scale a=1", "service/scale"), ("docker ps", "container/ls"), ("docker kill x", "container/kill")],
)
def test_a_pointer_has_the_commands_own_page(command: str, page: str) -> None:
    (hint,) = list_hints(lesson_of({**UP, "run": command, "hints": []}).steps[0], [])
    assert f"docs.docker.com/reference/cli/docker/{page}/ explains" in hint.text


def test_hints_taken_are_counted_in_words() -> None:
    assert describe_taken(()) == ""
    assert describe_taken(("0",)) == "1 hint taken"
    assert describe_taken(("0", "pointer", "solution")) == "3 hints taken, the solution among them"


def test_the_proof_types_the_solution_of_a_learners_turn() -> None:
    driver = Recording()
    result = run_lesson(lesson_of({**TURN, "solution": "docker service scale web=4"}), driver)
    assert result.passed, result.why
    assert (result.steps[0].command, result.steps[0].status) == ("docker service scale web=4", 0)
    none = run_lesson(lesson_of(TURN), Recording())
    assert none.why == "step up: it is the learner's turn here, and the lesson has no solution that could be typed"


class Alone(Recording):
    """A driver whose managers answer only while `there`."""

    there = False

    def look(self, bound: float = 60.0) -> None:
        if not getattr(self, "entries", None) or self.there:
            super().look(bound)
        else:
            raise EngineError("no manager answered")

    def _turn(self) -> None:
        self.swarm.tick()
        if self.there:
            self.look()


def test_a_step_about_the_managers_waits_for_none() -> None:
    class Cut(Alone):
        def act(self, action: str, node: str) -> None:
            super().act(action, node)
            self.journal.write(ManagerLink("stale", "node1", "there is no leader"))

    driver = Cut()
    driver.journal.write(ManagerLink("live", "node1"))
    result = go(driver, run=None, act={"stop": "node2"}, then=[{"managers": {"answer": False}}], hints=[])
    assert result.passed, result.why


def test_without_managers_a_command_that_asks_nothing_of_them_is_typed_and_another_is_not() -> None:
    driver = Alone()
    driver.journal.write(ManagerLink("stale", "node1", "there is no leader"))
    assert go(driver, run="docker service ls", then=[{"output": {"contains": "web"}}], hints=[]).passed
    assert go(driver).why.startswith("no manager answered")
