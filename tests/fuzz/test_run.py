"""The fuzzers themselves: what breaks a law is found, made small, kept, and found again."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lab.cluster.vm.state import LabState
from tests.fuzz import run, surface
from tests.fuzz.state import FILES
from tests.fuzz.surface import Surface, readable, tried
from tests.fuzz.surfaces import SURFACES
from tests.fuzz.values import mutated_tree, places


def of(hold: Callable[[Any], None], *known: Any) -> Surface:
    return Surface("made-up", lambda rng: [rng.randrange(100), "some text"], hold, known)


def refuses(value: Any) -> None:
    if "bad" in str(value):
        raise KeyError("bad")


def test_a_fault_is_made_small_and_kept_and_found_again() -> None:
    made_up = of(refuses, ["x" * 40, {"a": "it is bad", "b": [1, 2]}], ["also bad"])
    found = run.over(made_up, "1", 5, lambda _: None)
    (find,) = found.finds.values()
    assert (found.inputs, find.times) == (7, 2)
    assert json.loads(find.file.read_text())["input"] in ([{"a": "bad"}], [{"bad": ""}])
    said: list[str] = []
    assert run.again(find.file, [made_up], said.append) == 1
    assert "KeyError" in said[0]
    assert run.again(find.file, [of(lambda value: None)], said.append) == 0
    assert f"--input {find.file}" in run.report([found])


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    found = run.over(of(lambda value: None, 1), "1", 5, lambda _: None)
    assert (found.inputs, found.faults) == (6, 0)


def test_what_a_thread_raises_is_found() -> None:
    def hold(_: Any) -> None:
        thread = threading.Thread(target=lambda: dict[str, int]()["gone"])
        thread.start()
        thread.join()

    fault = tried(of(hold), 0)
    assert fault is not None and fault.kind.startswith("KeyError in tests/fuzz/test_run.py")


def test_what_takes_too_long_is_found() -> None:
    def hold(_: Any) -> None:
        try:
            re.fullmatch("(a|aa)+b", "a" * 60)
        except Exception as error:  # a boundary like the program's own
            raise AssertionError("the end was taken for an error of the program's") from error

    fault = tried(replace(of(hold), bound=0.2), 0)
    assert fault is not None and fault.kind.startswith("a hang in tests/fuzz/test_run.py")


@pytest.mark.parametrize("text", ["\x1b[31m", "\x07", "\r", "\x7f", "\x9b", "\ud800"])
def test_what_no_person_may_be_shown(text: str) -> None:
    with pytest.raises(surface.Broken):
        readable(f"a\n\tb{text}", "a test")


@pytest.mark.parametrize("each", SURFACES, ids=lambda each: each.name)
def test_an_input_depends_on_its_seed_and_index_alone_and_can_be_kept(each: Surface) -> None:
    first = [json.dumps(each.nth("a", index)) for index in range(5)]
    assert [json.dumps(each.nth("a", index)) for index in reversed(range(5))] == first[::-1]
    assert [json.dumps(each.nth("b", index)) for index in range(5)] != first
    for known in each.known:
        json.dumps(known)


def test_a_tree_is_changed_in_a_copy() -> None:
    tree = {"a": [1, {"b": "c"}]}
    changed = [mutated_tree(Random(seed), tree) for seed in range(50)]
    assert tree == {"a": [1, {"b": "c"}]}
    assert len(list(places(tree))) == 5
    assert sum(one != tree for one in changed) > 30


def test_the_inputs_are_shared_out() -> None:
    counts = run.shares(SURFACES, 20_000)
    assert abs(sum(counts.values()) - 20_000) < 50
    assert min(counts.values()) >= 1


def test_every_surface_has_another_name() -> None:
    assert len({each.name for each in SURFACES}) == len(SURFACES)


def test_the_place_is_private(tmp_path: Path) -> None:
    from tests.fuzz.desk import private_place

    here = Path.cwd()
    with private_place() as folder:
        assert Path.cwd().is_relative_to(folder)
    assert Path.cwd() == here and not folder.exists()


def test_the_files_that_are_damaged_were_good() -> None:
    LabState.model_validate_json(json.dumps(FILES["labs/default/cluster/lab.json"]))
