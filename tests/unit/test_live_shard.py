"""The shards of the live tests: the core is in each, and together they prove every lesson."""

from __future__ import annotations

import pytest

from tests.course import LESSONS
from tests.live.shard import CORE, SHARDS, choose_lessons


@pytest.mark.parametrize("shards", [1, SHARDS, 5])
def test_all_shards_together_are_every_lesson_and_each_has_the_core(
    monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    proven: list[str] = []
    for number in range(1, shards + 1):
        monkeypatch.setenv("SWARMLAB_SHARD", f"{number}/{shards}")
        chosen = [lesson.id for lesson in choose_lessons(LESSONS)]
        assert set(chosen) >= CORE
        proven += [id for id in chosen if id not in CORE]
    assert sorted(proven) == sorted(lesson.id for lesson in LESSONS if lesson.id not in CORE)


def test_all_are_proven_when_asked_for_and_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_SHARD", "all")
    assert choose_lessons(LESSONS) == LESSONS
    for wrong in ("4/3", "0/3", "x", "1/"):
        monkeypatch.setenv("SWARMLAB_SHARD", wrong)
        with pytest.raises(ValueError, match="SWARMLAB_SHARD"):
            choose_lessons(LESSONS)


def test_a_commit_chooses_one_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWARMLAB_SHARD", raising=False)
    assert choose_lessons(LESSONS) == choose_lessons(LESSONS)
    assert len(choose_lessons(LESSONS)) < len(LESSONS)
