"""The app and its cluster: a replay, a silent engine, one in the making, one that cannot be made."""

from __future__ import annotations

import threading

from lab.cluster.model import Progress, Report
from lab.errors import MissingError
from lab.lesson.model import Lesson
from lab.tui.app import LabApp
from lab.world.entries import Entry, ManagerLink, Printed
from tests.tui.conftest import Desk, desk, seen, until
from tests.tui.fake import FakeStage


async def test_a_replay_is_unmistakable_and_resets_nothing() -> None:
    async with desk(FakeStage(live=False)) as it:
        await it.see("▶ REPLAY 00:01", "recorded 2026-11-22")
        assert "wind back" in it.footer
        assert "type" not in it.footer
        await it.press("4", "a", "enter")
        assert it.stage.typed == []


async def test_a_silent_engine_is_told_with_its_age() -> None:
    async with desk(FakeStage(desired=4)) as it:
        it.stage.journal.put(Entry(10.0, ManagerLink("stale", "node1", "node1 does not answer; node2 is asked next")))
        it.stage.journal.put(Entry(22.0, Printed("node1", "")))
        await it.see("▲ STALE for 12 s", "What you see is old (12 s)", "node2 is asked next", "● running")
        it.stage.journal.put(Entry(23.0, ManagerLink("live", "node2")))
        await it.see("● LIVE")


async def test_a_replay_tells_where_no_manager_answered() -> None:
    async with desk(FakeStage(desired=4, live=False)) as it:
        it.stage.journal.put(Entry(10.0, ManagerLink("stale", "node1", "node1 does not answer")))
        await it.see("▶ REPLAY", "▲ Here no manager answered")
        it.stage.journal.put(Entry(23.0, ManagerLink("live", "node2")))
        await it.be(lambda: "Here no manager answered" not in seen(it.app), "the words go")


async def test_no_cluster_is_said_only_when_that_is_known() -> None:
    async with desk() as it:
        it.stage.journal.write(ManagerLink("none"))
        await it.see("◌ STARTING")
        it.stage.journal.write(ManagerLink("none", "", "every manager is powered off"))
        await it.see("■ NO CLUSTER", "every manager is powered off")


async def test_a_lab_that_cannot_open_says_so() -> None:
    def none() -> FakeStage:
        raise MissingError("there is no recording here", remedy="swarmlab up")

    app = LabApp(none, clock=lambda: 0.0)
    async with app.run_test(size=(120, 40)) as pilot:
        it = Desk(app, pilot, FakeStage())
        await it.see("The lab could not open: there is no recording here", "next: swarmlab up", "▶ REPLAY")
        await it.press("enter", "n", "r", "z", "2", "q")
    assert app.return_code == 3


async def test_a_cluster_in_the_making_shows_how_far_it_is_and_is_offered() -> None:
    go, live = threading.Event(), FakeStage(desired=4)

    def bring_up(report: Report) -> FakeStage:
        report(Progress("base disk", "unpacking 212 of 485 MB", 0.42))
        assert go.wait(20)
        return live

    async with desk(FakeStage(live=False), bring_up=bring_up) as it:
        await it.see("◑ base disk: unpacking 212 of 485 MB", "42 %", "▶ REPLAY")
        await it.press("enter", "enter")
        await it.idle()
        await it.see("✔ Done")
        go.set()
        await it.see("Your cluster is ready: default · 4 nodes · vm (tcg)", "L  go live")
        await it.press("L")
        await it.idle()
        await it.see("● LIVE", "Reconciliation", "15 minutes, 3 steps", "desired 4  running 4")
        assert not it.app.ui.offer


async def test_where_no_cluster_can_be_made_it_says_why_and_goes_on() -> None:
    def bring_up(report: Report) -> FakeStage:
        raise MissingError("there is no QEMU here", remedy="apt-get install qemu-system-x86")

    async with desk(FakeStage(live=False), bring_up=bring_up) as it:
        await it.see("No cluster could be made; the recordings stay", "there is no QEMU here", "next: apt-get install")
        await it.press("enter", "enter")
        await it.idle()
        await it.see("✔ Done")


async def test_why_no_cluster_could_be_made_is_still_told_when_the_lesson_opens_after_it() -> None:
    told = threading.Event()

    class Late(FakeStage):
        def open(self, lesson: str) -> Lesson:
            assert told.wait(60)
            return super().open(lesson)

    def bring_up(report: Report) -> FakeStage:
        raise MissingError("there is no QEMU here", remedy="apt-get install qemu-system-x86")

    app = LabApp(Late(live=False), bring_up=bring_up, clock=lambda: 0.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "there is no QEMU here" in seen(app), "the reason is told")
        told.set()
        await until(pilot, lambda: "Enter begins" in seen(app), "the lesson is open")
        assert "there is no QEMU here" in seen(app)


async def test_leaving_ends_the_making_of_a_cluster() -> None:
    ended, looked = threading.Event(), threading.Event()

    def bring_up(report: Report) -> FakeStage:
        try:
            while True:
                report(Progress("boot", "waiting for node1"))
                looked.wait(0.02)
        finally:
            ended.set()

    app = LabApp(FakeStage(live=False), bring_up=bring_up, clock=lambda: 0.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.ui.progress is not None, "progress")
        await pilot.press("q")
        await until(pilot, ended.is_set, "the making ended")
        await until(pilot, lambda: not app.is_running or app.return_value == 0, "left")
