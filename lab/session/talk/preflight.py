"""Five minutes before a talk: whether everything is there that it needs, in lines that say what to do."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from lab import paths
from lab.cluster import api
from lab.cluster.model import Cluster, Progress, Report, silent
from lab.engine.client import open_client
from lab.engine.decode import parse_time
from lab.errors import InputError, LabError
from lab.lesson.talk import Talk
from lab.schema.diagnostics import Problems
from lab.session.cluster_driver import ClusterDriver
from lab.session.compare_recording import check_recording
from lab.session.prepare import is_prepared, starts_of_talk
from lab.session.reset_to import reset_to
from lab.session.run import open_driver
from lab.tape.find import find_tape
from lab.text import count_of, format_size

COLUMNS, ROWS = 100, 30
"""The smallest terminal that the stage is made for."""
ROOM = 1_000_000_000
"""Bytes of free disk that a talk may need: disks of machines grow."""
VALID = timedelta(hours=1)
"""For so long certificates must be valid."""
SKEW = 5.0
"""Seconds by which a node's clock may differ."""
CHARGE = 60
"""Per cent of a battery that are enough without power."""


@dataclass(frozen=True)
class Item:
    """One thing that a talk needs. `needed`: without it the talk is from its recordings, at best."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = True


def check_talk(
    name: str, talk: Talk, *, terminal: tuple[int, int] | None, colours: int, report: Report = silent
) -> tuple[Item, ...]:
    """Return everything that was looked at. The cluster is put to the talk's start, by its snapshot if there is one.
    `terminal` is its size in columns and rows, None without one; `colours` how many it has."""
    looks: dict[str, Callable[[], Iterable[Item]]] = {
        "cluster": lambda: _cluster(name, talk),
        "recordings": lambda: _recordings(talk),
        "terminal": lambda: _terminal(terminal, colours),
        "disk": _disk,
        "power": _power,
    }
    found: list[Item] = []
    for what, look in looks.items():
        report(Progress("preflight", what))
        found += look()
    return tuple(found)


def _cluster(name: str, talk: Talk) -> Iterable[Item]:
    with _collect("cluster", "swarmlab up") as items:
        cluster = api.find(name)
        status = cluster.status()
        ready = sum(node.engine for node in status.nodes)
        detail = f"{count_of(len(status.nodes), 'node')}, {ready} of them answer"
        items.append(Item("cluster", status.whole, detail, "swarmlab up"))
        if not status.whole:
            return items
        items += _clocks(cluster)
        with open_driver(name, look=False, events=False) as driver:
            items += _snapshots(driver, talk)
            items += _start(driver, talk)
            items += _certificates(driver)
    return items


def _snapshots(driver: ClusterDriver, talk: Talk) -> Iterator[Item]:
    starts = list(starts_of_talk(talk, steps=False))
    lacking = [
        f"{lesson.id}:{step}" if step else lesson.id for lesson, step in starts if not is_prepared(driver, lesson, step)
    ]
    detail = f"all {len(starts)} starts are saved" if not lacking else f"not saved: {', '.join(lacking)}"
    yield Item("snapshots", not lacking, detail, f"swarmlab prepare {talk.id}", needed=False)


def _start(driver: ClusterDriver, talk: Talk) -> Iterator[Item]:
    first = talk.slides[0]
    with _collect("the talk's start", "swarmlab up") as items, api.at_work(driver.cluster.name, "preflight"):
        step = None if first.lesson.steps[0].id == first.step.id else first.step.id
        by = "snapshot" if is_prepared(driver, first.lesson, step) else "api"
        done = reset_to(driver, first.lesson, step, by=by)  # type: ignore[arg-type]
        items.append(Item("the talk's start", True, f"the cluster is there, by {by}, in {done.seconds:.0f} s"))
    yield from items


def _certificates(driver: ClusterDriver) -> Iterator[Item]:
    from cryptography import x509  # slow to import

    with _collect("certificates", "swarmlab up --fresh") as items:
        pems = {"the swarm's root": driver.engine().inspect_swarm()["TLSInfo"]["TrustRoot"].encode()}
        for endpoint in driver.cluster.endpoints():
            if endpoint.tls is not None:
                pems["the engines' client"] = (endpoint.tls / "cert.pem").read_bytes()
        until = {what: x509.load_pem_x509_certificate(pem).not_valid_after_utc for what, pem in pems.items()}
        first = min(until, key=lambda what: until[what])
        ok = until[first] > datetime.now(UTC) + VALID
        items.append(Item("certificates", ok, f"{first} is the first to end, {until[first]:%Y-%m-%d %H:%M} UTC"))
    yield from items


def _clocks(cluster: Cluster) -> Iterator[Item]:
    with _collect("clock", "swarmlab up") as items:
        ahead: dict[str, float] = {}
        for endpoint in cluster.endpoints():
            with open_client(endpoint) as client:
                api_client: Any = client.api
                asked = time.time()
                told = parse_time(api_client.info()["SystemTime"])
                ahead[endpoint.node] = clock_error(told, asked, time.time())
        worst = max(ahead, key=lambda node: abs(ahead[node]))
        detail = f"{worst} differs most from this machine, by {abs(ahead[worst]):.0f} s"
        items.append(Item("clock", abs(ahead[worst]) <= SKEW, detail, f"swarmlab node stop {worst}; swarmlab up"))
    yield from items


def clock_error(told: float, asked: float, answered: float) -> float:
    """Return the least number of seconds by which a clock is ahead (less than 0: behind) that told this time between
    `asked` and `answered`: a busy engine may take long to answer, and is not wrong for that."""
    return max(0.0, told - answered) + min(0.0, told - asked)


def _recordings(talk: Talk) -> Iterable[Item]:
    wrong: list[str] = []
    for lesson in dict.fromkeys(slide.lesson.id for slide in talk.slides):
        try:
            check_recording(find_tape(lesson))
        except (InputError, Problems) as error:
            wrong.append(f"{lesson} ({str(error).splitlines()[0]})")
    detail = "agree with their lessons" if not wrong else "; ".join(wrong)
    first = wrong[0].split()[0] if wrong else ""
    return [Item("recordings", not wrong, detail, f"swarmlab record {first}" if first else "")]


def _terminal(size: tuple[int, int] | None, colours: int) -> Iterable[Item]:
    if size is None:
        return [Item("terminal", False, "there is none here", "look again in the terminal of the talk", needed=False)]
    big = size[0] >= COLUMNS and size[1] >= ROWS
    detail = f"{size[0]}x{size[1]}, {'true colour' if colours > 256 else count_of(colours, 'colour')}"
    remedy = f"a smaller font: at least {COLUMNS}x{ROWS}" if not big else "export COLORTERM=truecolor"
    return [Item("terminal", big and colours > 256, detail, remedy, needed=False)]


def _disk() -> Iterable[Item]:
    place = paths.state()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return [Item("disk", free >= ROOM, f"{format_size(free)} free", "swarmlab snapshots lists what takes room")]


def _power() -> Iterable[Item]:
    battery = psutil.sensors_battery()
    if battery is None:
        return [Item("power", True, "no battery here")]
    ok = bool(battery.power_plugged) or battery.percent >= CHARGE
    detail = f"{battery.percent:.0f} %{', plugged in' if battery.power_plugged else ', on battery'}"
    return [Item("power", ok, detail, "plug it in", needed=False)]


@contextmanager
def _collect(what: str, remedy: str) -> Iterator[list[Item]]:
    """Collect items; a LabError becomes one more."""
    items: list[Item] = []
    try:
        yield items
    except LabError as error:
        items.append(Item(what, False, error.sentence, error.remedy or remedy))
