"""Capturing values for later: from the world when a step begins, from the command's output after it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress

from lab.errors import InputError, LabError
from lab.lesson.model import Capture, Lesson, Step
from lab.world.swarm import Task
from lab.world.world import World


def capture_from_world(step: Step, world: World) -> dict[str, str]:
    """Return the values that the step captures from the present world. Captures of the same service and node that name
    no slot take the same task. Raises LabError with what is missing."""
    return {name: _of_task(name, each, world) for name, each in step.capture.items() if each.output is None}


def known_values(step: Step, world: World) -> Mapping[str, str]:
    """Return all values known now for the step's texts: those captured before, and those that it would capture itself.
    Raises nothing: what is not known yet is left out."""
    values = dict(world.lesson.captured)
    for name, each in step.capture.items():
        if each.output is None:
            try:
                values[name] = _of_task(name, each, world)
            except LabError:
                continue
    return values


def captures_before(lesson: Lesson, step: str, world: World) -> Mapping[str, str]:
    """Return the values that the steps before a step capture from a world, as far as they can be: after a reset to that
    step these stand for what going through the lesson would have captured. "" is the lesson's start. Raises nothing."""
    found: dict[str, str] = {}
    for each in lesson.steps:
        if not step or each.id == step:
            break
        for name, capture in each.capture.items():
            if capture.output is None:
                with suppress(LabError):
                    found[name] = _of_task(name, capture, world)
    return found


def capture_from_output(step: Step, output: str) -> dict[str, str]:
    """Return the values that the step captures from its command's output. Raises LabError for one that is not there."""
    found: dict[str, str] = {}
    for name, each in step.capture.items():
        if each.output is None:
            continue
        match = next((m for line in output.splitlines() if (m := re.search(each.output, line))), None)
        if match is None or match.group(1) is None:
            raise LabError(f"the output has nothing to take {name} from: no line matches {each.output}")
        found[name] = match.group(1)
    return found


def _of_task(name: str, capture: Capture, world: World) -> str:
    task = _task(capture, world)
    if task is None:
        slot = f".{capture.slot}" if capture.slot else ""
        where = f" on {capture.on}" if capture.on else ""
        raise LabError(
            f"no task of {capture.service}{slot} runs{where}, to take {name} from",
            remedy="go back a step, or reset to this one",
        )
    match capture.take:
        case "node":
            return world.swarm.node_name(task.node)
        case "container":
            return task.container[:12]
        case "task":
            return task.id
        case "name":
            return world.swarm.task_name(task)
    raise InputError(f"the capture {name} does not say what to take")


def _task(capture: Capture, world: World) -> Task | None:
    service = world.swarm.service(capture.service or "")
    live = world.swarm.live_tasks(service.id) if service is not None else ()
    return next(
        (
            t
            for t in live
            if capture.slot in (None, t.slot) and (not capture.on or world.swarm.node_name(t.node) == capture.on)
        ),
        None,
    )
