"""The settings of the stacks at the edge: Pebble unless Let's Encrypt is asked for, and keys that are made once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import bcrypt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lab.cluster import edge_settings
from lab.cluster.model import Cluster, Images
from lab.engine.endpoint import Endpoint
from lab.errors import InputError, LabError

OWN = {"SWARMLAB_DOMAIN": "labs.example.org", "SWARMLAB_EMAIL": "me@example.org"}


@dataclass
class Some:
    """As much of a cluster as is asked."""

    name: str = "default"
    images: Images = "packages"
    dns_port: int = 20053
    published: dict[int, tuple[str, int]] = field(
        default_factory=lambda: {80: ("127.0.0.1", 20080), 443: ("127.0.0.1", 20443)}
    )

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (Endpoint("node1", "manager", "tcp://127.0.0.1:1", published=self.published),)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))


def of(environment: dict[str, str] | None = None, **more: object) -> edge_settings.EdgeSettings:
    return edge_settings.read_settings(cast(Cluster, Some(**more)), environment or {})  # type: ignore[arg-type]


def test_by_default_pebble_under_localhost() -> None:
    found = of()
    assert (found.acme, found.domain, found.directory) == ("pebble", "localhost", "https://pebble:14000/dir")
    ports = {"http_port": "20080", "https_port": "20443", "tcp_port": "9000", "acme_port": "15000", "dns_port": "20053"}
    assert found.given == {"domain": "localhost", **ports}
    assert of({"SWARMLAB_ACME": "", "SWARMLAB_DOMAIN": ""}).domain == "localhost", "an empty setting is none"


def test_the_variables_of_the_stack_files() -> None:
    found = of()
    assert found.variables == {
        "DOMAIN": "localhost",
        "HTTPS": ":20443",
        "ACME_SERVER": "https://pebble:14000/dir",
        "ACME_EMAIL": "admin@example.org",
        "ACME_HOURS": "1",
        "ACME_CA_FILE": "/acme-ca.pem",
        "ACME_DIR": str(found.folder),
        "EDGE_USER": "admin",
        "EDGE_PASSWORD": found.password,
        "EDGE_USERS": found.users,
    }
    assert found.login == ("admin", found.password)
    assert of(published={80: ("10.0.0.1", 80), 443: ("10.0.0.1", 443)}).variables["HTTPS"] == "websecure"
    ports = {"http_port": "80", "https_port": "443", "tcp_port": "9000", "acme_port": "15000", "dns_port": "20053"}
    assert of(published={}).given == {"domain": "localhost", **ports}


@pytest.mark.parametrize("acme", ["staging", "production"])
def test_lets_encrypt_needs_a_domain_and_a_mail_address_of_ones_own(acme: str) -> None:
    for missing in OWN:
        given = {"SWARMLAB_ACME": acme, **{name: value for name, value in OWN.items() if name != missing}}
        with pytest.raises(InputError, match=f"SWARMLAB_ACME={acme} needs a domain of your own and a mail") as caught:
            of(given)
        assert "export SWARMLAB_DOMAIN" in str(caught.value)
    found = of({"SWARMLAB_ACME": acme, **OWN})
    assert (found.domain, found.email) == ("labs.example.org", "me@example.org")
    assert found.directory.startswith("https://acme-")
    assert ("staging" in found.directory) is (acme == "staging")
    assert found.variables["HTTPS"] == "websecure", "a cluster on the Internet is asked at 443"
    assert found.variables["ACME_HOURS"] == "2160"
    assert found.variables["ACME_CA_FILE"] == "", "its certificate is of a public CA"
    assert found.given["https_port"] == "443"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SWARMLAB_ACME": "letsencrypt"}, "SWARMLAB_ACME is 'letsencrypt'; it is one of pebble, staging, production"),
        ({"SWARMLAB_DOMAIN": "Not a domain"}, "SWARMLAB_DOMAIN is 'Not a domain', which is not a valid domain name"),
        ({"SWARMLAB_DOMAIN": "a..b"}, "which is not a valid domain name"),
        ({"SWARMLAB_DOMAIN": "a`) || Host(`b"}, "which is not a valid domain name"),
    ],
)
def test_a_setting_that_makes_no_sense(environment: dict[str, str], said: str) -> None:
    with pytest.raises(LabError) as caught:
        of(environment)
    assert isinstance(caught.value, InputError)
    assert said in str(caught.value)


def test_keys_and_password_are_made_once_and_are_private() -> None:
    first = of()
    files = {path.name: path for path in first.folder.iterdir()}
    assert set(files) == {"ca.pem", "cert.pem", "key.pem", "password", "users"}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert first.folder.stat().st_mode & 0o077 == 0
    before = {name: path.read_bytes() for name, path in files.items()}
    again = of({"SWARMLAB_DOMAIN": "example.org"})
    assert {name: path.read_bytes() for name, path in files.items()} == before
    assert again.password == first.password
    assert len(first.password) >= 12
    other = of(name="other")
    assert other.password != first.password
    assert other.folder != first.folder


def test_the_certificate_is_for_pebbles_name_and_of_its_authority() -> None:
    folder = of().folder
    shown = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    shown.verify_directly_issued_by(authority)
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "pebble" in names.get_values_for_type(x509.DNSName)
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    public = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert key.public_key().public_bytes(*public) == shown.public_key().public_bytes(*public)


def test_the_line_of_the_users_file_is_of_the_password() -> None:
    first = of()
    user, _, hashed = first.users.partition(":")
    assert user == edge_settings.USER
    assert bcrypt.checkpw(first.password.encode(), hashed.encode())
    (first.folder / "password").write_text("another\n")
    (first.folder / "users").unlink()
    assert bcrypt.checkpw(b"another", of().users.partition(":")[2].encode())


def test_a_line_of_a_users_file() -> None:
    line = edge_settings.users_line(("admin", "a password"))
    user, _, hashed = line.decode().rstrip("\n").partition(":")
    assert user == "admin"
    assert bcrypt.checkpw(b"a password", hashed.encode())
    assert not bcrypt.checkpw(b"another", hashed.encode())
    assert line.endswith(b"\n")
