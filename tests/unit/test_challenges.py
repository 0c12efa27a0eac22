"""Challenges: a file and a seed make a lesson; what is wrong with a file is told; the command line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import paths
from lab.checks.answers import Http
from lab.checks.base import Baseline
from lab.cli import challenges as command
from lab.cli.lessons import choose_lessons
from lab.cli.out import Out
from lab.cli.parser import parse
from lab.cluster.model import Report
from lab.errors import InputError
from lab.lesson import progress
from lab.lesson.challenge import MOST_SEEDS, STEP, Challenge, as_lesson, fill_challenge, pick_values
from lab.lesson.course import check_paths, load_challenges, load_course, load_syllabus
from lab.lesson.find_challenge import find_challenge, seed_for
from lab.lesson.model import Lesson
from lab.schema import template
from lab.world.entries import Hit, SwarmChanged
from lab.world.world import World
from tests.builders import NODES, saw

ALL = load_challenges()
SEEDS = st.integers(0, MOST_SEEDS - 1)
FILE = """id: c-odd
title: Odd
topics: [scaling]
minutes: 5
symptom: "**{{service}}** does not run."
picks:
  service: [api, web]
  count: ["2", "3"]
shows:
  - service: {name: "{{service}}", replicas: "{{count}}"}
then:
  - running: {service: "{{service}}", exactly: "{{count}}"}
variants:
  - id: odd
    breaks: docker service create --name {{service}} nginx:1.26
    hints: [Look., See., It is so.]
    solution: docker service scale {{service}}={{count}}
    ways: ['docker service update --replicas {{count}} {{service}}']
    debrief: It was odd.
