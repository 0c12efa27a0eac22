"""The visualizer in a real browser, through Traefik, over HTTPS, under a name that needs no DNS."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from lab.cluster import edge_settings
from lab.cluster.model import Cluster
from tests.live.conftest import swarmlab

pytestmark = pytest.mark.timeout(3000)
BOUND = 120_000.0
"""Milliseconds."""

ARGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def url(cluster: Cluster, lab_name: str) -> str:
    """The page's address on this machine; the stack is deployed."""
    ran = swarmlab("reset", "--to", "certificates:renew", "--json", "--name", lab_name)
    assert ran.code == 0, ran.err[-4000:]
    status = swarmlab("status", "--json", "--name", lab_name)
    return str(status.json["names"]["visualizer"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = shutil.which("chromium")
    assert program, "there is no chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGS.split())
        yield browser
        browser.close()


def test_with_the_right_password_it_shows_the_nodes_and_their_tasks(
    cluster: Cluster, browser: Browser, url: str
) -> None:
    user, password = edge_settings.read_settings(cluster).login
    context = browser.new_context(ignore_https_errors=True, http_credentials={"username": user, "password": password})
    page = context.new_page()
    page.goto(url, timeout=BOUND)
    expect(page.locator("section[data-node]")).to_have_count(4, timeout=BOUND)
    expect(page.locator("[data-node=node1] [data-task='edge_traefik.1']")).to_contain_text("running", timeout=BOUND)
    expect(page.get_by_role("status")).to_contain_text("4 of 4 nodes ready", timeout=BOUND)
    context.close()


def test_with_a_wrong_password_it_shows_nothing(browser: Browser, url: str) -> None:
    context = browser.new_context(ignore_https_errors=True, http_credentials={"username": "admin", "password": "guess"})
    page = context.new_page()
    answer = page.goto(url, timeout=BOUND)
    assert answer is not None
    assert answer.status == 401
    assert page.locator("section[data-node]").count() == 0
    context.close()
