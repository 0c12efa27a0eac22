"""The provider `vm`: N virtual machines from Debian packages. They need no Docker, no registry and no root network.

Imports are in the functions: `names` is asked before the app's first paint, which waits for them.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.cluster import lab_paths
from lab.cluster.model import Cluster, Report
from lab.cluster.provider import Availability, Consent, Requirement, Spec

SYSTEM = "Linux x86_64"


class VmProvider:
    """`lab.cluster.provider.Provider`."""

    name = "vm"

    def available(self) -> Availability:
        """It needs Linux on x86_64."""
        system = f"{platform.system()} {platform.machine()}"
        if system != SYSTEM:
            return Availability(False, f"virtual machines need Linux on x86_64, and this is {system}")
        return Availability(
            True, "virtual machines need no Docker engine, no registry and no root network, and share nothing"
        )

    def requirements(self) -> Iterable[Requirement]:
        """Programs, mapped users, Traefik's binary, the base disk, hardware virtualisation."""
        from lab.cluster.vm import doctor

        return doctor.requirements()

    def speed(self) -> str:
        """kvm, tcg, or that it was not tried yet."""
        from lab.cluster.vm import doctor

        return doctor.speed()

    def install(self, consent: Consent, say: Callable[[str], None]) -> None:
        """Debian packages, through apt."""
        from lab.cluster.vm import requirements

        requirements.require(consent, say)

    def check(self, spec: Spec) -> None:
        """1 to 7 machines."""
        from lab.cluster.vm import up

        if spec.nodes is not None:
            up.managers_of(spec.nodes)

    def up(self, name: str, spec: Spec, report: Report, consent: Consent) -> Cluster:
        """See `lab.cluster.vm.up.up`."""
        from lab.cluster.vm import up

        return up.up(name, spec.nodes, report, consent, spec.images)

    def names(self) -> tuple[str, ...]:
        """The labs that have machines."""
        return lab_paths.lab_names()

    def find(self, name: str) -> Cluster:
        """From the lab's own record."""
        from lab.cluster.vm import state
        from lab.cluster.vm.cluster import VmCluster

        return VmCluster(state.load_state(name))

    def down(self, name: str, report: Report) -> None:
        """See `lab.cluster.vm.cluster.remove`."""
        from lab.cluster.vm.cluster import remove

        remove(name, report)

    def purge(self) -> tuple[str, ...] | None:
        """Base disks, images, packages, logs."""
        from lab.cluster.vm.build import disk_cache

        return disk_cache.purge()

    def tidy(self) -> None:
        """What a killed build left."""
        from lab.cluster.vm.build import disk_cache

        disk_cache.clear_if_idle()

    def docker_cli(self) -> Path | None:
        """Debian's, out of the machines' packages."""
        from lab.cluster.vm import docker_cli

        return docker_cli.bring()
