"""The lessons that travel with the program, proven on a model of a swarm: every check is false before its step and
true after, and what the steps leave is what the checkpoints say."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from immutables import Map

from lab import paths
from lab.checks.base import Baseline
from lab.cluster.edge_settings import DIRECTORIES
from lab.errors import EngineError
from lab.lesson.challenge import Challenge
from lab.lesson.checkpoint import checkpoint_after, checkpoint_before
from lab.lesson.course import check_paths, load_challenges, load_syllabus
from lab.lesson.json_schema import editor_schema
from lab.lesson.model import Lesson
from lab.reset.apply import apply
from lab.reset.plan import plan
from lab.run.capture import captures_before, known_values
from lab.run.runner import open_lesson, run_lesson, run_step
from lab.schema import template
from lab.world.entries import Checked
from lab.world.world import World, fold
from tests.course import LESSONS, recording
from tests.doubles.driver import ModelDriver
from tests.live.findings import FINDINGS

IDS = [lesson.id for lesson in LESSONS]
#: Every lesson is played on the model, save those that ask what no model of a swarm can answer, with the reason.
#: They are proven on real machines (`tests/live/test_lessons.py` plays them all), and here their checkpoints are.
BEYOND = {
    "orientation": "what a worker's engine says",
    "task-life": "tasks that wait and that are rejected",
    "build-a-swarm": "engines that leave, found and join",
    "quorum": "managers that elect a leader, and load",
    "placement": "preferences, reservations, and jobs",
    "routing-mesh": "what nginx wrote to its log, and through which address",
    "networks": "names that are resolved inside a container",
    "health": "health checks, and load",
    "stacks": "what `docker stack config` makes of files",
    "state": "what is in a volume",
    "keys-and-locks": "what is on a disk, and engines that are locked",
    "edge-router": "Traefik: its API, its redirect, its dashboard's password",
    "app-stack": "a certificate, and a name that is resolved inside a container",
    "routes-by-labels": "Traefik: what it makes of labels",
    "middlewares": "Traefik: what its middlewares do to a request",
    "real-clients": "through which address a request comes",
    "certificates": "certificates: who issued them, and when",
    "edge-hardened": "containers in the place of others, and TLS handshakes",
    "the-45-day-world": "certificates: which one is served, and whether it is renewed",
    "edge-failover": "a name server, and what clients make of its answers",
    "balancing": "Traefik: which server of a pool it chooses",
    "observe": "Traefik: its access log and its metrics",
    "configs": "requests under load, and a container's mounts",
    "rolling-update": "requests under load",
    "failed-update": "requests under load",
    "maintenance": "requests under load, and managers that are off",
    "zero-downtime": "requests under load, and what Traefik does with them",
    "disaster": "managers that are lost, and a new cluster of one",
    "then-and-now": "what `swarmlab check` says, and Traefik of labels",
}
PLAYED = [lesson for lesson in LESSONS if lesson.id not in BEYOND]
#: Steps that look at what only the steps before them leave: a failed task in the history, tasks that are not spread,
#: a load.
ONLY_THERE = {("reconciliation", "history"), ("reconciliation", "spread"), ("scaling", "drain"), ("scaling", "empty")}
#: What the lab's stacks need to be told.
#: What `swarmlab env` sets for Pebble, but for what is each machine's own.
ENV = {
    "ACME_DIR": "/nowhere",
    "ACME_SERVER": DIRECTORIES["pebble"],
    "ACME_HOURS": "1",
    "ACME_CA_FILE": "/acme-ca.pem",
}


def reset(driver: ModelDriver, lesson: Lesson, step: str | None = None) -> int:
    """Reset a model; the answer is how many actions that took."""
    driver.look()
    checkpoint = checkpoint_before(lesson, step)
    found = plan(driver.journal.world, checkpoint, made_by_lab=True, env=ENV)
    apply(found.actions, checkpoint, driver, clock=driver.time)
    return len(found.actions)


def test_the_lessons_are_there_and_well() -> None:
    problems, looked_at = check_paths([paths.lessons()])
    assert problems == ()
    assert looked_at == len(IDS) + len(load_challenges()) + 1
    assert IDS[:3] == ["orientation", "first-service", "task-life"]


def test_what_is_said_of_single_lessons_is_of_lessons_of_the_syllabus() -> None:
    steps = {(lesson.id, step.id) for lesson in LESSONS for step in lesson.steps}
    assert set(BEYOND) | set(FINDINGS) <= set(IDS)
    assert steps >= ONLY_THERE


@pytest.mark.parametrize("id", sorted(BEYOND))
def test_what_is_beyond_the_model_still_is(id: str) -> None:
    """A lesson that the model can play is to be played: then its line goes."""
    (lesson,) = (each for each in LESSONS if each.id == id)
    # What the model can do it does in less of its time than this; what it cannot need not be waited for longer.
    steps = tuple(step.model_copy(update={"bound": min(step.bound, 60.0)}) for step in lesson.steps)
    lesson = lesson.model_copy(update={"steps": steps})
    driver = ModelDriver()
    reset(driver, lesson)
    with suppress(EngineError):  # A command that the model does not know.
        assert not run_lesson(lesson, driver).passed


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_the_recording_proves_every_check(lesson: Lesson) -> None:
    """On real machines each was false before its step, but what is to stay as it was, and true in the end, where the
    checkpoints say it ends."""
    world, before, last = World(), dict[tuple[str, int], bool](), dict[tuple[str, int], bool]()
    for entry in recording(lesson.id).entries:
        world = fold(world, entry)
        if isinstance(entry.fact, Checked):
            (before if entry.fact.phase == "before" else last)[entry.fact.step, entry.fact.check] = entry.fact.ok
    checks = {(step.id, n) for step in lesson.steps for n, _ in enumerate(step.checks)}
    assert checks
    kept = {(step.id, n) for step in lesson.steps for n, check in enumerate(step.checks) if check in step.keeps}
    assert before == {check: check in kept for check in checks}
    assert {**before, **last} == dict.fromkeys(checks, True)
    # The port to which Traefik redirects, and how often it asks the swarm, are the machine's own.
    edge = world.swarm.service("edge_traefik")
    said = dict(arg.split("=", 1) for arg in edge.spec.args if "=" in arg) if edge else {}
    own = {"HTTPS": "--entrypoints.web.http.redirections.entrypoint.to", "REFRESH": "--providers.swarm.refreshseconds"}
    env = {**ENV, **{name: said[flag] for name, flag in own.items() if flag in said}}
    # So are the certificates that its configs hold; and a program's comment may change without a new tape.
    named = Map({id: replace(each, content="") for id, each in world.swarm.objects.items()})
    world = replace(world, swarm=replace(world.swarm, objects=named))
    assert [a.sentence for a in plan(world, checkpoint_after(lesson), made_by_lab=True, env=env).actions] == []


def test_a_list_of_lessons_that_came_out_empty_fails(pytestconfig: pytest.Config) -> None:
    """Otherwise a test of "every lesson" passes when there is none."""
    assert pytestconfig.getini("empty_parameter_set_mark") == "fail_at_collect"


@pytest.mark.parametrize("lesson", PLAYED, ids=[lesson.id for lesson in PLAYED])
def test_every_check_is_false_before_and_true_after_twice(lesson: Lesson) -> None:
    driver = ModelDriver()
    for _ in range(2):
        reset(driver, lesson)
        result = run_lesson(lesson, driver)
        assert result.passed, result.why
        checks = [check for step in result.steps for check in step.checks]
        assert not [c for c in checks if c.before or not c.after]
        assert all(step.seconds <= step.bound for step in result.steps)


@pytest.mark.parametrize("lesson", PLAYED, ids=[lesson.id for lesson in PLAYED])
def test_steps_taken_by_hand_leave_what_the_checkpoints_say(lesson: Lesson) -> None:
    driver = ModelDriver()
    reset(driver, lesson)
    open_lesson(lesson, driver)
    for step in lesson.steps:
        found = plan(driver.journal.world, checkpoint_before(lesson, step.id), made_by_lab=True, env=ENV)
        assert found.actions == (), step.id
        assert run_step(lesson, step, driver).passed
    assert plan(driver.journal.world, checkpoint_after(lesson), made_by_lab=True, env=ENV).actions == ()


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_reset_to_every_step_forwards_and_backwards_and_the_second_time_nothing(lesson: Lesson) -> None:
    driver = ModelDriver()
    ids = [step.id for step in lesson.steps]
    for step in [*ids, *reversed(ids)]:
        reset(driver, lesson, step)
        assert reset(driver, lesson, step) == 0, step


@pytest.mark.parametrize("lesson", PLAYED, ids=[lesson.id for lesson in PLAYED])
def test_every_step_can_be_done_from_its_checkpoint(lesson: Lesson) -> None:
    """Save those that need a value which an earlier step took."""
    for step in lesson.steps:
        driver = ModelDriver()
        open_lesson(lesson, driver)
        own = {*driver.given_values(), *step.capture}
        if {name for text in step.strings() for name in template.placeholders(text)} <= own and (
            lesson.id,
            step.id,
        ) not in ONLY_THERE:
            reset(driver, lesson, step.id)
            result = run_step(lesson, step, driver)
            assert result.passed, (step.id, result.why)


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_from_the_checkpoint_of_every_step_its_checks_are_false(lesson: Lesson) -> None:
    """Those on answers, certificates, routes and load too, before anybody was asked."""
    driver = ModelDriver()
    for step in lesson.steps:
        reset(driver, lesson, step.id)
        world = driver.journal.world
        values = {**driver.given_values(), **known_values(step, world)}
        moment = Baseline(since=world, asked=world, like=step.run or "")
        checks = [check.fill(values) for check in step.checks]
        green = [check.sentence for check in checks if check.evaluate(world, moment).ok]
        if (lesson.id, step.id) != ("reconciliation", "spread"):
            assert green == [], step.id


def test_at_the_start_of_a_step_the_values_of_those_before_are_known_where_a_task_has_them() -> None:
    lesson = next(each for each in LESSONS if each.id == "reconciliation")
    driver = ModelDriver()
    place, names = next(
        (at, names)
        for at, step in enumerate(lesson.steps)
        if (names := {name for name, each in step.capture.items() if each.output is None})
    )
    after = lesson.steps[place + 1].id
    reset(driver, lesson, after)
    assert names <= set(captures_before(lesson, after, driver.journal.world))
    assert captures_before(lesson, "", driver.journal.world) == {}
    assert captures_before(lesson, lesson.steps[0].id, driver.journal.world) == {}


def test_reconciliation_tells_how_long_the_replacement_took() -> None:
    (lesson,) = (each for each in LESSONS if each.id == "reconciliation")
    driver = ModelDriver()
    result = run_lesson(lesson, driver, until="crash")
    said, text = result.steps[-1].took
    assert said.startswith("You said 10. Measured: 0 of ")
    assert "was replaced 5." in text
    assert "after it failed (exit 137) on node2; it now runs on node2" in text
    assert driver.journal.world.lesson.steps["reconciliation", "crash"].why == f"{said}\n{text}"


def test_the_schemas_for_editors_are_current() -> None:
    """`make schemas` writes them anew."""
    assert (paths.lessons() / "schema.json").read_text(encoding="utf-8") == editor_schema()
    assert (paths.challenges() / "schema.json").read_text(encoding="utf-8") == editor_schema(Challenge)


def test_every_lesson_names_the_schema_and_keeps_to_80_columns() -> None:
    for lesson in LESSONS:
        lines = (paths.lessons() / f"{lesson.id}.yaml").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "# yaml-language-server: $schema=schema.json"
        assert [n for n, line in enumerate(lines, 1) if len(line) > 80] == []


def test_the_syllabus_covers_what_the_issue_names() -> None:
    syllabus = load_syllabus(paths.lessons() / "syllabus.yaml")
    taught = {topic.id for topic in syllabus.topics if topic.lessons}
    assert {"service-create", "desired-state-reconciliation", "scalability", "secrets"} <= taught
    for topic in syllabus.topics:
        for id in topic.lessons:
            assert topic.id in next(each for each in LESSONS if each.id == id).topics
    assert syllabus.paths["two-days"].steps == syllabus.lessons
