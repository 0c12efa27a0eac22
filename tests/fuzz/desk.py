"""A private place for what the lab keeps and writes, and the command line as it is called there."""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import paths
from lab.cli import main
from lab.cli.boundary import UNEXPECTED
from tests.fuzz.surface import Broken, readable

_FRAME = re.compile(r'File ".*?/(lab/[^"]+)", line (\d+), in (\S+)')


@contextmanager
def private_place() -> Iterator[Path]:
    """Work in an empty folder, with a home, a state and a cache of its own."""
    with tempfile.TemporaryDirectory(prefix="swarmlab-fuzz-") as name:
        folder = Path(name).resolve()
        before = dict(os.environ)
        for variable, inner in (("HOME", "home"), ("SWARMLAB_STATE", "state"), ("SWARMLAB_CACHE", "cache")):
            (folder / inner).mkdir(mode=0o700)
            os.environ[variable] = str(folder / inner)
        for variable in ("SWARMLAB_NAME", "SWARMLAB_DOMAIN", "SWARMLAB_ACME", "SWARMLAB_EMAIL"):
            os.environ.pop(variable, None)
        (folder / "work").mkdir()
        try:
            with chdir(folder / "work"):
                yield folder
        finally:
            os.environ.clear()
            os.environ.update(before)


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


def called(*argv: str) -> Said:
    """Call the command line with no terminal around it. Its words must be readable, and nothing unforeseen."""
    out, err = _stream(), _stream()
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), out, err
    try:
        code = main(list(argv))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
    said = Said(code, _text(out), _text(err))
    command = next((word for word in argv if not word.startswith("-")), "no command")
    if UNEXPECTED in said.err:
        raise Broken(_unforeseen(said.err), f"{argv!a}: {said.err!a}")
    if "Traceback" in said.err:
        raise Broken(f"a traceback of `{command}`", said.err[-2000:])
    readable(said.out, f"what `{command}` prints")
    readable(said.err, f"what `{command}` says on standard error")
    return said


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "surrogatepass")


def _unforeseen(said: str) -> str:
    """The kind of what the command line's boundary had to catch: the error, and where the kept traceback ends in the
    lab."""
    name = re.search(rf"{UNEXPECTED}: (\w+)", said)
    log = paths.state() / "error.log"
    frames = _FRAME.findall(log.read_text(encoding="utf-8", errors="replace")) if log.is_file() else []
    where = "{}:{} {}".format(*frames[-1]) if frames else "an unknown place"
    return f"{name[1] if name else 'an error'} in {where}"


def held(argv: Sequence[str], codes: Sequence[int]) -> Said:
    """Call a command; its exit code must be one of these."""
    said = called(*argv)
    if said.code not in codes:
        raise Broken(f"`{argv[0]}` ends with {said.code}", f"{argv!a}: {said.out[-300:]!a} {said.err[-300:]!a}")
    if said.code and not (said.out + said.err).strip():
        raise Broken(f"`{argv[0]}` ends with {said.code} and says nothing", f"{argv!a}")
    return said
