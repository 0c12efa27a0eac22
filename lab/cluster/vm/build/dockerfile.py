"""A small, named subset of Dockerfiles, read into values.

The lab's own images have real Dockerfiles, but must be built where no registry can be reached and no engine runs. So
the lab reads what they need and rejects the rest, with file and line:

    FROM debian:trixie-slim | scratch [AS name]      the last stage is the image
    RUN shell form                                   before the stage's first COPY
    COPY [--from=stage|context] [--chmod=755] file... target
    ENV, LABEL (KEY=value...)  EXPOSE  WORKDIR  USER  STOPSIGNAL
    ENTRYPOINT, CMD (exec form)  HEALTHCHECK [options] NONE | CMD ["..."] | CMD command

The label `org.opencontainers.image.ref.name` is the image's name and tag.
"""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.errors import InputError

DEBIAN = "debian:trixie-slim"
SCRATCH = "scratch"
NAME_LABEL = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Copy:
    """`sources` (paths in `origin`: a stage, a named context, or "" for the Dockerfile's folder) to `target`."""

    sources: tuple[str, ...]
    target: str
    origin: str
    mode: int | None
    line: int


@dataclass(frozen=True)
class Stage:
    """One FROM and its instructions. `settings` has other keys of an image's config, as the engine spells them."""

    name: str
    base: str
    line: int
    runs: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    folders: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """A parsed Dockerfile: its stages, the last one being the image called `tag`."""

    path: Path
    tag: str
    stages: tuple[Stage, ...]

    @property
    def image(self) -> Stage:
        """The stage that becomes the image."""
        return self.stages[-1]


@dataclass(frozen=True)
class _Line:
    path: Path
    number: int
    word: str
    value: str

    def refuse(self, why: str) -> InputError:
        return InputError(why, path=self.path, line=self.number)


def read(path: Path) -> Recipe:
    """Read the Dockerfile at `path`. Raises InputError, with file and line, for what is not in the subset."""
    stages: list[Stage] = []
    for line in _lines(path):
        if line.word == "FROM":
            stages.append(_from(line))
        elif not stages:
            raise line.refuse("the first instruction must be FROM")
        elif (reader := _READERS.get(line.word)) is None:
            raise line.refuse(f"{line.word} is not in the subset of Dockerfiles that the lab builds")
        else:
            stages[-1] = reader(stages[-1], line)
    if not stages:
        raise InputError("there is no FROM in this Dockerfile", path=path)
    tag = stages[-1].labels.get(NAME_LABEL, "")
    if not re.fullmatch(r"[a-z0-9._/-]+:[\w.-]+", tag):
        raise InputError(f'the image needs a name: LABEL {NAME_LABEL}="name:tag"', path=path)
    return Recipe(path, tag, tuple(stages))


def _lines(path: Path) -> Iterator[_Line]:
    from dockerfile_parse import DockerfileParser  # slow to import: only a build reads Dockerfiles

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"this Dockerfile cannot be read: {error}", path=path) from None
    for part in DockerfileParser(fileobj=io.BytesIO(text.encode())).structure:
        if part["instruction"] != "COMMENT":
            yield _Line(path, part["startline"] + 1, part["instruction"], part["value"].strip())


def _from(line: _Line) -> Stage:
    words = line.value.split()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise line.refuse("write FROM image, or FROM image AS name")
    if words[0] not in (DEBIAN, SCRATCH):
        raise line.refuse(f"FROM {words[0]}: the lab builds from {DEBIAN} or {SCRATCH} only")
    return Stage(words[2] if len(words) == 3 else "", words[0], line.number)


def _run(stage: Stage, line: _Line) -> Stage:
    if stage.base == SCRATCH:
        raise line.refuse("RUN needs a shell, and scratch has none")
    if stage.copies:
        raise line.refuse("RUN after COPY is not in the subset; put the RUN first")
    if not line.value or line.value.startswith(("[", "--", "<<")):
        raise line.refuse("write RUN in its shell form: no list, no options, no here-document")
    return replace(stage, runs=(*stage.runs, line.value))


