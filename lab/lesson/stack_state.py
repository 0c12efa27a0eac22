"""A stack in a checkpoint: its files, and the settings that it is deployed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from lab import paths
from lab.compose.read import StackFile, read_stack
from lab.compose.referenced_files import read_content
from lab.compose.to_spec import Expected, config_files, outline, service_names, service_specs
from lab.errors import InputError
from lab.schema.value import Name, Value
from lab.world.swarm import fingerprint

Setting = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class StackState(Value):
    """A stack as `docker stack deploy` creates it from a file. The file is read together with the lesson."""

    file: Annotated[str, Field(min_length=1, max_length=300)]
    """Path relative to the stacks folder."""
    over: tuple[Annotated[str, Field(min_length=1, max_length=300)], ...] = ()
    """More files, which docker merges over the first one in this order."""
    env: Mapping[Setting, str] = {}
    """Settings for the files, which override those that `swarmlab env` prints."""
    first: Mapping[Setting, str] | None = None
    """Settings of an earlier deploy that succeeded. The deploy with `env` over it failed, and the update of the
    services that it changes is paused."""
    fresh_with: tuple[Name, ...] = ()
    """When one of these stacks is recreated, so is this one, together with its volumes."""
    pending: tuple[Name, ...] = ()
    """Its services, by their names in the file, no task of which can run, as no node suits it."""
    _read: StackFile = PrivateAttr()

    @field_validator("file")
    @classmethod
    def _good(cls, file: str) -> str:
        _stack_file(file)
        return file

    @field_validator("over")
    @classmethod
    def _good_together(cls, over: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if over and "file" in info.data:
            _stack_file(info.data["file"], *over)
        return over

    @model_validator(mode="after")
    def _sane(self) -> StackState:
        if unknown := self.pending_services("s") - {*self.services("s")}:
            raise ValueError(f"{self.file} has no service {min(unknown).removeprefix('s_')}")
        try:
            if self.first is not None and self.outline("s").services == self.first_outline("s").services:
                raise ValueError("first and env make the same of the file: no update could be paused")
        except InputError as error:
            raise ValueError(describe_problem(self.file, error)) from None
        return self

    def model_post_init(self, _: Any) -> None:
        """Keep the file as read, so that the value holds everything that is declared."""
        self._read = _stack_file(*self.files)

    @property
    def files(self) -> tuple[str, ...]:
        """All its files, in the order in which docker merges them."""
        return (self.file, *self.over)

    def services(self, name: str) -> tuple[str, ...]:
        """Return the full names of its services when it is deployed under a name."""
        return service_names(self._read, name)

    def pending_services(self, name: str) -> frozenset[str]:
        """Return the full names of its services of which no task can run."""
        return frozenset(f"{name}_{each}" for each in self.pending)

    def expect(self, name: str, env: Mapping[str, str]) -> Expected:
        """Return what a deploy under a name creates, where `env` is this machine's settings. Raises InputError when a
        setting that the file needs is missing."""
        return self._expect_now(name, {**env, **self.env})

    def expect_first(self, name: str, env: Mapping[str, str]) -> Expected:
        """Return the same for the earlier deploy that succeeded. Raises InputError too."""
        return self._expect_now(name, {**env, **(self.first or {})})

    def _expect_now(self, name: str, env: Mapping[str, str]) -> Expected:
        """Read the configs' files now: some belong to this machine, and change."""
        files = config_files(self._read, name, env)
        contents = {full: fingerprint(data) for full, path in files.items() if (data := read_content(path)) is not None}
        return replace(service_specs(self._read, name, env), contents=contents)

    def outline(self, name: str) -> Expected:
        """Return the same as far as it is known without the machine's settings. Raises InputError."""
        return outline(self._read, name, self.env)

    def first_outline(self, name: str) -> Expected:
        """Return the same for the earlier deploy that succeeded. Raises InputError."""
        return outline(self._read, name, self.first or {})


def _stack_file(*names: str) -> StackFile:
    """Read files below the stacks folder as one stack. Raises a readable ValueError when one is outside the folder or
    not valid."""
    folder = paths.stacks()
    files = [(folder / name).resolve() for name in names]
    for name, path in zip(names, files, strict=True):
        if not path.is_relative_to(folder.resolve()):
            raise ValueError(f"the path {name} leaves the stacks' folder")
    try:
        return read_stack(*files)
    except InputError as error:
        wrong = next((name for name, path in zip(names, files, strict=True) if str(path) == str(error.path)), names[0])
        raise ValueError(describe_problem(wrong, error)) from None


def describe_problem(file: str, error: InputError) -> str:
    """Describe the first problem of a stack file, for a message that already gives the place in the lesson."""
    return f"{file}, line {error.line}: {error.reason}" if error.line else f"{file}: {error.reason}"
