"""Steps that make load, ask the learner for a number, or need a fresh look at certificates and routes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lab.lesson.act import Act
from lab.lesson.measured import list_measured
from lab.run.open_step import open_step
from lab.run.runner import open_lesson, run_lesson, run_step, sources_needed
from lab.world.entries import (
    ActDone,
    Captured,
    CertificateSeen,
    Checked,
    Entry,
    Fact,
    Failure,
    LoadReport,
    RoutesSeen,
    StepMoved,
)
from lab.world.load import LoadSpec
from lab.world.load import step as bucket_of
from lab.world.traefik import Certificate, Router
from tests.builders import lesson_of
from tests.doubles.driver import ModelDriver

LOAD: dict[str, Any] = {
    "id": "load",
    "title": "Load",
    "text": "Load.",
    "act": {"load": {"host": "node-app.{{domain}}"}},
    "then": [{"load": {"sent": 20, "failed": 0}}],
    "bound": 30,
}
UPDATE: dict[str, Any] = {
    "id": "update",
    "title": "Update",
    "text": "Update.",
    "run": "docker service scale web=3",
    "question": {"name": "guess", "text": "How many will fail?", "usual": 7},
    "then": [{"load": {"sent": 30, "failed_at_least": 1}}],
    "bound": 30,
}
ASKS_AGAIN = {"name": "guess_again", "text": "And now?"}


class Loading(ModelDriver):
    """While a load is wished for, five requests are sent a turn, and `bad` of the first ones fail."""

    def __init__(self, bad: int = 0) -> None:
        super().__init__()
        self.bad = bad
        self._type("docker service create --name web --replicas 2 nginx:1.26", "")
        self.entries: list[Entry] = []
        self.journal.read(lambda entry, _: self.entries.append(entry))

    def _send(self, load: LoadSpec) -> None:
        bad, self.bad = min(self.bad, 5), max(0, self.bad - 5)
        self.journal.write(LoadReport(True, load.rate, load.target, 0.1, 5, 5 - bad, bad))

    def facts(self, kind: type) -> list[Fact]:
        return [entry.fact for entry in self.entries if isinstance(entry.fact, kind)]


def test_a_load_step_wishes_for_it_and_counts_it() -> None:
    driver = Loading()
    result = run_lesson(lesson_of(LOAD), driver)
    assert result.passed, result.why
    assert driver.wished == LoadSpec(50.0, 443, "/", "node-app.localhost", https=True)
    (step,) = result.steps
    assert (step.act, step.node, step.command) == ("load", "", "")
    assert (step.checks[0].why_before, step.checks[0].why_after) == ("no load is made", "0 of 20 requests failed")
    assert driver.facts(ActDone) == [], "a load is no fault of a node"


@pytest.mark.parametrize(
    ("load", "load_spec", "sentence"),
    [
        ({"rate": 0}, None, "end the load"),
        ({"rate": 5, "port": 8080, "path": "/a"}, LoadSpec(5.0, 8080, "/a", "", https=False), "to port 8080 /a"),
        ({"rate": 5, "host": "a.b", "https": False}, LoadSpec(5.0, 80, "/", "a.b", https=False), ", 5 a second"),
        (
            {"rate": 5, "port": 8080, "node": "node4"},
            LoadSpec(5.0, 8080, "/", "", https=False, node="node4"),
            "to port 8080 / of node4",
        ),
        ({"host": "a.b", "fresh": False}, LoadSpec(9.0, 443, "/", "a.b", fresh=False), "send requests to https://a.b"),
        ({"host": "a.{{domain}}"}, LoadSpec(9.0, 443, "/", "a.localhost"), "send requests to https://a."),
    ],
)
def test_what_is_wished_for(load: dict[str, Any], load_spec: LoadSpec | None, sentence: str) -> None:
    act = Act.model_validate({"load": load}, strict=False)
    assert act.load is not None
    assert act.load.load_spec({"rate": "9", "domain": "localhost"}) == load_spec
    assert sentence in act.sentence


def test_a_load_that_is_to_end_ends() -> None:
    driver = Loading()
    run_lesson(lesson_of(LOAD), driver)
    lesson = lesson_of({**LOAD, "act": {"load": {"rate": 0}}, "then": [{"load": {"sent": 1, "failed": 0}}], "bound": 2})
    run_step(lesson, lesson.steps[0], driver)
    assert driver.wished is None


def test_a_request_that_fails_makes_the_check_false_again() -> None:
    """The account is looked at to the step's end: here another check is still awaited when a request fails."""

    class Late(Loading):
        def _turn(self) -> None:
            self.bad = 1 if self.journal.world.load.sent == 40 else 0
            super()._turn()

    driver = Late()
    result = run_lesson(
        lesson_of({**LOAD, "then": [*LOAD["then"], {"exists": {"secret": "never"}}], "bound": 5}), driver
    )
    told = [fact.ok for fact in driver.facts(Checked) if isinstance(fact, Checked) and fact.check == 0]
    assert True in told
    assert not told[-1]
    assert "1 of" in result.why


def test_the_usual_answer_stands_where_nobody_is_asked_and_is_told_beside_what_was_measured() -> None:
    driver, lesson = Loading(), lesson_of(LOAD, UPDATE)
    open_lesson(lesson, driver)
    assert run_step(lesson, lesson.steps[0], driver).passed
    before = driver.journal.world.load.sent
    driver.bad = 3
    result = run_step(lesson, lesson.steps[1], driver)
    assert result.passed, result.why
    assert Captured("guess", "7") in driver.facts(Captured)
    sent = driver.journal.world.load.sent - before
    assert result.took == (f"You said 7. Measured: 3 of {sent} requests failed.",)


