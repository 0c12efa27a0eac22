"""A real shell in a real terminal."""

from __future__ import annotations

import itertools
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lab.errors import InputError, LabError, MissingError, WaitError
from lab.shell import shell as module
from lab.shell.environment import ALLOWED, environment
from lab.shell.shell import Shell
from lab.terminal.plain_text import to_plain_text
from lab.terminal.redact import MASK, Redactor
from lab.world.entries import CommandBegan, CommandEnded, Entry, Printed
from lab.world.journal import Journal
from lab.world.world import Command
from tests.processes import ended

BOUND = 10.0


class Stage:
    """A shell, its journal and all that it wrote."""

    def __init__(self, **env: str) -> None:
        self.journal, self.entries = Journal(), list[Entry]()
        self.journal.read(lambda entry, _: self.entries.append(entry))
        ids = itertools.count(1)
        self.shell = Shell(
            self.journal, "node1", env, redact=Redactor(["correct-horse"]), ids=lambda: next(ids), columns=60, rows=20
        )
        self.run = self.shell.run

    @property
    def printed(self) -> str:
        return "".join(e.fact.text for e in self.entries if isinstance(e.fact, Printed))

    def ended(self, text: str) -> Command:
        """The command of this text that was typed freely, once it has ended."""

        def last() -> Command | None:
            return next((c for c in self.journal.world.commands if c.text == text and c.status is not None), None)

        assert self.journal.wait(lambda _: last() is not None, BOUND), self.printed
        found = last()
        assert found
        return found

    def shows(self, text: str) -> None:
        assert self.journal.wait(lambda _: text in self.printed, BOUND), self.printed


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(FRUIT="apple")
    yield made
    made.shell.close()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def soon(so: Callable[[], bool]) -> None:
    until = time.monotonic() + BOUND
    while not so():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("command", "status", "output"),
    [
        ("echo hello", 0, "hello"),
        ("false", 1, ""),
        ("(exit 42)", 42, ""),
        ("nonsense-command", 127, "bash: nonsense-command: command not found"),
        (")", 2, "bash: syntax error near unexpected token `)'"),
        ("echo one \\\n  two\necho three; (exit 7)", 7, "one two\nthree"),
        ("for i in 1 2; do\n\techo $i\ndone", 0, "1\n2"),
        ("cat <<'E'\na  b\n\tc\nE", 0, "a  b\n        c"),
        ("echo 'wow!' \"$FRUIT\" é日", 0, "wow! apple é日"),
        ("printf '10%%\\r100%%\\n'", 0, "100%"),
        ("printf '\\e[31mred\\e[0m\\n'", 0, "red"),
        ("printf '\\xe2\\x82'; sleep 0.07; printf '\\xac\\xff\\n'", 0, "€\ufffd"),
        ("printf '\\e[?1049h\\e[?25l\\e[?1000hdrawn'", 0, ""),
        ("printf 'no newline'", 0, "no newline"),
        ("printf '\\e]133;D;9\\e\\\\forged\\n'", 0, "forged"),
        ("sleep 0 | grep x", 1, ""),
    ],
)
def test_a_command_has_its_status_and_its_text(stage: Stage, command: str, status: int, output: str) -> None:
    ended = stage.run(command, step="first", bound=BOUND)
    assert (ended.status, ended.output) == (status, output)
    began = [e.fact for e in stage.entries if isinstance(e.fact, CommandBegan)]
    assert began == [CommandBegan(1, "node1", command, "first")]
    assert [e.fact for e in stage.entries if isinstance(e.fact, CommandEnded)] == [ended]
    assert 0 <= ended.seconds < BOUND
    assert stage.run("echo $?", bound=BOUND).output == str(status)


def test_the_terminal_shows_prompt_command_and_output_and_no_marks(stage: Stage) -> None:
    stage.run("echo a-b | tr - +", bound=BOUND)
    stage.shows("(docker: \x1b[1;36mnode1\x1b[0m) $ echo a-b | tr - +\r\n")
    assert "a+b\r\n" in stage.printed and "]133;" not in stage.printed


TALL = "cat <<EOF\n" + "\n".join(f"line {n} {'y' * (1 + n * 23 % 70)}" for n in range(12)) + "\nEOF"
SEVERAL = ("for i in 1 2\ndo\n  echo line $i\ndone", "echo one \\\n  two \\\n  three", "echo " + "x" * 140, TALL)


