"""Route 53's rules for the health of an endpoint, as a state machine over its checks.

An endpoint counts as healthy until there is enough data; three checks in a row that say otherwise change its state, in
both directions. Sources: docs.aws.amazon.com/Route53/latest/DeveloperGuide, "How Amazon Route 53 determines whether a
health check is healthy", and the API's HealthCheckConfig (FailureThreshold, RequestInterval). Route 53 asks from many
places and adds up what they say; this is one of those places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

THRESHOLD = 3
"""How many checks in a row change the state: Route 53's default."""

INTERVALS = (10, 30)
"""Seconds between two checks that Route 53 offers: fast, and its default."""

MOST_ANSWERS = 8
"""The most records in one answer (multivalue answer routing)."""

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Health:
    """The state of one endpoint. `against` is the number of checks in a row, so far, that contradict it."""

    healthy: bool = True
    against: int = 0

    def after(self, passed: bool, threshold: int = THRESHOLD) -> Health:
        """Return the health after one more check."""
        if passed == self.healthy:
            return replace(self, against=0) if self.against else self
        against = self.against + 1
        return Health(passed) if against >= threshold else replace(self, against=against)


def answering(records: Sequence[tuple[str, _R]], health: Mapping[str, Health]) -> tuple[_R, ...]:
    """Return the records that may be answered, of pairs of an endpoint and its record: those of healthy endpoints, or
    all when none is healthy (fail open). An endpoint without a check is healthy."""
    healthy = tuple(record for endpoint, record in records if health.get(endpoint, Health()).healthy)
    return healthy or tuple(record for _, record in records)
