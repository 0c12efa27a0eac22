"""`python -m tests.doubles.on_plain_terminal HOW [ARGUMENTS]`: `swarmlab --plain` with a stage of the tests.

model: a model of a swarm · slow: recordings at their own pace · held: steps that wait until they are stopped.
"""

from __future__ import annotations

import sys

import lab.cli
import lab.cli.plain
from lab.session import Stage


def stage(how: str) -> Stage:
    """The stage that is asked for; what the others need is slow to load."""
    if how == "held":
        from tests.tui.fake import FakeStage

        return FakeStage(hold=2)
    if how == "slow":
        from lab.session.replay import ReplayStage

        return ReplayStage()
    from tests.doubles.stage import ModelStage

    return ModelStage()


def main(how: str, *arguments: str) -> int:
    """Run it as the command line runs it."""
    lab.cli.plain.open_stage = lambda *_: stage(how)
    sys.argv[1:] = ["--plain", *arguments]
    return lab.cli.main()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
