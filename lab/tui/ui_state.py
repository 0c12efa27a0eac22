"""The state of the user interface, as one value. Every view and every key is a function of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lab.panes import CLUSTER, find_pane

if TYPE_CHECKING:
    from lab.cluster.model import Progress
    from lab.lesson.hints import Told
    from lab.lesson.model import Lesson
    from lab.lesson.model import Step as LessonStep
    from lab.lesson.question import Question
    from lab.world.entries import Progressed
    from lab.world.lesson_state import Step
    from lab.world.world import World

Region = Literal["lesson", "cluster", "timeline", "terminal"]
REGIONS: tuple[Region, ...] = ("lesson", "cluster", "timeline", "terminal")
TITLES: dict[Region, str] = {"lesson": "Lesson", "cluster": "Cluster", "timeline": "Timeline", "terminal": "Terminal"}
Busy = Literal["", "opening", "step", "reset"]
Link = Literal["replay", "reading", "live", "stale", "none", "starting"]


@dataclass(frozen=True)
class UiState:
    """The state of the user interface.

    `page` is -1 on a lesson's opening page, then the index of the step, and the number of steps on the last page. `now`
    is the journal's time and `elapsed` the time since the lesson was opened, in seconds. `running` is the id of the
    running step. `offer` names a live cluster that is ready to be used. `notice` is a message to the user, and
    `trouble` says whether it is bad news. `view` is shown in the cluster's place. `loading`: load runs, or was just
    requested; `rate` is its actual or requested rate in requests a second. `typing`: keys go to a shell. `reading`:
    there is neither a cluster nor a recording. `problems` are what is wrong with the lesson's file as last saved;
    `save_waits`: it is good, and shown once the stage has ended what it does. `drift` says how the cluster is not as
    the lesson's next step needs it. `hints` are those that were told on this page; `solution_asked`: a solution was
    asked for there once.
    """

    ready: bool = False
    live: bool = False
    reading: bool = False
    title: str = ""
    lessons: tuple[Lesson, ...] = ()
    lesson: Lesson | None = None
    page: int = -1
    world: World | None = None
    now: float = 0.0
    elapsed: float = 0.0
    busy: Busy = ""
    running: str = ""
    making: bool = False
    progress: Progress | Progressed | None = None
    offer: str = ""
    notice: str = ""
    trouble: bool = False
    problems: tuple[str, ...] = ()
    save_waits: bool = False
    region: Region = "lesson"
    view: str = CLUSTER
    loading: bool = False
    rate: float = 50.0
    compact: bool = False
    zoomed: bool = False
    notes: bool = False
    typing: bool = False
    drift: str = ""
    hints: tuple[Told, ...] = ()
    solution_asked: bool = False

    @property
    def single(self) -> bool:
        """Whether one region is shown at a time."""
        return self.compact or self.zoomed

    @property
    def in_sight(self) -> str | None:
        """The view that is visible, or None while another region covers its place."""
        return self.view if not self.single or self.region == "cluster" else None

    def key_and_title(self, region: Region) -> tuple[str, str]:
        """Return the key and the title of what is shown in a region."""
        if region != "cluster":
            return f"{REGIONS.index(region) + 1}", TITLES[region]
        shown = find_pane(self.view)
        return shown.key, shown.title

    @property
    def count(self) -> int:
        """The number of steps in the lesson."""
        return len(self.lesson.steps) if self.lesson else 0

    @property
    def step(self) -> LessonStep | None:
        """The current step, or None on the first and the last page."""
        return self.lesson.steps[self.page] if self.lesson and 0 <= self.page < self.count else None

    @property
    def question(self) -> Question | None:
        """The question that the current step asks before it runs, if any."""
        return getattr(self.step, "question", None)

    @property
    def leaves(self) -> bool:
        """Whether another lesson is being opened, so that nothing is known of this one any more."""
        known = self.world.lesson.id if self.world is not None else ""
        return bool(self.busy) and self.lesson is not None and known not in ("", self.lesson.id)

    @property
    def asks(self) -> bool:
        """Whether the current step asks somebody before it runs: a replay has its number, but leaves a choice open."""
        return self.question is not None and (self.live or bool(self.question.choices))

    @property
    def keeps_back(self) -> bool:
        """Whether the checks are not shown yet, since they may give away what the question asks: until it is answered,
        or something has happened in the step."""
        step, lesson, world = self.step, self.lesson, self.world
        if step is None or lesson is None or world is None or not self.asks or self.said is not None:
            return False
        found = (world.lesson.verdicts.get((lesson.id, step.id, place)) for place in range(len(step.checks)))
        return self.step_state(self.page) == "" and not any(v is not None and v.phase == "after" for v in found)

    @property
    def waits(self) -> bool:
        """Whether the current step is the learner's own to do: the lab types nothing, and waits."""
        return self.live and self.step is not None and self.step.your_turn

    @property
    def said(self) -> str | None:
        """What was answered to the current step's question, None for nothing yet."""
        asks = self.question
        return self.world.lesson.captured.get(asks.name) if asks is not None and self.world is not None else None

    @property
    def taken(self) -> frozenset[str]:
        """The ids of the hints of the current step that were taken, now or on another day."""
        if self.lesson is None or self.step is None or self.world is None:
            return frozenset()
        return self.world.lesson.hints.get((self.lesson.id, self.step.id), frozenset())

    @property
    def wanted_view(self) -> str:
        """The view that the current page asks for: its step's, or the one shown now."""
        pane = getattr(self.step, "pane", None)
        return find_pane(pane).id if pane else self.view

    @property
    def finished(self) -> bool:
        """Whether every step has passed."""
        return self.lesson is not None and all(self.step_state(place) == "passed" for place in range(self.count))

    @property
    def last_step(self) -> int | None:
        """The place of the last step that has begun, None when none has."""
        begun = [place for place in range(self.count) if self.record(place) is not None]
        return begun[-1] if begun else None

    @property
    def resume(self) -> int:
        """The page to open on: the first step that has not passed, the opening page if none has, or the last page,
        which leads to the next lesson, if all have."""
        done = [self.step_state(place) == "passed" for place in range(self.count)]
        if not any(done):
            return -1
        return self.count if all(done) else done.index(False)

    def page_in(self, lesson: Lesson) -> int:
        """Return the page of another version of the lesson that stands for this one: the step with the same id."""
        ids = [step.id for step in lesson.steps]
        if self.step is not None and self.step.id in ids:
            return ids.index(self.step.id)
        return len(ids) if self.page >= self.count else min(self.page, len(ids) - 1)

    @property
    def next_lesson(self) -> Lesson | None:
        """The lesson after this one in the syllabus."""
        ids = [lesson.id for lesson in self.lessons]
        if self.lesson is None or self.lesson.id not in ids:
            return None
        after = ids.index(self.lesson.id) + 1
        return self.lessons[after] if after < len(ids) else None

    @property
    def link(self) -> Link:
        """How fresh the data on the screen is."""
        if not self.live:
            return "reading" if self.reading else "replay"
        if not self.ready or self.world is None or (self.world.link.state == "none" and not self.world.link.why):
            return "starting"
        return self.world.link.state

    @property
    def outdated(self) -> bool:
        """Whether no manager answers, now or at this place of a recording: what is shown of the swarm is old."""
        recorded = self.link == "replay" and self.world is not None and self.world.link.state == "stale"
        return recorded or self.link == "stale"

    def record(self, place: int) -> Step | None:
        """Return how the step at that place went."""
        if self.lesson is None or self.world is None or not 0 <= place < self.count:
            return None
        return self.world.lesson.steps.get((self.lesson.id, self.lesson.steps[place].id))

    def step_state(self, place: int) -> Literal["", "running", "passed", "failed", "stopped"]:
        """Return the state of the step at that place; stopped: it began, and nothing waits for it."""
        record = self.record(place)
        if self.busy == "step" and self.lesson and self.lesson.steps[place].id == self.running:
            return "running"
        if record is None:
            return ""
        return "passed" if record.state == "passed" else "failed" if record.state == "failed" else "stopped"
