"""Settings of the edge stacks: who issues the certificates, under which domain, and the dashboard's login.

The defaults suit a cluster that the Internet cannot reach: names under `.localhost`, which browsers resolve to this
machine (RFC 6761; Safari asks the system's resolver), and certificates from Pebble. SWARMLAB_ACME, with the domain and
email address that it requires, switches to Let's Encrypt; nothing in the stacks changes:

    SWARMLAB_ACME=staging|production  SWARMLAB_DOMAIN=example.org  SWARMLAB_EMAIL=me@example.org
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import paths
from lab.cluster import pki
from lab.cluster.model import Cluster, Images
from lab.errors import InputError
from lab.files import write_private

USER = "admin"
DIRECTORIES: Mapping[str, str] = {
    "pebble": "https://pebble:14000/dir",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "production": "https://acme-v02.api.letsencrypt.org/directory",
}
"""The ACME directories of Pebble (stacks/acme.yaml) and of Let's Encrypt."""

_HOURS: Mapping[str, str] = {"pebble": "1", "staging": "2160", "production": "2160"}
"""The lifetime of the authority's certificates, in hours; Traefik derives the renewal time from it."""

OFFICIAL: Mapping[str, str] = {"PEBBLE_IMAGE": "ghcr.io/letsencrypt/pebble:2.6.0"}
"""The images whose name in a registry differs from the one in the cluster's own store; official images have the
same."""


@dataclass(frozen=True)
class EdgeSettings:
    """The settings of the edge stacks. `password` belongs to USER, and `users` is the line of a users file for both;
    `directory` is the ACME server's directory URL; `folder` holds Pebble's own keys and the CA that issued them."""

    domain: str
    acme: str
    email: str
    directory: str
    folder: Path
    password: str
    users: str
    http_port: int
    https_port: int
    tcp_port: int
    acme_port: int
    dns_port: int
    images: Images = "packages"

    @property
    def login(self) -> tuple[str, str]:
        """User and password of the dashboard and the visualizer."""
        return USER, self.password

    @property
    def given(self) -> dict[str, str]:
        """The values that every lesson's texts may use (`lab.schema.template.GIVEN`)."""
        names = ("http_port", "https_port", "tcp_port", "acme_port", "dns_port")
        ports = {name: str(getattr(self, name)) for name in names}
        return {"domain": self.domain, **ports}

    @property
    def variables(self) -> dict[str, str]:
        """The shell variables that the stack files use."""
        return {
            "DOMAIN": self.domain,
            # The mesh's port 443 has another number on this machine; a cluster on the Internet has 443 itself.
            "HTTPS": f":{self.https_port}" if self.https_port != 443 else "websecure",
            "ACME_SERVER": self.directory,
            "ACME_EMAIL": self.email,
            "ACME_HOURS": _HOURS[self.acme],
            # Where stacks/edge.pebble.yaml puts the CA of Pebble's own server.
            "ACME_CA_FILE": "/acme-ca.pem" if self.acme == "pebble" else "",
            "ACME_DIR": str(self.folder),
            "EDGE_USER": USER,
            "EDGE_PASSWORD": self.password,
            "EDGE_USERS": self.users,
            **(OFFICIAL if self.images == "official" else {}),
        }


def read_settings(cluster: Cluster, environment: Mapping[str, str] = os.environ) -> EdgeSettings:
    """Return a cluster's settings. The first call makes the keys and the password and keeps them in the cluster's
    private folder. Raises InputError for an invalid setting."""
    acme = environment.get("SWARMLAB_ACME") or "pebble"
    if acme not in DIRECTORIES:
        raise InputError(f"SWARMLAB_ACME is {acme!r}; it is one of {', '.join(DIRECTORIES)}")
    domain = environment.get("SWARMLAB_DOMAIN") or "localhost"
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", domain):
        raise InputError(
            f"SWARMLAB_DOMAIN is {domain!r}, which is not a valid domain name", remedy="such as labs.example.org"
        )
    email = environment.get("SWARMLAB_EMAIL") or "admin@example.org"
    if acme != "pebble" and not (environment.get("SWARMLAB_DOMAIN") and environment.get("SWARMLAB_EMAIL")):
        raise InputError(
            f"SWARMLAB_ACME={acme} needs a domain of your own and a mail address",
            remedy="export SWARMLAB_DOMAIN=labs.example.org SWARMLAB_EMAIL=you@example.org",
        )
    folder = paths.state(cluster.name) / "cluster" / "edge"
    _make(folder)
    published = cluster.endpoints()[0].published
    return EdgeSettings(
        domain=domain,
        acme=acme,
        email=email,
        directory=DIRECTORIES[acme],
        folder=folder,
        password=_read_word(folder / "password"),
        users=_read_word(folder / "users"),
        http_port=published.get(80, ("", 80))[1],
        https_port=published.get(443, ("", 443))[1] if acme == "pebble" else 443,
        tcp_port=published.get(9000, ("", 9000))[1],
        acme_port=published.get(15000, ("", 15000))[1],
        dns_port=cluster.dns_port,
        images=cluster.images,
    )


def _make(folder: Path) -> None:
    if not all(_is_pem(folder / name) for name in ("ca.pem", "cert.pem", "key.pem")):
        keys = pki.make_keys("pebble", [("pebble", "127.0.0.1")])
        write_private(folder / "ca.pem", keys.authority)
        write_private(folder / "cert.pem", keys.servers["pebble"].certificate)
        write_private(folder / "key.pem", keys.servers["pebble"].key)
    if not _read_word(folder / "password"):
        write_private(folder / "password", f"{secrets.token_urlsafe(9)}\n".encode())
        (folder / "users").unlink(missing_ok=True)
    if not _read_word(folder / "users"):
        write_private(folder / "users", users_line((USER, _read_word(folder / "password"))))


def _read_word(path: Path) -> str:
    """Return the file's one line; "" when there is none, or none that can be typed."""
    try:
        found = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return found if found.isprintable() else ""


def _is_pem(path: Path) -> bool:
    try:
        return path.read_bytes().startswith(b"-----BEGIN ")
    except OSError:
        return False


def users_line(login: tuple[str, str]) -> bytes:
    """Return a line of a users file for basic authentication, hashed with bcrypt at the lowest cost: an emulated
    processor checks it on every request."""
    import bcrypt  # slow to import: only a reset hashes a password

    user, password = login
    return f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4)).decode()}\n".encode()
