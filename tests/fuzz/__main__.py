"""`python -m tests.fuzz`: a long run. It ends with 1 when something was found, and says how each find is repeated."""

from __future__ import annotations

import argparse
import resource
import secrets
import sys
from pathlib import Path

from tests.fuzz import run
from tests.fuzz.surfaces import SURFACES

#: As much address space as the run may take, bytes: an input that wants all of the machine's memory must not get it.
MOST = 6 * 2**30


def main(argv: list[str] | None = None) -> int:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, allow_abbrev=False)
    parser.add_argument("--inputs", type=int, default=20_000, metavar="N", help="over all surfaces (default 20,000)")
    parser.add_argument("--seed", default="", help="draw what a run of this seed drew; a new one when left out")
    parser.add_argument(
        "--surface", action="append", choices=[s.name for s in SURFACES], help="only this; may be repeated"
    )
    parser.add_argument("--input", type=Path, metavar="FILE", help="try one input that was kept")
    args = parser.parse_args(argv)
    resource.setrlimit(resource.RLIMIT_AS, (MOST, resource.getrlimit(resource.RLIMIT_AS)[1]))
    if args.input:
        return run.again(args.input, SURFACES, _say)
    seed = args.seed or secrets.token_hex(4)
    chosen = tuple(s for s in SURFACES if not args.surface or s.name in args.surface)
    names = "".join(f" --surface {name}" for name in args.surface or ())
    _say(f"seed {seed}; the same run again: {sys.executable} -m tests.fuzz --seed {seed} --inputs {args.inputs}{names}")
    results: list[run.Tried] = []
    try:
        for surface in chosen:
            results.append(run.over(surface, seed, run.shares(chosen, args.inputs)[surface.name], _say))
    except KeyboardInterrupt:
        print(run.report(results))
        return 130
    print(run.report(results))
    return 1 if any(one.finds for one in results) else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
