"""Where one is in the lessons on a cluster: what is done, whether a reset takes seconds, what the cluster lacks; and
whether the cluster is still what the lesson's next step needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lab.cluster.model import ClusterStatus
from lab.errors import LabError
from lab.lesson import progress
from lab.lesson.checkpoint import checkpoint_before
from lab.lesson.model import Lesson
from lab.lesson.standing import Standing
from lab.session.checkpoint_snapshots import find_snapshot, name_of
from lab.session.cluster_driver import ClusterDriver
from lab.session.reset_to import reset_to
from lab.text import count_of


def identify(status: ClusterStatus) -> str:
    """Return what tells a cluster from an earlier or later one of the same name: when it was made."""
    return status.created.isoformat()


def find_standings(driver: ClusterDriver, lessons: Iterable[Lesson]) -> Iterator[tuple[str, Standing]]:
    """Yield where one is in each lesson, by its id. Asks no engine."""
    name, last = driver.cluster.name, progress.last_lesson(driver.cluster.name)
    roles = [endpoint.role for endpoint in driver.cluster.endpoints()]
    for lesson in lessons:
        record = progress.read_record(name, lesson)
        saved, _ = find_snapshot(driver, checkpoint_before(lesson), name_of(lesson.id, None))
        yield (
            lesson.id,
            Standing(
                record.passed,
                record.done,
                sum(map(len, record.hints.values())),
                lesson.id == last,
                saved is not None,
                _lacks(lesson, len(roles), roles.count("manager")),
            ),
        )


def find_drift(driver: ClusterDriver, lesson: Lesson, cluster: str) -> str:
    """Return in a sentence how the cluster, which `identify` calls `cluster`, is not what the lesson's next step needs,
    or that it is another one than that on which the steps before it were passed; "" when all is well, and when no
    manager answers: the header says that already. A challenge breaks its start, and gives nothing away."""
    record = progress.read_record(driver.cluster.name, lesson)
    place = next((place for place, step in enumerate(lesson.steps) if step.id not in record.passed), None)
    if place is None or lesson.broken is not None:
        return ""
    step = lesson.steps[place].id if place else None
    try:
        things = len(reset_to(driver, lesson, step, dry_run=True).actions)
    except LabError:
        return ""
    known = f"This is another cluster than the one on which you got to step {place + 1}"
    other = bool(place) and record.cluster not in ("", cluster)
    if not things:
        return f"{known}, and it is as that step needs it." if other else ""
    start = f"step {place + 1}" if place else "the lesson"
    saved, _ = find_snapshot(driver, checkpoint_before(lesson, step), name_of(lesson.id, step))
    differs = f"{count_of(things, 'thing')} {'differs' if things == 1 else 'differ'} from the start of {start}"
    offer = f"r puts {'it' if things == 1 else 'them'} right" + (", in seconds" if saved is not None else "")
    return f"{known}: {differs}. {offer}." if other else f"On this cluster {differs}: {offer}."


def _lacks(lesson: Lesson, nodes: int, managers: int) -> str:
    needs = lesson.needs
    if nodes < needs.nodes:
        return f"needs {count_of(needs.nodes, 'node')}, and this cluster has {nodes}"
    if managers < needs.managers:
        return f"needs {count_of(needs.managers, 'manager')}, and this cluster has {managers}"
    return ""
