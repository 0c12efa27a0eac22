"""The one interface that every provider of clusters implements.

A new provider is a package beside `vm` with a class that implements it, and a line in
`lab.cluster.providers.PROVIDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.cluster.model import Cluster, Images, Report

Consent = Callable[[Sequence[str]], bool]
"""Called with the commands that would run; True allows them."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a provider works on this machine, and why or why not, in a sentence without a full stop."""

    ok: bool
    why: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement that a machine meets or not. `needed`: no cluster can be created without it; `remedy` is the
    command that provides it."""

    what: str
    there: bool
    needed: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Spec:
    """The properties of a cluster to bring up; None leaves one to the provider, or to the existing cluster.
    `fresh`: a new one is booted, whatever the provider has saved to start from."""

    nodes: int | None = None
    images: Images | None = None
    fresh: bool = False


class Provider(Protocol):
    """A provider, which finds, creates and removes clusters of one kind. Queries return values; named verbs have
    effects."""

    @property
    def name(self) -> str: ...

    def available(self) -> Availability:
        """Return whether the provider works on a machine of this kind. Cheap: runs no program."""

    def requirements(self) -> Iterable[Requirement]:
        """Return the provider's requirements of this machine, each found or missing. Changes nothing."""

    def speed(self) -> str:
        """Return how its machines run here, in a word (`kvm`, `tcg`), or that this is not known yet."""

    def install(self, consent: Consent, say: Callable[[str], None]) -> None:
        """Install what is missing, after `consent`. Raises MissingError when that is not possible or not allowed."""

    def check(self, spec: Spec) -> None:
        """Check `spec`. Raises InputError for a cluster that the provider cannot create."""

    def up(self, name: str, spec: Spec, report: Report, consent: Consent) -> Cluster:
        """Return the cluster of that name, whole: created, repaired, or only checked. Run again after any interruption,
        it resumes. Raises LabError and its subclasses."""

    def names(self) -> tuple[str, ...]:
        """Return the names of its clusters, complete or half made. Cheap: it is called before the first paint."""

    def find(self, name: str) -> Cluster:
        """Return the cluster of that name, in whatever state. Raises MissingError, and LabError for a damaged
        record."""

    def recover(self, name: str, report: Report) -> None:
        """Bring to an end what a killed command left half done with the cluster of that name. Cheap when there is
        nothing. Raises LabError with what is lost."""

    def down(self, name: str, report: Report) -> None:
        """Remove the cluster of that name, and what a killed `up` left behind. Idempotent. Raises LabError with what
        could not be removed."""

    def purge(self) -> tuple[str, ...] | None:
        """Delete what the provider keeps in the cache. Returns the names of what stays there because the lab did not
        make it, None when there was no cache."""

    def tidy(self) -> None:
        """Delete what no cluster uses any more and no process is making."""

    def docker_cli(self) -> Path | None:
        """Return a folder with a `docker` that the provider can supply for this machine, None when it has none
        (yet)."""
