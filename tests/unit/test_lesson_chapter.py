"""The author's chapter is held to the form of a lesson: every key is in it, with an example that is valid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import paths
from lab.lesson import model, stack_state
from lab.lesson.check_table import kinds
from lab.lesson.json_schema import PARTS
from lab.lesson.key_tables import examples, keys, whole_schema, with_key_tables
from lab.schema import document
from lab.schema.value import Value

CHAPTER = paths.lessons() / "README.md"
TEXT = CHAPTER.read_text(encoding="utf-8")
SCHEMA = whole_schema()
EXAMPLES = examples(TEXT)
MODELS: dict[str, type[Value]] = {
    name: each
    for part in (*PARTS, stack_state)
    for name, each in vars(part).items()
    if isinstance(each, type) and issubclass(each, Value)
}
#: Keys that a key is given together with.
WITH = {
    ("Lesson", "quiz"): ("steps",),
    ("Step", "on"): ("run",),
    ("Step", "ways"): ("run",),
    ("LoadAct", "rate"): ("port",),
    ("LoadAct", "path"): ("port",),
    ("LoadAct", "node"): ("port",),
    ("LoadAct", "https"): ("host",),
    ("LoadAct", "fresh"): ("port",),
    ("Capture", "service"): ("take",),
    ("Capture", "slot"): ("service", "take"),
    ("Capture", "on"): ("service", "take"),
    ("Capture", "take"): ("service",),
    ("Question", "choices"): ("answer",),
    ("Question", "answer"): ("choices",),
    ("Question", "because"): ("choices", "answer"),
    ("Event", "service"): ("task",),
    ("Event", "task"): ("service",),
    ("Event", "on"): ("service", "task"),
    ("Became", "label"): ("of",),
    ("Became", "of"): ("port",),
    ("Checkpoint", "stacks"): ("networks",),
    ("StackState", "first"): ("env",),
}


def values(table: str, key: str) -> dict[str, Any]:
    """The value of a key's example; it is what the key's own line in a lesson would be."""
    read = document.read(Path("example"), EXAMPLES[table][key].strip("`")).data
    assert list(read) == [key]
    return read


def every_key() -> Iterator[tuple[str, str]]:
    yield from ((table, key) for table in EXAMPLES for key in keys(table, SCHEMA))


def test_the_tables_are_current() -> None:
    assert with_key_tables(TEXT) == TEXT, "make schemas writes them"


def test_every_part_of_the_form_has_a_table() -> None:
    """The keys of a single check are in its row, those of `leaves` are those of `start`, and what is broken at a start
    is a challenge's."""
    conditions = {each.__name__ for each in kinds().values()}
    assert {"Lesson", *SCHEMA["$defs"]} - conditions - {"Patch", "Break"} == set(EXAMPLES)


def test_every_key_is_described() -> None:
    plain = [(table, key) for table, key in every_key() if table != "Check"]
    assert [each for each in plain if not keys(each[0], SCHEMA)[each[1]].get("description")] == []


@pytest.mark.parametrize(("table", "key"), every_key())
def test_every_key_has_an_example_that_is_valid(tmp_path: Path, table: str, key: str) -> None:
    (tmp_path / "nginx.conf").write_text("server {}\n")
    part = MODELS[table]
    needed = [name for name, field in part.model_fields.items() if field.is_required()]
    whole: dict[str, Any] = {}
    for each in {key, *needed, *WITH.get((table, key), ())}:
        whole |= values(table, each)
    context = {"folder": tmp_path, "stacks": paths.stacks()}
    assert part.model_validate_json(json.dumps(whole), context=context) is not None


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))
def test_every_piece_of_a_step_is_valid(block: str) -> None:
    step = {**values("Step", "id"), **values("Step", "title"), **values("Step", "text"), **values("Step", "then")}
    step |= {**values("Step", "run"), **document.read(Path("block"), block).data}
    assert model.Step.model_validate_json(json.dumps(step))


def test_a_row_keeps_its_example_and_a_new_one_has_none() -> None:
    before = "x\n<!-- keys of Needs: begin -->\n| `nodes` | old | `nodes: 3` |\n<!-- keys of Needs: end -->\ny\n"
    after = with_key_tables(before)
    assert "| `nodes` | How many nodes there must be. | `nodes: 3` |\n" in after
    assert "| `managers` | How many of them must be managers. |  |\n" in after
    assert with_key_tables(after) == after
    assert examples(after) == {"Needs": {"nodes": "`nodes: 3`"}}
    with pytest.raises(ValueError, match="the schema has no Wants"):
        with_key_tables(before.replace("Needs", "Wants"))


def test_its_links_lead_to_its_headings() -> None:
    headings = {
        re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= headings
