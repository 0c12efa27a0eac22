"""What the app looks like: pictures at pinned sizes, with pinned clocks. `pytest --snapshot-update` renews them."""

from __future__ import annotations

import pytest

from lab.cluster.model import Progress, Report
from lab.lesson.challenge import as_lesson
from lab.lesson.find_challenge import challenges
from lab.lesson.question import Question, QuizItem
from lab.lesson.standing import Attempt, Standing
from lab.tui.appearance import Appearance
from lab.world.entries import Entry, ManagerLink, Printed
from tests.tui.fake import LESSON, NEXT, FakeStage, mesh_hits, with_containers
from tests.tui.pictures import Compare, after, app_on


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("theme", ["dark", "light", "colour-blind"])
def test_a_crash_being_mended(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    stage = FakeStage(desired=4, hold=7)
    keys = ("n", "n", "enter") if size[0] > 100 else ("n", "n", "enter", "2")
    before = after(stage, *keys, words=("◑ preparing", "✘ exit 137"))
    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_opening_page(snap_compare: Compare, size: tuple[int, int]) -> None:
    stage = FakeStage()
    assert snap_compare(app_on(stage), terminal_size=size, run_before=after(stage, words=("15 minutes",)))


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stage = FakeStage(desired=4, hold=7)
    before = after(stage, "n", "n", "enter", words=("◑ preparing",))
    assert snap_compare(app_on(stage), terminal_size=(120, 40), run_before=before)


def test_a_replay(snap_compare: Compare) -> None:
    stage = FakeStage(live=False)
    before = after(stage, "enter", "enter", words=("REPLAY", "✔ Done"))
    assert snap_compare(app_on(stage), terminal_size=(120, 40), run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_a_failed_step(snap_compare: Compare, size: tuple[int, int]) -> None:
    stage = FakeStage(desired=4, fail="web.2 did not run again within 90 s. docker service ps web says why.")
    keys = ("n", "n", "enter") if size[0] > 100 else ("n", "n", "enter", "1")
    before = after(stage, *keys, words=("Not done",))
    assert snap_compare(app_on(stage), terminal_size=size, run_before=before)


def test_a_silent_engine(snap_compare: Compare) -> None:
    stage = FakeStage(desired=4)
    silent = Entry(10.0, ManagerLink("stale", "node1", "node1 does not answer; node2 is asked next"))
    before = after(stage, "n", words=("STALE for 12 s",), entries=(silent, Entry(22.0, Printed("node1", "x\r\n"))))
    assert snap_compare(app_on(stage), terminal_size=(120, 40), run_before=before)


def test_the_end_of_a_lesson(snap_compare: Compare) -> None:
    stage = FakeStage()
    before = after(stage, *("enter",) * 7, words=("Reconciliation: done",))
    assert snap_compare(app_on(stage), terminal_size=(120, 40), run_before=before)


def test_the_speakers_strip(snap_compare: Compare) -> None:
    stage = FakeStage(desired=4)
    before = after(stage, "n", "s", words=("Ask the room",))
    assert snap_compare(app_on(stage), terminal_size=(120, 40), run_before=before)


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), "dark"), ((120, 40), "dark"), ((120, 40), "light"), ((200, 60), "dark")],
    ids=("dark-80x24", "dark-120x40", "light-120x40", "dark-200x60"),
)
def test_the_mesh(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    stage = FakeStage(desired=4)
    facts = (with_containers(), *mesh_hits())
    entries = tuple(Entry(2.0 + place / 10, fact) for place, fact in enumerate(facts))
    before = after(stage, "n", "n", "5", words=("Routing mesh", "✘ node4"), entries=entries)
    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=before)


def test_a_question(snap_compare: Compare) -> None:
    asks = Question(name="guess", text="How many requests will fail while all replicas are replaced?", usual=0)
    stage = FakeStage(desired=4)
    steps = (LESSON.steps[0].model_copy(update={"question": asks}), *LESSON.steps[1:])
    stage.taught = (LESSON.model_copy(update={"steps": steps}),)
    before = after(stage, "n", "enter", words=("Enter alone says 0",))
    assert snap_compare(app_on(stage), terminal_size=(120, 40), run_before=before)


CHOICES = ("two on node1 and two on node2", "one on each node", "all four where the command was typed")


