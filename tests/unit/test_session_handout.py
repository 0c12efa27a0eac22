"""A lesson to be handed out: its text as it is now, and what a recording has of it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lab import paths
from lab.cli import main
from lab.lesson.course import load_syllabus
from lab.lesson.model import Lesson
from lab.panes import PANES
from lab.session.handout import handout
from lab.session.handout_html import handout_page
from lab.tape.escape_markdown import prose
from lab.tape.render import markdown
from lab.tape.tape import Header, Tape, load
from lab.tui.pane_picture import pane_svg
from lab.world.entries import Captured, CommandBegan, CommandEnded, Entry, Fact, LessonOpened, StepMoved, SwarmChanged
from lab.world.swarm import Node, Service, ServiceSpec
from lab.world.world import World, fold
from tests.course import LESSONS, recording

HEADER = Header(title="Old", lesson="one", recorded=datetime(2026, 11, 22, 10, tzinfo=UTC), provider="vm", nodes=4)
LESSON: dict[str, Any] = {
    "id": "one",
    "title": "One *lesson*",
    "topics": ["t"],
    "minutes": 1,
    "about": "About **it**.",
    "kubernetes": "a Deployment.",
    "recap": ["It is so.", "On {{node}}."],
    "terms": {"task": "one container"},
    "steps": [
        {
            "id": "scale",
            "title": "Scale",
            "text": "More of them.",
            "reads": [
                {"file": "app.yaml", "block": "services/web#1-2", "says": "A *service*.", "excerpt": "web:\n  image: x"}
            ],
            "question": {
                "name": "bet",
                "text": "Where?",
                "choices": ["here", "there_"],
                "answer": 1,
                "because": "So.",
            },
            "run": "docker service scale web=4",
            "capture": {"node": {"service": "web", "take": "node"}},
            "then": [{"running": {"service": "web", "exactly": 4}}],
            "after": "They are on {{node}}.",
            "ways": ["docker service update --replicas 4 web"],
        },
        {
            "id": "stop",
            "title": "Stop",
            "text": "Off.",
            "act": {"stop": "node4"},
            "then": [{"node": {"name": "node4", "state": "down"}}],
        },
        {
            "id": "turn",
            "title": "Turn",
            "text": "Now you.",
            "solution": "docker ps",
            "then": [{"node": {"name": "node4", "state": "ready"}}],
        },
        {"id": "new", "title": "New", "text": "N.", "run": "docker info", "then": [{"exit": 0}]},
    ],
}
FACTS: tuple[Fact, ...] = (
    LessonOpened("one"),
    StepMoved("one", "scale", "begun"),
    Captured("node", "node2"),
    CommandBegan(1, "node1", "docker service scale web=4", "scale"),
    CommandEnded(1, 0, 1.0, "web scaled to 4"),
    StepMoved("one", "scale", "passed", "You said 3. Measured: 0 of 9 requests failed.\nIt took 2 s"),
    StepMoved("one", "stop", "begun"),
    StepMoved("one", "stop", "failed", "node4 is *ready*"),
    StepMoved("one", "turn", "begun"),
    CommandBegan(2, "node1", "docker ps", "turn"),
    CommandEnded(2, 1, 1.0),
    StepMoved("one", "turn", "passed"),
)
DOCUMENT = """\
# One \\*lesson\\*

About **it**.

In Kubernetes: a Deployment.

Recorded 2026-11-22 10:00 UTC, on 4 nodes, vm.

## 1. Scale

More of them.

In `stacks/app.yaml`, `services › web`:

```yaml
web:
  image: x
```

A *service*.

**Question:** Where?

- here
- there\\_

On `node1`:

```sh
docker service scale web=4
```

```text
web scaled to 4
```

Measured: 0 of 9 requests failed.

It took 2 s.

They are on node2.

**Answer:** there\\_

So.

Also:

```sh
docker service update --replicas 4 web
```

## 2. Stop

Off.

The lab does this: stop node4.

**In the recording this step failed:** node4 is \\*ready\\*

## 3. Turn

Now you.

Your turn: make it so, in any way you like. One way:

On `node1`:

```sh
docker ps
```

It ended with status 1.

## 4. New

N.

```sh
docker info
```

*The recording does not have this step.*