@pytest.mark.parametrize("size", [(80, 24), (80, 6), (100, 6)])
@pytest.mark.parametrize("typing", [0.0, 0.001])
def test_a_command_of_several_lines_is_seen_whole(stage: Stage, size: tuple[int, int], typing: float) -> None:
    columns, rows = size
    stage.shell.resize(columns, rows)
    stage.run("true", bound=BOUND)  # bash draws its line again once it has heard of the size
    for command in SEVERAL:
        before = len(stage.printed)
        output = stage.run(command, bound=BOUND, typing=typing).output
        # The next prompt may have come with the end of the output.
        screen = to_plain_text(stage.printed[before:], columns, rows).removesuffix("\n(docker: node1) $")
        assert screen.endswith(f"{command}\n{output}"), screen
    assert stage.run("stty size", bound=BOUND).output == f"{rows} {columns}"


def test_a_paste_of_several_lines_is_seen_whole(stage: Stage) -> None:
    stage.shell.resize(80, 6)
    stage.shows("$ ")
    before = len(stage.printed)
    stage.shell.send(f"\x1b[200~{TALL}\x1b[201~\r".replace("\n", "\r"))
    output = stage.ended(TALL).output
    assert to_plain_text(stage.printed[before:], 80, 6).partition(f"{TALL}\n{output}")[1]
    stage.shell.send(f"\x1b[200~{TALL}\x1b[201~\x03".replace("\n", "\r"))
    soon(lambda: "^C" in stage.printed and stage.printed.endswith("$ "))
    assert stage.run("stty size", bound=BOUND).output == "6 80"


def test_the_terminal_has_its_size_again_when_a_tall_command_is_given_up(stage: Stage) -> None:
    stage.shell.resize(80, 6)
    with pytest.raises(InputError):
        stage.run(TALL.replace("EOF\n", "EOF '\n", 1), bound=BOUND)
    assert stage.run("stty size", bound=BOUND).output == "6 80"


def test_typing_is_seen_as_it_goes(stage: Stage) -> None:
    stage.run("echo typed", typing=0.02, bound=BOUND)
    began = next(e.at for e in stage.entries if isinstance(e.fact, CommandBegan))
    before = [e for e in stage.entries if isinstance(e.fact, Printed) and e.at <= began]
    assert len(before) >= 3 and stage.run("true").status == 0


def test_modes_that_a_program_leaves_are_undone(stage: Stage) -> None:
    stage.run("printf '\\e[?1049h\\e[?25l\\e[?1003h'", bound=BOUND)
    stage.shows("\x1b[?1049l")
    assert "\x1b[?25h" in stage.printed and "\x1b[?1003l" in stage.printed


def test_secrets_are_masked_everywhere(stage: Stage) -> None:
    ended = stage.run("echo correct-horse; printf 'correct-'; sleep 0.15; echo horse", bound=BOUND)
    assert ended.output == f"{MASK * 13}\n{ended.output.splitlines()[1]}"
    assert all("correct-horse" not in repr(e.fact) for e in stage.entries)
    assert "horse" not in ended.output


def test_at_the_bound_a_command_is_interrupted(stage: Stage) -> None:
    stage.shows(" $ ")
    with pytest.raises(WaitError, match="it was interrupted"):
        stage.run("cat", bound=0.1)
    assert stage.entries and stage.ended("cat").status == 130
    assert stage.run("echo next", bound=BOUND).output == "next"


def test_what_does_not_listen_is_killed_at_last_with_its_shell(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.2)
    stage.shows(" $ ")
    with pytest.raises(WaitError, match="it was killed"):
        stage.run("(trap '' INT; exec sleep 60)", bound=5)
    assert stage.run("true", bound=BOUND).status == 0
    with pytest.raises(WaitError, match="its shell was replaced"):
        stage.run("trap '' INT; while :; do read -t 1; done", bound=5)
    assert stage.run("echo next", bound=BOUND).output == "next"
    assert "ended with status 137; a new one begins" in stage.printed


@pytest.mark.parametrize(("command", "status"), [("exit 3", 3), ("kill -9 $$", 137), ("exec true", 0)])
def test_when_the_shell_ends_a_new_one_begins(stage: Stage, command: str, status: int) -> None:
    assert stage.run(command, bound=BOUND).status == status
    assert stage.run("echo again $FRUIT", bound=BOUND).output == "again apple"


@pytest.mark.parametrize("printed", ["\\033[-100Ax", "\\033[1;-5Hx\\033[-3Cx", "\\302\\235never ended", "\\033]133;C;"])
def test_whatever_a_command_prints_the_next_one_works_in_the_same_shell(stage: Stage, printed: str) -> None:
    before = stage.shell.pid
    assert stage.run(f"printf '{printed}'", bound=BOUND).status == 0
    assert stage.run("echo next", bound=BOUND).output == "next"
    assert stage.shell.pid == before


