"""The provider `vm`: N virtual machines from Debian packages. They need no Docker, no registry and no network set up by
root.

Imports are inside the functions: `names` is called before the app's first paint, which waits for imports.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from pathlib import Path

from lab import file_lock
from lab.cluster import lab_paths
from lab.cluster.model import Cluster, Report
from lab.cluster.provider import Availability, Consent, Requirement, Spec

SYSTEM = "Linux x86_64"


class VmProvider:
    """The provider `vm`, which implements `lab.cluster.provider.Provider`."""

    name = "vm"

    def available(self) -> Availability:
        """Return whether this machine runs Linux on x86_64."""
        system = f"{platform.system()} {platform.machine()}"
        if system != SYSTEM:
            return Availability(False, f"virtual machines need Linux on x86_64, and this is {system}")
        return Availability(
            True, "virtual machines need no Docker engine, no registry and no root network, and share nothing"
        )

    def requirements(self) -> Iterable[Requirement]:
        """Return the requirements: programs, mapped users, Traefik's binary, the base disk, hardware virtualisation."""
        from lab.cluster.vm import doctor

        return doctor.requirements()

    def speed(self) -> str:
        """Return kvm, tcg, or that it was not probed yet."""
        from lab.cluster.vm import doctor

        return doctor.speed()

    def install(self, consent: Consent, say: Callable[[str], None]) -> None:
        """Install Debian packages with apt."""
        from lab.cluster.vm import requirements

        requirements.require(consent, say)

    def check(self, spec: Spec) -> None:
        """Check that there are 1 to 7 machines."""
        from lab.cluster.vm import up

        if spec.nodes is not None:
            up.managers_of(spec.nodes)

    def up(self, name: str, spec: Spec, report: Report, consent: Consent) -> Cluster:
        """See `lab.cluster.vm.up.up`."""
        from lab.cluster.vm import up

        return up.up(name, spec.nodes, report, consent, spec.images, boot=spec.fresh)

    def names(self) -> tuple[str, ...]:
        """Return the names of the labs that have machines."""
        return lab_paths.lab_names()

    def find(self, name: str) -> Cluster:
        """Return the cluster from the lab's own record."""
        from lab.cluster.vm import state
        from lab.cluster.vm.vm_cluster import VmCluster

        return VmCluster(state.load_state(name))

    def recover(self, name: str, report: Report) -> None:
        """Go on with a snapshot that was interrupted while it was taken or restored."""
        from lab.cluster.vm import state

        if not state.is_interrupted(name):
            return
        from lab.cluster.vm.snapshot import recover  # hardly ever needed, and the first paint waits for imports
        from lab.cluster.vm.vm_cluster import VmCluster

        with file_lock.hold(lab_paths.lock_file(name), f"at work on the lab {name}"):
            recover.recover(VmCluster(state.load_state(name)), report)

    def down(self, name: str, report: Report) -> None:
        """See `lab.cluster.vm.remove.remove`. Snapshots that are more than a step's stay: they fit the next lab of
        that name that starts from the same template."""
        from lab.cluster.vm.remove import remove
        from lab.cluster.vm.snapshot import store

        remove(name, report)
        store.delete_of_steps(name)

    def purge(self) -> tuple[str, ...] | None:
        """Delete base disks, images, packages, logs, templates, and the snapshots of labs that are gone."""
        from lab.cluster.vm.build import disk_cache
        from lab.cluster.vm.snapshot import store

        store.delete_everything()
        return disk_cache.purge()

    def tidy(self) -> None:
        """Delete what a killed build left behind."""
        from lab.cluster.vm.build import disk_cache

        disk_cache.clear_if_idle()

    def docker_cli(self) -> Path | None:
        """Return the folder of Debian's Docker CLI, taken from the machines' packages."""
        from lab.cluster.vm import docker_cli

        return docker_cli.bring()
