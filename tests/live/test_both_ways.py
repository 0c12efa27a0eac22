"""A reset by the engines' API and one by a snapshot end in the same world, object by object.

The starts of all lessons by hand: SWARMLAB_STARTS=all.
"""

from __future__ import annotations

import os

import pytest

from lab.cluster.model import Cluster
from lab.lesson.course import load_course
from tests.live.conftest import Say, swarmlab
from tests.live.objects import describe_objects, find_differences

pytestmark = pytest.mark.timeout(3000)

_EVERY = [lesson.id for lesson in load_course()]
_CHOSEN = os.environ.get("SWARMLAB_STARTS", "scaling")
STARTS = _EVERY if _CHOSEN == "all" else _CHOSEN.split(",")


@pytest.mark.parametrize("start", STARTS)
def test_both_ways_end_in_the_same_world(cluster: Cluster, start: str, say: Say) -> None:
    by_api = swarmlab("reset", "--to", start, "--by", "api", "--json", "--name", cluster.name)
    assert by_api.code == 0, by_api.err
    world = describe_objects(cluster)
    assert swarmlab("prepare", start, "--name", cluster.name).code == 0
    by_snapshot = swarmlab("reset", "--to", start, "--by", "snapshot", "--json", "--name", cluster.name)
    assert by_snapshot.code == 0, by_snapshot.err
    say(f"{start}: {by_api.json['seconds']} s by the API, {by_snapshot.json['seconds']} s by a snapshot")
    assert by_snapshot.json["by"] == "snapshot"
    assert find_differences(world, describe_objects(cluster)) == []
