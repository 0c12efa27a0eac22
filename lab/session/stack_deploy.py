"""Deploying a stack as a user would, and removing what a removed stack leaves on the nodes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from lab import paths
from lab.engine.client import open_client
from lab.engine.endpoint import Endpoint
from lab.engine.labels import NAMESPACE
from lab.errors import Cancelled, CommandError, EngineError, MissingError, WaitError
from lab.shell.environment import environment

#: Seconds that a deploy may take.
BOUND = 180.0

_PAUSE = 0.2


def deploy_stack(name: str, files: Sequence[str], env: Mapping[str, str], stopping: Callable[[], bool]) -> None:
    """Run `docker stack deploy` on files below the stacks' folder, with these variables; services that they no longer
    name are removed. Raises CommandError with its output, WaitError at the bound, MissingError without
    Docker."""
    argv = ["docker", "stack", "deploy", "--detach=true", "--prune", "--resolve-image", "never"]
    for file in files:
        argv += ["--compose-file", file]
    argv.append(name)
    whole = environment(env)
    try:
        process = subprocess.Popen(
            argv,
            cwd=paths.stacks(),
            env={**whole, "PATH": whole.get("PATH", os.defpath)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise MissingError("there is no docker on this machine", remedy="swarmlab up brings one") from None
    try:
        said = _await_end(process, name, stopping)
    except BaseException:  # Whatever ends the wait, a deploy must not go on behind it.
        process.kill()
        process.communicate()
        raise
    if process.returncode:
        raise CommandError(argv, process.returncode, said)


def _await_end(process: subprocess.Popen[str], name: str, stopping: Callable[[], bool]) -> str:
    """Return what a deploy printed, once it has ended. Raises Cancelled when the user asked to stop, WaitError at the
    bound."""
    end = time.monotonic() + BOUND
    while True:
        try:
            return process.communicate(timeout=_PAUSE)[0]
        except subprocess.TimeoutExpired:
            if stopping():
                raise Cancelled from None
            if time.monotonic() >= end:
                what = "the end of docker stack deploy"
                raise WaitError(f"the stack {name} to be deployed", BOUND, what) from None


def remove_volume(name: str, endpoint: Endpoint) -> None:
    """Remove a volume from one node; do nothing when there is none, or when the node is off. Raises EngineError while a
    container that is stopping still uses it."""
    import docker.errors  # slow to import: not before an engine is called

    try:
        with open_client(endpoint, 20.0) as client:
            client.api.remove_volume(name)
    except EngineError as error:
        # A response from the engine is an APIError; anything else means that the node does not answer.
        refused = isinstance(error.__cause__, docker.errors.APIError)
        if refused and not isinstance(error.__cause__, docker.errors.NotFound):
            raise


def stack_volumes(endpoints: Iterable[Endpoint]) -> list[tuple[str, str]]:
    """Return the volumes that stacks created, on all nodes that answer: (name, the stack's name), each once."""
    asked = tuple(endpoints)
    with ThreadPoolExecutor(max_workers=max(1, len(asked))) as pool:
        return sorted({found for each in pool.map(_volumes, asked) for found in each})


def _volumes(endpoint: Endpoint) -> list[tuple[str, str]]:
    try:
        with open_client(endpoint, 20.0) as client:
            raws = client.api.volumes(filters={"label": NAMESPACE})["Volumes"] or []
    except EngineError:
        return []
    return [(raw["Name"], (raw.get("Labels") or {}).get(NAMESPACE, "")) for raw in raws]
