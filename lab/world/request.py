"""A request to a published port, as a value: what is sent, and under which name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Request:
    """What to send to a published port. With a `host` it bears that name (Host, and SNI in TLS). `login`: "" none,
    right the password given with it, wrong another one. tcp: a line that `says` something, and a line back."""

    port: int
    path: str = "/"
    host: str = ""
    protocol: Literal["http", "https", "tcp"] = "http"
    login: Literal["", "right", "wrong"] = ""
    says: str = ""
