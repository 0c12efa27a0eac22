"""A recorded run to explore in a browser: what is in the page, and that a real browser shows it."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from lab.session.run_page import run_page
from lab.tape.find import find_tape
from lab.tape.tape import load
from lab.tui.pane_picture import picture_style
from lab.tui.recorded_run import TERMINAL, RecordedRun, record_run
from lab.world.entries import StepMoved
from tests.course import LESSONS

BOUND = 30_000
#: As root, Chromium has no sandbox.
ARGS = ["--no-sandbox"] if os.geteuid() == 0 else []
LARGEST = 2_000_000
"""Bytes of a page."""


@cache
def run_of(lesson: str) -> RecordedRun:
    return record_run(load(find_tape(lesson)), next(each for each in LESSONS if each.id == lesson))


def page_of(lesson: str) -> str:
    return run_page("A <b>run</b>", "recorded once", asdict(run_of(lesson)), picture_style())


def test_every_step_is_in_it_with_its_time_and_its_commands() -> None:
    tape, run = load(find_tape("first-service")), run_of("first-service")
    begun = [e for e in tape.entries if isinstance(e.fact, StepMoved) and e.fact.state == "begun"]
    assert [(step["id"], step["begin"]) for step in run.steps] == [
        (e.fact.step, round(e.at, 2)) for e in begun if isinstance(e.fact, StepMoved)
    ]
    assert all(step["end"] >= step["begin"] for step in run.steps)
    assert any("docker service create" in command for command in run.steps[0]["commands"])


def test_a_pane_has_a_frame_for_each_change_and_each_row_is_kept_once() -> None:
    run = run_of("first-service")
    assert len(set(run.rows)) == len(run.rows)
    for frames in run.panes.values():
        times = [at for at, _ in frames.at]
        assert times == sorted(times)
        assert all(a[1] != b[1] for a, b in zip(frames.at, frames.at[1:], strict=False))
        assert all(0 <= row < len(run.rows) for _, rows in frames.at for row in rows)
    last = "".join(run.rows[row] for row in run.panes[TERMINAL].at[-1][1])
    assert "$" in last


def test_failed_requests_come_with_what_the_swarm_did_then() -> None:
    run = run_of("rolling-update")
    assert run.failures
    assert all("this request failed" in around for _, _, around in run.failures)
    assert len({(at, around) for at, _, around in run.failures}) == len(run.failures)


@pytest.mark.parametrize("lesson", [lesson.id for lesson in LESSONS])
def test_no_page_is_too_large_or_loads_anything(lesson: str) -> None:
    page = page_of(lesson)
    assert len(page) < LARGEST
    assert "default-src 'none'" in page
    assert "http-equiv" in page
    assert "src=" not in page.replace("default-src", "").replace("style-src", "").replace("script-src", "")
    assert "A &lt;b&gt;run&lt;/b&gt;" in page


def test_a_browser_scrubs_chooses_and_opens_a_failed_request(tmp_path: Path) -> None:
    program = shutil.which("chromium")
    assert program, "there is no chromium: make browser"
    file = tmp_path / "run.html"
    file.write_text(page_of("rolling-update"))
    run = run_of("rolling-update")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGS)
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text))
        page.on("request", lambda asked: problems.append(asked.url) if not asked.url.startswith("file:") else None)
        page.goto(file.as_uri(), timeout=BOUND)
        page.wait_for_selector("body[data-ready]", timeout=BOUND)
        expect(page.locator("#steps li")).to_have_count(len(run.steps))
        page.get_by_role("button", name=run.steps[-1]["title"]).click()
        expect(page.locator("#title")).to_have_text(run.steps[-1]["title"])
        before = page.locator("#changes li").count()
        page.locator("#time").evaluate("(s) => { s.value = 0; s.dispatchEvent(new Event('input')); }")
        assert page.locator("#changes li").count() < before
        page.get_by_role("button", name="Terminal").click()
        expect(page.locator("#picture svg")).to_have_count(1)
        page.locator("#marks button").first.evaluate("(mark) => mark.click()")
        expect(page.locator("#around")).to_contain_text("this request failed")
        page.get_by_role("button", name="close").click()
        page.get_by_role("button", name="play").click()
        page.wait_for_function("parseFloat(document.getElementById('time').value) > 0", timeout=BOUND)
        assert problems == []
        browser.close()
