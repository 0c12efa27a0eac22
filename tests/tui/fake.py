"""A stage in the shape of the real ones, over a scripted swarm: four nodes, a service, a crash, an update."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from lab.errors import InputError, LabError
from lab.lesson.model import Lesson
from lab.lesson.standing import Attempt, Standing
from lab.session import UndoOffer
from lab.world.entries import (
    Captured,
    Checked,
    CommandBegan,
    CommandEnded,
    Entry,
    Fact,
    HintTaken,
    Hit,
    LessonOpened,
    ManagerLink,
    Printed,
    Progressed,
    StepMoved,
    SwarmChanged,
)
from lab.world.journal import Journal
from lab.world.swarm import Node, Port, Service, ServiceSpec, Task, UpdateStatus

NODES = tuple(
    Node(f"n{i}", f"node{i}", "worker" if i == 4 else "manager", "ready", leader=i == 1, reachability="reachable")
    for i in range(1, 5)
)
SPEC = ServiceSpec("nginx:1.26", replicas=4, ports=(Port(8080, 80),))
LESSON = Lesson.model_validate(
    strict=False,
    obj={
        "id": "reconciliation",
        "title": "Reconciliation",
        "topics": ["desired-state"],
        "minutes": 15,
        "about": "You say **what should be**; the managers compare it with what is, and mend the difference.\n\n"
        "- A task that ends is never restarted: it is *replaced*.\n- The slot stays, the task is new.",
        "steps": [
            {
                "id": "declare",
                "title": "Four replicas, please",
                "text": "A service is a wish. Declare one:\n\n- its name is `web`\n- it wants **4** replicas",
                "run": "docker service create --name web --replicas 4 --publish 8080:80 nginx:1.26",
                "then": [{"running": {"service": "web", "exactly": 4}}],
                "notes": "Ask the room first: who decides where they run?",
            },
            {
                "id": "crash",
                "title": "Crash one",
                "text": "Kill a container behind the manager's back, on the node where it runs.",
                "run": "docker kill 3f1c9a7be2d4",
                "on": "node2",
                "then": [
                    {"happened": {"service": "web", "task": "failed", "exit": 137}},
                    {"replaced": {"service": "web", "then_running": 4}},
                ],
                "bound": 90,
            },
            {
                "id": "node",
                "title": "Lose a whole node",
                "text": "Pull the plug of node4, and watch its tasks move.",
                "act": {"stop": "node4"},
                "then": [{"node": {"name": "node4", "state": "down"}}],
                "bound": 120,
            },
        ],
    },
)
NEXT = LESSON.model_copy(update={"id": "scaling", "title": "Scaling"})
Script = Iterator[tuple[float, Fact]]


def task(slot: int, attempt: int, node: int, state: str, at: float, **more: object) -> Task:
    """`web.SLOT`'s attempt on a node, changed at a time."""
    made = float(more.pop("created", at))  # type: ignore[arg-type]
    base = Task(f"t{slot}.{attempt}", "web", slot, f"n{node}" if node else "", state, "running", made, at)
    return replace(base, **more)  # type: ignore[arg-type]


def web(**more: object) -> Service:
    """The service web, as declared."""
    return replace(Service("web", "web", SPEC, 4), **more)  # type: ignore[arg-type]


def first_look(desired: int = 0) -> Fact:
    """The swarm with nothing on it, or with web running on every node."""
    tasks = tuple(task(i, 1, i, "running", 3.0, created=1.0) for i in range(1, desired + 1))
    return SwarmChanged("node1", NODES, (web(desired=desired),) if desired else (), tasks, first=True)


def declare() -> Script:
    yield 0.0, CommandBegan(1, "node1", str(LESSON.steps[0].run), "declare")
    yield 0.1, Printed("node1", f"\x1b[1;32mnode1\x1b[0m $ {LESSON.steps[0].run}\r\n")
    yield (
        0.4,
        SwarmChanged("node1", services=(web(),), tasks=tuple(task(i, 1, i, "assigned", 1.0) for i in (1, 2, 3, 4))),
    )
    yield 0.2, Printed("node1", "oxw9p2k1s7a4\r\noverall progress: 2 out of 4 tasks\r\n")
    yield 0.9, SwarmChanged("node1", tasks=tuple(task(i, 1, i, "running", 2.5, created=1.0) for i in (1, 2)))
    yield 0.9, SwarmChanged("node1", tasks=tuple(task(i, 1, i, "running", 3.4, created=1.0) for i in (3, 4)))
    yield 0.1, Printed("node1", "verify: Service \x1b[32mconverged\x1b[0m\r\n\x1b[1;32mnode1\x1b[0m $ ")
    yield 0.1, CommandEnded(1, 0, 3.2, "converged")
    yield 0.0, _check("declare", 0, True, "4 of 4 tasks of web run")
    yield 0.0, _check("declare", 1, True, "it ended with 0")


