"""The desired state of a cluster at the start of a step: a value that `lab.reset.plan` compares with the world."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from lab import paths
from lab.compose.interpolate import has_variables
from lab.compose.to_spec import Use
from lab.errors import InputError
from lab.lesson.stack_state import StackState, describe_problem
from lab.schema import template
from lab.schema.value import Name, Value, one_of
from lab.world.swarm import FileReference, Port, ServiceSpec, UpdateConfig

if TYPE_CHECKING:
    from lab.lesson.model import Lesson

#: The engine's limit for a secret, in bytes.
_LARGEST = 500_000

Publish = Annotated[str, Field(pattern=r"^\d{1,5}:\d{1,5}(/(tcp|udp)(/host)?)?$")]
Granted = Annotated[str, Field(pattern=r"^[^:\s]+(:[^:\s]+)?$", max_length=300)]


class UpdateState(Value):
    """How a service is updated. Times are in seconds; the defaults are the engine's."""

    parallelism: Annotated[int, Field(ge=0, le=1000)] = 1
    """How many tasks are replaced at a time; 0 replaces all at once."""
    delay: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """The pause between two batches of tasks."""
    order: Literal["stop-first", "start-first"] = "stop-first"
    """Whether the old task stops before the new one starts, or after it."""
    failure_action: Literal["pause", "continue", "rollback"] = "pause"
    """What happens when too many new tasks fail."""
    monitor: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """How long a new task is watched for a failure."""
    max_failure_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of new tasks that may fail."""


class ServiceState(Value):
    """The desired state of a service. A key that is left out has the engine's default, and is compared with it."""

    image: Name
    """The image of its tasks. The lab's nodes have `nginx:1.26`, among others."""
    mode: Literal["replicated", "global"] = "replicated"
    """Whether it has a number of replicas, or one task on every node."""
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Defaults to 1; a global service has none."""
    args: tuple[str, ...] = ()
    """The arguments of the container's command."""
    env: tuple[Annotated[str, Field(pattern=r"^[^=]+=")], ...] = ()
    """`NAME=value`."""
    constraints: tuple[Name, ...] = ()
    """Conditions on the nodes that may run a task."""
    preferences: tuple[Name, ...] = ()
    """Labels over whose values the tasks are spread."""
    max_per_node: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many of its tasks a node may run; 0 means any number."""
    publish: tuple[Publish, ...] = ()
    """`8080:80` or `8080:80/udp` through the routing mesh; `8081:80/tcp/host` on the task's own node only."""
    endpoint: Literal["vip", "dnsrr"] = "vip"
    """Whether its name leads to one virtual IP, or by DNS to every task."""
    secrets: tuple[Granted, ...] = ()
    """`SOURCE` or `SOURCE:TARGET`."""
    configs: tuple[Granted, ...] = ()
    """`SOURCE` or `SOURCE:TARGET`."""
    networks: tuple[Name, ...] = ()
    """The overlay networks that it is attached to."""
    labels: Mapping[str, str] = {}
    """The service's labels; `{{domain}}` in one is the domain of the host names."""
    update: UpdateState = UpdateState()
    """How it is updated."""
    runs_on: tuple[Name, ...] = ()
    """Nodes that must each run at least one task; a reset redistributes the tasks when one of them has none."""
    running: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many of its tasks can run, where that is not all of them; a reset waits for so many."""

    @model_validator(mode="after")
    def _sane(self) -> ServiceState:
        if self.mode == "global" and self.replicas is not None:
            raise ValueError("a global service has no replicas")
        return self

    def with_domain(self, domain: str) -> ServiceState:
        """Return the same with the domain in place of `{{domain}}`."""
        labels = {name: template.fill(value, {"domain": domain}) for name, value in self.labels.items()}
        return self.model_copy(update={"labels": labels})

    @property
    def spec(self) -> ServiceSpec:
        """The same as a `ServiceSpec` of the world."""
        return ServiceSpec(
            image=self.image,
            mode=self.mode,
            replicas=0 if self.mode == "global" else 1 if self.replicas is None else self.replicas,
            args=self.args,
            env=self.env,
            constraints=self.constraints,
            ports=tuple(_port(p) for p in self.publish),
            secrets=tuple(_grant(g) for g in self.secrets),
            configs=tuple(_grant(g) for g in self.configs),
            networks=self.networks,
            labels=dict(self.labels),
            update=UpdateConfig(**self.update.model_dump()),
            endpoint=self.endpoint,
            preferences=self.preferences,
            max_per_node=self.max_per_node,
        )


class Content(Value):
    """The content of a secret or config: exactly one of a text, a file in the lesson's folder or (`stack`) in the
    stacks folder, a number of random bytes (as hex), or the users-file line for the lab's own user and password
    (`login`)."""

    text: Annotated[str, Field(min_length=1, max_length=500_000)] | None = None
    """The content itself."""
    file: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """A file, by its path relative to the lesson."""
    stack: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """A file, by its path relative to the stacks folder."""
    random: Annotated[int, Field(ge=1, le=1024)] | None = None
    """This many random bytes, as hex."""
    login: bool = False
    """The users-file line of the lab's own user and password."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any, info: ValidationInfo) -> Any:
        """Read a file together with the lesson, so that the value holds everything that is declared."""
        if not isinstance(data, dict) or len(data) != 1:
            return data
        for key, place in (("file", "folder"), ("stack", "stacks")):
            folder = (info.context or {}).get(place)
            if folder is not None and isinstance(data.get(key), str):
                return {"text": _read_inside(Path(folder), data[key])}
        return data

    @model_validator(mode="after")
    def _one(self) -> Content:
        one_of(self, "text", "file", "stack", "random", "login")
        return self


