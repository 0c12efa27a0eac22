"""Tapes from strangers: whatever stands in them, reading one ends in a sentence, and costs what a tape may cost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.errors import InputError
from lab.session.tapes import tapes
from lab.tape import bounds
from lab.tape.bounds import beyond
from lab.tape.tape import load

HEADER = {"swarmlab": 1, "title": "t", "lesson": "l", "recorded": "2026-01-02T03:04:05Z"}
LINK = '{"at":1,"kind":"link","state":"live"}'


def write(folder: Path, *lines: str, header: dict[str, Any] | None = None) -> Path:
    path = folder / "x.tape"
    path.write_text("\n".join([json.dumps(header or HEADER), *lines, json.dumps({"end": len(lines)})]) + "\n")
    return path


HUGE = "1" + "0" * 400
WRONG = {
    "a time of 400 digits": (f'{{"at":{HUGE},"kind":"act","action":"x"}}', "'at' is not between 0 and 1e"),
    "a time that a float just holds": ('{"at":1e308,"kind":"act","action":"x"}', "'at' is not between"),
    "no number": ('{"at":NaN,"kind":"act","action":"x"}', "'at' is not between"),
    "a load for ever": ('{"at":1,"kind":"load","running":true,"rate":1,"target":"t","seconds":Infinity}', "'seconds'"),
    "a load before its time": (
        '{"at":1,"kind":"load","running":true,"rate":1,"target":"t","counts":[1,-3]}',
        "'counts' is below 0",
    ),
    "a failure in the future": (
        '{"at":1,"kind":"load","running":true,"rate":1,"target":"t","failures":[{"ago":-1e999,"node":"n","status":0,'
        '"error":"","ms":1}]}',
        "'ago' is not between",
    ),
    "a date after the last year": (
        '{"at":1,"kind":"certificate","host":"h","node":"n","verdict":"good","now":1e12}',
        "'now' is not between",
    ),
    "an engine's clock": ('{"at":1,"kind":"event","node":"n","type":"t","action":"a","id":"i","clock":-5}', "below 0"),
    "half a character": ('{"at":1,"kind":"act","action":"\\ud800"}', "'action' holds half of a character"),
    "half a character as a key": ('{"at":1,"kind":"act","action":"x","\\udfff":1}', "'key' holds half"),
    "a name without an end": ('{"at":1,"kind":"capture","name":"%s","value":""}' % ("n" * 301), "'name' is longer"),
    "a text without an end": ('{"at":1,"kind":"output","node":"n","text":"%s"}' % ("x" * 300_001), "'text' is longer"),
    "too deep": ('{"at":1,"kind":"act","action":%s}' % ("[" * 30 + "]" * 30), "nested more than"),
    "too many values": (
        '{{"at":1,"kind":"traffic","rows":[{}]}}'.format(",".join(["{}"] * 100_001)),
        "more than 100000",
    ),
}


@pytest.mark.parametrize(("line", "why"), WRONG.values(), ids=WRONG)
def test_what_is_out_of_bounds_is_told_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    path = write(tmp_path, LINK, line)
    with pytest.raises(InputError, match="the line is out of bounds: ") as caught:
        load(path)
    assert caught.value.line == 3
    assert why in caught.value.reason


def test_a_header_keeps_to_the_bounds_too(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'title' is longer"):
        load(write(tmp_path, LINK, header={**HEADER, "title": "t" * 400}))


def test_a_tape_has_a_most_of_bytes_a_line_and_of_entries(tmp_path: Path) -> None:
    path = write(tmp_path, *[LINK] * (bounds.ENTRIES + 1))
    with pytest.raises(InputError, match="at most 50000 entries") as caught:
        load(path)
    assert caught.value.line == bounds.ENTRIES + 2
    assert len(load(write(tmp_path, *[LINK] * 2000)).entries) == 2000
    with pytest.raises(InputError, match="line has at most 1 MB") as caught:
        load(write(tmp_path, LINK, "x" * (bounds.LINE + 1)))
    assert caught.value.line == 3
    full = '{"at":1,"kind":"act","action":"x"}' + " " * (bounds.LINE - 100)
    with pytest.raises(InputError, match="at most 8 MB"):
        load(write(tmp_path, *[full] * 9))


def test_signals_are_statuses_below_zero_and_nothing_else_is() -> None:
    assert beyond({"kind": "exit", "status": -9, "seconds": 1.5}) == ""
    assert beyond({"kind": "event", "exit": -1}) == ""
    assert beyond({"kind": "exit", "status": 0, "seconds": -1.5}) == "'seconds' is below 0"


def test_no_recording_is_near_the_bounds() -> None:
    for path in tapes().values():
        assert path.stat().st_size < bounds.FILE / 8
        assert max(map(len, path.read_bytes().splitlines())) < bounds.LINE / 8


def test_a_tape_at_its_bounds_costs_no_more_memory_than_a_browser_tab(tmp_path: Path) -> None:
    """Errors do not multiply what a line holds: 22 GB it was for a line of 60 MB."""
    path = write(tmp_path, '{{"at":1,"kind":"traffic","rows":[{}]}}'.format(",".join(["{}"] * 99_000)))
    program = (
        "import pathlib, resource, sys\nfrom lab.errors import InputError\nfrom lab.tape.tape import load\n"
        "try:\n    load(pathlib.Path(sys.argv[1]))\nexcept InputError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 400