def _copy(stage: Stage, line: _Line) -> Stage:
    options, words = _options(line, ("from", "chmod"))
    if len(words) < 2 or any(any(c in word for c in "*?[") for word in words):
        raise line.refuse("write COPY file... target, without patterns")
    if len(words) > 2 and not words[-1].endswith("/"):
        raise line.refuse("the target of several files must end with a slash")
    if not words[-1].startswith("/"):
        raise line.refuse("the target of COPY must be an absolute path")
    mode = options.get("chmod")
    if mode is not None and not re.fullmatch(r"0?[0-7]{3}", mode):
        raise line.refuse(f"--chmod={mode} is not an octal mode such as 755")
    copy = Copy(tuple(words[:-1]), words[-1], options.get("from", ""), int(mode, 8) if mode else None, line.number)
    return replace(stage, copies=(*stage.copies, copy))


def _workdir(stage: Stage, line: _Line) -> Stage:
    if not line.value.startswith("/"):
        raise line.refuse("WORKDIR must be an absolute path")
    return _set(replace(stage, folders=(*stage.folders, line.value)), WorkingDir=line.value)


def _env(stage: Stage, line: _Line) -> Stage:
    return replace(stage, env=(*stage.env, *(f"{name}={value}" for name, value in _pairs(line))))


def _label(stage: Stage, line: _Line) -> Stage:
    return replace(stage, labels={**stage.labels, **dict(_pairs(line))})


def _expose(stage: Stage, line: _Line) -> Stage:
    ports = line.value.split()
    if not ports or not all(re.fullmatch(r"\d{1,5}(/(tcp|udp))?", port) for port in ports):
        raise line.refuse("write EXPOSE port, or port/tcp, or port/udp")
    named = (port if "/" in port else f"{port}/tcp" for port in ports)
    return replace(stage, ports=(*stage.ports, *named))


def _healthcheck(stage: Stage, line: _Line) -> Stage:
    if line.value.upper() == "NONE":
        return _set(stage, Healthcheck={"Test": ["NONE"]})
    head, found, command = line.value.partition("CMD")
    options = dict(re.findall(r"--([a-z-]+)=(\S+)", head))
    if not found or not command.strip() or re.sub(r"--[a-z-]+=\S+", "", head).strip():
        raise line.refuse("write HEALTHCHECK [--interval=5s ...] CMD command, or NONE")
    check: dict[str, object] = {}
    for option, value in options.items():
        if option == "retries" and value.isdigit():
            check["Retries"] = int(value)
        elif option in ("interval", "timeout", "start-period") and (match := re.fullmatch(r"(\d+)s", value)):
            check["".join(w.title() for w in option.split("-"))] = int(match[1]) * 10**9
        else:
            raise line.refuse(f"--{option}={value} is not in the subset: give whole seconds such as 5s")
    command = command.strip()
    check["Test"] = ["CMD", *_exec(line, command)] if command.startswith("[") else ["CMD-SHELL", command]
    return _set(stage, Healthcheck=check)


def _exec(line: _Line, text: str) -> list[str]:
    try:
        words = json.loads(text)
    except json.JSONDecodeError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise line.refuse(f'write {line.word} in its exec form: ["program", "argument"]')
    return words


def _pairs(line: _Line) -> list[tuple[str, str]]:
    words = _words(line)
    pairs = [(name, value) for name, equals, value in (word.partition("=") for word in words) if equals and name]
    if not words or len(pairs) != len(words):
        raise line.refuse(f"write {line.word} NAME=value")
    return pairs


def _options(line: _Line, known: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    words = _words(line)
    while words and words[0].startswith("--"):
        name, _, value = words.pop(0)[2:].partition("=")
        if name not in known or not value:
            raise line.refuse(f"{line.word} --{name} is not in the subset")
        options[name] = value
    return options, words


def _words(line: _Line) -> list[str]:
    try:
        return shlex.split(line.value)
    except ValueError as error:
        raise line.refuse(f"a quotation mark is not closed: {error}") from None


def _set(stage: Stage, **values: object) -> Stage:
    return replace(stage, settings={**stage.settings, **values})


_READERS: Mapping[str, Callable[[Stage, _Line], Stage]] = {
    "RUN": _run,
    "COPY": _copy,
    "WORKDIR": _workdir,
    "ENV": _env,
    "LABEL": _label,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "USER": lambda stage, line: _set(stage, User=line.value),
    "STOPSIGNAL": lambda stage, line: _set(stage, StopSignal=line.value),
    "ENTRYPOINT": lambda stage, line: _set(stage, Entrypoint=_exec(line, line.value)),
    "CMD": lambda stage, line: _set(stage, Cmd=_exec(line, line.value)),
}
