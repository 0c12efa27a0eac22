"""The README's pictures are what the app shows of the recordings now."""

from __future__ import annotations

import re

import pytest

from lab import paths
from tests.tui.fake import FakeStage
from tests.tui.picture import PICTURES, picture, play


def test_a_picture_is_taken_without_a_terminal() -> None:
    svg = picture(FakeStage(live=False), ["enter", "enter"])
    assert svg.startswith("<svg") and "REPLAY" in svg and "converged" in svg


@pytest.mark.parametrize("name", PICTURES)
def test_the_readmes_picture_is_what_its_recording_shows(name: str) -> None:
    kept = (paths.recordings() / name).read_text(encoding="utf-8")
    assert play(PICTURES[name]) == kept, "the recording, the lesson or the app has changed: make pictures"


def test_every_picture_in_the_readme_can_be_made() -> None:
    text = (paths.data() / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(recordings/([^)]+\.svg)\)", text)) == set(PICTURES)
