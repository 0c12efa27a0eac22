"""A real shell in a real terminal: what is typed, what is shown, and what ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lab.errors import InputError, WaitError
from lab.shell import shell as module
from lab.shell import typist
from lab.terminal.plain_text import to_plain_text
from lab.terminal.redact import MASK
from lab.world.entries import CommandBegan, CommandEnded, Entry, Printed
from tests.unit.shell_stage import BOUND, Stage, soon


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(FRUIT="apple")
    yield made
    made.shell.close()


TALL = "cat <<EOF\n" + "\n".join(f"line {n} {'y' * (1 + n * 23 % 70)}" for n in range(12)) + "\nEOF"
SEVERAL = ("for i in 1 2\ndo\n  echo line $i\ndone", "echo one \\\n  two \\\n  three", "echo " + "x" * 140, TALL)


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


@pytest.mark.parametrize("size", [(80, 24), (80, 6), (100, 6)])
@pytest.mark.parametrize("typing", [0.0, 0.001])
def test_a_command_of_several_lines_is_seen_whole(stage: Stage, size: tuple[int, int], typing: float) -> None:
    columns, rows = size
    stage.shell.resize(columns, rows)
    # From here on, so that each command stands behind its prompt, which may come with the end of the one before.
    before = len(stage.printed)
    stage.run("true", bound=BOUND)  # bash draws its line again once it has heard of the size
    for command in SEVERAL:
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
    monkeypatch.setattr(typist, "GRACE", 1.0)
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
