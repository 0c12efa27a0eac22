"""The demo's three host names over HTTPS, on every node, with certificates that Pebble issued."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cluster.model import Cluster
from lab.lesson.course import load_course
from lab.session.cluster_driver import ClusterDriver
from lab.session.reset_to import reset_to
from lab.session.run import open_driver
from lab.watch.pebble import pebble_roots
from lab.world.entries import CertificateSeen
from lab.world.request import Request
from lab.world.world import World
from tests.live.conftest import Say, until

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
    assert driver.journal.wait(lambda w: _all_good(w, "node-app", "traefik", "viz"), BOUND), _seen(driver)
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


def test_a_reset_removes_certificates_of_an_authority_that_is_gone(
    cluster: Cluster, lab_name: str, driver: ClusterDriver, say: Say
) -> None:
    """Pebble moves to another node, which makes it another authority, while Traefik's certificates of the former one
    wait on the volume of a node that Traefik has left."""
    lesson = next(each for each in load_course() if each.id == "routes-by-labels")
    done = reset_to(driver, lesson, by="api")
    say(f"reset to the edge: {done.seconds} s, {done.actions}")
    with open_driver(lab_name) as watching:
        watching.watch(["certificates"])
        assert watching.journal.wait(lambda w: _all_good(w, "traefik"), BOUND), _seen(watching)
    former = pebble_roots(cluster.endpoints())
    _set_node(driver, "node1", Labels={})
    _set_node(driver, "node2", Labels={"edge": "true"})
    until(lambda: _nodes_of(driver, "edge_traefik") == {"node2"}, "Traefik on node2")
    (home,) = _nodes_of(driver, "acme_pebble")
    _set_node(driver, home, Availability="drain")
    until(lambda: pebble_roots(cluster.endpoints()) not in ((), former), f"another authority than on {home}")
    say(f"Pebble left {home}, Traefik node1")
    done = reset_to(driver, lesson, by="api")
    say(f"reset after that: {done.seconds} s, {done.actions}")
    assert "remove volume edge_acme" in done.actions
    driver.watch(["certificates"])
    assert driver.journal.wait(lambda w: _all_good(w, "traefik"), BOUND), _seen(driver)
    assert reset_to(driver, lesson, by="api").actions == ()


def _all_good(world: World, *apps: str) -> bool:
    """Each name is served on every node with a certificate that its authority vouches for."""
    names = {f"{name}.localhost" for name in apps}
    good = {key for key, (_, seen) in world.edge.certificates.items() if seen.verdict == "good"}
    return {(host, f"node{n}") for host in names for n in range(1, 5)} <= good


def _seen(driver: ClusterDriver) -> list[CertificateSeen]:
    return [seen for _, seen in driver.journal.world.edge.certificates.values()]


def _set_node(driver: ClusterDriver, name: str, **changes: Any) -> None:
    raw = driver.engine().inspect_node(name)
    driver.engine().update_node(raw["ID"], raw["Version"]["Index"], {**raw["Spec"], **changes})


def _nodes_of(driver: ClusterDriver, name: str) -> set[str]:
    """The nodes on which a service's tasks run."""
    driver.look()
    swarm = driver.journal.world.swarm
    service = swarm.service(name)
    return set() if service is None else {swarm.node_name(task.node) for task in swarm.live_tasks(service.id)}


def _with_app(start: Any, lesson: Any) -> Any:
    """A lesson's start, and the visualizer."""
    step = next(step for step in lesson.steps if step.id == "issue")
    return step.leaves.apply_to(start)
