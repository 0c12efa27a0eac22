"""What a lesson's texts promise is held against what was seen: in a run, in a learner's own step, in a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab import paths
from lab.cli import main
from lab.lesson.course import load_lesson
from lab.lesson.figures import unproven_figures
from lab.run.open_step import open_step
from lab.run.runner import run_step
from lab.schema.diagnostics import Problems
from lab.session.compare_recording import differences
from tests.builders import lesson_of, saw
from tests.course import LESSONS, recording
from tests.unit.test_checks_swarm import START, find, task, tasks
from tests.unit.test_lessons import BEYOND
from tests.unit.test_run_open_step import look
from tests.unit.test_run_runner import UP, Recording

ON_EACH = [{"placed": {"service": "web", "spread": [1, 1, 1, 1]}}]
ON_TWO = [{"placed": {"service": "web", "spread": [2, 2]}}]
PASSAGE = "one task on each node"


def promising(holds: list[dict[str, Any]]) -> dict[str, Any]:
    return {"after": "Four tasks run:\none task on each node.", "promises": [{"text": PASSAGE, "holds": holds}]}


def step_with(holds: list[dict[str, Any]], *, strict: bool) -> Any:
    lesson = lesson_of({**UP, **promising(holds)})
    return run_step(lesson, lesson.steps[0], Recording(), strict=strict)


def test_a_promise_that_is_kept_passes_even_if_it_held_before() -> None:
    assert step_with([*ON_EACH, {"running": {"service": "web", "at_least": 2}}], strict=True).passed


def test_one_that_is_not_fails_the_proof_with_the_passage_and_what_was_seen() -> None:
    result = step_with(ON_TWO, strict=True)
    assert not result.passed and all(check.after for check in result.checks)
    seen = "tasks of web by node: node1 1, node2 1, node3 1, node4 1"
    assert result.why == f"the text says “{PASSAGE}”, and that is not so: {seen}"


def test_a_learner_passes_and_is_told() -> None:
    result = step_with(ON_TWO, strict=False)
    assert result.passed
    assert result.took[-1].startswith(f"Here it was not as the text says, “{PASSAGE}”: tasks of web by node: node1 1")
    driver = Recording()
    lesson = lesson_of({**UP, **promising(ON_TWO)})
    opened = open_step(lesson, lesson.steps[0], driver)
    driver.run("docker service scale web=4")
    by_hand = look(driver, opened)
    assert by_hand is not None and by_hand.passed and by_hand.took == result.took


def test_how_many_run_on_each_node() -> None:
    spread = tasks(task(4, node=1))
    assert find({"placed": {"service": "web", "spread": [1, 2, 1]}}, spread).ok
    assert find({"placed": {"service": "web", "spread": [2, 2]}}, spread) == find(
        {"placed": {"service": "web", "spread": [4]}}, spread
    )


ENDED = {"service": "web", "task": "ended"}
RUNS = {"service": "web", "task": "running"}
ASSIGNED = {"service": "web", "task": "assigned"}


def order(*events: dict[str, Any]) -> dict[str, Any]:
    return {"order": {"events": [*events]}}


def test_an_order_is_compared_slot_by_slot() -> None:
    assigned = tasks(task(3, node=1, state="assigned", id="new"))
    stopped = tasks(task(3, state="shutdown", desired="shutdown"), base=assigned)
    other = tasks(task(1, state="failed", id="t1"), base=stopped)
    runs = tasks(task(3, node=1, id="new"), base=other)
    assert find(order(ASSIGNED, {**ENDED, "on": "node3"}, RUNS), runs).ok
    assert find(order(ASSIGNED, RUNS), runs).ok
    wrong = find(order(RUNS, ENDED), runs)
    assert (wrong.ok, wrong.why) == (False, "a task of web has ended (slot 3) 2.0 s before a task of web runs")
    assert find(order(ASSIGNED, RUNS), stopped).why == "not seen since the step began: a task of web runs"
    assert not find(order({**ENDED, "on": "node1"}, {**RUNS, "on": "node1"}), runs).ok, "of two slots"


def test_what_one_look_shows_together_is_in_order() -> None:
    both = tasks(task(3, state="shutdown", desired="shutdown"), task(3, node=1, id="new"))
    assert find(order(ENDED, RUNS), both).ok and find(order(RUNS, ENDED), both).ok
    assert not find(order(ENDED, RUNS), saw(START)).ok


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        ({"text": "two tasks on each node", "holds": ON_EACH}, "no text promises this"),
        ({"text": PASSAGE, "holds": [{"http": {"port": 8080}}]}, "goes with `then`"),
        ({"text": PASSAGE, "holds": [order({"down": "node4"}, {"service": "web"})]}, "needs task"),
    ],
)
def test_what_makes_no_promise_is_a_mistake(tmp_path: Path, promise: dict[str, Any], words: str) -> None:
    data = lesson_of({**UP, **promising(ON_EACH), "promises": []}).model_dump(exclude_unset=True, mode="json")
    data["steps"][0]["promises"] = [promise]
    path = tmp_path / "one.yaml"
    path.write_text(json.dumps(data))
    with pytest.raises(Problems, match=words):
        load_lesson(path)


def recorded(id: str, step: str, *holds: dict[str, Any]) -> list[str]:
    """What a shipped recording shows otherwise than these promises of a step."""
    lesson = next(each for each in LESSONS if each.id == id).model_dump(exclude_unset=True, mode="json")
    for each in lesson["steps"]:
        each["promises"] = [{"text": "so", "holds": holds}] if each["id"] == step else []
    made = type(LESSONS[0]).model_validate(lesson, strict=False)
    return [each.words for each in differences(recording(id), made)]


def test_a_recording_is_held_against_them() -> None:
    web = {"service": "web", "task": "assigned"}
    assert recorded("scaling", "where", {"placed": {"service": "web", "spread": [2, 2, 1, 1]}}) == []
    assert recorded("scaling", "empty", {"placed": {"service": "web", "spread": [2, 2, 2]}}) == []
    assert recorded("reconciliation", "power-off", order({"down": "node4"}, web)) == []
    (otherwise,) = recorded("reconciliation", "power-off", order(web, {"down": "node4"}))
    assert otherwise.startswith("step `power-off`: the text says “so”, and that is not so: node4 is down (slot ")


def test_a_figure_that_nothing_proves_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    said = "Four tasks run. Two nodes run two tasks; see `docker node ls`. The port is 8080. No request failed."
    bare = lesson_of({**UP, "after": said})
    assert [sentence for _, sentence in unproven_figures(bare)] == [
        "Two nodes run two tasks; see `docker node ls`.",
        "No request failed.",
    ]
    promise = {"text": "Two nodes run two tasks", "holds": ON_TWO}
    proven = lesson_of({**UP, "after": said, "promises": [promise]})
    assert [sentence for _, sentence in unproven_figures(proven)] == ["No request failed."]
    assert main(["check", "--figures", str(paths.lessons() / "secrets.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"] == []


def test_the_course_promises_something() -> None:
    """Otherwise all of this would hold of nothing; and on the model, at least one is proven."""
    assert [each.id for each in LESSONS if each.id not in BEYOND and any(step.promises for step in each.steps)]
