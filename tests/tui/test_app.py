"""The app through its keys and what is seen."""

from __future__ import annotations

import pytest
from textual import events

from lab.tui import keys
from lab.tui.app import LabApp
from lab.tui.widgets.dialog import Dialog
from lab.tui.widgets.intake import Intake
from lab.tui.widgets.terminal import Terminal
from lab.world.entries import Checked, Entry, Printed, StepMoved
from lab.world.waiting import Waiting
from tests.tui.conftest import desk, until
from tests.tui.fake import LESSON, FakeStage


async def test_it_opens_on_the_first_lesson() -> None:
    async with desk() as it:
        await it.see("● LIVE", "Reconciliation", "15 minutes, 3 steps", "15:00 left", "node1", "No services yet")
        assert "begin" in it.footer


async def test_enter_begins_runs_and_goes_on() -> None:
    async with desk() as it:
        await it.press("enter")
        await it.see("Step 1 of 3", "$ docker service create", "○ 4 tasks of web run")
        await it.press("enter")
        await it.idle()
        await it.see(
            "✔ 4 tasks of web run", "✔ Done in 2.7 s", "desired 4  running 4 ▮▮▮▮", "verify: Service converged"
        )
        assert "go on" in it.footer
        await it.press("enter")
        await it.see("Step 2 of 3")


async def test_what_a_step_measured_is_told_under_it() -> None:
    stage = FakeStage()
    stage.took = "You said 0. Measured: 3 of 50 requests failed."
    async with desk(stage) as it:
        await it.press("enter", "enter")
        await it.idle()
        await it.see("✔ Done in 2.7 s", "» You said 0. Measured: 3 of 50 requests")


async def test_a_crash_is_told_beside_the_task_that_died() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("n", "n", "enter")
        await it.idle()
        await it.see("✘ exit 137", "web.2 failed on node2 (exit 137); a new task was assigned")
        await it.see("Terminal: docker on node2")
        rows = [line for line in it.text.splitlines() if "✘ exit 137" in line]
        assert rows[0].index("✘ exit 137") < rows[0].index("● running"), "the new task is in node4's column"


async def test_a_moving_slot_is_obvious() -> None:
    async with desk(FakeStage(desired=4, hold=7)) as it:
        await it.press("n", "n", "enter")
        await it.see("▸", "▶ ◑ preparing", "running 3 ▮▮▮▯")
        assert "━" in next(line for line in it.text.splitlines() if "◑ preparing" in line)


async def test_back_is_always_possible_even_while_a_step_runs() -> None:
    async with desk(FakeStage(hold=3)) as it:
        await it.press("enter", "enter")
        await it.see("so far, at most 120 s")
        await it.press("p")
        await it.see("15 minutes, 3 steps")
        await it.press("right", "right")
        await it.see("Step 2 of 3")
        assert it.app.ui.busy == "step"


async def test_ctrl_c_stops_the_step_that_runs_and_else_says_how_to_quit() -> None:
    async with desk(FakeStage(hold=3)) as it:
        await it.press("ctrl+c")
        await it.see("Press q to quit")
        await it.press("enter", "enter")
        await it.see("^C  stop the step")
        await it.press("ctrl+c")
        await it.idle()
        await it.see("✘ Not done: stopped", "Enter tries again")


async def test_a_failed_step_says_why_and_what_to_press() -> None:
    why = "web.2 did not run again within 90 s. Look at docker service ps web."
    async with desk(FakeStage(desired=4, fail=why)) as it:
        await it.press("n", "n", "enter")
        await it.idle()
        await it.see(
            "✘ a task of web failed", "no task of web has failed", "Not done: web.2 did not", "Enter tries again"
        )
        assert "try again" in it.footer


async def test_the_end_has_the_measured_times_and_what_is_next() -> None:
    async with desk() as it:
        await it.press("enter")
        for _ in LESSON.steps:
            await it.press("enter")
            await it.idle()
            await it.press("enter")
        await it.see("Reconciliation: done", "3 steps, every check true", "1 Four replicas, please", "2.7 s", "Scaling")
        assert "next lesson" in it.footer
        await it.press("enter")
        await it.see("Scaling", "Enter begins")


