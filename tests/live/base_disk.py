"""Makes the machines' base disk, which the live tests need, while the other tests run.

What goes wrong is told; the live tests' own `swarmlab up` makes the disk then, or fails with the reason.
"""

from __future__ import annotations

import sys
import time

from lab.cluster.vm.build import disk_cache
from lab.errors import LabError


def main() -> int:
    """Make the disk, or find it."""
    began = time.monotonic()
    try:
        name = disk_cache.ensure_disk(lambda _: None)
    except LabError as error:
        print(f"the machines' base disk could not be made: {error}", file=sys.stderr)
        return 1
    print(f"the machines' base disk is ready after {time.monotonic() - began:.0f} s: {name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
