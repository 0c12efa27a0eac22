"""The demo's three host names over HTTPS, on every node, with certificates that Pebble issued."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cluster.model import Cluster
from lab.lesson.course import load_course
from lab.session.cluster_driver import ClusterDriver
from lab.session.reset_to import reset_to
from lab.world.request import Request
from lab.world.world import World
from tests.live.conftest import Say

pytestmark = pytest.mark.timeout(3000)

BOUND = 600.0


def test_the_three_names_on_all_four_nodes(cluster: Cluster, driver: ClusterDriver, say: Say) -> None:
    """With the stacks put there by a reset, as an instructor would."""
    course = {each.id: each for each in load_course()}
    lesson = course["certificates"].model_copy(
        update={"start": _with_app(course["configs"].start, course["certificates"])}
    )
    done = reset_to(driver, lesson)
    say(f"reset to all stacks: {done.seconds} s, {done.actions}")
    assert reset_to(driver, lesson).actions == ()
    driver.watch(["certificates", "routes"])
    names = {f"{name}.localhost" for name in ("node-app", "traefik", "viz")}

    def all_good(world: World) -> bool:
        good = {key for key, (_, seen) in world.edge.certificates.items() if seen.verdict == "good"}
        return {(host, f"node{n}") for host in names for n in range(1, 5)} <= good

    assert driver.journal.wait(all_good, BOUND), [seen for _, seen in driver.journal.world.edge.certificates.values()]
    seen = driver.journal.world.edge.certificates["viz.localhost", "node4"][1]
    assert seen.certificate is not None
    assert "Pebble" in seen.certificate.issuer
    assert seen.certificate.key == "EC P-256"
    driver.refresh("routes")
    routes = driver.journal.world.edge.routes
    assert routes is not None
    assert routes.state == "live"
    assert {c.fingerprint for c in routes.certificates} >= {seen.certificate.fingerprint}
    assert {"web", "websecure", "tcp"} <= {e.name for e in routes.entrypoints}
    driver.ask(Request(443, "/", "viz.localhost", "https", "wrong"))
    assert {hit.status for _, hit in driver.journal.world.hits[-4:]} == {401}


def _with_app(start: Any, lesson: Any) -> Any:
    """A lesson's start, and the visualizer."""
    step = next(step for step in lesson.steps if step.id == "issue")
    return step.leaves.apply_to(start)