@pytest.mark.parametrize("state", ["start", "step", "running", "replay", "terminal", "end"])
async def test_the_footer_and_the_help_never_lie(state: str) -> None:
    stage = FakeStage(live=state != "replay", hold=3 if state == "running" else 0)
    async with desk(stage, size=(200, 60)) as it:
        await it.press(*{"step": ["n"], "running": ["n", "enter"], "terminal": ["t"], "end": ["n"] * 4}.get(state, []))
        await it.pilot.pause()
        s = it.app.ui
        for key in keys.all_keys():
            works = bool(it.app.check_action(key.action.split("(")[0], ()))
            same = any(k.when(s) and (k.show, k.label) == (key.show, key.label) for k in keys.all_keys())
            if key.when(s):
                assert works, key
                assert not key.show or f" {key.show}  {key.label}" in it.footer, key
            elif key.show and not same:
                assert f" {key.show}  {key.label} " not in it.footer, key


async def test_what_the_footer_does_not_offer_is_not_obeyed() -> None:
    async with desk(FakeStage(hold=3)) as it:
        await it.press("enter", "enter")
        await it.see("stop the step")
        await it.press("r", "l", "L", "enter")
        assert len(it.app.screen_stack) == 1
        assert it.stage.resets == []


async def test_reset_asks_where_to() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("n", "n", "r")
        await it.see("Put the cluster back", "To the start of this step: Crash one", "To the start of the lesson")
        await it.press("down", "enter")
        await it.idle()
        assert it.stage.resets == [""]
        await it.see("2 things put right in 3 s", "15 minutes, 3 steps")
        await it.press("n", "n", "r", "escape")
        assert it.stage.resets == [""]


async def test_a_step_is_taken_back_after_it_was_said_which() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("u")
        await it.see("Nothing is taken back: no step has begun")
        await it.press("enter", "enter")
        await it.idle()
        await it.press("n", "u")
        await it.see("Take back", "Back to the cluster as it was before the step")
        await it.press("escape")
        assert it.stage.resets == []
        await it.press("u")
        await it.see("Back to the cluster")
        await it.press("enter")
        await it.idle()
        assert it.stage.resets == ["undo"]
        await it.see("The cluster is as it was before the step")
        assert it.app.ui.page == 0


async def test_two_enters_at_once_answer_a_dialog_once() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("l")
        await it.see("Lessons")
        dialog = it.app.screen
        assert isinstance(dialog, Dialog)
        dialog.end(None)
        dialog.end(LESSON.id)
        await it.idle()
        assert it.app.screen is not dialog


async def test_the_stage_is_told_which_steps_page_is_shown_and_a_step_passes_by_itself() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("enter")
        await it.idle()
        first = it.app.ui.lesson.steps[0].id if it.app.ui.lesson else ""
        await until(it.pilot, lambda: it.stage.pages[-1:] == [first], "the first page")
        it.stage.journal.write(Checked("reconciliation", first, 0, "4 tasks of web run", False, "3 of 4 run", "after"))
        await it.see("3 of 4 run")
        it.stage.journal.write(Checked("reconciliation", first, 0, "4 tasks of web run", True, "4 of 4 run", "after"))
        it.stage.journal.write(StepMoved("reconciliation", first, "passed", "Done by `docker service scale web=4`."))
        await it.see("✔ Done by `docker service scale web=4`.")
        await it.press("n")
        await until(it.pilot, lambda: it.stage.pages[-1:] != [first], "another page")


async def test_a_red_check_says_for_how_long_it_has_waited() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("enter")
        await it.idle()
        why, journal = "3 of 4 tasks of web run; web.2 is preparing on node4", it.stage.journal
        waits = (Waiting("web.2 is preparing on node4", journal.now() - 6),)
        journal.write(Checked("reconciliation", "declare", 0, "4 tasks of web run", False, why, "after", waits))
        await it.see("3 of 4 tasks of web run; web.2 is", "preparing on node4 for 6 s")
        journal.put(Entry(journal.now() + 3, Printed("node1", "x")))
        await it.see("preparing on node4 for 9 s")