def test_a_choice_that_was_wrong(snap_compare: Compare) -> None:
    because = "The scheduler takes the node with the fewest tasks of this service."
    asks = Question(
        name="bet", text="Where will the **four** tasks go?", choices=CHOICES, answer=CHOICES[1], because=because
    )
    step = {"question": asks, "after": "Each node runs one, and any of them answers on port 8080."}
    stage = FakeStage()
    steps = (LESSON.steps[0].model_copy(update=step), *LESSON.steps[1:])
    stage.taught = (LESSON.model_copy(update={"steps": steps}),)
    before = after(stage, "n", "enter", "enter", words=("What you saw", "✔ Done"))
    assert snap_compare(app_on(stage), terminal_size=(120, 40), run_before=before)


def ended() -> FakeStage:
    """A stage whose lesson says what to remember, and asks."""
    item = QuizItem(ask="Where does the **new** task go?", choices=CHOICES, answer=CHOICES[1], step="crash")
    stage = FakeStage()
    terms = {"desired state": "what should be, as it was declared", "slot": "a task's number in its service"}
    recap = ("A service is a *declaration*; the managers keep to it.", "A task that ended is replaced, not restarted.")
    more = {"recap": recap, "terms": terms, "quiz": (item, item), "kubernetes": "a Deployment and its ReplicaSet."}
    stage.taught = (LESSON.model_copy(update=more), NEXT)
    return stage


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_end_with_a_recap(snap_compare: Compare, size: tuple[int, int]) -> None:
    stage = ended()
    before = after(stage, "n", "n", "n", "n", words=("In short", "desired state: what should be"))
    assert snap_compare(app_on(stage), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_a_wrong_answer_at_the_end(snap_compare: Compare, size: tuple[int, int]) -> None:
    stage = ended()
    before = after(stage, "n", "n", "n", "n", "c", "enter", words=("Back to step 2: Crash one",))
    assert snap_compare(app_on(stage), terminal_size=size, run_before=before)


def standing() -> FakeStage:
    """A stage on which some of the lessons are done."""
    stage = ended()
    done = frozenset({"declare", "crash"})
    here = Standing(done, done, hints=3, last=True, instant=True)
    stage.stood = {"reconciliation": here, "scaling": Standing(done=frozenset(s.id for s in NEXT.steps))}
    return stage


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), "dark"), ((120, 40), "dark"), ((120, 40), "light"), ((200, 60), "dark")],
    ids=("dark-80x24", "dark-120x40", "light-120x40", "dark-200x60"),
)
def test_the_board_of_lessons(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    stage = standing()
    before = after(stage, "l", words=("here", "3 hints taken"))
    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_board_with_a_long_title_and_challenges(snap_compare: Compare, size: tuple[int, int]) -> None:
    stage = standing()
    long = NEXT.model_copy(update={"id": "long", "title": "What a title of two lines looks like beside short ones"})
    stage.taught = (*stage.taught, long)
    lesson = as_lesson(challenges()["c-404"], 7)
    stage.dared = (Attempt("c-404", 7, lesson), Attempt("c-404", 7, lesson, begun=True))
    before = after(stage, "l", "end", words=("Challenges", "copied the labels"))
    assert snap_compare(app_on(stage), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_what_is_found_in_the_lessons(snap_compare: Compare, size: tuple[int, int]) -> None:
    stage = standing()
    before = after(stage, "l", "slash", *"re", words=("Steps", "Terms", "desired state", "Commands"))
    assert snap_compare(app_on(stage), terminal_size=size, run_before=before)


def test_a_changed_cluster(snap_compare: Compare) -> None:
    stage = FakeStage(desired=4)
    stage.drift = "On this cluster 2 things differ from the start of step 2: r puts them right, in seconds."
    before = after(stage, "n", words=("2 things differ",))
    assert snap_compare(app_on(stage), terminal_size=(120, 40), run_before=before)


def test_help(snap_compare: Compare) -> None:
    stage = FakeStage(desired=4)
    before = after(stage, "2", "question_mark", words=("Help: Cluster",))
    assert snap_compare(app_on(stage), terminal_size=(80, 24), run_before=before)


def test_a_cluster_in_the_making(snap_compare: Compare) -> None:
    stage = FakeStage(live=False)

    def bring_up(report: Report) -> FakeStage:
        report(Progress("boot", "waiting for the engines of node3 and node4", 0.63))
        stage.wait_for_stop()
        return stage

    before = after(stage, words=("63 %",))
    assert snap_compare(app_on(stage, bring_up=bring_up), terminal_size=(120, 40), run_before=before)
