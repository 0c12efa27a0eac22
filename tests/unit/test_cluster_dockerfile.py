"""The subset of Dockerfiles: what it reads, and what it refuses, with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.cluster.vm.build import dockerfile, images
from lab.errors import InputError

NAMED = 'LABEL org.opencontainers.image.ref.name="x:1"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "Dockerfile"
    path.write_text(text)
    return path


def test_the_labs_own_dockerfiles_are_in_the_subset() -> None:
    tags = {one.tag.split(":")[0] for one in images.recipes()}
    assert tags == {"nginx", "node", "busybox", "traefik", "pebble"}


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
    found = dockerfile.read(path)
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