async def test_where_no_snapshot_reaches_back_a_reset_is_offered() -> None:
    async with desk(FakeStage(desired=4, unsaved=True)) as it:
        await it.press("enter", "enter")
        await it.idle()
        await it.press("u")
        await it.see("No snapshot is from before the step", "reset to it")
        await it.press("enter")
        await it.idle()
        assert it.stage.resets == [it.app.ui.lesson.steps[0].id if it.app.ui.lesson else ""]


async def test_a_replay_wound_back_is_as_new() -> None:
    async with desk(FakeStage(live=False)) as it:
        await it.press("enter", "enter")
        await it.idle()
        await it.see("converged", "web.1 runs", "desired 4")
        await it.press("r", "enter")
        await it.idle()
        await it.see("wound back", "No services yet", "Nothing has changed yet", "The shell's output shows here")
        await it.press("n", "enter")
        await it.idle()
        await it.see("✔ Done", "converged")


async def test_a_reset_shows_how_far_it_is() -> None:
    async with desk(FakeStage(desired=4, hold=1)) as it:
        await it.press("r", "enter")
        await it.see("◑ reset: service web goes", "50 %")
        it.stage.go_on()
        await it.idle()
        await it.see("2 things put right")
        assert "service web goes" not in it.text


async def test_the_terminal_takes_every_key_until_two_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.tui.widgets.terminal.TWICE", 60.0)
    async with desk() as it:
        await it.press("t", "q", "tab", "ctrl+c", "question_mark", "up", "enter", "escape", "a")
        await it.be(lambda: "".join(it.stage.typed) == "q\t\x03?\x1b[A\r\x1ba", "typed")
        assert "leave the terminal" in it.footer
        await it.press("escape", "escape")
        await it.be(lambda: not it.app.ui.typing, "left")
        assert "run" in it.footer or "begin" in it.footer
        await it.press("n")
        await it.see("Step 1 of 3")


async def test_ctrl_q_leaves_from_within_the_terminal_too() -> None:
    async with desk() as it:
        await it.press("t")
        await it.see("^Q  quit")
        await it.press("ctrl+q")
        await it.be(lambda: it.app.return_value == 0, "left")


async def test_a_window_that_was_left_is_come_back_to_as_it_was() -> None:
    async with desk() as it:
        await it.press("t")
        it.app.post_message(events.AppBlur())
        await it.pilot.pause()
        it.app.post_message(events.AppFocus())
        await it.pilot.pause()
        await it.press("x")
        await it.be(lambda: it.stage.typed == ["x"], "typed")


async def test_help_is_for_what_has_the_focus() -> None:
    async with desk() as it:
        await it.press("question_mark")
        await it.see("Help: Lesson", "The lesson: read, then press Enter.", "Begin the lesson")
        await it.press("escape", "2", "f1")
        await it.see("Help: Cluster", "Every column is a node")
        await it.press("escape", "t", "f1")
        await it.see("Help: Terminal", "Twice: leave the terminal")


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (120, 40), (200, 60)])
async def test_every_pane_is_reached_at_every_size(size: tuple[int, int]) -> None:
    async with desk(FakeStage(desired=4), size=size) as it:
        await it.press("enter", "enter")
        await it.idle()
        for key, word in (("1", "docker service create"), ("2", "manager"), ("3", "web.1 runs"), ("4", "node1 $")):
            await it.press(key)
            await it.see(word)
        await it.press("1")


async def test_where_there_is_little_room_the_view_follows_the_command_and_comes_back() -> None:
    async with desk(size=(80, 24)) as it:
        await it.press("enter", "enter")
        await it.idle()
        await it.see("[Terminal]", "1/3 Four replicas, please", "✔✔ passed", "converged")
        await it.press("enter")
        await it.see("[Lesson]", "Step 2 of 3")