def crash() -> Script:
    yield 0.0, CommandBegan(2, "node2", str(LESSON.steps[1].run), "crash")
    yield 0.1, Printed("node2", f"\x1b[1;32mnode2\x1b[0m $ {LESSON.steps[1].run}\r\n3f1c9a7be2d4\r\n")
    yield 0.2, CommandEnded(2, 0, 0.3, "3f1c9a7be2d4")
    yield 0.0, _check("crash", 0, False, "no task of web has failed since the step began")
    yield 0.0, _check("crash", 1, False, "3 of 4 tasks of web run; web.2 is preparing on node4")
    yield 0.0, _check("crash", 2, True, "it ended with 0")
    yield (
        0.3,
        SwarmChanged(
            "node1",
            tasks=(
                task(2, 1, 2, "failed", 9.0, created=1.0, desired="shutdown", exit=137, error="non-zero exit (137)"),
                task(2, 2, 4, "preparing", 9.2),
            ),
        ),
    )
    yield 0.0, _check("crash", 0, True, "web.2 failed on node2 (exit 137)")
    yield 2.0, SwarmChanged("node1", tasks=(task(2, 2, 4, "running", 14.6, created=9.2),))
    yield 0.0, _check("crash", 1, True, "web.2 runs on node4, 4 of 4 run")


def lose() -> Script:
    yield 0.0, _check("node", 0, False, "node4 is ready")
    yield 1.0, SwarmChanged("node1", nodes=(replace(NODES[3], state="down"),))
    yield 0.0, _check("node", 0, True, "node4 is down")


def update(state: str = "updating") -> Fact:
    """An update of web, one task at a time."""
    new = web(spec=replace(SPEC, image="nginx:1.27"), status=UpdateStatus(state))
    old = task(1, 1, 1, "running", 30.0, created=1.0, desired="shutdown")
    return SwarmChanged("node1", services=(new,), tasks=(old, task(1, 2, 1, "ready", 30.1)))


def container(slot: int) -> str:
    """The container's id of a slot's task."""
    return f"{slot:02x}" * 32


def with_containers() -> Fact:
    """The tasks of web with their containers, by which their answers are known."""
    return SwarmChanged(
        "node1", tasks=tuple(task(i, 1, i, "running", 3.0, created=1.0, container=container(i)) for i in (1, 2, 3, 4))
    )