def test_when_requests_failed_and_how_long_others_took_is_told() -> None:
    class Late(Loading):
        def _send(self, load: LoadSpec) -> None:
            now = self.time.now - began
            failures = (Failure(0.0, "node1", 0, "reset", 500.0),) if now in (2.0, 4.5) else ()
            bad, waited = len(failures), ((bucket_of(7500.0), 1),) if now == 3.0 else ()
            report = LoadReport(True, load.rate, load.target, 0.1, 5, 5 - bad, bad, failures=failures, steps=waited)
            self.journal.write(report)

    driver, lesson = Late(), lesson_of({**UPDATE, "then": [{"load": {"sent": 120, "failed_at_least": 2}}]})
    open_lesson(lesson, driver)
    driver.load(LoadSpec(50.0, host="a.b"))
    began = driver.time.now
    result = run_step(lesson, lesson.steps[0], driver)
    (said,) = result.took
    assert said.startswith("You said 7. Measured: 2 of 120 requests failed, sent 1.5 to 4.0 s after the step began; ")
    assert re.search(r"; 1 took longer than 1 s, the longest 7\.[5-7] s\.$", said)


def test_the_learners_own_answer_is_kept() -> None:
    driver = Loading()
    lesson = lesson_of(UPDATE)
    open_lesson(lesson, driver)
    driver.journal.write(Captured("guess", "12"))
    driver.load(LoadSpec(50.0, host="a.b"))
    driver.bad = 3
    result = run_step(lesson, lesson.steps[0], driver)
    assert result.passed, result.why
    sent = driver.journal.world.load.sent
    assert result.took == (f"You said 12. Measured: 3 of {sent} requests failed.",)
    assert driver.journal.world.lesson.steps["one", "update"].why == result.took[0]
    assert [fact for fact in driver.facts(Captured) if isinstance(fact, Captured) and fact.name == "guess"] == [
        Captured("guess", "12")
    ]


def test_without_load_there_is_nothing_to_lay_beside_the_answer() -> None:
    driver = Loading()
    result = run_lesson(lesson_of({**UPDATE, "then": [{"running": {"service": "web", "exactly": 3}}]}), driver)
    assert result.passed
    assert result.steps[0].took == ()


def test_a_step_on_load_is_not_skipped_because_nothing_failed_yet() -> None:
    """A learner's step whose only level check is on load must be done, whatever the load says now."""
    driver = Loading(bad=3)
    lesson = lesson_of(LOAD, UPDATE)
    assert not run_lesson(lesson, driver).steps[0].already
    assert not open_step(lesson, lesson.steps[1], driver).was_so


class Seeing(Loading):
    """What is refreshed answers at once."""

    def refresh(self, what: str) -> None:
        super().refresh(what)
        if what == "routes":
            self.journal.write(RoutesSeen("live", routers=(Router("web@swarm", "http", "Host(`a.b`)", "web@swarm"),)))
        else:
            shown = Certificate("f" * 64, "", "Pebble", ("a.b",), "EC", "1", 0.0, 1.0)
            for node in self.journal.world.swarm.nodes.values():
                self.journal.write(CertificateSeen("a.b", node.name, "good", certificate=shown))


def test_a_check_on_routes_or_certificates_has_them_looked_at_first() -> None:
    both = [
        {"router": {"name": "web"}},
        {"certificate": {"host": "a.b"}},
        {"running": {"service": "web", "exactly": 3}},
    ]
    driver, lesson = Seeing(), lesson_of({**UPDATE, "then": both, "question": None})
    assert sources_needed(lesson) == {"certificates", "routes"}
    result = run_lesson(lesson, driver)
    assert driver.watched == sources_needed(lesson)
    assert driver.refreshed[:2] == ["certificates", "routes"]
    assert not result.passed, "they held before anything was done, as that look has shown"
    assert result.why.startswith("step update: this held before anything was done: Traefik has the http router web")
    moved = driver.facts(StepMoved)[-1]
    assert isinstance(moved, StepMoved)
    assert moved.state == "failed"


CHOICE = {"name": "bet", "text": "How many?", "choices": ["none", "some"], "answer": "some", "because": "B."}


def test_nobody_is_asked_for_a_choice_and_what_was_measured_is_told() -> None:
    driver, lesson = Loading(), lesson_of(LOAD, {**UPDATE, "question": CHOICE})
    open_lesson(lesson, driver)
    assert run_step(lesson, lesson.steps[0], driver).passed
    before = driver.journal.world.load.sent
    driver.bad = 3
    result = run_step(lesson, lesson.steps[1], driver)
    assert result.took == (f"Measured: 3 of {driver.journal.world.load.sent - before} requests failed.",)
    assert [fact for fact in driver.facts(Captured) if isinstance(fact, Captured) and fact.name == "bet"] == []


def test_the_rows_of_what_was_measured_are_those_of_the_steps_that_ask_for_a_number() -> None:
    driver = Loading()
    lesson = lesson_of(LOAD, UPDATE, {**UPDATE, "id": "again", "title": "Again", "question": ASKS_AGAIN})
    open_lesson(lesson, driver)
    assert list_measured(lesson, driver.journal.world.lesson) == ()
    assert run_step(lesson, lesson.steps[0], driver).passed
    driver.bad = 3
    assert run_step(lesson, lesson.steps[1], driver).passed
    moved = [fact for fact in driver.facts(StepMoved) if isinstance(fact, StepMoved)][-1]
    assert moved.requests is not None
    assert moved.requests[1] == 3
    done, missing = list_measured(lesson, driver.journal.world.lesson)
    assert (done.title, done.said, (done.sent, done.failed)) == ("Update", "7", moved.requests)
    assert done.words == f"3 of {done.sent} failed"
    assert (missing.said, missing.words) == ("", "not measured")
