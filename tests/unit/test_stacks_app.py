"""What the application's files promise each other."""

from __future__ import annotations

import re

from lab import paths


def test_a_replica_that_is_asked_to_stop_is_not_killed_while_it_still_answers() -> None:
    """It answers on until every node has heard of it; on busy nodes five seconds were too few (a request got 502)."""
    duck = re.search(r"LAME_DUCK_MS = (\d+)", (paths.stacks() / "images" / "backend" / "server.js").read_text())
    grace = re.search(r"stop_grace_period: (\d+)s", (paths.stacks() / "app.yaml").read_text())
    assert duck and grace
    assert 10_000 <= int(duck[1]) <= 1000 * (int(grace[1]) - 10)
