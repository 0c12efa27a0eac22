"""The README's pictures are what the app shows of the recordings now."""

from __future__ import annotations

import json
import re

import pytest

from lab import paths
from tests.tui.fake import FakeStage
from tests.tui.picture import CAST, CAST_SLIDES, PICTURES, picture, play
from tests.tui.talk_cast import cast_talk


def test_a_picture_is_taken_without_a_terminal() -> None:
    svg = picture(FakeStage(live=False), ["enter", "enter"])
    assert svg.startswith("<svg") and "REPLAY" in svg and "converged" in svg


@pytest.mark.parametrize("name", PICTURES)
def test_the_readmes_picture_is_what_its_recording_shows(name: str) -> None:
    kept = (paths.recordings() / name).read_text(encoding="utf-8")
    assert play(PICTURES[name]) == kept, "the recording, the lesson or the app has changed: make pictures"


def test_the_readmes_cast_is_what_the_recordings_show() -> None:
    kept = (paths.recordings() / CAST).read_text(encoding="utf-8")
    assert cast_talk("talk-25", CAST_SLIDES) == kept, "a recording, a lesson or the app has changed: make pictures"
    header, *events = map(json.loads, kept.splitlines())
    assert (header["version"], header["width"], header["height"]) == (2, 100, 30)
    assert [at for at, *_ in events] == sorted(at for at, *_ in events)
    assert events[-1][0] < 120
    assert "REPLAY" in events[0][2]


def test_every_picture_in_the_readme_can_be_made() -> None:
    text = (paths.data() / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(recordings/([^)]+\.svg)\)", text)) == set(PICTURES)