def mesh_hits() -> tuple[Hit, ...]:
    """Requests to every node: straight at the published port, where node4 does not always answer, and by Traefik."""
    straight = Hit("", 8080, "/", 200, "", 11.0)
    routed = Hit("", 443, "/", 200, "", 31.0, host="node-app.localhost", protocol="https")
    found: list[Hit] = []
    for turn in range(6):
        for node in range(1, 5):
            name = container((turn + node) % 4 + 1)[:12]
            found.append(replace(straight, node=f"node{node}", replica=name, ms=11.0 + turn))
            name = container((node + turn // 2) % 4 + 1)[:12]
            found.append(replace(routed, node=f"node{node}", replica=name, ms=31.0 + turn))
    found.append(replace(straight, node="node4", status=0, ms=10_000.0, error="ConnectTimeout: timed out"))
    found.append(replace(routed, node="node2", status=502, ms=44.0))
    return tuple(found)


def _check(step: str, place: int, ok: bool, why: str) -> Checked:
    found = LESSON.step(step)
    assert found is not None
    return Checked("reconciliation", step, place, found.checks[place].sentence, ok, why)


SCRIPTS: dict[str, Callable[[], Script]] = {"declare": declare, "crash": crash, "node": lose}


class FakeStage:
    """Plays the scripts, their times kept, without waiting. `hold` stops a step after so many facts until `go_on`;
    with `unsaved` no snapshot reaches back."""

    def __init__(
        self,
        *,
        live: bool = True,
        desired: int = 0,
        hold: int = 0,
        fail: str = "",
        no_shell: LabError | None = None,
        unsaved: bool = False,
    ) -> None:
        self.journal = Journal(clock=lambda: 0.0)
        self.live = live
        self.title = "default · 4 nodes · vm (tcg)" if live else "REPLAY · reconciliation · recorded 2026-11-22"
        self.hold, self.fail, self.took = hold, fail, ""
        self.taught: tuple[Lesson, ...] = (LESSON, NEXT)
        self.typed: list[str] = []
        self.commanded: list[str] = []
        self.sizes: list[tuple[int, int]] = []
        self.resets: list[str] = []
        self.shown: list[str] = []
        self.pages: list[str] = []
        self.loads: list[float | None] = []
        self.answers: list[tuple[str, str]] = []
        self.closed, self.unsaved = False, unsaved
        self.stood: dict[str, Standing] = {}
        self.dared: tuple[Attempt, ...] = ()
        self.begun: list[tuple[str, bool]] = []
        self.drift = ""
        self.shells, self.no_shell = 0, no_shell
        self._stopped, self._go = threading.Event(), threading.Event()
        self._lesson = ""
        if live:
            self.journal.write(ManagerLink("live", "node1"))
        self.journal.put(Entry(1.0, first_look(desired)))

    def lessons(self) -> tuple[Lesson, ...]:
        return self.taught

    def open(self, lesson: str) -> Lesson:
        known = (*self.lessons(), *(each.lesson for each in self.dared))
        found = next((each for each in known if each.id == lesson), None)
        if found is None:
            raise InputError(f"there is no lesson {lesson}", remedy="swarmlab lessons")
        self._lesson = lesson
        self.journal.write(LessonOpened(lesson))
        return found

    def standings(self) -> dict[str, Standing]:
        return self.stood

    def challenges(self) -> tuple[Attempt, ...]:
        return self.dared

    def begin(self, challenge: str, *, new: bool = False) -> Lesson:
        self.begun.append((challenge, new))
        found = self.open(next(each.lesson.id for each in self.dared if each.challenge == challenge))
        if self.hold:
            self._go.wait(20)
        return found

    def find_drift(self) -> str:
        return self.drift

    def take_hint(self, step: str, hint: str) -> None:
        self.journal.write(HintTaken(self._lesson, step, hint))

    def play(self, step: str) -> None:
        self._stopped.clear()
        self.journal.write(StepMoved(self._lesson, step, "begun"))
        for place, (wait, fact) in enumerate(SCRIPTS[step](), 1):
            self.journal.put(Entry(self.journal.now() + wait, fact))
            if place == self.hold:
                self._go.wait(20)
            if self._stopped.is_set():
                self.journal.write(StepMoved(self._lesson, step, "failed", "stopped"))
                return
            if self.fail and place >= 5:
                self.journal.write(StepMoved(self._lesson, step, "failed", self.fail))
                return
        self.journal.write(StepMoved(self._lesson, step, "passed", self.took))

    def go_on(self) -> None:
        """Let a held step end."""
        self._go.set()

    def wait_for_stop(self) -> None:
        """Wait, at most 20 s, until the stage is asked to stop."""
        self._stopped.wait(20)

    def stop(self) -> None:
        self._stopped.set()
        self._go.set()

    def reset(self, step: str = "") -> str:
        self.resets.append(step)
        if not self.live:
            self.journal.restart()
            self.journal.put(Entry(1.0, first_look()))
            self.journal.write(LessonOpened(self._lesson))
            return "The recording is wound back to its beginning."
        self.journal.write(Progressed("reset", "service web goes", 0.5))
        if self.hold:
            self._go.wait(20)
        self.journal.write(LessonOpened(self._lesson))
        return "The cluster is at the start of reconciliation: 2 things put right in 3 s."

    def offer_undo(self) -> UndoOffer:
        begun = [step.id for step in LESSON.steps if ("reconciliation", step.id) in self.journal.world.lesson.steps]
        if not begun:
            raise InputError("no step has begun: there is nothing to take back")
        if self.unsaved:
            return UndoOffer(f"no snapshot is from before the step {begun[-1]}; reset to it", begun[-1], resets=True)
        return UndoOffer(f"to the cluster as it was before the step {begun[-1]}", begun[-1])

    def undo(self) -> str:
        self.resets.append("undo")
        self.journal.write(LessonOpened(self._lesson))
        return "The cluster is as it was before the step scale."

    def keys(self, data: str) -> None:
        if self.no_shell is not None:
            raise self.no_shell
        self.shells += 1
        if data:
            self.typed.append(data)

    def type_command(self, text: str) -> None:
        if self.no_shell is not None:
            raise self.no_shell
        self._stopped.clear()
        self.commanded.append(text)
        number = 100 + len(self.commanded)
        self.journal.write(CommandBegan(number, "node1", text))
        if self.hold and not self._go.wait(20):
            raise AssertionError("held for too long")
        self.journal.write(CommandEnded(number, 130 * self._stopped.is_set(), 0.2, f"the output of {text}"))

    def answer(self, name: str, value: str) -> None:
        self.answers.append((name, value))
        self.journal.write(Captured(name, value))

    def load(self, rate: float | None) -> None:
        self.loads.append(rate)

    def show_step(self, step: str) -> None:
        self.pages.append(step)

    def show(self, view: str) -> None:
        self.shown.append(view)

    def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    def close(self) -> None:
        self.stop()
        self.closed = True
