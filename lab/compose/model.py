"""The content of a stack file: the part of Compose file format 3 that `docker stack deploy` accepts, in long syntax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from lab.compose import short_forms
from lab.compose.interpolate import has_variables
from lab.schema.value import Value


class Part(Value):
    """A part of a stack file. Unlike in a lesson, a number may be a text, since it may come from a setting."""

    model_config = ConfigDict(strict=False)


def _fall_back_to(value: object) -> BeforeValidator:
    """Use `value` for a setting that has no value yet, where a text would not be valid."""
    return BeforeValidator(lambda given: value if has_variables(given) else given)


#: Docker uses 64-bit integers.
_MOST = 2**63 - 1

Count = Annotated[int, Field(ge=0, le=_MOST), _fall_back_to(0)]
Truth = Annotated[bool, _fall_back_to(False)]
Ratio = Annotated[float, Field(ge=0, le=1), _fall_back_to(0.0)]
Seconds = Annotated[float, BeforeValidator(short_forms.parse_seconds)]
Size = Annotated[int, BeforeValidator(short_forms.parse_size)]
Words = Annotated[tuple[str, ...], BeforeValidator(short_forms.parse_words)]
Texts = Annotated[tuple[str, ...], BeforeValidator(short_forms.parse_list)]
Labels = Annotated[
    Mapping[str, Annotated[str, BeforeValidator(short_forms.parse_label)]], BeforeValidator(short_forms.parse_pairs)
]
Environment = Annotated[
    Mapping[str, Annotated[str | None, BeforeValidator(short_forms.parse_text)]],
    BeforeValidator(short_forms.parse_pairs),
]
Options = Mapping[str, Annotated[str, BeforeValidator(short_forms.parse_text)]]


class Publish(Part):
    """A published port; `published` 0 lets the swarm choose one."""

    target: Annotated[int, Field(ge=1, le=65535), _fall_back_to(1)]
    published: Annotated[int, Field(ge=0, le=65535), _fall_back_to(0)] = 0
    protocol: Annotated[Literal["tcp", "udp", "sctp"], _fall_back_to("tcp")] = "tcp"
    mode: Annotated[Literal["ingress", "host"], _fall_back_to("ingress")] = "ingress"


class Attached(Part):
    """A network that a service is attached to."""

    aliases: tuple[str, ...] = ()
    driver_opts: Options = Field(default_factory=dict)
    ipv4_address: str = ""
    ipv6_address: str = ""


class Mount(Part):
    """A volume, or a path on the node, mounted in a container."""

    type: Literal["volume", "bind", "tmpfs", "npipe", "cluster"]
    source: str = ""
    target: str = ""
    read_only: Truth = False
    consistency: str = ""
    bind: Mapping[str, Any] | None = None
    volume: Mapping[str, Any] | None = None
    tmpfs: Mapping[str, Any] | None = None


class Granted(Part):
    """A secret or config granted to a service; without a `target`, the file is named after `source`."""

    source: str
    target: str = ""
    uid: str = ""
    gid: str = ""
    mode: Count | None = None


class Health(Part):
    """A health check; without a `test`, the image's own test is used."""

    test: Annotated[tuple[str, ...], BeforeValidator(short_forms.parse_test)] = ()
    interval: Seconds | None = None
    timeout: Seconds | None = None
    start_period: Seconds | None = None
    start_interval: Seconds | None = None
    retries: Count | None = None
    disable: Truth = False


class Update(Part):
    """How a service is updated or rolled back; a key that is left out has the engine's default."""

    parallelism: Annotated[int, Field(ge=0, le=_MOST), _fall_back_to(1)] = 1
    delay: Seconds = 0.0
    failure_action: Annotated[Literal["pause", "continue", "rollback"], _fall_back_to("pause")] = "pause"
    monitor: Seconds = 0.0
    max_failure_ratio: Ratio = 0.0
    order: Annotated[Literal["stop-first", "start-first"], _fall_back_to("stop-first")] = "stop-first"


class Restart(Part):
    """Whether and when a container that has ended is restarted."""

    condition: Annotated[Literal["none", "on-failure", "any"], _fall_back_to("any")] = "any"
    delay: Seconds | None = None
    max_attempts: Count | None = None
    window: Seconds | None = None


class Preference(Part):
    """The node property over which tasks are spread."""

    spread: str


class Placement(Part):
    """Where tasks may run."""

    constraints: tuple[str, ...] = ()
    preferences: tuple[Preference, ...] = ()
    max_replicas_per_node: Count = 0


class Limits(Part):
    """The most resources that a container may use."""

    cpus: str = ""
    memory: Size = 0
    pids: Count = 0


class Reservations(Part):
    """The resources that a node must have free."""

    cpus: str = ""
    memory: Size = 0
    generic_resources: tuple[Any, ...] = ()


