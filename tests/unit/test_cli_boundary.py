"""The command line's boundary: what is printed acts on no terminal, and what cannot be written is a sentence."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.cli import main
from lab.cli.boundary import UNEXPECTED
from lab.cli.out import Out
from lab.cluster.model import Progress
from tests.processes import ended

EVIL = "w\x1b]52;c;eA==\x07\x1b[2J\x9b6n\u202eeb"
ACTS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
BOUND = 60.0


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def swarmlab(line: str, *, redirect: str = "", **env: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, its streams set by a shell."""
    return subprocess.run(
        ["bash", "-c", f'exec "$0" -m lab.cli {line} {redirect}', sys.executable],
        env={**os.environ, **env},
        capture_output=True,
        timeout=BOUND,
        check=False,
    )


def tape(**header: str) -> str:
    """A small tape in which all names act on a terminal that takes them as they are."""
    head: dict[str, object] = {
        "swarmlab": 1,
        "title": EVIL,
        "lesson": EVIL,
        "recorded": "2026-01-01T00:00:00Z",
        **header,
    }
    facts: list[dict[str, object]] = [
        {"kind": "lesson", "lesson": EVIL},
        {"kind": "step", "lesson": EVIL, "step": EVIL, "state": "begun"},
        {"kind": "command", "id": 1, "node": EVIL, "text": EVIL},
        {"kind": "output", "node": EVIL, "text": EVIL},
        {"kind": "exit", "id": 1, "status": 1, "seconds": 1.0, "output": EVIL},
        {"kind": "capture", "name": EVIL, "value": EVIL},
        {"kind": "step", "lesson": EVIL, "step": EVIL, "state": "failed", "why": EVIL},
    ]
    lines: list[dict[str, object]] = [
        head,
        *({"at": at, **fact} for at, fact in enumerate(facts)),
        {"end": len(facts), "finished": True},
    ]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


