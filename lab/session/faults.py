"""What a fault is called where it is told."""

from __future__ import annotations

from collections.abc import Mapping

FAULTS: Mapping[str, str] = {
    "stop": "the lab powered {} off",
    "start": "the lab powered {} on",
    "cut": "the lab took {} off the nodes' network",
    "heal": "the lab put {} back on the nodes' network",
}
"""By a lesson's word for it; `{}` is the node's name."""
