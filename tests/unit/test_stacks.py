"""The stack files as they are taught: each can be projected, and each deploys what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab import paths
from lab.compose.read import read_stack
from lab.compose.to_spec import config_files
from tests.unit.stack_files import NAMES, STACKS

FOLDER = paths.stacks()
EDGE = ("edge.yaml", "edge.pebble.yaml")
#: The page of the visualizer is looked at in a browser, not read.
SHOWN = sorted(p for p in FOLDER.rglob("*") if p.suffix in (".yaml", ".conf", ".js") and "images" not in p.parts)


@pytest.mark.parametrize("path", SHOWN, ids=[str(p.relative_to(FOLDER)) for p in SHOWN])
def test_every_line_fits_80_columns(path: Path) -> None:
    assert [line for line in path.read_text().splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("files", STACKS, ids=NAMES)
def test_every_service_rotates_its_logs_and_has_limits_and_reservations(files: tuple[Path, ...]) -> None:
    for name, service in read_stack(*files).outline.services.items():
        assert service.logging["options"]["max-size"], name
        resources = service.deploy.resources
        assert 0 < resources.reservations.memory < resources.limits.memory, name


@pytest.mark.parametrize("files", STACKS, ids=NAMES)
def test_no_container_can_change_itself_or_has_more_rights_than_it_needs(files: tuple[Path, ...]) -> None:
    for name, service in read_stack(*files).outline.services.items():
        assert (service.read_only, service.cap_drop) == (True, ("ALL",)), name
        assert {*service.cap_add} <= {"CHOWN", "SETGID", "SETUID", "NET_BIND_SERVICE"}, name


@pytest.mark.parametrize("files", STACKS, ids=NAMES)
def test_what_a_stack_defines_for_traefik_begins_with_its_name(files: tuple[Path, ...]) -> None:
    """These names are global: what two stacks define differently under one name, both lose."""
    for service in read_stack(*files).outline.services.values():
        defined = [label for label in service.deploy.labels if label.startswith(("traefik.http.", "traefik.tcp."))]
        names = [label.split(".")[3] for label in defined]
        assert [name for name in names if not name.startswith(f"{files[0].stem}-")] == []


def test_only_the_lab_lays_pebble_over_the_edge() -> None:
    """Alone, edge.yaml is for a swarm that the Internet reaches: certificates from Let's Encrypt, which is what Traefik
    makes of empty flags, and no public name that leads to a container."""
    alone, lab = (read_stack(*(FOLDER / name for name in names)) for names in (EDGE[:1], EDGE))
    settings = {"ACME_SERVER": "https://pebble:14000/dir", "ACME_HOURS": "1", "ACME_CA_FILE": "/acme-ca.pem"}
    here = {**settings, "ACME_DIR": "/lab"}
    production, pebble = alone.fill({}).services["traefik"], lab.fill(here).services["traefik"]
    assert [production.networks["edge"].aliases, [config.source for config in production.configs]] == [(), ["dynamic"]]
    assert {"caserver=", "cacertificates=", "certificatesduration=2160"} <= acme(production.command)
    assert "traefik.localhost" in pebble.networks["edge"].aliases
    mounted = {config.source: config.target for config in pebble.configs}
    assert mounted == {"dynamic": "/dynamic.yaml", "acme-ca": settings["ACME_CA_FILE"]}
    assert f"cacertificates={mounted['acme-ca']}" in acme(pebble.command)
    assert config_files(lab, "edge", here)["acme-ca-1"] == Path("/lab/ca.pem")


def acme(command: tuple[str, ...]) -> set[str]:
    """The settings of the certificate resolver."""
    head = "--certificatesresolvers.le.acme."
    return {flag.removeprefix(head) for flag in command if flag.startswith(head)}


def test_only_the_proxy_holds_the_engines_socket_and_no_port_of_it_is_published() -> None:
    for files in STACKS:
        for name, service in read_stack(*files).outline.services.items():
            held = [mount.source for mount in service.volumes if "docker.sock" in mount.source]
            assert bool(held) is (name == "socket"), name
            assert not held or (service.ports == () and [*service.networks] == ["socket"])
    edge = read_stack(FOLDER / "edge.yaml").outline
    assert edge.networks["socket"].internal and edge.networks["socket"].driver_opts == {"encrypted": "true"}


@pytest.mark.parametrize(
    ("path", "passed"),
    [
        *((path, True) for path in ("/_ping", "/version", "/v1.45/services", "/v1.24/tasks", "/networks", "/nodes/n1")),
        *((path, False) for path in ("/", "/secrets", "/containers/json", "/v1.45/services/s1", "/services/s1/logs")),
        *((path, False) for path in ("/services/create", "/nodes/n1/update", "/x/version", "/v1.45/info", "/swarm")),
    ],
)
def test_what_the_proxy_passes_on_to_the_engine(path: str, passed: bool) -> None:
    """By its table; nginx compares it with the path that is left when `..` and `%2f` are resolved."""
    text = (FOLDER / "edge" / "socket.conf").read_text()
    patterns = re.findall(r"^\s+~(\S+)\s+yes;$", text, re.MULTILINE)
    assert len(patterns) == 3 and "limit_except GET {\n                deny all;" in text
    assert any(re.search(pattern, path) for pattern in patterns) is passed