"""


def challenge_of(id: str) -> Challenge:
    return next(each for each in ALL if each.id == id)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))


@pytest.mark.parametrize("challenge", ALL, ids=[each.id for each in ALL])
def test_each_cause_makes_a_lesson_without_a_hole(challenge: Challenge) -> None:
    topics = {topic.id for topic in load_syllabus(paths.lessons() / "syllabus.yaml").topics}
    assert set(challenge.topics) <= topics
    for variant in challenge.variants:
        values = {name: options[-1] for name, options in challenge.picks.items()}
        lesson = fill_challenge(challenge, values, variant)
        (step,) = lesson.steps
        assert step.your_turn
        assert lesson.broken is not None
        left = {name for text in step.strings() for name in template.placeholders(text)}
        assert left <= set(template.GIVEN)
        assert len(step.hints) == 3


@given(SEEDS, SEEDS)
def test_a_seed_makes_the_same_lesson_each_time(one: int, other: int) -> None:
    challenge = ALL[0]
    assert as_lesson(challenge, one) == as_lesson(challenge, one)
    same = pick_values(challenge, one) == pick_values(challenge, other)
    assert (as_lesson(challenge, one).steps == as_lesson(challenge, other).steps) == same


def test_no_two_things_have_one_name() -> None:
    ids = [*(each.id for each in ALL), *(each.id for each in load_course())]
    assert len(ids) == len(set(ids))


def test_a_number_that_is_picked_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "c-odd.yaml").write_text(FILE)
    (challenge,) = load_challenges(tmp_path)
    lesson = as_lesson(challenge, 7)
    values, _ = pick_values(challenge, 7)
    assert lesson.id == "c-odd-7"
    assert lesson.steps[0].then[0].running is not None
    assert lesson.steps[0].then[0].running.exactly == int(values["count"])


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ('exactly: "{{count}}"', "exactly: many", 12, "exactly"),
        ("It was odd.", "It was {{odd}}.", 0, "{{odd}} is not among the picks"),
        ("[Look., See., It is so.]", "[Look.]", 16, "hints"),
        ("    ways: ['docker service update --replicas {{count}} {{service}}']\n", "", 14, "ways"),
        ("- running", "- runing", 12, "runing"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, why: str
) -> None:
    assert old in FILE
    (tmp_path / "c-odd.yaml").write_text(FILE.replace(old, new))
    problems, files = check_paths([tmp_path])
    assert files == 1
    (problem, *_) = problems
    assert why in problem.reason
    assert problem.line == line or not line


def test_a_challenge_is_found_by_its_name_and_seed() -> None:
    name = ALL[0].id
    assert find_challenge(f"{name}-12") == as_lesson(ALL[0], 12)
    assert find_challenge(name) is None
    assert find_challenge("c-nothing-12") is None
    assert choose_lessons([f"{name}-12"])[0].id == f"{name}-12"
    (own,) = choose_lessons([name], lab="mine")
    assert own.id == f"{name}-{progress.find_seed('mine', name)}"
    with pytest.raises(InputError, match="there is no lesson c-nothing") as caught:
        choose_lessons(["c-nothing"])
    assert "swarmlab challenge" in caught.value.remedy
    with pytest.raises(InputError, match="there is no lesson quorom; did you mean 'quorum'"):
        choose_lessons(["quorom"])


def test_a_seed_is_kept_for_its_learner_until_another_is_asked_for() -> None:
    seed = seed_for("mine", "c-x")
    assert seed_for("mine", "c-x") == seed
    assert len({seed_for("mine", "c-x", new=True) for _ in range(5)}) > 1
    progress.record_seed("mine", "c-x", 3)
    assert (seed_for("mine", "c-x"), progress.find_seed("yours", "c-x")) == (3, None)


def test_the_list_says_what_is_begun_and_what_is_repaired(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = ALL[0], ALL[1]
    seed = seed_for("default", first.id)
    progress.record_seed("default", second.id, 5)
    progress.pass_step("default", as_lesson(second, 5), STEP)
    assert command.challenge(parse(["challenge"]), Out()) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert "begun" in lines[first.id]
    assert "repaired" in lines[second.id]
    assert seed == progress.find_seed("default", first.id)


def test_an_unknown_one_and_a_wrong_seed_are_bad_input() -> None:
    with pytest.raises(InputError, match="did you mean"):
        command.challenge(parse(["challenge", ALL[0].id[:-1]]), Out())
    with pytest.raises(InputError, match="a seed is a number from 0"):
        command.challenge(parse(["challenge", ALL[0].id, "--seed", "-1"]), Out())


def test_it_is_broken_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, str]] = []
    monkeypatch.setattr(command, "is_whole", lambda name: True)

    def broken(name: str, lesson: Lesson, step: str | None, *, report: Report, held: bool) -> None:
        assert held, "what is broken of the network ends with the app"
        done.append(("broken", lesson.id))

    monkeypatch.setattr("lab.session.run.reset_cluster", broken)
    monkeypatch.setattr("lab.cluster.api.find", lambda name: SimpleNamespace(name=name))
    monkeypatch.setattr("lab.session.live.LiveStage", lambda cluster, **_: SimpleNamespace(cluster=cluster))

    def sit(args: object, stage: object, lesson: str) -> int:
        done.append(("opened", lesson))
        return 0

    monkeypatch.setattr("lab.cli.plain.take_a_seat", sit)
    assert command.challenge(parse(["challenge", ALL[0].id, "--seed", "4", "--plain"]), Out()) == 0
    assert done == [("broken", f"{ALL[0].id}-4"), ("opened", f"{ALL[0].id}-4")]


#: What the office and a stranger get, through node1 and through the other nodes; 0 is no answer.
@pytest.mark.parametrize(
    ("office", "stranger", "repaired"),
    [
        ((403, 403), (403, 403), False),
        ((200, 0), (403, 403), True),
        ((200, 200), (403, 403), True),
        ((200, 200), (200, 200), False),
        ((200, 200), (403, 200), False),
        ((200, 0), (403, 502), False),
        ((200, 0), (403, 0), False),
    ],
)
@pytest.mark.parametrize("cause", [each.id for each in challenge_of("c-allow-list").variants])
def test_an_allow_list_is_repaired_when_the_office_gets_in_and_nobody_else(
    cause: str, office: tuple[int, int], stranger: tuple[int, int], repaired: bool
) -> None:
    challenge = challenge_of("c-allow-list")
    (variant,) = (each for each in challenge.variants if each.id == cause)
    values = {name: options[0] for name, options in challenge.picks.items()}
    (step,) = fill_challenge(challenge, values, variant).steps
    checks = [check.fill({"domain": "localhost"}).condition for check in (*step.then, *step.keeps)]
    since = saw(World(), SwarmChanged("node1", NODES, first=True))
    world = since
    for http in (check for check in checks if isinstance(check, Http)):
        asked = http.request
        got = {f"{values['host']}.localhost": office, "": stranger}.get(asked.host, (200, 200))
        for node in NODES:
            status = got[node.name != "node1"]
            world = saw(
                world,
                *[
                    Hit(
                        node.name,
                        asked.port,
                        asked.path,
                        status,
                        "",
                        1.0,
                        host=asked.host,
                        protocol=asked.protocol,
                        login=asked.login,
                    )
                    for _ in range(http.times)
                ],
            )
    moment = Baseline(since=since, asked=since)
    assert all(check.evaluate(world, moment).ok for check in checks if isinstance(check, Http)) is repaired
