"""What is told of a tape: as text, as a cast, as a guide."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tape.render import cast, markdown
from lab.tape.tape import Header, Tape
from lab.tape.transcript import Transcript, format_clock, trim_output
from lab.world.entries import (
    Captured,
    Checked,
    CommandBegan,
    CommandEnded,
    Entry,
    Fact,
    Hit,
    LessonOpened,
    ManagerLink,
    Printed,
    StepMoved,
)
from tests.builders import crash
from tests.strategies import entries
from tests.transcripts import write_transcript

HEADER = Header(
    title="Reconciliation *live*",
    lesson="reconciliation",
    recorded=datetime(2026, 11, 22, 10, 0, 0, 900_000, tzinfo=UTC),
    provider="vm",
    acceleration="tcg",
    nodes=4,
    columns=90,
    rows=20,
)
TAPE = Tape(HEADER, crash())

STORY = """
LESSON reconciliation
═════════════════════

── crash ───────────────────────────────────────────────────────────────────────
  ✘ before: a task of web failed (none failed)
    container = c0ffee
  0:01.4  node3 $ docker kill c0ffee
          │ c0ffee
          ╰ exit 0 after 0.4 s
  0:01.9  ! web.3: its container died on node3 (exit 137)
  0:02.0  ! web.3 failed on node3 (exit 137); a new task was assigned to node4
  0:03.5  + web.3 runs on node4 (1.8 s after it was created)
  ✔ a task of web failed (web.3 with exit 137)
  · 2 requests to port 8080 / through node1, node4; 1 answered by web.1, the
    slowest in 12 ms; 1 failed (timed out)
✔ crash passed after 2.7 s
  0:03.8  > the lab powered node4 off

1 of 1 steps passed
  ✔ crash  passed after 2.7 s
"""

GUIDE = """\
# Reconciliation \\*live\\*

Recorded 2026-11-22 10:00 UTC, on 4 nodes, vm (tcg).

## 1. crash

On `node3`:

```sh
docker kill c0ffee
```

```text
c0ffee
```

What happened, in minutes and seconds since the step began:

- 0:00.9 web.3: its container died on node3 (exit 137)
- 0:01.0 web.3 failed on node3 (exit 137); a new task was assigned to node4
- 0:02.5 web.3 runs on node4 (1.8 s after it was created)

2 requests to port 8080 / through node1, node4; 1 answered by web.1, the slowest in 12 ms; 1 failed (timed out).

- [x] a task of web failed (web.3 with exit 137)

