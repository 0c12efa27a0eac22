"""A stack file read block by block: which lines a block has, and the sentence that says what it became."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import paths
from lab.lesson.applied import describe_applied
from lab.lesson.course import Problems, load_lesson
from lab.lesson.excerpt import excerpt
from lab.lesson.model import Became
from lab.world.entries import RoutesSeen, SwarmChanged
from lab.world.swarm import FileReference, Node, Port, Service, ServiceSpec, SwarmObject, Task
from lab.world.traefik import Router
from lab.world.world import World
from tests.builders import saw
from tests.course import LESSONS

STACK = """\
# At the top.
services:
  # In front.
  # Two of them.
  web:
    image: nginx:1.26
    ports:
      # The door.
      - "8080:80"

      - "8443:443"
    deploy:
      labels:
        traefik.enable: "true"

  api:
    image: node:20

networks:
  inside:
    driver: overlay
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.yaml").write_text(STACK, encoding="utf-8")
    return tmp_path


def test_a_block_has_its_comments_and_ends_where_the_next_begins(folder: Path) -> None:
    assert excerpt(folder, "one.yaml", "services/web/deploy") == 'deploy:\n  labels:\n    traefik.enable: "true"'
    assert excerpt(folder, "one.yaml", "services/web").startswith("# In front.\n# Two of them.\nweb:\n  image:")
    assert excerpt(folder, "one.yaml", "services/web").endswith('traefik.enable: "true"'), "no blank line at its end"
    assert excerpt(folder, "one.yaml", "services/api") == "api:\n  image: node:20"
    assert excerpt(folder, "one.yaml", "networks") == "networks:\n  inside:\n    driver: overlay"
    assert excerpt(folder, "one.yaml", "services").startswith("# At the top.\nservices:")


def test_a_blank_line_and_a_comment_inside_belong_to_it(folder: Path) -> None:
    ports = ["ports:", "  # The door.", '  - "8080:80"', "", '  - "8443:443"']
    assert excerpt(folder, "one.yaml", "services/web/ports").split("\n") == ports
    assert excerpt(folder, "one.yaml", "services/web/ports#2-3").split("\n") == ports[1:3]
    assert excerpt(folder, "one.yaml", "services/web/ports#5-5") == ports[4]


@pytest.mark.parametrize("part", ["0-2", "3-2", "1-9", "2", "x", "1-2-3"])
def test_lines_that_it_has_not(folder: Path, part: str) -> None:
    with pytest.raises(ValueError, match=f"the block services/web/ports has lines 1 to 5, not {part}"):
        excerpt(folder, "one.yaml", f"services/web/ports#{part}")


def test_what_is_not_there_is_told_in_words(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"one\.yaml has no block services/db"):
        excerpt(folder, "one.yaml", "services/db")
    with pytest.raises(ValueError, match=r"none\.yaml: "):
        excerpt(folder, "none.yaml", "services")
    for name in ("../one.yaml", "/etc/hostname"):
        with pytest.raises(ValueError, match="leaves the stacks' folder"):
            excerpt(folder / "below", name, "services")


def test_a_lesson_that_reads_a_block_that_is_not_there_is_told_where(tmp_path: Path) -> None:
    text = (paths.lessons() / "failed-update.yaml").read_text(encoding="utf-8")
    path = tmp_path / "failed-update.yaml"
    path.write_text(text.replace("backend/deploy/rollback_config", "backend/deploy/rolback"), encoding="utf-8")
    with pytest.raises(Problems, match=r"app\.yaml has no block services/backend/deploy/rolback"):
        load_lesson(path)


def test_every_block_that_a_lesson_reads_is_in_it() -> None:
    reads = [each for lesson in LESSONS for step in lesson.steps for each in step.reads]
    assert reads
    for each in reads:
        assert each.excerpt == excerpt(paths.stacks(), each.file, each.block)
        assert each.excerpt.strip()


NODES = (
    Node("n1", "node1", "manager", "ready", labels={"edge": "true"}),
    Node("n2", "node2", "worker", "ready"),
)
WEB = Service(
    "w",
    "web",
    ServiceSpec(
        "nginx:1.26",
        replicas=2,
        ports=(Port(8080, 80), Port(8081, 81, mode="host")),
        labels={"traefik.enable": "true"},
        secrets=(FileReference("key-1", "key"),),
        networks=("id-inside",),
    ),
    2,
)
NAMED = (
    SwarmObject("network", "id-inside", "inside"),
    SwarmObject("network", "id-edge", "edge"),
    SwarmObject("secret", "k", "key-1"),
    SwarmObject("config", "c", "conf-1"),
)


TASK = Task("t1", "w", 1, "n2", "running", "running", 1.0, 2.0)
THERE = saw(World(), SwarmChanged("node1", NODES, (WEB,), (TASK,), NAMED, first=True))
EMPTY = saw(World(), SwarmChanged("node1", (NODES[1],), first=True))


@pytest.mark.parametrize(
    ("asked", "before", "after"),
    [
        ({"service": "web"}, "no service web yet", "service web: 1 of 2 tasks running on node2"),
        (
            {"node_label": "edge=true"},
            "label edge=true is on no node",
            "label edge=true is on node1",
        ),
        (
            {"label": "traefik.enable", "of": "web"},
            "no label traefik.enable on web yet",
            "label of web: traefik.enable=true",
        ),
        (
            {"port": 8080, "of": "web"},
            "port 8080 is not published yet",
            "port 8080 of web: open on every node, through the mesh, to 80 in the container",
        ),
        (
            {"port": 8081},
            "port 8081 is not published yet",
            "port 8081 of web: open on the task's own node, to 81 in the container",
        ),
        ({"network": "inside"}, "no network inside yet", "network inside: used by web"),
        ({"network": "edge"}, "no network edge yet", "network edge: used by nobody"),
        ({"secret": "key-1"}, "no secret key-1 yet", "secret key-1: used by web"),
        ({"config": "conf-1"}, "no config conf-1 yet", "config conf-1: used by nobody"),
    ],
)
def test_what_a_block_became(asked: dict[str, Any], before: str, after: str) -> None:
    value = Became.model_validate(asked)
    assert describe_applied(value, EMPTY, {}) == (before, False)
    assert describe_applied(value, THERE, {}) == (after, True)


def test_a_router_is_traefiks_word() -> None:
    value = Became.model_validate({"router": "app"})
    assert describe_applied(value, THERE, {}) == ("no router app in Traefik yet", False)
    router = Router("app@swarm", "http", "Host(`a.b`)", "app@swarm", ("websecure",))
    known = saw(THERE, RoutesSeen("live", routers=(router,)))
    assert describe_applied(value, known, {}) == (
        "router app@swarm at websecure: Host(`a.b`) to app@swarm, enabled",
        True,
    )
    bare = saw(THERE, RoutesSeen("live", routers=(replace(router, entrypoints=(), status="disabled"),)))
    assert describe_applied(value, bare, {})[0] == "router app@swarm: Host(`a.b`) to app@swarm, disabled"


def test_captured_values_are_put_into_what_is_asked() -> None:
    value = Became.model_validate({"label": "traefik.{{what}}", "of": "{{who}}"})
    assert describe_applied(value, THERE, {"what": "enable", "who": "web"}) == (
        "label of web: traefik.enable=true",
        True,
    )
    assert not describe_applied(value, THERE, {})[1]


@pytest.mark.parametrize("asked", [{}, {"service": "a", "port": 1}, {"label": "a.b"}, {"of": "a"}])
def test_what_asks_nothing_or_two_things_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needs"):
        Became.model_validate(asked)
