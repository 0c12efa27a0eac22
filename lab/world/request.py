"""A request to a published port, as a value: what is sent, and under which name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Request:
    """A request to a published port. With a `host`, it is sent under that name (Host, and SNI in TLS). `login`: ""
    none, right the password given with it, wrong another one. tcp: sends the line `says`, if any, and reads a line
    back."""

    port: int
    path: str = "/"
    host: str = ""
    protocol: Literal["http", "https", "tcp"] = "http"
    login: Literal["", "right", "wrong"] = ""
    says: str = ""
