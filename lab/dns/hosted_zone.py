"""Where a zone is served from: by the lab itself (`local_zone`), or by Amazon's Route 53 (`route53`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lab.dns.zone import Zone


class HostedZone(Protocol):
    """A place that serves a zone, and answers only with the records of nodes that are healthy."""

    def publish(self, zone: Zone) -> None:
        """Serve this zone from now on, in place of what was published before. Idempotent. Raises LabError."""

    def health(self) -> Mapping[str, bool]:
        """Return whether each published node is healthy. Raises LabError."""

    def withdraw(self) -> None:
        """Remove what was published. Idempotent. Raises LabError."""