async def test_zoom_shows_one_pane_alone_and_all_again() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("2", "z")
        await it.see("[Cluster]", "desired 4")
        assert "3 Timeline ─" not in it.text
        await it.press("z")
        await it.see("3 Timeline ─")


async def test_the_speakers_strip_has_notes_step_and_time_in_large() -> None:
    async with desk() as it:
        await it.press("n", "s")
        await it.see("Ask the room first", "╺┓  ╺━┓")
        await it.press("n")
        await it.see("No notes for this page.")
        await it.press("s")
        await it.be(lambda: "No notes" not in it.text, "the strip is gone")


async def test_the_palette_finds_a_lesson_and_a_step() -> None:
    async with desk() as it:
        await it.press("ctrl+p")
        await it.pilot.press(*"crash one")
        await it.see("Step 2: Crash one")
        await it.pilot.pause(0.1)
        await it.press("down", "enter")
        await it.see("Step 2 of 3")


async def test_a_lesson_is_chosen_from_the_list() -> None:
    async with desk() as it:
        await it.press("l")
        await it.see("Lessons", "Scaling")
        await it.press("down", "enter")
        await it.idle()
        assert it.app.ui.lesson is not None and it.app.ui.lesson.id == "scaling"


async def test_a_flood_of_output_holds_nobody_up_and_says_what_it_left_out() -> None:
    async with desk() as it:
        line = "0123456789" * 9 + "\r\n"
        for _ in range(40):
            it.stage.journal.write(Printed("node1", line * 100))
        it.stage.journal.write(Printed("node1", "the very end\r\n"))
        await it.press("n")
        assert it.app.ui.page == 0
        await it.see("the very end")
        await it.press("4", "home")
        await it.see("kB more are not shown")


async def test_output_that_costs_more_than_its_length_is_taken_in_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(size=(200, 60)) as it:
        spent = [0.0]
        monkeypatch.setattr("lab.tui.widgets.intake.time.thread_time", lambda: spent[0])
        monkeypatch.setattr(Intake, "_take", lambda *_: spent.__setitem__(0, spent[0] + 1.0))
        terminal = it.app.query_one(Terminal)
        terminal.feed("node1", "a\x1b[9999b" * 20)
        terminal.feed("node2", "b")
        frames = 1
        while terminal.frame():
            frames += 1
        assert frames == spent[0] == 4  # a frame for each piece: not one more was begun when the time was gone


async def test_quitting_closes_only_what_the_app_made() -> None:
    stage = FakeStage()
    app = LabApp(lambda: stage, clock=lambda: 0.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.ui.ready, "ready")
        await pilot.press("q")
    app.close_stages()
    assert stage.closed


async def test_why_a_step_failed_stands_once_where_the_lesson_has_the_screen() -> None:
    why = "web.2 did not run again within 90 s."
    async with desk(FakeStage(desired=4, fail=why), size=(80, 24)) as it:
        await it.press("n", "n", "enter")
        await it.see(f"Not done: {why}", "Press 1 for the lesson")
        await it.press("1")
        await it.see("Not done", "Enter tries again")
        assert it.text.count("Not done") == 1 and "Press 1" not in it.text


async def test_a_help_that_is_longer_than_the_screen_can_be_read_to_its_end() -> None:
    async with desk(FakeStage(desired=4), size=(80, 24)) as it:
        await it.press("2", "question_mark")
        await it.see("Help: Cluster", "Every column is a node")
        await it.press("end")
        await it.see("Quit (Ctrl+Q anywhere)")


async def test_in_100_columns_the_terminal_has_room_for_the_list_of_nodes() -> None:
    line = "ID                            HOSTNAME   STATUS    AVAILABILITY   MANAGER STATUS   ENGINE VERSION"
    async with desk(size=(100, 30)) as it:
        it.stage.journal.write(Printed("node1", f"{line}\r\n1\r\n2\r\n3\r\n4\r\n"))
        await it.see(line)
