"""The stack files as they are taught: each can be projected, and each deploys what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import paths
from lab.compose.read import read_stack

STACKS = paths.stacks()
FILES = sorted(STACKS.glob("*.yaml"))
#: The page of the visualizer is looked at in a browser, not read.
SHOWN = sorted(p for p in STACKS.rglob("*") if p.suffix in (".yaml", ".conf", ".js") and "images" not in p.parts)


@pytest.mark.parametrize("path", SHOWN, ids=[str(p.relative_to(STACKS)) for p in SHOWN])
def test_every_line_fits_80_columns(path: Path) -> None:
    assert [line for line in path.read_text().splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_every_service_rotates_its_logs_and_has_limits_and_reservations(path: Path) -> None:
    for name, service in read_stack(path).outline.services.items():
        assert service.logging["options"]["max-size"], name
        resources = service.deploy.resources
        assert 0 < resources.reservations.memory < resources.limits.memory, name


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_no_container_can_change_itself_or_has_more_rights_than_it_needs(path: Path) -> None:
    for name, service in read_stack(path).outline.services.items():
        assert (service.read_only, service.cap_drop) == (True, ("ALL",)), name
        assert {*service.cap_add} <= {"CHOWN", "SETGID", "SETUID", "NET_BIND_SERVICE"}, name


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_what_a_stack_defines_for_traefik_begins_with_its_name(path: Path) -> None:
    """These names are global: what two stacks define differently under one name, both lose."""
    for service in read_stack(path).outline.services.values():
        names = [label.split(".")[3] for label in service.deploy.labels if label != "traefik.enable"]
        assert [name for name in names if not name.startswith(f"{path.stem.partition('.')[0]}-")] == []
