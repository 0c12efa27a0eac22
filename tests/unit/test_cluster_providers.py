"""A provider is a class and a line: what asks for a cluster asks the one that is registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import pytest

from lab import paths
from lab.cli.parser import parse
from lab.cluster import api, doctor, lab_paths, providers
from lab.cluster.model import Cluster, Report
from lab.cluster.provider import Availability, Consent, Provider, Requirement, Spec
from lab.errors import InputError, MissingError


class Kites:
    """Clusters of kites: `lab.cluster.provider.Provider`."""

    name = "kites"

    def __init__(self) -> None:
        self.flying: list[str] = []
        self.wind = Availability(True, "there is wind")

    def available(self) -> Availability:
        return self.wind

    def requirements(self) -> Iterable[Requirement]:
        return (Requirement("string", True, True, "enough of it"),)

    def speed(self) -> str:
        return "breeze"

    def install(self, consent: Consent, say: Callable[[str], None]) -> None:
        say("nothing to install")

    def check(self, spec: Spec) -> None:
        if spec.nodes == 2:
            raise InputError("kites do not fly in pairs")

    def up(self, name: str, spec: Spec, report: Report, consent: Consent) -> Cluster:
        self.flying.append(name)
        return self.find(name)

    def names(self) -> tuple[str, ...]:
        return tuple(self.flying)

    def find(self, name: str) -> Cluster:
        return cast(Cluster, f"the cluster {name}")

    def down(self, name: str, report: Report) -> None:
        if name in self.flying:
            self.flying.remove(name)

    def purge(self) -> tuple[str, ...] | None:
        return None

    def tidy(self) -> None:
        return None

    def recover(self, name: str, report: Report) -> None:
        return None

    def docker_cli(self) -> Path | None:
        return None


@pytest.fixture
def kites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kites:
    made = Kites()
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(providers.PROVIDERS, "kites", lambda: made)
    return made


def test_the_command_line_the_doctor_and_every_command_know_a_new_one(kites: Kites) -> None:
    assert parse(["up", "--provider", "kites"]).provider == "kites"
    assert str(api.up("red", "kites", 3)) == "the cluster red"
    assert api.names() == ("red",)
    assert str(api.find("red")) == "the cluster red"
    paths.make(lab_paths.lab_folder("red"))
    assert api.down("red").cluster
    assert api.names() == ()


def test_one_that_does_not_work_here_is_passed_over_and_says_why(kites: Kites) -> None:
    kites.wind = Availability(False, "there is no wind")
    assert providers.pick_provider().name != "kites"
    with pytest.raises(MissingError, match="the provider kites does not work here: there is no wind"):
        providers.pick_provider("kites")


def test_it_says_what_it_cannot_make(kites: Kites) -> None:
    with pytest.raises(InputError, match="pairs"):
        api.up("red", "kites", 2)


def test_the_doctor_asks_the_one_that_would_be_taken(kites: Kites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(providers.PROVIDERS, "vm")
    found = doctor.doctor()
    assert found.provider == "kites"
    assert found.acceleration == "breeze"
    assert found.items[0] == Requirement("string", True, True, "enough of it")
    said: list[str] = []
    api.install(lambda _: True, said.append)
    assert said == ["nothing to install"]


def test_the_shapes_agree() -> None:
    every: tuple[Provider, ...] = (Kites(), *providers.all_providers())
    assert {provider.name for provider in every} == {"kites", "vm"}
