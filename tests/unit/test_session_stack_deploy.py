"""Deploying a stack by the docker CLI: what ends the wait ends the command too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.errors import Cancelled, CommandError
from lab.session.stack_deploy import deploy_stack


def docker(folder: Path, script: str) -> dict[str, str]:
    """An environment in which `docker` is this script."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.defpath}"}


@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError, Cancelled])
def test_a_deploy_does_not_go_on_behind_what_ended_the_wait(tmp_path: Path, end: type[BaseException]) -> None:
    said = tmp_path / "pid"
    env = docker(tmp_path, f"echo $$ > {said}.new; mv {said}.new {said}; exec sleep 600")

    def stopping() -> bool:
        if said.exists():
            raise end
        return False

    with pytest.raises(end):
        deploy_stack("app", ["app.yaml"], env, stopping)
    with pytest.raises(ProcessLookupError):
        os.kill(int(said.read_text()), 0)


def test_what_a_failed_deploy_printed_is_told(tmp_path: Path) -> None:
    env = docker(tmp_path, "echo the network is in use >&2; exit 1")
    with pytest.raises(CommandError) as caught:
        deploy_stack("app", ["app.yaml"], env, lambda: False)
    assert caught.value.output == "the network is in use\n"