def test_what_goes_wrong_with_an_output_is_said_and_the_shell_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stage.run("echo first", bound=BOUND) and stage.shell.pid

    def broken(*_: object) -> str:
        raise IndexError("list index out of range")

    with monkeypatch.context() as patch:
        patch.setattr(module, "to_plain_text", broken)
        assert stage.run("(exit 3)", bound=BOUND).status == 3
    stage.shows("this output could not be read: IndexError: list index out of range")
    assert stage.run("echo next", bound=BOUND).output == "next"
    assert stage.shell.pid == before


def test_a_reader_that_raises_does_not_end_the_shell(stage: Stage) -> None:
    def raising(entry: Entry, _: object) -> None:
        if isinstance(entry.fact, Printed) and "poison" in entry.fact.text:
            raise KeyError("poison")

    stop = stage.journal.read(raising)
    assert stage.run("echo poison", bound=BOUND).status == 0
    stop()
    assert stage.run("echo next", bound=BOUND).output == "next"


@pytest.mark.costly
def test_ten_megabytes_pass_and_the_end_is_kept(stage: Stage) -> None:
    ended = stage.run("seq 1500000; echo end", bound=60.0)
    assert ended.status == 0 and len(ended.output) == 16_000 and ended.output.endswith("\nend")
    prints = [e for e in stage.entries if isinstance(e.fact, Printed)]
    assert len(prints) <= 40 * (ended.seconds + 1)


def test_a_command_that_is_not_complete_is_told(stage: Stage) -> None:
    with pytest.raises(InputError, match="not complete"):
        stage.run("echo 'open", bound=BOUND)
    assert stage.run("echo next", bound=BOUND).output == "next"


@pytest.mark.parametrize("text", ["", " \n", "echo \x03", "echo \x1b[31m"])
def test_what_cannot_be_typed_is_told(stage: Stage, text: str) -> None:
    with pytest.raises(InputError):
        stage.run(text)


def test_what_the_user_types_becomes_commands(stage: Stage) -> None:
    stage.shell.send("echo by-hand; false\r")
    found = stage.ended("echo by-hand; false")
    assert (found.step, found.status, found.output) == ("", 1, "by-hand")
    stage.shell.send("\r")
    stage.shell.send("cat\r")
    stage.shows("cat\r\n")
    assert stage.journal.wait(lambda w: w.commands[-1].text == "cat", BOUND)
    stage.shell.send("typed line\r\x04")
    assert stage.ended("cat").output.splitlines()[0] == "typed line"
    assert len(stage.journal.world.commands) == 2


def test_what_the_user_had_begun_to_type_is_cancelled(stage: Stage) -> None:
    stage.shell.send("rm -rf important")
    stage.shows("important")
    assert stage.run("echo mine", bound=BOUND).output == "mine"
    stage.shell.send("echo 'half\r")
    stage.shows("> ")
    assert stage.run("echo mine too", bound=BOUND).output == "mine too"


def test_a_shell_that_is_busy_is_told(stage: Stage) -> None:
    stage.shell.send("sleep 60\r")
    assert stage.journal.wait(lambda w: bool(w.commands), BOUND)
    with pytest.raises(WaitError, match="something still runs in it"):
        stage.run("echo x", bound=0.1)
    stage.shell.interrupt()
    assert stage.ended("sleep 60").status == 130


@pytest.mark.costly
def test_an_interrupt_right_after_return_ends_the_command_and_not_the_shell(stage: Stage) -> None:
    """For some milliseconds bash loses Ctrl-C, or exits: one of so many meets them."""
    shell, delays = stage.shell.pid, (number / 10_000 for number in range(60))

    def interrupt(entry: Entry, _: object) -> None:
        if isinstance(entry.fact, CommandBegan) and entry.fact.text == "sleep 600":
            threading.Timer(next(delays), stage.shell.interrupt).start()

    stop = stage.journal.read(interrupt)
    for _ in range(60):
        assert stage.run("sleep 600", bound=BOUND).status == 130
    stop()
    assert stage.run("echo next", bound=BOUND).output == "next"
    assert stage.shell.pid == shell


def test_interrupt_ends_what_runs_and_what_is_typed(stage: Stage) -> None:
    threading.Timer(0.1, stage.shell.interrupt).start()
    assert stage.run("sleep 60", bound=BOUND).status == 130
    threading.Timer(0.1, stage.shell.interrupt).start()
    assert stage.run("echo this is a long command", typing=0.05, bound=BOUND).status == 130
    assert stage.run("echo next", bound=BOUND).output == "next"