**Passed** after 2.7 s
"""


def read_cast(text: str) -> tuple[dict[str, Any], list[tuple[float, str, str]]]:
    """A reader of asciicast v2 that takes nothing but what its description allows."""
    lines = text.split("\n")
    assert lines.pop() == ""
    header = json.loads(lines[0])
    assert header["version"] == 2
    assert all(type(header[key]) is int and header[key] > 0 for key in ("width", "height"))
    assert type(header.get("timestamp", 0)) is int
    assert set(header) <= {
        "version",
        "width",
        "height",
        "timestamp",
        "duration",
        "idle_time_limit",
        "title",
        "env",
        "theme",
    }
    events = []
    last = 0.0
    for line in lines[1:]:
        at, code, data = json.loads(line)
        assert type(at) in (int, float) and at >= last
        assert code in ("o", "i", "m", "r") and isinstance(data, str)
        last = at
        events.append((at, code, data))
    return header, events


def test_the_story_of_a_crash() -> None:
    assert "\n".join(write_transcript(TAPE.entries)) + "\n" == STORY
    assert all(len(line) <= 80 for line in write_transcript(TAPE.entries))


def test_a_story_told_as_it_happens_is_the_same() -> None:
    teller = Transcript()
    told = [line for entry in TAPE.entries for line in teller.lines(entry)]
    assert [*told, *teller.end()] == list(write_transcript(TAPE.entries))


def test_the_guide_of_a_crash() -> None:
    assert markdown(TAPE) == GUIDE


def test_a_guide_of_an_interrupted_recording_says_so() -> None:
    assert "it is not the whole lesson" in markdown(Tape(HEADER, crash(), finished=False))


def test_a_cast_is_what_players_read() -> None:
    header, events = read_cast(cast(TAPE))
    assert header == {
        "version": 2,
        "width": 90,
        "height": 20,
        "timestamp": 1795341600,
        "idle_time_limit": 3.0,
        "title": "Reconciliation *live*",
        "env": {"TERM": "xterm-256color", "SHELL": "/bin/bash"},
    }
    assert events == [
        (1.0, "m", "crash"),
        (1.3, "o", "\x1b[1;36mnode3\x1b[0m $ docker kill c0ffee\r\n"),
        (1.8, "o", "c0ffee\r\n"),
    ]


def test_a_cast_shows_the_terminal_that_a_command_is_typed_into() -> None:
    facts: tuple[Fact, ...] = (
        Printed("node1", "1$ "),
        Printed("node2", "2$ "),
        Printed("node1", "ls\x1b]0;ti"),
        CommandBegan(1, "node1", "ls"),
        Printed("node1", "tle\x07 out\r\n\x1b[6n"),
        CommandEnded(1, 0, 0.1, "out"),
        Printed("node1", "1$ "),
        Printed("node2", "ps"),
        CommandBegan(2, "node2", "ps"),
        CommandEnded(2, 0, 0.1),
        Printed("node1", "late"),
    )
    told = tuple(Entry(float(at), fact) for at, fact in enumerate(facts))
    _, events = read_cast(cast(Tape(HEADER, told)))
    assert events == [
        (0.0, "o", "1$ "),
        (2.0, "o", "ls"),
        (4.0, "o", " out\r\n"),
        (6.0, "o", "\x1b[0m\r\n\x1b[2m── node2 ──\x1b[0m\r\n2$ "),
        (7.0, "o", "ps"),
    ]


def test_long_output_is_told_by_its_ends_and_fences_hold() -> None:
    told = (
        Entry(0, LessonOpened("t")),
        Entry(0, StepMoved("t", "s", "begun")),
        Entry(0, CommandBegan(1, "node1", "seq 100 \\\n  | cat", "s")),
        Entry(1, CommandEnded(1, 3, 1.0, "\n".join(["```", *map(str, range(100))]))),
        Entry(2, ManagerLink("stale", "node1", "no answer for 5 s")),
    )
    text = "\n".join(write_transcript(told))
    assert "node1 $ seq 100 \\\n                    | cat" in text
    assert "│ 22\n          │ … 69 more lines …\n          │ 92" in text
    assert "exit 3" in text and "does not answer (stale) no answer for 5 s" in text
    guide = markdown(Tape(HEADER, told))
    assert "\n````text\n```\n0\n" in guide and "\n99\n````\n" in guide and "status 3" in guide


def test_checks_that_do_not_hold_yet_are_told_as_one_and_one_that_does_is_named() -> None:
    def checks(*states: bool) -> list[str]:
        facts = [Checked("t", "s", i, f"it is so {i}", ok, f"it is so {i}", "before") for i, ok in enumerate(states)]
        return list(write_transcript(Entry(0.0, fact) for fact in facts))

    assert checks(False, False) == ["  ✘ before: none of the 2 checks holds"]
    assert checks(False) == ["  ✘ before: it is so 0"]
    assert checks(True, False) == ["  ✔ before: it is so 0", "  ✘ before: it is so 1"]


def test_a_steps_requests_are_told_once_at_its_end_however_much_comes_between() -> None:
    told = [Entry(0.0, StepMoved("mesh", "ask", "begun"))]
    for second in range(1, 31):
        plain = Hit("node1", 8080, "/", 200, f"web.{second % 9}", 9.0)
        named = Hit("node2", 443, "/", 502 if second == 9 else 200, "app.1", 21.0, host="a.localhost", protocol="https")
        told += [Entry(second, plain), Entry(second, named), Entry(second, Printed("node1", "x"))]
    lines = list(write_transcript([*told, Entry(31.0, StepMoved("mesh", "ask", "passed"))]))
    assert [line for line in lines if "request" in line] == [
        "  · 30 requests to port 8080 / through node1; 30 answered by 9 replicas, the",
        "  · 30 requests to https://a.localhost/ through node2; 29 answered by app.1, the",
    ]
    assert "    slowest in 21 ms; 1 with status 502" in lines and lines[-4].startswith("✔ ask passed")


def test_small_words() -> None:
    assert [format_clock(t) for t in (0, 9.96, 59.96, 61.25, 3600)] == [
        "0:00.0",
        "0:10.0",
        "1:00.0",
        "1:01.2",
        "60:00.0",
    ]
    assert trim_output("a\tb\x1b]0;x\x07\nc", 1, 0) == ["a       b", "c"]


@given(entries)
def test_every_tape_can_be_told(told: tuple[Entry, ...]) -> None:
    tape = Tape(HEADER, told)
    for line in write_transcript(told):
        assert "\n" not in line and "\x1b]" not in line
    read_cast(cast(tape))
    assert markdown(tape).startswith("# ")


@pytest.mark.parametrize("finished", [True, False])
def test_an_empty_tape_can_be_told(finished: bool) -> None:
    tape = Tape(HEADER, (), finished)
    assert list(write_transcript(())) == [] and read_cast(cast(tape))[1] == [] and markdown(tape)


def test_a_cast_leaves_the_players_terminal_as_it_was() -> None:
    facts: tuple[Fact, ...] = (
        Printed("node1", "\x1b[?2004h\x1b[?1h\x1b=\x1b[?1000;1006h\x1b[>1u$ "),
        Printed("node1", "\x1b[?1049h\x1b[?25l\x1b[31mred"),
        StepMoved("t", "s", "begun"),
    )
    _, events = read_cast(cast(Tape(HEADER, tuple(Entry(float(at), fact) for at, fact in enumerate(facts)))))
    assert events == [
        (0.0, "o", "$ "),
        (1.0, "o", "\x1b[?1049h\x1b[?25l\x1b[31mred"),
        (2.0, "m", "s"),
        (2.0, "o", "\x1b[?1049l\x1b[?25h\x1b[0m"),
    ]


def test_a_cast_is_ascii_so_that_every_reader_of_lines_sees_one_event_a_line() -> None:
    told = (Entry(0.0, Printed("node1", "a\u2028b\u2029c 日\ud800")),)
    text = cast(Tape(HEADER, told))
    assert text.isascii() and len(text.splitlines()) == 2
    assert read_cast(text)[1] == [(0.0, "o", "a\u2028b\u2029c 日\ufffd")]


EVIL = "\x1b]52;c;eA==\x07\x1b[2J\x9b6n\u202e\ud800\n\r\x08"


def hostile(name: str) -> Tape:
    """A tape in which everything that has a name has this one."""
    facts: tuple[Fact, ...] = (
        LessonOpened(name),
        StepMoved(name, name, "begun", name),
        Checked(name, name, 0, name, False, name, "before"),
        CommandBegan(1, name, name),
        Printed(name, name),
        CommandEnded(1, 1, 1e308, name),
        CommandBegan(2, "node2", name, name),
        CommandEnded(2, 1, -5.0, name),
        Captured(name, name),
        Hit(name, 80, name, 0, name, 1e308, error=name, host=name),
        Hit(name, 80, name, 200, name, 1e308),
        ManagerLink("stale", name, name),
        Checked(name, name, 0, name, True, name, "after"),
        StepMoved(name, name, "failed", name),
    )
    header = HEADER.model_copy(update=dict.fromkeys(("title", "lesson", "provider", "acceleration"), name))
    header = header.model_copy(update={"columns": 10**30, "rows": -4, "recorded": datetime(1, 1, 1)})  # noqa: DTZ001
    return Tape(header, tuple(Entry(at * 1e307, fact) for at, fact in enumerate(facts)))


@pytest.mark.parametrize("name", [EVIL, f"a{EVIL}b", "x" * 90, "日" * 5000, "", " ", "`", "\x1b]", "\x9d" * 10_000])
def test_odd_names_and_numbers_are_told_and_nothing_hides_in_them(name: str) -> None:
    tape = hostile(name)
    for line in write_transcript(tape.entries):
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]", line)
    guide = markdown(tape)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", guide)
    header, events = read_cast(cast(tape))
    said = [header["title"], *(data for _, _, data in events)]
    assert not re.search(r"[\x07\x9b\x9d\ud800-\udfff]|\x1b\]|52;c", "".join(said))


def test_names_are_no_markup_in_a_guide() -> None:
    guide = markdown(hostile("<script>a</script> [x](http://x) &lt; `b` ~~c~~"))
    outside = re.sub(r"(?s)```.*?```|``.*?``", "", guide)
    assert not re.search(r"(?<!\\)<|(?<!\\)\]\(|(?<!\\)&lt|(?<!\\)~", outside)
    assert "On `` <script>a</script> [x](http://x)" in guide


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_has_a_clock(at: float) -> None:
    assert format_clock(at) and len(format_clock(at)) < 20


def test_clocks_of_no_lesson() -> None:
    assert [format_clock(t) for t in (-5, -61.25, 1e308)] == ["-0:05.0", "-1:01.2", "1e+308 s"]
