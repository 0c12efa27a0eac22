"""Programs that the machines need on this machine, and the Debian packages that provide them."""

from __future__ import annotations

import os
import platform
import pwd
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import paths
from lab.cluster import process
from lab.cluster.provider import Consent
from lab.cluster.vm.build.ext4 import search_path
from lab.errors import CommandError, MissingError

_APT_BOUND = 900.0


@dataclass(frozen=True)
class Need:
    """A program (or, with a slash, a file) that `package` provides, and its purpose in the lab."""

    what: str
    package: str
    purpose: str
    rootless: bool = False


NEEDS = (
    Need("qemu-system-x86_64", "qemu-system-x86", "runs the machines"),
    Need("qemu-img", "qemu-utils", "makes each machine's own disk"),
    Need("mmdebstrap", "mmdebstrap", "brings the machines' packages"),
    Need("mke2fs", "e2fsprogs", "writes the machines' disk"),
    Need("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring", "proves the packages"),
    Need("newuidmap", "uidmap", "builds the disk without root", rootless=True),
    Need("unshare", "util-linux", "builds the disk without root", rootless=True),
)


def is_installed(need: Need) -> str:
    """Return the path of the program or file; empty when it is missing."""
    if need.what.startswith("/"):
        return need.what if Path(need.what).exists() else ""
    return shutil.which(need.what, path=search_path()) or ""


def needed_programs() -> tuple[Need, ...]:
    """Return the programs that this user needs on this machine; root needs no user mapping."""
    return tuple(need for need in NEEDS if not (need.rootless and os.geteuid() == 0))


def missing_programs() -> tuple[Need, ...]:
    """Return the needed programs that are missing."""
    return tuple(need for need in needed_programs() if not is_installed(need))


def install_commands(lacking: Sequence[Need]) -> tuple[tuple[str, ...], ...]:
    """Return the commands that install `lacking`; without root they use sudo."""
    packages = sorted({need.package for need in lacking})
    before = () if os.geteuid() == 0 else ("sudo",)
    return (
        (*before, "apt-get", "update"),
        (*before, "apt-get", "install", "-y", "--no-install-recommends", *packages),
    )


UNMAPPED = "you have no range of mapped users in /etc/subuid and /etc/subgid"


def has_mapped_users(files: Sequence[Path] = (Path("/etc/subuid"), Path("/etc/subgid"))) -> bool:
    """Return whether the user has mapped users. Without root, the disk's file owners are made in a user namespace,
    whose IDs these files grant."""
    if os.geteuid() == 0:
        return True
    return all(_first_fields(file) & {user_name(), str(os.getuid())} for file in files)


def _first_fields(file: Path) -> set[str]:
    try:
        return {line.split(":")[0] for line in file.read_text().splitlines()}
    except OSError:
        return set()


def mapping_command() -> str:
    """Return the command that grants a range of mapped users."""
    return f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user_name()}"


def user_name() -> str:
    """Return the user's name, or the user ID when there is no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def require(consent: Consent, say: Callable[[str], None]) -> None:
    """Install what is missing, after `consent`. Raises MissingError when that is not possible or not allowed."""
    if (system := f"{platform.system()} {platform.machine()}") != "Linux x86_64":
        raise MissingError(
            f"the machines need Linux on x86_64, and this is {system}",
            remedy="use the recordings: swarmlab replay",
        )
    if lacking := missing_programs():
        _install(lacking, consent, say)
    if not has_mapped_users():
        raise MissingError(f"{UNMAPPED}; without root the machines' disk needs one", remedy=mapping_command())


def _install(lacking: Sequence[Need], consent: Consent, say: Callable[[str], None]) -> None:
    names = ", ".join(sorted({need.package for need in lacking}))
    lines = [" ".join(command) for command in install_commands(lacking)]
    remedy = " && ".join(lines)
    if shutil.which("apt-get", path=paths.search_path()) is None:
        raise MissingError(
            f"these are missing: {', '.join(n.what for n in lacking)}; the lab can install them only with apt",
            remedy=f"install what Debian calls {names}",
        )
    if os.geteuid() != 0 and shutil.which("sudo", path=paths.search_path()) is None:
        raise MissingError(f"these Debian packages are missing: {names}", remedy=f"as root: {remedy}")
    if not consent(lines):
        raise MissingError(f"these Debian packages are missing: {names}", remedy=remedy)
    log = paths.make(paths.cache()) / "apt.log"
    try:
        for command in install_commands(lacking):
            say(f"running {' '.join(command)}")
            # sudo asks for a password at the terminal, so it stays attached.
            process.run_program(command, log=log, bound=_APT_BOUND, attached=True)
    except CommandError as error:
        raise MissingError(
            f"these Debian packages could not be installed: {names}; the output is in {log}", remedy=remedy
        ) from error
    if still := missing_programs():
        raise MissingError(f"still missing after the installation: {', '.join(n.what for n in still)}")
