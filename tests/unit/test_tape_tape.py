"""The tape's file: what is recorded is what is read, and what is no whole tape is told in a sentence."""

from __future__ import annotations

import json
import math
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from lab.errors import InputError, LabError
from lab.tape.codec import LONGEST_TEXT
from lab.tape.tape import LARGEST, Header, Recorder, check_tape, load
from lab.terminal.redact import MASK, Redactor
from lab.world.entries import (
    ActDone,
    CommandBegan,
    CommandEnded,
    Entry,
    Hit,
    LessonOpened,
    LoadReport,
    Printed,
    SwarmChanged,
)
from lab.world.journal import Journal
from lab.world.world import fold_all
from tests.builders import crash, task
from tests.strategies import entries

HEADER = Header(
    title="Reconciliation", lesson="reconciliation", recorded=datetime(2026, 11, 22, 10, 0, tzinfo=UTC), nodes=4
)
JOIN = "SWMTKN-1-3pu6hszjas19xyp7ghgosyx9k8atbfcr8p2is99znpy26u2lkl-1awxwuwd3z9j1z3puu7rcgdbx"


def record(path: Path, told: tuple[Entry, ...], redact: Redactor | None = None) -> Path:
    journal = Journal()
    with Recorder(path, HEADER, journal, redact=redact or Redactor()):
        journal.put_all(told)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries)
@example((Entry(0.0, Printed("node1", "")),))
def test_what_was_recorded_is_what_is_read(tmp_path: Path, told: tuple[Entry, ...]) -> None:
    tape = load(record(tmp_path / "a.tape", told))
    assert tape.header == HEADER and tape.finished
    assert tape.entries == told
    assert fold_all(tape.entries) == fold_all(told)


def test_a_tape_is_lines_of_json_without_what_is_default(tmp_path: Path) -> None:
    lines = record(tmp_path / "a.tape", crash()).read_text().splitlines()
    assert json.loads(lines[0]) == {
        "swarmlab": 1,
        "title": "Reconciliation",
        "lesson": "reconciliation",
        "recorded": "2026-11-22T10:00:00Z",
        "nodes": 4,
    }
    assert lines[1] == '{"at":0.0,"kind":"lesson","lesson":"reconciliation"}'
    assert json.loads(lines[-1]) == {"end": len(crash()), "finished": True}
    assert len(lines) == len(crash()) + 2


def test_a_header_with_what_older_recorders_wrote_is_read(tmp_path: Path) -> None:
    path = record(tmp_path / "a.tape", crash())
    older = '{"swarmlab":1,"digest":"3145a40d2e2ca0e2","engine":"26.1.5",'
    path.write_text(path.read_text().replace('{"swarmlab":1,', older, 1))
    assert load(path).header == HEADER


def test_a_digest_of_a_task_template_keeps_its_name_on_tapes(tmp_path: Path) -> None:
    made = Entry(1.0, SwarmChanged("node1", tasks=(task(1, template_digest="a1"),)))
    path = record(tmp_path / "a.tape", (made,))
    assert json.loads(path.read_text().splitlines()[1])["tasks"][0]["mark"] == "a1"
    assert load(path).entries == (made,)


def test_times_are_kept_to_the_millisecond(tmp_path: Path) -> None:
    tape = load(record(tmp_path / "a.tape", (Entry(1.23456, LessonOpened("a")),)))
    assert tape.entries[0].at == 1.235


def test_in_the_making_it_has_another_name_and_whole_lines(tmp_path: Path) -> None:
    path, journal = tmp_path / "deep" / "a.tape", Journal()
    with Recorder(path, HEADER, journal, redact=Redactor()):
        journal.write(LessonOpened("a"))
        (part,) = path.parent.iterdir()
        assert part.name.startswith("a.tape.") and part.suffix == ".part"
        assert part.read_text().endswith('"lesson":"a"}\n')
        assert not path.exists()
        with pytest.raises(InputError, match="cut off: after 1 entries its end mark is missing"):
            load(part)
    assert load(path).entries[0].fact == LessonOpened("a")
    assert list(path.parent.iterdir()) == [path]
    journal.write(LessonOpened("b"))
    assert len(load(path).entries) == 1


def test_an_interrupted_recording_is_kept_and_marked(tmp_path: Path) -> None:
    path, journal = tmp_path / "a.tape", Journal()
    with pytest.raises(KeyboardInterrupt), Recorder(path, HEADER, journal, redact=Redactor()):
        journal.put_all(crash()[:4])
        raise KeyboardInterrupt
    tape = load(path)
    assert tape.entries == crash()[:4] and not tape.finished


def test_a_tape_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "a.tape"
    with pytest.raises(LabError, match="cannot be written"), Recorder(path, HEADER, Journal(), redact=Redactor()):
        pass


