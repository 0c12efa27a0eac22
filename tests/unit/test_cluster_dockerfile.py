"""The subset of Dockerfiles: what it reads, and what it refuses, with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import paths
from lab.cluster.vm.build import dockerfile, images
from lab.errors import InputError

NAMED = 'LABEL org.opencontainers.image.ref.name="x:1"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "Dockerfile"
    path.write_text(text)
    return path


def test_the_labs_own_dockerfiles_are_in_the_subset() -> None:
    tags = [one.tag for one in images.recipes()]
    assert {tag.split(":")[0] for tag in tags} == {"nginx", "node", "busybox", "traefik", "pebble", "backend"}
    assert len(tags) == len(set(tags))
    assert tags.index("node:20") < tags.index("backend:0")


def test_everything_that_it_reads(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# a comment\n"
        "FROM debian:trixie-slim AS tools\n"
        "RUN apt-get update \\\n    # inside\n && true\n"
        "FROM scratch\n"
        "COPY --from=tools --chmod=755 /bin/a /bin/b /opt/\n"
        "COPY here.conf /etc/here.conf\n"
        "WORKDIR /data\n"
        'ENV A=1 B="two words"\n'
        "ENV C=3\n"
        'LABEL lab="yes"\n' + NAMED + "EXPOSE 80 53/udp\n"
        "USER nobody\n"
        "STOPSIGNAL SIGQUIT\n"
        'ENTRYPOINT ["/opt/a"]\n'
        'CMD ["-x", "y z"]\n'
        "HEALTHCHECK --interval=5s --start-period=1s --retries=2 CMD wget -q http://localhost/\n",
    )
    (found,) = dockerfile.read(path)
    tools, image = found.stages
    assert found.tag == "x:1"
    assert (tools.name, tools.base) == ("tools", "debian:trixie-slim")
    assert [" ".join(run.split()) for run in tools.runs] == ["apt-get update && true"]
    first, second = image.copies
    assert (first.sources, first.target, first.origin, first.mode) == (("/bin/a", "/bin/b"), "/opt/", "tools", 0o755)
    assert (second.sources, second.origin, second.mode, second.line) == (("here.conf",), "", None, 8)
    assert image.folders == ("/data",)
    assert image.env == ("A=1", "B=two words", "C=3")
    assert image.labels["lab"] == "yes"
    assert image.ports == ("80/tcp", "53/udp")
    assert image.settings == {
        "WorkingDir": "/data",
        "User": "nobody",
        "StopSignal": "SIGQUIT",
        "Entrypoint": ["/opt/a"],
        "Cmd": ["-x", "y z"],
        "Healthcheck": {
            "Interval": 5_000_000_000,
            "StartPeriod": 1_000_000_000,
            "Retries": 2,
            "Test": ["CMD-SHELL", "wget -q http://localhost/"],
        },
    }


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("RUN true\n", 1, "first instruction must be FROM"),
        ("FROM alpine\n", 1, "FROM alpine"),
        ("FROM scratch AS a b\n", 1, "FROM image AS name"),
        ("FROM scratch\n\nARG X=1\n", 3, "ARG is not in the subset"),
        ("FROM scratch\nADD a /b\n", 2, "ADD is not in the subset"),
        ("FROM scratch\nRUN true\n", 2, "scratch has none"),
        ("FROM node:20\nRUN true\n", 2, "RUN goes with FROM debian:trixie-slim only"),
        ('FROM debian:trixie-slim\nRUN ["true"]\n', 2, "shell form"),
        ("FROM debian:trixie-slim\nRUN --mount=type=cache,target=/x true\n", 2, "shell form"),
        ("FROM debian:trixie-slim\nCOPY a /a\nRUN true\n", 3, "RUN after COPY"),
        ("FROM scratch\nCOPY a\n", 2, "COPY file"),
        ("FROM scratch\nCOPY *.conf /etc/\n", 2, "without patterns"),
        ("FROM scratch\nCOPY a b /c\n", 2, "end with a slash"),
        ("FROM scratch\nCOPY a etc/a\n", 2, "absolute path"),
        ("FROM scratch\nCOPY --chown=1 a /a\n", 2, "--chown is not in the subset"),
        ("FROM scratch\nCOPY --chmod=u+x a /a\n", 2, "octal mode"),
        ("FROM scratch\nENV A\n", 2, "NAME=value"),
        ('FROM scratch\nENV A="1\n', 2, "quotation mark"),
        ("FROM scratch\nWORKDIR data\n", 2, "absolute path"),
        ("FROM scratch\nEXPOSE http\n", 2, "EXPOSE port"),
        ("FROM scratch\nCMD run me\n", 2, "exec form"),
        ("FROM scratch\nENTRYPOINT []\n", 2, "exec form"),
        ("FROM scratch\nHEALTHCHECK --interval=5m CMD x\n", 2, "whole seconds"),
        ("FROM scratch\nHEALTHCHECK x\n", 2, "HEALTHCHECK"),
    ],
)
def test_what_it_refuses(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        dockerfile.read(path)
    assert caught.value.line == line
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize("text", ["", "# only a comment\n", "FROM scratch\nCMD ['x']\n", 'FROM scratch\nCMD ["x"]\n'])
def test_an_image_needs_a_stage_and_a_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        dockerfile.read(write(tmp_path, text))


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"FROM \xff\xfe\n")
    with pytest.raises(InputError, match="cannot be read"):
        dockerfile.read(path)
    with pytest.raises(InputError, match="cannot be read"):
        dockerfile.read(tmp_path / "none")


def test_a_stage_with_a_name_of_its_own_is_an_image_too(tmp_path: Path) -> None:
    """What `docker build --target` makes: the settings of the stage above and its own."""
    path = write(
        tmp_path,
        'FROM scratch AS program\nCOPY a /a\nENV KIND=x\nCMD ["/a"]\n'
        'FROM program AS v1\nLABEL org.opencontainers.image.ref.name="a:1"\nENV VERSION=1\n'
        'FROM program AS v2\nLABEL org.opencontainers.image.ref.name="a:2"\nENV VERSION=2\n',
    )
    one, two = dockerfile.read(path)
    assert [(each.tag, each.target, len(each.stages)) for each in (one, two)] == [("a:1", "v1", 2), ("a:2", "v2", 3)]
    assert (one.name, two.name) == (f"{tmp_path.name}-v1", f"{tmp_path.name}-v2")
    assert two.image.env == ("KIND=x", "VERSION=2")
    assert two.image.settings == {"Cmd": ["/a"]}
    assert two.image.copies == ()
    assert two.below == ""


def test_an_image_of_the_lab_can_be_the_base_of_another(tmp_path: Path) -> None:
    path = write(tmp_path, "FROM node:20 AS program\nENV B=2 C=3\nFROM program\n" + NAMED)
    (found,) = dockerfile.read(path)
    assert found.below == "node:20"
    below = dockerfile.Stage(
        "", "debian:trixie-slim", 1, env=("A=1", "B=1"), labels={dockerfile.NAME_LABEL: "node:20", "lab": "yes"},
        ports=("80/tcp",), settings={"Cmd": ["node"]},
    )  # fmt: skip
    image = dockerfile.inherit(found, below).image
    assert image.env == ("A=1", "B=2", "C=3")
    assert image.labels == {dockerfile.NAME_LABEL: "x:1", "lab": "yes"}
    assert (image.ports, image.settings) == (("80/tcp",), {"Cmd": ["node"]})


def test_an_image_from_one_that_the_lab_does_not_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images" / "a").mkdir(parents=True)
    write(tmp_path / "images" / "a", "FROM python:3\n" + NAMED)
    monkeypatch.setattr(paths, "stacks", lambda: tmp_path)
    with pytest.raises(InputError, match="FROM python:3: none of the lab's images") as caught:
        images.recipes()
    assert caught.value.line == 1
