"""What a tape may cost: no file that is read takes a machine's memory, whatever stands in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from lab.tape.tape import LARGEST, LONGEST_LINE, MOST

HEAD = '{"swarmlab":1,"title":"t","lesson":"l","recorded":"2026-01-01T00:00:00Z"}'
MOST_MEMORY = 400 * 1024
"""kB, of which the interpreter and its libraries take some 60."""

# A process's `ru_maxrss` begins with that of the one that started it.
READ = """
import re, sys
from pathlib import Path
from lab.errors import InputError
from lab.tape.tape import check_tape, load
try:
    print(len({how}(Path(sys.argv[1])).entries))
except InputError as error:
    print(error.reason)
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def tape(path: Path, lines: Iterable[str], count: int) -> Path:
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in (HEAD, *lines, json.dumps({"end": count})))
    return path


def read(path: Path, how: str = "check_tape") -> tuple[str, int]:
    """What reading says, and the most memory that it took, in kB."""
    done = subprocess.run(
        [sys.executable, "-c", READ.format(how=how), str(path)], capture_output=True, text=True, check=True
    )
    said, memory = done.stdout.splitlines()
    return said, int(memory)


@pytest.mark.costly
def test_a_million_nothings_in_one_entry(tmp_path: Path) -> None:
    said, memory = read(tape(tmp_path / "a.tape", ['{"at":0,"kind":"traffic","rows":[' + "{}," * 10**6 + "{}]}"], 1))
    assert "at most 1,024 kB" in said
    assert memory < MOST_MEMORY


@pytest.mark.costly
@pytest.mark.parametrize("inside", ["{}", "[]", "0", '""'])
def test_a_line_as_long_as_it_may_be_full_of_what_is_wrong(tmp_path: Path, inside: str) -> None:
    rows = ",".join([inside] * 9_999)
    names = ",".join(f'"n{i}":0' for i in range(9_999))
    node = f'{{"id":"a","name":"a","role":"a","state":"a","labels":{{{names}}}}}'
    line = f'{{"at":0,"kind":"swarm","by":"a","tasks":[{rows}],"named":[{rows}],"gone":[{rows}],"nodes":[{node}'
    line += f",{node}" * ((LONGEST_LINE - len(line) - 10) // (len(node) + 1)) + "]}"
    said, memory = read(tape(tmp_path / "a.tape", [line], 1))
    assert "the line is damaged" in said
    assert memory < MOST_MEMORY


@pytest.mark.costly
def test_a_good_tape_at_every_bound(tmp_path: Path) -> None:
    short = ('{"at":0,"kind":"act","action":""}' for _ in range(MOST))
    said, memory = read(tape(tmp_path / "short.tape", short, MOST), "load")
    assert said == str(MOST) and memory < MOST_MEMORY
    line = '{"at":0,"kind":"traffic","rows":[' + ",".join(['{"name":"ab"}'] * 9_999) + "]}"
    many = LARGEST // (len(line) + 2)
    said, memory = read(tape(tmp_path / "long.tape", [line] * many, many))
    assert said == str(many) and memory < MOST_MEMORY


@pytest.mark.costly
def test_one_entry_too_many(tmp_path: Path) -> None:
    short = ('{"at":0,"kind":"act","action":""}' for _ in range(MOST + 1))
    assert (
        read(tape(tmp_path / "a.tape", short, MOST + 1))[0] == "a tape has at most 200,000 entries; this one has more"
    )