## In short

- It is so.
- On node2.

## Terms

- **task**: one container
"""


def lesson(**more: Any) -> Lesson:
    return Lesson.model_validate_json(json.dumps({**LESSON, **more}))


def tape(*facts: Fact) -> Tape:
    return Tape(HEADER, tuple(Entry(float(at), fact) for at, fact in enumerate(facts)))


def test_a_handout_has_the_lessons_text_and_what_was_recorded() -> None:
    sentence = lesson().steps[1].sentence
    assert handout(tape(*FACTS), lesson()) == DOCUMENT.replace("stop node4", sentence)


def test_a_handout_has_a_table_of_what_was_measured_under_load() -> None:
    first, *others = LESSON["steps"]
    steps = [{**first, "question": {"name": "bet", "text": "How many?"}}, *others]
    moved = StepMoved("one", "scale", "passed", "You said 0. Measured: 3 of 60 requests failed.", (60, 3))
    text = handout(tape(LessonOpened("one"), moved), lesson(steps=steps))
    assert "\n## Requests under load\n\n| step | requests |\n| --- | --- |\n| Scale | 3 of 60 failed |\n" in text
    assert "Requests under load" not in handout(tape(*FACTS), lesson())


def test_a_captured_value_is_no_markup() -> None:
    evil = "<script>x</script> **a** `b` [c](http://d)\x1b[2J\u202e"
    text = handout(tape(StepMoved("one", "scale", "begun"), Captured("node", evil)), lesson())
    assert "\\<script\\>x\\</script\\> \\*\\*a\\*\\* \\`b\\` \\[c\\](http://d)" in text
    page = handout_page("t", text)
    assert "<script" not in page and "href" not in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "style")]
        if tag not in ("meta", "br", "hr", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_page_needs_nothing_else_and_takes_no_html() -> None:
    page = Page(handout_page("A <b> title", f"{DOCUMENT}\n<script>alert(1)</script>\n\n![x](http://y/z.png)\n"))
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "b"} & {*page.tags}
    assert "<script>alert(1)</script>" in page.words and "A <b> title" in page.words
    assert "They are on node2." in page.words and "web scaled to 4" in page.words
    assert page.tags.count("h2") == 6 and page.tags.count("pre") == 6


@pytest.mark.parametrize("each", LESSONS, ids=lambda each: each.id)
def test_every_lesson_can_be_handed_out(each: Lesson) -> None:
    text = handout(recording(each.id), each)
    for number, step in enumerate(each.steps, 1):
        assert f"\n## {number}. " in text
        assert all(line in text for line in step.text.splitlines() if "{{" not in line)
    assert "The recording does not have this step" not in text and "this step failed" not in text
    assert Page(handout_page(each.title, text)).open == []


def test_the_command_line_hands_out_logs_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scaling = next(each for each in LESSONS if each.id == "scaling")
    assert main(["export", "scaling", "--format", "markdown"]) == 0
    said = capsys.readouterr().out
    drawn = re.compile(r"\w+, at the end of the step:\n\n```text\n.*?\n```\n\n", re.DOTALL)
    assert drawn.sub("", said) == handout(recording("scaling"), scaling) != said
    assert main(["export", "scaling", "--format", "markdown", "--log"]) == 0
    assert capsys.readouterr().out == markdown(recording("scaling"))
    assert main(["export", "scaling", "--format", "html", "-o", str(tmp_path / "a.html")]) == 0
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")
    capsys.readouterr()
    for other in ("html", "cast"):
        assert main(["export", "scaling", "--format", other, "--log"]) == 2
        assert f"there is no log as {other}" in capsys.readouterr().err


def test_a_recording_of_another_course_is_told_as_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.tape"
    text = (paths.recordings() / "scaling.tape").read_text()
    first, rest = text.split("\n", 1)
    path.write_text(f"{first.replace(chr(34) + 'scaling' + chr(34), chr(34) + 'no-such' + chr(34))}\n{rest}")
    assert main(["export", str(path), "--format", "markdown"]) == 0
    said = capsys.readouterr()
    assert said.out == markdown(load(path))
    assert "there is no lesson no-such here" in said.err


def test_a_misspelt_path_is_told_with_the_paths(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "half-dya", "--format", "html"]) == 2
    said = capsys.readouterr().err
    assert "no path half-dya; did you mean 'half-day'?" in said and "workshop-90" in said


@pytest.mark.costly
def test_a_course_has_a_title_contents_that_lead_to_lessons_and_all_of_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--all", "--format", "markdown"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Container Orchestration with Docker Swarm and Traefik\n\n")
    for lesson in LESSONS:
        assert f"\n## {prose(lesson.title)}\n" in text
        assert all(f"\n### {number}. {prose(step.title)}\n" in text for number, step in enumerate(lesson.steps, 1))
    assert text.count("\n### In short\n") == sum(bool(lesson.recap) for lesson in LESSONS)
    page = tmp_path / "course.html"
    assert main(["export", "--all", "--format", "html", "-o", str(page)]) == 0
    read = Page(page.read_text())
    assert read.open == [] and not {"script", "img", "link", "iframe"} & {*read.tags}
    names = re.findall(r'<h2 id="([^"]*)"', page.read_text())
    assert [link for link in read.links if link.startswith("#")] == [f"#{name}" for name in names[1:]]
    assert len(names) == len({*names}) == len(LESSONS) + 1
    assert "svg" in read.tags and page.stat().st_size < 1_500_000


def test_a_path_has_its_steps_and_nothing_of_lessons_around_them(capsys: pytest.CaptureFixture[str]) -> None:
    path = load_syllabus(paths.lessons() / "syllabus.yaml").paths["talk-25"]
    assert main(["export", "talk-25", "--format", "markdown"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"# {path.title}\n")
    titles = {(lesson.id, step.id): step.title for lesson in LESSONS for step in lesson.steps}
    wanted = [titles[stop] for stop in path.stops()]
    assert re.findall(r"^### \d+\. (.*)$", text, re.MULTILINE) == [prose(title) for title in wanted]
    assert "### Terms" not in text


def test_several_recordings_are_one_handout_and_only_of_lessons_that_are_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "scaling", str(paths.recordings() / "configs.tape"), "--format", "markdown"]) == 0
    assert re.findall(r"^\d\. \[", capsys.readouterr().out, re.MULTILINE) == ["1. [", "2. ["]
    other = tmp_path / "other.tape"
    text = (paths.recordings() / "scaling.tape").read_text()
    other.write_text(
        text.replace('"lesson":"scaling"', '"lesson":"no-such"').replace('"lesson": "scaling"', '"lesson": "no-such"')
    )
    for line, words in (
        (["scaling", str(other), "--format", "html"], "no lesson no-such"),
        (["scaling", "configs", "--format", "cast"], "for one recording"),
        (["half-day", "--format", "markdown", "--log"], "for one recording"),
        (["--format", "html"], "--all for the whole course"),
        (["scaling", "--all", "--format", "html"], "--all for the whole course"),
        (["no-such-path", "--format", "html"], "no recording no-such-path"),
    ):
        assert main(["export", *line]) == 2
        assert words in capsys.readouterr().err


def test_a_pane_is_drawn_once_while_it_shows_the_same() -> None:
    drawn = [["```picture", str(n), "```"] for n in (0, 0, 1)]
    facts = [*FACTS[:4], *FACTS[5:8], *FACTS[8:]]
    text = handout(tape(*facts), lesson(), draw=lambda *_: drawn.pop(0))
    assert text.count("```picture") == 2
    page = handout_page("t", text, pictures={"0": "<svg></svg>", "1": '<svg id="x"></svg>'}, style=".pane {}\n")
    assert page.count("<svg") == 2 and ".pane {}" in page and "```picture" not in page


def test_what_a_recording_has_is_no_markup_in_a_picture() -> None:
    evil = "<script>x</script>&\x1b[2J"
    service = Service("s", evil, ServiceSpec(evil, replicas=1), 1)
    world = fold(
        World(), Entry(0.0, SwarmChanged("n", (Node("i", "node1", "manager", "ready"),), (service,), first=True))
    )
    picture = pane_svg(world, "cluster")
    assert Page(picture).open == [] and "script" not in Page(picture).tags
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", picture)
    assert pane_svg(World(), "cluster") == ""
    assert {pane.id for pane in PANES if not pane_svg(world, pane.id)} == set()
