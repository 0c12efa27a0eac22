"""A stack in a checkpoint: its file, and the settings that it is deployed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, field_validator, model_validator

from lab import paths
from lab.compose.read import StackFile, read_stack
from lab.compose.referenced_files import read_content
from lab.compose.to_spec import Expected, config_files, outline, service_names, service_specs
from lab.errors import InputError
from lab.schema.value import Name, Value
from lab.world.swarm import fingerprint

Setting = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class StackState(Value):
    """A stack as `docker stack deploy` makes it of a file. The file is read when the lesson is."""

    file: Annotated[str, Field(min_length=1, max_length=300)]
    """Below the stacks' folder."""
    env: Mapping[Setting, str] = {}
    """The file's settings, laid over those that `swarmlab env` prints."""
    first: Mapping[Setting, str] | None = None
    """The settings of an earlier deploy, which went well: the one with `env` over it failed, and the update of what it
    changes is paused."""
    fresh_with: tuple[Name, ...] = ()
    """When one of these stacks is made anew, so is this one, with its volumes."""
    _read: StackFile = PrivateAttr()

    @field_validator("file")
    @classmethod
    def _good(cls, file: str) -> str:
        _stack_file(file)
        return file

    @model_validator(mode="after")
    def _sane(self) -> StackState:
        try:
            if self.first is not None and self.outline("s").services == self.first_outline("s").services:
                raise ValueError("first and env make the same of the file: no update could be paused")
        except InputError as error:
            raise ValueError(describe_problem(self.file, error)) from None
        return self

    def model_post_init(self, _: Any) -> None:
        """Keeps what was read: what is declared is then all in the value."""
        self._read = _stack_file(self.file)

    def services(self, name: str) -> tuple[str, ...]:
        """The whole names of its services when it is deployed under a name."""
        return service_names(self._read, name)

    def expected(self, name: str, env: Mapping[str, str]) -> Expected:
        """What a deploy under a name makes of it, `env` being this machine's settings. Raises InputError when one
        that the file needs is missing."""
        return self._expected(name, {**env, **self.env})

    def first_expected(self, name: str, env: Mapping[str, str]) -> Expected:
        """The same of the deploy that went well; raises InputError too."""
        return self._expected(name, {**env, **(self.first or {})})

    def _expected(self, name: str, env: Mapping[str, str]) -> Expected:
        """The configs' files are read now: some are of this machine, and change."""
        files = config_files(self._read, name, env)
        contents = {full: fingerprint(data) for full, path in files.items() if (data := read_content(path)) is not None}
        return replace(service_specs(self._read, name, env), contents=contents)

    def outline(self, name: str) -> Expected:
        """The same as far as it is known without the machine's settings. Raises InputError."""
        return outline(self._read, name, self.env)

    def first_outline(self, name: str) -> Expected:
        """The same of the deploy that went well. Raises InputError."""
        return outline(self._read, name, self.first or {})


def _stack_file(name: str) -> StackFile:
    """A file below the stacks' folder. Raises ValueError, in words, when it lies elsewhere or is not a good one."""
    folder = paths.stacks()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"the path {name} leaves the stacks' folder")
    try:
        return read_stack(path)
    except InputError as error:
        raise ValueError(describe_problem(name, error)) from None


def describe_problem(file: str, error: InputError) -> str:
    """The first thing wrong with a stack file, where the lesson's own place is told already."""
    return f"{file}, line {error.line}: {error.reason}" if error.line else f"{file}: {error.reason}"
