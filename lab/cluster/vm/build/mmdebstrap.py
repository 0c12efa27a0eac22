"""Debian file systems as tars, made by mmdebstrap in a mount namespace of its own, with or without root."""

from __future__ import annotations

import os
import re
import shlex
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.cluster import process
from lab.cluster.vm.build import inputs

BOUND = 1200.0
"""Seconds for one run; most of it goes into downloading the packages."""

_STAGES = (
    ("running apt-get update", "the list of packages", 0.05),
    ("downloading packages", "downloading packages", 0.15),
    ("extracting archives", "unpacking the essential ones", 0.35),
    ("installing essential", "installing the essential ones", 0.45),
    ("installing remaining", "downloading and installing the rest", 0.60),
    ("running --customize-hook", "running the Dockerfile's commands", 0.30),
    ("cleaning package lists", "cleaning up", 0.90),
    ("creating tarball", "packing", 0.92),
)

Step = Callable[[str, float], None]
"""Called with what is happening now, and the completed share from 0 to 1."""


def bootstrap(
    target: Path, packages: Sequence[str], *, log: Path, step: Step, stop: threading.Event | None = None
) -> None:
    """Write a minimal Debian with `packages`, without documentation and translations, as a tar at `target`."""
    argv = [*_command(), "--variant=minbase"]
    argv += [f"--dpkgopt={option}" for option in inputs.LEAN]
    argv += [f"--aptopt={option}" for option in inputs.APT]
    argv += [f"--include={','.join(packages)}"] if packages else []
    _run([*argv, "--format=tar", inputs.SUITE, str(target)], {}, log, step, stop)


def run_in(
    base: Path,
    commands: Sequence[str],
    target: Path,
    *,
    log: Path,
    step: Step,
    stop: threading.Event | None = None,
) -> None:
    """Run shell `commands` one after another in a copy of the tar `base`; the result is a tar at `target`."""
    argv = [*_command(), "--variant=custom", "--skip=update,setup,cleanup,check/signed-by"]
    # mmdebstrap splits a hook as a shell does.
    argv += [
        f"--setup-hook=tar-in {shlex.quote(str(base))} /",
        '--setup-hook=cat /etc/resolv.conf >"$1/etc/resolv.conf"',
    ]
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    for number, command in enumerate(commands):
        # The command is passed in the environment, so nothing of it is spliced into the hook.
        env[f"SWARMLAB_RUN_{number}"] = command
        argv.append(f'--customize-hook=exec chroot "$1" /bin/sh -c "$SWARMLAB_RUN_{number}"')
    _run([*argv, "--format=tar", "", str(target)], env, log, step, stop)


def _command() -> list[str]:
    return ["mmdebstrap", "--mode=unshare"]


def _run(argv: Sequence[str], env: dict[str, str], log: Path, step: Step, stop: threading.Event | None) -> None:
    def each(line: str) -> None:
        for words, text, share in _STAGES:
            if line.startswith("I: ") and words in line:
                step(text, share)
        if match := re.match(r"Get:\d+ \S+ \S+ \S+ ([a-z0-9][\w.+-]+) \S+ \S+ \[", line):
            step(f"downloading {match[1]}", 0.3)

    if os.geteuid() == 0:
        # Without root the mapped user cannot enter a private folder, so /tmp is used.
        env = {**env, "TMPDIR": str(log.parent)}
    process.run_program(argv, log=log, bound=BOUND, env=env, each=each, stop=stop)
