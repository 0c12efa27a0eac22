"""What the rest of the lab calls: bring a cluster up, find it, take it down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from lab import paths
from lab.cluster import lock, places
from lab.cluster.model import Cluster, Endpoint, Images, Progress, Report, silent
from lab.cluster.providers import pick_provider
from lab.errors import InputError, MissingError

__all__ = ["DEFAULT", "at_work", "down", "env", "find", "names", "pick_provider", "shell_env", "up"]

DEFAULT = "default"


def up(
    name: str = DEFAULT,
    provider: str = "auto",
    nodes: int | None = None,
    report: Report = silent,
    consent: Callable[[Sequence[str]], bool] = lambda _: False,
    images: Images | None = None,
) -> Cluster:
    """A whole cluster called `name`: made, mended, or only looked at when it is whole already.

    `nodes` is 1 to 7, and 4 when None and the lab is new; 3 of 4 and more are managers. `images` is "packages" when
    None and the lab is new; a lab that is there keeps both, and for others InputError is raised. `consent` is asked
    with the commands that would install Debian packages. Raises InputError, MissingError, CommandError,
    WaitError, LabError; on an interrupt what is half made is cleaned up and machines that run stay.
    """
    from lab.cluster import up as vm_up

    places.check_name(name)
    if nodes is not None:
        vm_up.managers_of(nodes)
    pick = pick_provider(provider)
    if not pick.name:
        raise MissingError(pick.reason, remedy="take the recordings: swarmlab replay")
    with paths.written(paths.state()):
        return vm_up.up(name, nodes, report, consent, images)


def find(name: str = DEFAULT) -> Cluster:
    """The cluster called `name`, in whatever state. Raises MissingError when there is none."""
    from lab.cluster import state
    from lab.cluster.vm import VmCluster

    return VmCluster(state.load(name))


def names() -> tuple[str, ...]:
    """The clusters that there are, in the order of their names."""
    return places.names()


@dataclass(frozen=True)
class Removed:
    """What `down` removed: the cluster, and the cache; `left` names what stays in the cache's folder, because the lab
    did not make it."""

    cluster: bool
    cache: bool
    left: tuple[str, ...] = ()


def down(name: str = DEFAULT, purge: bool = False, report: Report = silent) -> Removed:
    """Remove the cluster called `name`: no process, disk or lock of it stays.

    Also ends what a killed `up` left running. `purge` takes the cache too, unless another lab stands on it
    (InputError). Raises LabError with what could not be removed.
    """
    from lab.cluster import vm
    from lab.cluster.build import base

    there, folder = places.home(name).exists(), places.home(name).parent
    others = [other for other in places.names() if other != name]
    if purge and others:
        raise InputError(
            f"the cache is in use by {', '.join(others)}",
            remedy="; ".join(f"swarmlab down --name {other}" for other in others),
        )
    if folder.exists():
        with lock.held(places.lock(name), f"at work on the lab {name}"):
            vm.remove(name, report)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    left = None
    if purge:
        report(Progress("down", "deleting the cache"))
        left = base.purge()
    else:
        base.clear_if_idle()
    report(Progress("down", "nothing is left" if there else f"there is no lab called {name}", 1.0))
    return Removed(there, left is not None, left or ())


def at_work(name: str, what: str) -> AbstractContextManager[None]:
    """Hold the cluster called `name` for a block of work such as "running the lesson scaling": one at a time.

    Raises BusyError at once when another swarmlab is at work on it, and says at what; MissingError when there is no
    such cluster.
    """
    find(name)
    return lock.held(places.work_lock(name), what)


def shell_env(endpoint: Endpoint, folder: Path) -> dict[str, str]:
    """The variables for a shell at `endpoint`; see `shellenv.shell_env`."""
    from lab.cluster import shellenv

    return shellenv.shell_env(endpoint, folder)


def env(cluster: Cluster) -> dict[str, str]:
    """The variables of a shell at a manager that answers; see `shellenv.env`."""
    from lab.cluster import shellenv

    return shellenv.env(cluster)
