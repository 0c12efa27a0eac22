"""What a deploy makes of a stack file: whole names, the engine's defaults, and the same again when it is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import paths
from lab.compose import read
from lab.compose.to_spec import Expected, outline, service_names, service_specs
from lab.reset.compare import changed_fields, networks
from lab.schema.diagnostics import Problems
from lab.world.swarm import FileReference, Port, ServiceSpec, UpdateConfig
from tests.doubles import stack as double
from tests.doubles.driver import ModelDriver
from tests.unit.stack_files import NAMES, STACKS

ENV = {"ACME_DIR": "/nowhere", "DOMAIN": "example.org"}


def expected(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Expected:
    path = tmp_path / "stack.yaml"
    path.write_text(text)
    return service_specs(read.read_stack(path), "shop", env or {})


def test_everything_that_the_world_compares(tmp_path: Path) -> None:
    made = expected(
        tmp_path,
        """\
services:
  web:
    image: nginx:${TAG:-1.26}
    entrypoint: [/start]
    command: serve --port 80
    environment: {B: 2, A: "x", GIVEN: , NOT: }
    ports: ["8080:80"]
    networks: {front: {aliases: [www]}, back: }
    volumes: [data:/data, disk:/disk, named:/named, /anonymous, ./here:/there]
    secrets: [key, {source: outer, target: /run/outer}]
    configs: [site, {source: conf, target: /etc/site.conf}]
    healthcheck: {test: curl localhost}
    stop_signal: SIGINT
    deploy:
      replicas: 3
      endpoint_mode: vip
      labels: {traefik.enable: "true"}
      placement:
        constraints: [node.role == manager]
        preferences: [{spread: node.labels.rack}]
        max_replicas_per_node: 2
      update_config: {parallelism: 0, order: start-first, failure_action: rollback}
      resources: {limits: {memory: 1.5G}}
  everywhere:
    image: busybox:1.37
    deploy: {mode: global}
  job:
    image: busybox:1.37
    healthcheck: {disable: true}
    deploy: {mode: replicated-job, replicas: 4}
networks:
  front: {external: true}
  back: {name: the-back}
  unused: {}
volumes: {data: , disk: {external: true}, named: {name: other}}
secrets: {key: {file: ./key}, outer: {external: true, name: outer-1}, idle: {external: true}}
configs: {site: {file: ./site}, conf: {name: "conf-${V:-1}", file: ./site}}
""",
        {"GIVEN": "from outside", "V": "7"},
    )
    web = made.services["shop_web"]
    assert web == ServiceSpec(
        image="nginx:1.26",
        replicas=3,
        args=("serve", "--port", "80"),
        command=("/start",),
        env=("A=x", "B=2", "GIVEN=from outside", "NOT"),
        constraints=("node.role == manager",),
        ports=(Port(8080, 80),),
        secrets=(FileReference("shop_key", "key"), FileReference("outer-1", "/run/outer")),
        configs=(FileReference("shop_site", "site"), FileReference("conf-7", "/etc/site.conf")),
        networks=("front", "the-back"),
        labels={"traefik.enable": "true"},
        update=UpdateConfig(parallelism=0, order="start-first", failure_action="rollback"),
        volumes=("shop_data", "disk", "other"),
        memory=3 * 512 * 1024 * 1024,
        health=("CMD-SHELL", "curl localhost"),
        stop_signal="SIGINT",
        preferences=("node.labels.rack",),
        max_per_node=2,
    )
    everywhere, job = made.services["shop_everywhere"], made.services["shop_job"]
    assert (everywhere.mode, everywhere.replicas, everywhere.networks) == ("global", 0, ("shop_default",))
    assert (everywhere.update, everywhere.endpoint) == (UpdateConfig(), "vip")
    assert (job.mode, job.replicas, job.health) == ("replicated-job", 0, ("NONE",))
    assert made.makes == {
        ("network", "the-back"),
        ("network", "shop_default"),
        ("secret", "shop_key"),
        ("config", "shop_site"),
        ("config", "conf-7"),
    }
    assert made.needs == {("network", "front"), ("secret", "outer-1")}


@pytest.mark.parametrize("files", STACKS, ids=NAMES)
def test_what_is_read_back_of_a_deploy_is_what_was_expected(files: tuple[Path, ...]) -> None:
    """The model answers as the engine does: networks by id, nothing where the file says nothing."""
    file, name = read.read_stack(*files), files[0].stem
    driver, made = ModelDriver(), service_specs(file, name, ENV)
    stores = {"network": "networks", "secret": "secrets", "config": "configs"}
    for what, needed in made.needs:
        driver.swarm.create_named(stores[what], needed)
    double.deploy(driver.swarm, name, made)
    driver.look()
    world = driver.journal.world
    assert set(service_names(file, name)) == set(made.services)
    for full, spec in made.services.items():
        service = world.swarm.service(full)
        assert service is not None
        assert changed_fields(spec, service.spec, networks(world)) == ()
    assert made.makes | made.needs <= {(n.what, n.name) for n in world.swarm.objects.values()}


def test_an_outline_needs_no_settings() -> None:
    file = read.read_stack(paths.stacks() / "acme.yaml")
    assert ("network", "edge") in outline(file, "acme", {}).needs
    with pytest.raises(Problems, match=r"acme\.yaml:\d+: the setting ACME_DIR is needed: run swarmlab env"):
        service_specs(file, "acme", {})


def test_a_name_that_only_a_setting_tells(tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text("services: {a: {image: 'x:1', secrets: [s]}}\nsecrets: {s: {external: true, name: 's-${N}'}}\n")
    assert outline(read.read_stack(path), "shop", {}).needs == {("secret", "s-${N}")}
    assert outline(read.read_stack(path), "shop", {"N": "2"}).needs == {("secret", "s-2")}
