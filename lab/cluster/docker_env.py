"""A shell's access to the lab's engines: variables, contexts, and a Docker CLI."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from lab import paths
from lab.cluster import edge_settings, providers, swarm_init
from lab.cluster.model import Cluster
from lab.engine.endpoint import Endpoint
from lab.errors import EngineError, MissingError
from lab.files import write_private

OLDEST = 26
"""The oldest Docker CLI, by major version, whose `stack deploy` can wait (`--detach=false`)."""


def shell_env(endpoint: Endpoint, folder: Path) -> dict[str, str]:
    """Return the variables for a shell at `endpoint`, to be merged over the environment; `folder` is the lab's state
    folder.

    DOCKER_CONFIG is the lab's own, with a context for each node: `docker --context node4 ps`. PATH has `swarmlab` and a
    `docker` that is new enough for the lessons. Raises MissingError when no docker can be supplied.
    """
    config = folder / "cluster" / "docker"
    tls = {} if endpoint.tls is None else {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(endpoint.tls)}
    own = {"DOCKER_CONFIG": str(config)} if config.is_dir() else {}
    return {"DOCKER_HOST": endpoint.url, **tls, **own, "PATH": _path()}


def _path() -> str:
    """Return the search path: a docker of the lab's before all others, the folder of `swarmlab` after them."""
    brought, own = docker_folder(), paths.search_path().split(os.pathsep)
    commands = sysconfig.get_path("scripts")
    last = [] if commands in own else [commands]
    return os.pathsep.join([*([] if brought is None else [str(brought)]), *own, *last])


def env(cluster: Cluster) -> dict[str, str]:
    """Return the variables that `swarmlab env` prints: those for a manager that answers, and those that the stack files
    use. Raises EngineError when no manager answers, and InputError for an invalid edge setting."""
    endpoints = cluster.endpoints()
    managing = {m.node for m in swarm_init.read_engines(endpoints) if m.control}
    for endpoint in endpoints:
        if endpoint.node in managing:
            # `swarmlab` in that shell then means this lab.
            name = {"SWARMLAB_NAME": cluster.name}
            return {
                **shell_env(endpoint, paths.state(cluster.name)),
                **edge_settings.read_settings(cluster).variables,
                **name,
            }
    raise EngineError(f"no manager of the lab {cluster.name} answers", remedy="swarmlab status, then swarmlab up")


def write_contexts(folder: Path, engines: Mapping[str, str], tls: Path) -> None:
    """Write one Docker context for each of `engines` (name to URL) below `folder`, which becomes DOCKER_CONFIG.

    These are the files that `docker context create` writes (docker/cli, cli/context/store).
    """
    write_private(folder / "config.json", b"{}\n")
    for name, url in engines.items():
        place = hashlib.sha256(name.encode()).hexdigest()
        meta = {
            "Name": name,
            "Metadata": {"Description": f"the engine of {name}"},
            "Endpoints": {"docker": {"Host": url, "SkipTLSVerify": False}},
        }
        write_private(folder / "contexts" / "meta" / place / "meta.json", json.dumps(meta).encode())
        for file in ("ca.pem", "cert.pem", "key.pem"):
            kept = folder / "contexts" / "tls" / place / "docker" / file
            write_private(kept, (tls / file).read_bytes())


def docker_folder() -> Path | None:
    """Return the folder to put first in PATH for `docker`; None when the machine's own `docker` is new enough.

    Otherwise a provider supplies one on first use. Raises MissingError when none can.
    """
    if (found := shutil.which("docker", path=paths.search_path())) and version(found) >= OLDEST:
        return None
    if (brought := providers.docker_cli()) is None:
        lacks = (
            f"the Docker command line {found} is older than {OLDEST}" if found else "there is no Docker command line"
        )
        raise MissingError(f"{lacks} on this machine", remedy="swarmlab up brings one")
    return brought


@functools.cache
def version(docker: str) -> int:
    """Return the major version of a Docker CLI; 0 when it is unknown."""
    try:
        said = subprocess.run([docker, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    told = re.search(r"version (\d+)\.", said)
    return int(told[1]) if told else 0
