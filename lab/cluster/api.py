"""The interface for the rest of the lab: bring a cluster up, find it, take it down."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from lab import file_lock, paths
from lab.cluster import lab_paths
from lab.cluster.model import Cluster, Images, Progress, Report, silent
from lab.cluster.provider import Consent, Spec
from lab.cluster.providers import AUTO, PROVIDERS, all_providers, pick_provider, provider_of
from lab.engine.endpoint import Endpoint
from lab.errors import BusyError, InputError, MissingError

__all__ = ["DEFAULT", "at_work", "down", "env", "find", "names", "pick_provider", "shell_env", "up"]

DEFAULT = "default"


def up(
    name: str = DEFAULT,
    provider: str = AUTO,
    nodes: int | None = None,
    report: Report = silent,
    consent: Consent = lambda _: False,
    images: Images | None = None,
    *,
    fresh: bool = False,
) -> Cluster:
    """Return a whole cluster called `name`: created, repaired, or only checked when it is whole already.

    `nodes` is 1 to 7; None means 4 for a new lab. Of 4 or more nodes, 3 are managers. `images` None means "packages"
    for a new lab. An existing lab keeps both, and other values raise InputError. A new one is started from what the
    provider has saved to start from, if it has, unless it is to be made `fresh`. `consent` is called with the commands
    that would install Debian packages. Raises InputError, MissingError, CommandError, WaitError, LabError; an interrupt
    cleans up what is half made and leaves running machines on.
    """
    lab_paths.check_name(name)
    spec = Spec(nodes, images, fresh)
    pick = pick_provider(provider)
    if not pick.name:
        raise MissingError(pick.reason, remedy="use the recordings: swarmlab replay")
    taken = PROVIDERS[pick.name]()
    taken.check(spec)
    with paths.guard_writes(paths.state()):
        return taken.up(name, spec, report, consent)


def install(consent: Consent, say: Callable[[str], None]) -> None:
    """Install what the provider that would be used lacks on this machine, after `consent`. Raises MissingError."""
    pick = pick_provider()
    if not pick.name:
        raise MissingError(pick.reason, remedy="use the recordings: swarmlab replay")
    PROVIDERS[pick.name]().install(consent, say)


def find(name: str = DEFAULT, report: Report = silent) -> Cluster:
    """Return the cluster called `name`, in whatever state, after bringing to an end what a killed command left half
    done with its snapshots. Raises MissingError when there is none."""
    provider = provider_of(name)
    found = provider.find(name)
    with suppress(BusyError):  # Another swarmlab is at work on it: what is half done is its.
        provider.recover(name, report)
    return found


def names() -> tuple[str, ...]:
    """Return the names of all clusters, sorted."""
    return tuple(sorted({name for provider in all_providers() for name in provider.names()}))


@dataclass(frozen=True)
class Removed:
    """The result of `down`: whether it removed the cluster, and the cache; `left` names what stays in the cache's
    folder because the lab did not make it."""

    cluster: bool
    cache: bool
    left: tuple[str, ...] = ()


def down(name: str = DEFAULT, purge: bool = False, report: Report = silent) -> Removed:
    """Remove the cluster called `name`: no process, disk or lock of it stays.

    Also ends what a killed `up` left running. `purge` deletes the cache too, unless another lab uses it (InputError).
    Raises LabError with what could not be removed.
    """
    there, folder = lab_paths.lab_folder(name).exists(), lab_paths.lab_folder(name).parent
    others = [other for other in names() if other != name]
    if purge and others:
        raise InputError(
            f"the cache is in use by {', '.join(others)}",
            remedy="; ".join(f"swarmlab down --name {other}" for other in others),
        )
    if folder.exists():
        with file_lock.hold(lab_paths.lock_file(name), f"at work on the lab {name}"):
            for provider in all_providers():
                provider.down(name, report)
    left: tuple[str, ...] | None = None
    if purge:
        report(Progress("down", "deleting the cache"))
        left = next((found for found in [each.purge() for each in all_providers()] if found is not None), None)
    else:
        for provider in all_providers():
            provider.tidy()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    text = "nothing is left" if there else f"there is no lab called {name}"
    if lab_paths.snapshots_folder(name).is_dir():
        text = "its snapshots stay: swarmlab down --purge deletes them"
    report(Progress("down", text, 1.0))
    return Removed(there, left is not None, left or ())


def at_work(name: str, what: str) -> AbstractContextManager[None]:
    """Lock the cluster called `name` for a block of work such as "running the lesson scaling": one at a time.

    Raises BusyError at once when another swarmlab is at work on it, and says at what; MissingError when there is no
    such cluster.
    """
    find(name)
    return file_lock.hold(lab_paths.work_lock_file(name), what)


def shell_env(endpoint: Endpoint, folder: Path) -> dict[str, str]:
    """Return the variables for a shell at `endpoint`; see `docker_env.shell_env`."""
    from lab.cluster import docker_env  # not needed to find a cluster

    return docker_env.shell_env(endpoint, folder)


def env(cluster: Cluster) -> dict[str, str]:
    """Return the variables for a shell at a manager that answers; see `docker_env.env`."""
    from lab.cluster import docker_env  # not needed to find a cluster

    return docker_env.env(cluster)
