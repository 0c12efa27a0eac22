"""What every provider of clusters has: the one interface behind which a swarm comes from somewhere.

A new provider is a package beside `vm` with a class of this shape, and a line in `lab.cluster.providers.PROVIDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.cluster.model import Cluster, Images, Report

Consent = Callable[[Sequence[str]], bool]
"""Asked with the commands that would run; True lets them."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a provider works on this machine, and why or why not, in a sentence without a full stop."""

    ok: bool
    why: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a machine has or lacks: `needed` when no cluster can be made without it; `remedy` is the command
    that brings it."""

    what: str
    there: bool
    needed: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a new cluster should be; None leaves it to the provider, or to the cluster that is there."""

    nodes: int | None = None
    images: Images | None = None


class Provider(Protocol):
    """Finds, makes and removes clusters of one kind. Values out, effects by named verbs."""

    @property
    def name(self) -> str: ...

    def available(self) -> Availability:
        """Whether it works on a machine of this kind. Cheap: asks no program."""

    def requirements(self) -> Iterable[Requirement]:
        """What it wants of this machine, each found or missing. Looks only."""

    def speed(self) -> str:
        """How its machines run here, in a word (`kvm`, `tcg`), or that this is not known yet."""

    def install(self, consent: Consent, say: Callable[[str], None]) -> None:
        """Bring what is missing, after `consent`. Raises MissingError when that cannot or may not be done."""

    def check(self, spec: Spec) -> None:
        """Raises InputError for a cluster that it cannot make."""

    def up(self, name: str, spec: Spec, report: Report, consent: Consent) -> Cluster:
        """The cluster of that name, whole: made, mended, or only looked at. Run again after any end, it goes on.
        Raises LabError and its kin."""

    def names(self) -> tuple[str, ...]:
        """Its clusters, whole or half made. Cheap: it is asked before the first paint."""

    def find(self, name: str) -> Cluster:
        """The cluster of that name, in whatever state. Raises MissingError, and LabError for a damaged record."""

    def down(self, name: str, report: Report) -> None:
        """Remove the cluster of that name, and what a killed `up` left of it. Idempotent. Raises LabError with what
        could not be removed."""

    def purge(self) -> tuple[str, ...] | None:
        """Delete what it keeps in the cache; the answer names what stays there because the lab did not make it, None
        when there was no cache."""

    def tidy(self) -> None:
        """Delete what no cluster uses any more and nobody is making."""

    def docker_cli(self) -> Path | None:
        """A folder with a `docker` that it can bring for this machine, None when it has none (yet)."""