@pytest.mark.parametrize(
    "line", ["replay x.tape --plain --speed max", "export x.tape --format cast", "export x.tape --format markdown"]
)
def test_nothing_on_a_tape_acts_on_the_terminal(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.tape").write_text(tape(), encoding="utf-8")
    assert main(line.split()) == 0
    said = capsys.readouterr()
    assert "eb" in said.out and not ACTS.search(said.out + said.err)


@pytest.mark.parametrize("json_flag", ["", " --json"])
def test_nothing_in_a_file_that_is_checked_does(json_flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = "w\\e]52;c;eA==\\a\\e[2J\\u009b6n\\u202eeb"
    Path("s.yaml").write_text(f'services:\n  "{name}":\n    image: x\n    build: .\n', encoding="utf-8")
    bad = {"at": 0, "kind": EVIL}
    Path("x.tape").write_text(tape().replace('{"at": 0, "kind": "lesson"', json.dumps(bad)[:-1]), encoding="utf-8")
    assert main(["check", "s.yaml", "x.tape", *json_flag.split()]) == 2
    said = capsys.readouterr()
    assert "eb" in said.out and not ACTS.search(said.out + said.err)


def test_whatever_is_said_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for out in (Out(), Out(json=True)):
        out.say(EVIL + "\ud800")
        out.note(EVIL)
        out.result({EVIL: "\ud800", "nan": float("nan")})
        with out.progress() as report:
            report(Progress(EVIL, f"[bold]{EVIL}[/nothing]", 0.5))
    said = capsys.readouterr()
    assert not ACTS.search(said.out + said.err) and "\\x1b]52" in said.out and "[ 50%] " in said.err
    assert EVIL in json.loads(said.out.splitlines()[-1])


def printed(line: str, capsys: pytest.CaptureFixture[str]) -> bytes:
    """What a command prints in this process."""
    capsys.readouterr()
    assert main(line.split()) == 0
    return capsys.readouterr().out.encode()


@pytest.mark.parametrize(
    "encoding", ["ascii:strict", *(pytest.param(each, marks=pytest.mark.costly) for each in ("ascii", "latin-1"))]
)
def test_every_locale_is_printed_to_and_files_are_utf_8(encoding: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = swarmlab("replay reconciliation --plain --speed max", PYTHONIOENCODING=encoding)
    assert (told.returncode, told.stderr) == (0, b"") and told.stdout.endswith(b"nothing ran.\n")
    guide = swarmlab("export reconciliation --format markdown", PYTHONIOENCODING=encoding)
    assert guide.returncode == 0 and "✔" not in told.stdout.decode("ascii", "replace")
    assert guide.stdout.startswith(b"# ")
    assert guide.stdout == printed("export reconciliation --format markdown", capsys)


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("missing/x.cast", 2, "mkdir -p"),
        (".", 2, "-o FOLDER/FILE"),
        ("''", 2, "-o FOLDER/FILE"),
        ("there/x.cast", 2, "Not a directory"),
        ("n" * 300, 2, "File name too long"),
        ("/dev/full", 1, "No space left"),
        ("loop", 2, "symbolic links"),
    ],
)
def test_what_cannot_be_written_is_a_sentence(
    target: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("there").write_text("kept")
    Path("loop").symlink_to("loop")
    assert main(["export", "reconciliation", "--format", "cast", "-o", target.strip("'")]) == code
    said = capsys.readouterr()
    assert words in said.err and UNEXPECTED not in said.err
    assert sorted(path.name for path in Path().iterdir()) == ["loop", "there"]
    assert Path("there").read_text() == "kept"


def test_an_export_replaces_a_file_and_is_written_into_a_link_and_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.cast").write_text("old")
    Path("old.cast").chmod(0o640)
    Path("link.cast").symlink_to("old.cast")
    os.mkfifo("pipe")
    export = "export reconciliation --format cast"
    whole = printed(export, capsys)
    assert printed(f"{export} -o old.cast", capsys) == b""
    assert Path("old.cast").read_bytes() == whole and Path("old.cast").stat().st_mode & 0o777 == 0o640
    Path("old.cast").write_text("old")
    assert printed(f"{export} -o link.cast", capsys) == b""
    assert Path("link.cast").is_symlink() and Path("old.cast").read_bytes() == whole
    assert swarmlab(f"{export} -o /dev/stdout", redirect="| cat").stdout == whole
    with ThreadPoolExecutor() as beside:
        read = beside.submit(Path("pipe").read_bytes)
        assert printed(f"{export} -o pipe", capsys) == b""
        assert read.result() == whole


@pytest.mark.parametrize("target", [".", "there/x.tape", "n" * 300])
def test_a_tape_that_could_not_be_kept_is_not_begun(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("there").write_text("kept")
    assert main(["record", "reconciliation", "-o", target]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_recording_that_needs_a_lab_makes_no_folder_without_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "reconciliation", "-o", "new/x.tape"]) == 3
    assert "swarmlab up" in capsys.readouterr().err and not Path("new").exists()


@pytest.mark.parametrize(
    ("line", "redirect", "code"),
    [
        ("lessons", ">/dev/full", 1),
        pytest.param("lessons --json", ">/dev/full", 1, marks=pytest.mark.costly),
        pytest.param("export reconciliation --format cast", ">/dev/full", 1, marks=pytest.mark.costly),
        pytest.param("export reconciliation --format cast", ">&-", 1, marks=pytest.mark.costly),
        pytest.param("lessons", ">&-", 0, marks=pytest.mark.costly),
        ("lessons", "<&- >&- 2>&-", 0),
        pytest.param("lessons", "2>/dev/full", 0, marks=pytest.mark.costly),
        ("export nothing --format cast", "2>&-", 2),
    ],
)
def test_streams_that_take_nothing(line: str, redirect: str, code: int) -> None:
    said = swarmlab(line, redirect=redirect)
    assert said.returncode == code
    assert b"Traceback" not in said.stderr and b"ignored" not in said.stderr and UNEXPECTED.encode() not in said.stderr
    assert b"standard output" in said.stderr or code != 1


def test_a_reader_that_goes_away_is_no_error() -> None:
    said = swarmlab("replay reconciliation --plain --speed max", redirect="| head -1")
    assert said.stdout.startswith(b"REPLAY") and said.stderr == b""


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (PermissionError(13, "Permission denied", "/root/x"), 1, "/root/x: Permission denied"),
        (OSError(28, "No space left on device"), 1, "make room"),
        (OSError(30, "Read-only file system", "/x"), 1, "SWARMLAB_STATE"),
        (FileNotFoundError(2, "No such file or directory", "/x"), 1, "/x: No such file or directory"),
        (IsADirectoryError(21, "Is a directory", "/x"), 2, "/x: Is a directory"),
        (OSError(36, "File name too long", "n" * 5000), 2, "File name too long"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    error: OSError, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raises(monkeypatch, error)
    assert main(["lessons"]) == code
    said = capsys.readouterr().err
    assert words in said and UNEXPECTED not in said and len(said) < 1000


def raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(*_: object) -> int:
        raise error

    monkeypatch.setattr("lab.cli.lessons.lessons", broken)


def test_a_home_that_cannot_be_written_does_not_hide_the_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_text("")
    monkeypatch.setenv("SWARMLAB_STATE", "file/state")
    raises(monkeypatch, ZeroDivisionError("oh"))
    assert main(["lessons"]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError: oh" in said and f"{Path(__file__).name}:" in said and "Traceback" not in said


SLOW = """
import signal, sys, time, types
def lessons(args, out):
    try:
        out.say("begun")
        {wait}
    finally:
        {end}
        out.say("cleaned up")
sys.modules["lab.cli.lessons"] = types.SimpleNamespace(lessons=lessons)
from lab.cli import main
sys.argv = ["swarmlab", "lessons"]
sys.exit(main())
"""
#: In short sleeps, as the lab's own waits are: a signal that comes just before a sleep begins is heard at its end.
SLEEPS = "while True: time.sleep(0.05)"
#: An interrupt that comes while Python calls back goes no further by itself; here each one does until the third.
CALLED_BACK = """
        class Deaf:
            def __del__(self):
                while True: time.sleep(0.05)
        for _ in range(2): Deaf()
        while True: time.sleep(0.05)"""


def signalled(wait: str, number: int, end: str = "") -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", SLOW.format(wait=wait, end=end)]
    with ended(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=BOUND)
    return subprocess.CompletedProcess([], process.returncode, out, err)


#: Some libraries make an error of their own of it.
TURNED = """
        try:
            while True: time.sleep(0.05)
        except BaseException as error: raise ValueError("not valid") from error"""


SIGNALS = (
    (signal.SIGINT, 130, "interrupted"),
    (signal.SIGTERM, 143, "ended by SIGTERM"),
    (signal.SIGHUP, 129, "ended by SIGHUP"),
)


@pytest.mark.parametrize(
    ("wait", "number", "code", "words"),
    [
        # One signal is enough to show how each wait ends, and one wait for how each signal is told.
        pytest.param(wait, *each, marks=() if wait == SLEEPS or each[0] == signal.SIGINT else pytest.mark.costly)
        for wait in (SLEEPS, CALLED_BACK, TURNED)
        for each in SIGNALS
    ],
)
def test_a_signal_ends_a_command_as_ctrl_c_does(wait: str, number: int, code: int, words: str) -> None:
    said = signalled(wait, number)
    assert (said.returncode, said.stdout) == (code, "cleaned up\n")
    assert f"swarmlab: {words}" in said.stderr and "Traceback" not in said.stderr


def test_the_second_signal_of_a_terminal_that_closes_does_not_break_off_the_cleaning_up() -> None:
    said = signalled(SLEEPS, signal.SIGHUP, end="signal.raise_signal(signal.SIGHUP)")
    assert (said.returncode, said.stdout) == (129, "cleaned up\n")


AT = """
import signal, sys
import lab.cli
begun = calls = 0
def count(frame, event, arg):
    global begun, calls
    calls += begun and event == "call"
    begun = begun or frame.f_code is lab.cli.main.__code__
    if calls in ({first}, {second}) and event == "call":
        signal.raise_signal(signal.SIGINT)
sys.argv = ["swarmlab", "lessons"]
sys.setprofile(count)
code = lab.cli.main()
sys.setprofile(None)
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("first", "second"), [(1, 2), (2, 9), (30, 90), (300, 301), (2_000, 2_050), (9_000, -1), (30_000, 30_500)]
)
def test_ctrl_c_at_any_moment_shows_no_traceback(first: int, second: int) -> None:
    said = subprocess.run(
        [sys.executable, "-c", AT.format(first=first, second=second)], capture_output=True, timeout=BOUND, check=False
    )
    assert said.returncode in (130, -signal.SIGINT)
    assert b"Traceback" not in said.stderr and b"ignored" not in said.stderr


def test_bars_show_words_as_they_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Out().progress() as report:
        report(Progress(f"[red]{EVIL}", f"[bold]t[/nothing]{EVIL}", 0.5))
        report(Progress("next", "\ud800", None))
    said = capsys.readouterr().err
    assert "[red]w\\u202eeb" in said and "[bold]t[/nothing]w" in said
    assert "52;c" not in said and "\x9b" not in said