def test_a_full_disk_does_not_end_the_lesson(tmp_path: Path) -> None:
    path, journal, before = tmp_path / "a.tape", Journal(), resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(LabError, match="File too large"), Recorder(path, HEADER, journal, redact=Redactor()):
        resource.setrlimit(resource.RLIMIT_FSIZE, (256, before[1]))
        try:
            for _ in range(10):
                journal.write(LessonOpened("a"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert journal.world.lesson.id == "a"
    assert list(tmp_path.iterdir()) == []


def test_two_recorders_of_one_name_share_no_file_and_follow_no_link(tmp_path: Path) -> None:
    path, journal, mine = tmp_path / "a.tape", Journal(), tmp_path / "mine"
    mine.write_text("as it was")
    path.with_name("a.tape.part").symlink_to(mine)
    path.symlink_to(mine)
    with Recorder(path, HEADER, journal, redact=Redactor()):
        journal.write(LessonOpened("a"))
        with Recorder(path, HEADER, journal, redact=Redactor()):
            journal.write(LessonOpened("b"))
        assert [entry.fact for entry in load(path).entries] == [LessonOpened("b")]
    assert [entry.fact for entry in load(path).entries] == [LessonOpened("a"), LessonOpened("b")]
    assert mine.read_text() == "as it was" and not path.is_symlink()


def test_what_no_reader_would_take_is_left_out_and_the_lesson_goes_on(tmp_path: Path) -> None:
    path, journal = tmp_path / "a.tape", Journal()
    with Recorder(path, HEADER, journal, redact=Redactor()) as recorder:
        journal.write(LessonOpened("a"))
        journal.write(ActDone("\ud800"))
        journal.write(CommandEnded(1, 0, math.inf))
        journal.write(CommandEnded(1, 0, -1.0))
        journal.write(Hit("node1", 10**400, "/", 200, "web.1", 1.0))
        journal.write(Printed("node1", "x" * (LONGEST_TEXT + 1)))
        journal.write(LoadReport(True, math.nan, "x"))
        journal.write(ActDone("the last"))
    assert recorder.left_out == 6
    assert [entry.fact for entry in load(path).entries] == [LessonOpened("a"), ActDone("the last")]


def test_a_recording_never_grows_past_what_is_read(tmp_path: Path) -> None:
    path, journal = tmp_path / "a.tape", Journal()
    with Recorder(path, HEADER, journal, redact=Redactor()) as recorder:
        for _ in range(LARGEST // 200_000 + 5):
            journal.write(Printed("node1", "x" * 200_000))
    assert recorder.left_out
    assert len(load(path).entries) == recorder.count


def test_no_secret_reaches_a_tape(tmp_path: Path) -> None:
    told = (
        Entry(0.0, CommandBegan(1, "node1", f"docker swarm join --token {JOIN} a:2377")),
        Entry(0.1, Printed("node1", f"to join: {JOIN[:40]}")),
        Entry(0.2, Printed("node2", "in between\r\n")),
        Entry(0.3, Printed("node1", f"{JOIN[40:]} a:2377\r\n")),
        Entry(0.4, CommandEnded(1, 0, 0.1, f"x {JOIN}")),
        Entry(0.5, Hit("node1", 80, "/", 200, "web.1", 1.0, body="my-known-value")),
    )
    path = record(tmp_path / "a.tape", told, Redactor(["my-known-value"]))
    text = path.read_text()
    assert "SWMTKN" not in text and JOIN[9:40] not in text and JOIN[40:] not in text and "my-known-value" not in text
    facts = [entry.fact for entry in load(path).entries]
    assert facts[1] == Printed("node1", f"to join: {MASK * 40}")
    assert facts[3] == Printed("node1", f"{MASK * len(JOIN[40:])} a:2377\r\n")
    check_tape(path)


def test_check_finds_a_secret_in_a_tape(tmp_path: Path) -> None:
    path = record(tmp_path / "a.tape", crash())
    lines = path.read_text().splitlines()
    lines[7] = lines[7].replace("docker kill", f"docker kill {JOIN} ")
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"a\.tape:8: this entry holds a secret"):
        check_tape(path)


def damaged(change: Callable[[list[str]], object]) -> Callable[[bytes], bytes]:
    def apply(data: bytes) -> bytes:
        lines = data.decode().splitlines()
        change(lines)
        return "\n".join(lines).encode()

    return apply


def put(at: int, line: str) -> Callable[[bytes], bytes]:
    return damaged(lambda lines: lines.__setitem__(at, line))


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (lambda data: b"", 0, "the file is empty"),
        (lambda data: b"\x7fELF\x02\x01\xff\xfe" + bytes(range(256)), 1, "it is not UTF-8"),
        (lambda data: b"- a\n- b\n", 1, "not a swarmlab tape"),
        (lambda data: b"{}\n", 1, "not a swarmlab tape"),
        (lambda data: b"[]\n", 1, "not a swarmlab tape"),
        (lambda data: b"[" * 100_000, 1, "not a swarmlab tape"),
        (put(0, '{"version":2,"width":80}'), 1, "not a swarmlab tape"),
        (put(0, '{"swarmlab":2,"what":"ever"}'), 1, "version 2, and this swarmlab reads up to version 1"),
        (put(0, '{"swarmlab":"x"}'), 1, "version is not a number"),
        (put(0, '{"swarmlab":1,"title":"x"}'), 1, "header is damaged: lesson"),
        (put(3, '{"at":0.5,"kind":"ste'), 4, "not valid JSON"),
        (put(3, '{"at":0.5,"kind":"nonsense\\u001b]0;x\\u0007"}'), 4, "no entry of the kind 'nonsense\\x1b]0;x"),
        (put(3, '{"at":0.5,"kind":"lesson"}'), 4, "lesson.lesson: Field required"),
        (put(3, '{"at":NaN,"kind":"lesson","lesson":"x"}'), 4, "the number nan is beyond"),
        (put(3, f'{{"at":{"1" * 400},"kind":"lesson","lesson":"x"}}'), 4, "is beyond 1e+15"),
        (put(3, f'{{"at":{"1" * 5000},"kind":"lesson","lesson":"x"}}'), 4, "not valid JSON"),
        (put(3, '{"at":1e308,"kind":"lesson","lesson":"x"}'), 4, "the number 1e+308 is beyond"),
        (put(3, '{"at":1e9,"kind":"lesson","lesson":"x"}'), 4, "at most 100,000,000, not 1000000000.0"),
        (put(3, '{"at":1,"kind":"act","action":"\\ud800"}'), 4, "half of a character"),
        (put(3, '{"at":1,"kind":"traffic","rows":[{"name":"a","good":-1}]}'), 4, "greater than or equal to 0"),
        (put(3, '{"at":1,"kind":"traffic","rows":[' + "{}," * 20_000 + "{}]}"), 4, "a list has 20,001 values"),
        (put(3, '{"at":1,"kind":"load","running":true,"rate":3,"target":"x","seconds":"nan"}'), 4, "seconds: Input"),
        (put(3, '{"at":1,"kind":"load","running":true,"rate":3,"target":"x","counts":[-5]}'), 4, "counts.0: Input"),
        (put(3, '{"at":1,"kind":"exit","id":1,"status":0,"seconds":-1}'), 4, "exit.seconds: Input"),
        (put(3, '{"at":1,"kind":"event","node":"a","type":"b","action":"c","id":"d","clock":1e14}'), 4, "event.at:"),
        (put(3, f'{{"at":1,"kind":"capture","name":"{"x" * 300}","value":""}}'), 4, "at most 256 characters"),
        (put(3, f'{{"at":1,"kind":"act","action":"{"x" * 300_000}"}}'), 4, "a text has 300,000 characters"),
        (put(3, f'{{"at":1,"kind":"act","action":"{"x" * 1_100_000}"}}'), 4, "a line of a tape has at most 1,024 kB"),
        (put(3, '{"at":' + "[" * 5000 + "]" * 5000 + "}"), 4, "the line is damaged"),
        (put(0, '{"swarmlab":1,"title":"\\ud800","lesson":"a","recorded":"2026-11-22T10:00:00Z"}'), 1, "surrogate"),
        (put(0, '{"swarmlab":1,"title":"a","lesson":"a","recorded":"2026-11-22T10:00:00Z","nodes":-1}'), 1, "nodes: "),
        (put(3, '{"at":-1,"kind":"lesson","lesson":"x"}'), 4, "at least 0.1"),
        (put(3, '{"kind":"lesson","lesson":"x"}'), 4, "time must be"),
        (put(3, "null"), 4, "it is not an entry"),
        (damaged(lambda lines: lines.pop()), 19, "cut off: after 18 entries"),
        (damaged(lambda lines: lines.pop(5)), 19, "it has 17 entries, and its end mark names 18"),
        (damaged(lambda lines: lines.append("{}")), 21, "goes on after its end mark"),
        (lambda data: data[:-60], 19, "not valid JSON"),
        (lambda data: data[:200] + b"\xff" + data[200:], 3, "not UTF-8"),
    ],
)
def test_what_is_no_whole_tape_gets_one_clear_sentence(
    tmp_path: Path, change: Callable[[bytes], bytes], line: int, words: str
) -> None:
    path = record(tmp_path / "a.tape", crash())
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError) as caught:
        load(path)
    assert words in caught.value.reason and "\n" not in caught.value.sentence
    assert caught.value.line == line or not line
    assert str(path) in str(caught.value)


def test_a_huge_file_and_a_missing_one_are_told(tmp_path: Path) -> None:
    huge = tmp_path / "huge.tape"
    with huge.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(InputError, match="at most 8 MB"):
        load(huge)
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "none.tape")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)