class Resources(Part):
    """Limits and reservations."""

    limits: Limits = Limits()
    reservations: Reservations = Reservations()


class Deploy(Part):
    """The settings for the swarm: how many tasks, where, how they are updated, and the labels that Traefik reads."""

    mode: Annotated[Literal["replicated", "global", "replicated-job", "global-job"], _fall_back_to("replicated")] = (
        "replicated"
    )
    replicas: Annotated[int, Field(ge=0, le=_MOST), _fall_back_to(1)] | None = None
    endpoint_mode: Annotated[Literal["vip", "dnsrr"], _fall_back_to("vip")] = "vip"
    labels: Labels = Field(default_factory=dict)
    placement: Placement = Placement()
    update_config: Update | None = None
    rollback_config: Update | None = None
    restart_policy: Restart | None = None
    resources: Resources = Resources()

    @model_validator(mode="after")
    def _sane(self) -> Deploy:
        if self.mode.startswith("global") and self.replicas is not None:
            raise ValueError(f"a {self.mode} service has no replicas: it has one on every node")
        return self


class Service(Part):
    """A service of the stack."""

    image: Annotated[str, Field(min_length=1)]
    command: Words = ()
    entrypoint: Words = ()
    environment: Environment = Field(default_factory=dict)
    env_file: Annotated[tuple[str, ...], BeforeValidator(short_forms.parse_env_files)] = ()
    """Files beside the stack file with more environment variables; `environment` takes precedence."""
    ports: Annotated[tuple[Publish, ...], BeforeValidator(short_forms.parse_ports)] = ()
    networks: Annotated[Mapping[str, Attached], BeforeValidator(short_forms.parse_networks)] = Field(
        default_factory=dict
    )
    volumes: tuple[Annotated[Mount, BeforeValidator(short_forms.parse_mount)], ...] = ()
    secrets: tuple[Annotated[Granted, BeforeValidator(short_forms.parse_reference)], ...] = ()
    configs: tuple[Annotated[Granted, BeforeValidator(short_forms.parse_reference)], ...] = ()
    healthcheck: Health | None = None
    stop_grace_period: Seconds | None = None
    stop_signal: str = ""
    labels: Labels = Field(default_factory=dict)
    """Labels of the containers. Traefik does not read these: its own go under `deploy`."""
    deploy: Annotated[Deploy, BeforeValidator(lambda given: {} if given is None else given)] = Deploy()
    hostname: str = ""
    user: str = ""
    working_dir: str = ""
    init: Truth | None = None
    tty: Truth = False
    stdin_open: Truth = False
    read_only: Truth = False
    isolation: str = ""
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    dns: Texts = ()
    dns_search: Texts = ()
    sysctls: Environment = Field(default_factory=dict)
    extra_hosts: Any = None
    ulimits: Mapping[str, Any] = {}
    logging: Mapping[str, Any] = {}
    credential_spec: Mapping[str, Any] = {}
    oom_score_adj: int = 0


class _Declared(Part):
    """An object that services use. `external`: it already exists; `name`: its full name, without the stack's prefix."""

    name: str = ""
    external: Truth = False
    labels: Labels = Field(default_factory=dict)


class Network(_Declared):
    """A network; an overlay when no driver is named. Other settings of an external network are ignored."""

    driver: str = ""
    driver_opts: Options = Field(default_factory=dict)
    attachable: Truth = False
    internal: Truth = False
    ipam: Mapping[str, Any] = {}


class Volume(_Declared):
    """A named volume: a separate one on each node where a task needs it."""

    driver: str = ""
    driver_opts: Options = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sane(self) -> Volume:
        more = [name for name in ("driver", "driver_opts", "labels") if getattr(self, name)]
        if self.external and more:
            raise ValueError(f"what is external is there already: it takes a name, and no {more[0]}")
        return self


class FileObject(_Declared):
    """A secret or a config, from a file beside the stack."""

    file: str = ""
    driver: str = ""
    driver_opts: Options = Field(default_factory=dict)
    template_driver: str = ""

    @model_validator(mode="after")
    def _has_content(self) -> FileObject:
        if not (self.file or self.external or self.driver):
            raise ValueError("needs a file, or external: true when it is there already")
        return self


_Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]+$")]
_external = BeforeValidator(short_forms.parse_declared)
_nothing = BeforeValidator(lambda given: {} if given is None else given)


class Stack(Part):
    """A whole stack file."""

    version: str | None = None
    services: Annotated[Mapping[_Name, Service], Field(min_length=1)]
    networks: Annotated[Mapping[_Name, Annotated[Network, _external]], _nothing] = {}
    volumes: Annotated[Mapping[_Name, Annotated[Volume, _external]], _nothing] = {}
    secrets: Annotated[Mapping[_Name, Annotated[FileObject, _external]], _nothing] = {}
    configs: Annotated[Mapping[_Name, Annotated[FileObject, _external]], _nothing] = {}