class NodeState(Value):
    """The desired state of a node. With `machine: off` it is powered off and reported as down. A role that is left out
    is not compared."""

    machine: Literal["on", "off"] = "on"
    """Whether the machine is powered on."""
    in_swarm: bool = True
    """Whether it is in the swarm; a node that is not is in no list of the managers either."""
    availability: Literal["active", "pause", "drain"] = "active"
    """Whether tasks may run there: `docker node update`."""
    role: Literal["manager", "worker"] | None = None
    """Whether it is a manager or a worker."""
    labels: Mapping[str, str] = {}
    """The node's labels."""


class Checkpoint(Value):
    """The desired state of a cluster. A node that is not named should be powered on, ready, active and without labels;
    anything else that is not named should not exist."""

    services: Mapping[Name, ServiceState] = {}
    """Services by name."""
    secrets: Mapping[Name, Content] = {}
    """Secrets by name."""
    configs: Mapping[Name, Content] = {}
    """Configs by name."""
    networks: tuple[Name, ...] = ()
    """Overlay networks."""
    nodes: Mapping[Name, NodeState] = {}
    """Nodes by name: those that are not on, active and without labels."""
    stacks: Mapping[Name, StackState] = {}
    """Deployed in this order."""

    @model_validator(mode="after")
    def _granted(self) -> Checkpoint:
        stacks = {name: self._outline(name) for name in self.stacks}
        known = {("secret", name) for name in self.secrets} | {("config", name) for name in self.configs}
        known |= {("network", name) for name in self.networks}
        known = known.union(*(makes for makes, _ in stacks.values()))
        for name, service in self.services.items():
            uses = [("secret", g.source) for g in service.spec.secrets]
            uses += [("config", g.source) for g in service.spec.configs]
            uses += [("network", network) for network in service.networks]
            _check_uses(f"service {name}", uses, known)
        for name, (_, needs) in stacks.items():
            _check_uses(f"stack {name}", sorted(use for use in needs if not has_variables(use[1])), known)
            for other in self.stacks[name].fresh_with:
                if other not in self.stacks:
                    raise ValueError(f"stack {name} is made anew with the stack {other}, which is not there")
        return self

    def _outline(self, name: str) -> tuple[frozenset[Use], frozenset[Use]]:
        """Return what a stack creates, and what it needs."""
        state = self.stacks[name]
        try:
            deploys = (state.outline(name), *([state.first_outline(name)] if state.first is not None else []))
        except InputError as error:
            raise ValueError(f"stack {name}, {describe_problem(state.file, error)}") from None
        return frozenset[Use]().union(*(d.makes for d in deploys)), frozenset[Use]().union(*(d.needs for d in deploys))

    @property
    def stack_services(self) -> tuple[str, ...]:
        """The full names of the services of all stacks."""
        return tuple(service for name, stack in self.stacks.items() for service in stack.services(name))