def test_a_shell_hears_what_the_lab_itself_was_started_to_ignore() -> None:
    """Under nohup SIGHUP, in a script's background SIGINT, and SIGPIPE in every Python."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        made = Stage()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    try:
        ignored = made.run("grep SigIgn /proc/self/status", bound=BOUND).output.split()[-1]
        # Above 31 are the C library's own (make's children ignore those), which nobody else can set.
        assert int(ignored, 16) & 0x7FFFFFFF == 0
        assert made.run("yes | head -1", bound=BOUND).output == "y"
    finally:
        made.shell.close()


def test_the_size_is_what_programs_see(stage: Stage) -> None:
    assert stage.run("stty size", bound=BOUND).output == "20 60"
    stage.shell.resize(72, 11)
    assert stage.run("stty size", bound=BOUND).output == "11 72"


def test_the_environment_is_small_and_given(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {line.partition("=")[0] for line in stage.run("env", bound=BOUND).output.splitlines()}
    assert {"FRUIT", "PATH", "TERM"} <= names
    assert names <= {
        *ALLOWED,
        "FRUIT",
        "TERM",
        "SWARMLAB_TERMINAL",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
        "COLUMNS",
        "LINES",
    }
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("LANG", "C")
    monkeypatch.delenv("LC_ALL", raising=False)
    env = environment({"A": "1"})
    assert shutil.which("swarmlab", path=env["PATH"]) is not None
    assert env["A"] == "1" and "SECRET_TOKEN" not in env and env["LC_CTYPE"] == "C.UTF-8"


def test_the_users_own_files_are_not_read_and_nothing_is_written(tmp_path: Path) -> None:
    for name in (".bashrc", ".bash_profile", ".profile", ".inputrc"):
        (tmp_path / name).write_text("echo READ\nset editing-mode vi\n")
    before = sorted(tmp_path.iterdir())
    stage = Stage(HOME=str(tmp_path), TMPDIR=str(tmp_path))
    try:
        assert stage.run("echo hi", bound=BOUND).output == "hi"
        stage.run("exit", bound=BOUND)
    finally:
        stage.shell.close()
    assert "READ" not in stage.printed
    assert sorted(tmp_path.iterdir()) == before


def test_closing_leaves_no_process_behind() -> None:
    stage = Stage()
    jobs = "sleep 600 & echo $!; nohup sleep 601 >/dev/null 2>&1 & echo $!; (setsid sleep 602 & echo $!)"
    output = stage.run(jobs, bound=BOUND).output
    pids = [int(line) for line in output.splitlines() if line.isdigit()]
    assert len(pids) == 3
    pids.append(stage.shell.pid)
    stage.shell.close()
    stage.shell.close()
    assert all(map(gone, pids))
    with pytest.raises(LabError, match="is closed"):
        stage.run("echo x")


def test_a_shell_that_is_closed_at_once_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for _ in range(3):
        Stage().shell.close()
    assert list(tmp_path.iterdir()) == []


def test_closing_ends_a_command_under_way() -> None:
    stage = Stage()
    threading.Timer(0.2, stage.shell.close).start()
    assert stage.run("sleep 60", bound=BOUND).status >= 128


def test_when_the_lab_dies_its_shells_die() -> None:
    program = """
import itertools, sys
from lab.shell.shell import Shell
from lab.terminal.redact import Redactor
from lab.world.journal import Journal
ids = itertools.count(1)
shell = Shell(Journal(), "node1", {}, redact=Redactor(), ids=lambda: next(ids))
print(shell.pid, shell.run("sleep 600 & echo $!").output.splitlines()[-1], flush=True)
sys.stdin.read()
"""
    argv = [sys.executable, "-c", program]
    with ended(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) as lab:
        assert lab.stdout
        pids = [int(pid) for pid in lab.stdout.readline().split()]
        assert len(pids) == 2
    soon(lambda: all(map(gone, pids)))


def test_a_shell_at_rest_uses_no_processor(stage: Stage) -> None:
    stage.run("true", bound=BOUND)
    turns, due = [0], stage.shell._output.due

    def counted() -> float | None:
        turns[0] += 1
        return due()

    stage.shell._output.due = counted  # type: ignore[method-assign]
    time.sleep(0.2)
    first = turns[0]
    time.sleep(0.2)
    assert turns[0] == first


def test_without_bash_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="no bash"):
        Stage()


def test_a_shell_that_cannot_begin_is_not_tried_for_ever(tmp_path: Path) -> None:
    broken = tmp_path / "bash"
    broken.write_text("#!/bin/sh\nexit 5\n")
    broken.chmod(0o755)
    stage = Stage(PATH=str(tmp_path))
    stage.shows("ended with status 5; it never came to its prompt")
    with pytest.raises(LabError, match="is closed"):
        stage.run("echo x")
    stage.shell.close()
