"""Where one is in a lesson, as a value: the page, and what is known of its step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lab.lesson.model import Lesson, Step
from lab.lesson.standing import Attempt
from lab.world import lesson_state
from lab.world.world import World

State = Literal["", "passed", "failed", "begun"]


@dataclass(frozen=True, slots=True)
class Place:
    """A page of a lesson, over a world. `page` is -1 on the opening page, then the index of the step, and the number of
    steps on the last page. `after` is the lesson that comes next, `live` whether there is a cluster. At the end of a
    challenge, `next_challenge` is the next one that is not repaired."""

    lesson: Lesson
    page: int
    world: World
    after: Lesson | None = None
    live: bool = True
    next_challenge: Attempt | None = None

    @property
    def kind(self) -> Literal["lesson", "challenge"]:
        """What one is in, in a word."""
        return "challenge" if self.lesson.broken is not None else "lesson"

    @property
    def step(self) -> Step | None:
        """The page's step, None on the first and the last page."""
        return self.lesson.steps[self.page] if 0 <= self.page < len(self.lesson.steps) else None

    @property
    def values(self) -> Mapping[str, str]:
        """The captured values."""
        return self.world.lesson.captured

    @property
    def state(self) -> State:
        """The state of the page's step."""
        return self.state_of(self.step)

    @property
    def asks(self) -> bool:
        """Whether the step asks something before it runs: a recording has its number, but leaves a choice open."""
        question = self.step.question if self.step is not None else None
        return question is not None and (self.live or bool(question.choices))

    @property
    def keeps_back(self) -> bool:
        """Whether the checks are not said yet, since they may give away what the question asks."""
        question = self.step.question if self.step is not None else None
        return question is not None and self.asks and self.state == "" and question.name not in self.values

    @property
    def resume(self) -> int:
        """The page to open on: the first step that has not passed, the opening page if none has passed."""
        done = [self.state_of(step) == "passed" for step in self.lesson.steps]
        if not any(done):
            return -1
        return len(done) if all(done) else done.index(False)

    def record(self, step: Step | None) -> lesson_state.Step | None:
        """Return how a step went, None when it has not begun."""
        return self.world.lesson.steps.get((self.lesson.id, step.id)) if step is not None else None

    def state_of(self, step: Step | None) -> State:
        """Return a step's state."""
        record = self.record(step)
        if record is None:
            return ""
        return "passed" if record.state == "passed" else "failed" if record.state == "failed" else "begun"

    def place_of(self, step: str) -> int:
        """Return the page of the step with this id; the opening page for none."""
        return next((place for place, each in enumerate(self.lesson.steps) if each.id == step), -1)
