"""A small, named subset of Dockerfiles, read into values.

The lab's own images have real Dockerfiles, but must be built where no registry can be reached and no engine runs. So
the lab reads what they need and rejects the rest, with file and line:

    FROM debian:trixie-slim | scratch | a stage above | another of the lab's images [AS name]
    RUN shell form                                   before the stage's first COPY, and from debian only
    COPY [--from=stage|context] [--chmod=755] file... target
    ENV, LABEL (KEY=value...)  EXPOSE  WORKDIR  USER  STOPSIGNAL
    ENTRYPOINT, CMD (exec form)  HEALTHCHECK [options] NONE | CMD ["..."] | CMD command

The label `org.opencontainers.image.ref.name` is an image's name and tag. The last stage is an image, and so is every
stage before it that has a label of its own: what `docker build --target` makes.
"""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.errors import InputError

DEBIAN = "debian:trixie-slim"
SCRATCH = "scratch"
NAME_LABEL = "org.opencontainers.image.ref.name"
_TAG = re.compile(r"[a-z0-9._/-]+:[\w.-]+")


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
    """One FROM and its instructions. `settings` has other keys of an image's config, as the engine spells them. What it
    has from a stage above is in it, but for that stage's files."""

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
    """An image that a Dockerfile makes: the stages up to its own, the last one being the image called `tag`."""

    path: Path
    tag: str
    stages: tuple[Stage, ...]
    target: str = ""
    """The name of the image's stage where the file makes several images."""

    @property
    def image(self) -> Stage:
        """The stage that becomes the image."""
        return self.stages[-1]

    @property
    def name(self) -> str:
        """A name for files: the folder's, and that of the stage where there are several images."""
        return "-".join(filter(None, (self.path.parent.name, self.target)))

    @property
    def below(self) -> str:
        """The tag of the image of the lab that this one starts from; "" where that is Debian, or nothing."""
        names = {stage.name: stage for stage in self.stages[:-1]}
        base = self.image.base
        while base in names:
            base = names[base].base
        return "" if base in (DEBIAN, SCRATCH) else base


@dataclass(frozen=True)
class _Line:
    path: Path
    number: int
    word: str
    value: str

    def refuse(self, why: str) -> InputError:
        return InputError(why, path=self.path, line=self.number)


def read(path: Path) -> tuple[Recipe, ...]:
    """Read the images of the Dockerfile at `path`. Raises InputError, with file and line, for what is not in the
    subset."""
    stages: list[Stage] = []
    for line in _lines(path):
        if line.word == "FROM":
            stages.append(_read_from(line, stages))
        elif not stages:
            raise line.refuse("the first instruction must be FROM")
        elif (reader := _READERS.get(line.word)) is None:
            raise line.refuse(f"{line.word} is not in the subset of Dockerfiles that the lab builds")
        else:
            stages[-1] = reader(stages[-1], line)
    if not stages:
        raise InputError("there is no FROM in this Dockerfile", path=path)
    last = len(stages) - 1
    made = [number for number, stage in enumerate(stages) if NAME_LABEL in stage.labels or number == last]
    for number in made:
        if not _TAG.fullmatch(stages[number].labels.get(NAME_LABEL, "")):
            raise InputError(f'the image needs a name: LABEL {NAME_LABEL}="name:tag"', path=path)
    several = len(made) > 1
    return tuple(
        Recipe(path, stages[n].labels[NAME_LABEL], tuple(stages[: n + 1]), stages[n].name if several else "")
        for n in made
    )


def _lines(path: Path) -> Iterator[_Line]:
    from dockerfile_parse import DockerfileParser  # slow to import: only a build reads Dockerfiles

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"this Dockerfile cannot be read: {error}", path=path) from None
    for part in DockerfileParser(fileobj=io.BytesIO(text.encode())).structure:
        if part["instruction"] != "COMMENT":
            yield _Line(path, part["startline"] + 1, part["instruction"], part["value"].strip())


def _read_from(line: _Line, above: Sequence[Stage]) -> Stage:
    words = line.value.split()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise line.refuse("write FROM image, or FROM image AS name")
    base, name = words[0], words[2] if len(words) == 3 else ""
    stage = next((each for each in above if each.name == base), None)
    if stage is not None:
        labels = {key: value for key, value in stage.labels.items() if key != NAME_LABEL}
        return replace(stage, name=name, base=base, line=line.number, runs=(), copies=(), folders=(), labels=labels)
    if base not in (DEBIAN, SCRATCH) and not _TAG.fullmatch(base):
        raise line.refuse(f"FROM {base}: the lab builds from {DEBIAN}, {SCRATCH}, a stage above or an image of its own")
    return Stage(name, base, line.number)


def inherit(recipe: Recipe, below: Stage) -> Recipe:
    """Return an image's recipe with the settings that its stages have from the image below them."""

    def settle(stage: Stage) -> Stage:
        env = {each.partition("=")[0]: each for each in (*below.env, *stage.env)}
        labels = {**{k: v for k, v in below.labels.items() if k != NAME_LABEL}, **stage.labels}
        ports = tuple(dict.fromkeys((*below.ports, *stage.ports)))
        settings = {**below.settings, **stage.settings}
        return replace(stage, env=tuple(env.values()), labels=labels, ports=ports, settings=settings)

    stages = (stage if stage.base in (DEBIAN, SCRATCH) else settle(stage) for stage in recipe.stages)
    return replace(recipe, stages=tuple(stages))


def _run(stage: Stage, line: _Line) -> Stage:
    if stage.base == SCRATCH:
        raise line.refuse("RUN needs a shell, and scratch has none")
    if stage.base != DEBIAN:
        raise line.refuse(f"RUN goes with FROM {DEBIAN} only")
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