class Patch(Value):
    """The changes that a step leaves, applied over the checkpoint: the given keys of a service, node or stack replace
    its own; `null` removes the object."""

    services: Mapping[Name, Mapping[str, Any] | None] = {}
    secrets: Mapping[Name, Content | None] = {}
    configs: Mapping[Name, Content | None] = {}
    networks: tuple[Name, ...] | None = None
    nodes: Mapping[Name, Mapping[str, Any] | None] = {}
    stacks: Mapping[Name, Mapping[str, Any] | None] = {}

    @field_validator("services")
    @classmethod
    def _service_keys(cls, services: Mapping[str, Mapping[str, Any] | None]) -> Mapping[str, Mapping[str, Any] | None]:
        return _check_keys(services, ServiceState)

    @field_validator("nodes")
    @classmethod
    def _node_keys(cls, nodes: Mapping[str, Mapping[str, Any] | None]) -> Mapping[str, Mapping[str, Any] | None]:
        return _check_keys(nodes, NodeState)

    @field_validator("stacks")
    @classmethod
    def _stack_keys(cls, stacks: Mapping[str, Mapping[str, Any] | None]) -> Mapping[str, Mapping[str, Any] | None]:
        return _check_keys(stacks, StackState)

    def apply_to(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return the checkpoint with the patch applied. Raises pydantic.ValidationError when the result is invalid."""
        base = checkpoint.model_dump(exclude_unset=True, mode="json")
        patch = self.model_dump(exclude_unset=True, mode="json")
        if patch.get("networks") is not None:
            base["networks"] = patch["networks"]
        for group in ("services", "secrets", "configs", "nodes", "stacks"):
            things: dict[str, Any] = base.setdefault(group, {})
            for name, change in patch.get(group, {}).items():
                if change is None:
                    things.pop(name, None)
                elif group in ("services", "nodes", "stacks"):
                    things[name] = {**things.get(name, {}), **change}
                else:
                    things[name] = change
        return Checkpoint.model_validate(base, strict=False)


def checkpoint_before(lesson: Lesson, step: str | None = None) -> Checkpoint:
    """Return the checkpoint before a step (None: before the first): the lesson's start, patched with what each earlier
    step leaves. Raises InputError when there is no such step."""
    now = lesson.start
    if step is None:
        return now
    for each in lesson.steps:
        if each.id == step:
            return now
        if each.leaves is not None:
            now = each.leaves.apply_to(now)
    steps = ", ".join(s.id for s in lesson.steps)
    raise InputError(f"lesson {lesson.id} has no step {step}", remedy=f"its steps are: {steps}")


def checkpoint_after(lesson: Lesson) -> Checkpoint:
    """Return the checkpoint after the last step."""
    now = lesson.start
    for step in lesson.steps:
        if step.leaves is not None:
            now = step.leaves.apply_to(now)
    return now


def _check_keys(
    things: Mapping[str, Mapping[str, Any] | None], model: type[Value]
) -> Mapping[str, Mapping[str, Any] | None]:
    for name, change in things.items():
        for key in change or ():
            if key not in model.model_fields:
                raise ValueError(f"{name} has the unknown key {key!r}; known are {', '.join(model.model_fields)}")
    return things


def _check_uses(who: str, uses: Iterable[Use], known: Container[Use]) -> None:
    for what, name in uses:
        if (what, name) not in known:
            raise ValueError(f"{who} uses the {what} {name}, which is not there")


def _read_inside(folder: Path, name: str) -> str:
    """Return the text of a file in a folder. Raises a readable ValueError when it lies outside or cannot be read."""
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ValueError(f"the path {name} leaves the {_name_owner(folder)} folder")
        if not path.is_file():
            raise ValueError(f"there is no file {name} in the {_name_owner(folder)} folder")
        with path.open("rb") as file:
            return file.read(_LARGEST).decode()
    except UnicodeDecodeError:
        raise ValueError(f"the file {name} is not UTF-8") from None
    except OSError as error:
        raise ValueError(f"the file {name} cannot be read: {error.strerror}") from None


def _name_owner(folder: Path) -> str:
    return "stacks'" if folder == paths.stacks() else "lesson's"


def _port(text: str) -> Port:
    numbers, *rest = text.split("/")
    published, target = numbers.split(":")
    return Port(int(published), int(target), rest[0] if rest else "tcp", "host" if "host" in rest else "ingress")


def _grant(text: str) -> FileReference:
    source, _, target = text.partition(":")
    return FileReference(source, target or source)
