"""Several stack files as one stack: merged as `docker stack deploy -c base -c prod` merges them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from lab.cli import main
from lab.compose.merge import merge_files
from lab.compose.read import StackFile, find_problems
from lab.compose.to_spec import Expected, service_specs
from lab.errors import InputError
from lab.lesson.course import check_paths
from lab.schema.document import Document, read_stack

BASE = """\
services:
  s:
    image: x:1
    command: [a, b]
    entrypoint: e
    environment: [A=1, B=2]
    labels: {l: "1"}
    cap_add: [A, B]
    dns: 1.1.1.1
    ports: ["80:80", "81:81", "90-91:90-91"]
    networks: {n: {aliases: [q], ipv4_address: 1.1.1.1}, m: }
    volumes: ["v:/v", "w:/w"]
    secrets: [s1, {source: s2, target: t}]
    healthcheck: {test: [CMD, a], retries: 3}
    logging: {driver: d, options: {a: "1", b: "2"}}
    read_only: true
    hostname: h
    deploy:
      mode: global
      labels: {a: "1", b: "2"}
      placement: {constraints: [c1]}
      resources: {limits: {memory: 1M, cpus: "1"}}
      update_config: {parallelism: 1, delay: 1s}
  only: {image: y:1}
networks: {n: {driver: overlay, labels: {x: "1"}}, m: {external: true}}
volumes: {v: {driver: d}, w: }
secrets: {s1: {external: true}, s2: {external: true}}
"""
PROD = """\
services:
  s:
    image: x:2
    command: [c]
    entrypoint: []
    environment: {B: "3", C: "4", A: }
    labels: [m=2]
    cap_add: [B]
    dns: [2.2.2.2]
    ports: [{target: 90, published: 81}, "91:3", "82:82"]
    networks: {n: {ipv6_address: "::1"}, o: }
    volumes: [{type: tmpfs, target: /v}]
    secrets: [{source: s2, mode: 0400}, s3]
    healthcheck: {test: b, retries: 0}
    logging: {options: {b: "3"}}
    read_only: false
    hostname: ""
    deploy:
      mode: replicated
      replicas: 0
      labels: {b: "", c: "3"}
      placement: {constraints: [c2]}
      resources: {limits: {memory: 2M}}
      update_config: {delay: 2s}
  new: {image: z:1}
networks: {n: {attachable: true}, o: {}}
secrets: {s3: {external: true}}
"""


def merged(tmp_path: Path, *texts: str) -> Document:
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yml").write_text(text)
    return merge_files([read_stack(tmp_path / f"{number}.yml") for number in range(len(texts))])


def expected(doc: Document) -> Expected:
    found, outline = find_problems(doc)
    assert found == []
    assert outline is not None
    return service_specs(StackFile(doc, outline), "st", {})


def test_a_service_is_laid_over_the_one_before(tmp_path: Path) -> None:
    services = expected(merged(tmp_path, BASE, PROD)).services
    assert {*services} == {"st_s", "st_only", "st_new"}
    s = services["st_s"]
    assert (s.image, s.mode, s.replicas) == ("x:2", "replicated", 0)
    assert (s.args, s.command) == (("c",), ("e",))
    assert s.env == ("A=1", "B=3", "C=4")
    assert s.labels == {"a": "1", "b": "", "c": "3"}
    assert s.constraints == ("c1", "c2")
    assert s.memory == 2 * 1024 * 1024
    assert (s.update.parallelism, s.update.delay) == (1, 2.0)
    assert [(p.published, p.target) for p in sorted(s.ports, key=lambda p: p.published)] == [
        (80, 80), (81, 90), (82, 82), (90, 90), (91, 3),
    ]  # fmt: skip
    assert s.volumes == ("st_w",)
    assert sorted((g.source, g.target) for g in s.secrets) == [("s1", "s1"), ("s2", "s2"), ("s3", "s3")]
    assert s.networks == ("m", "st_n", "st_o")
    assert s.health == ("CMD", "a", "CMD-SHELL", "b")


def test_what_is_not_in_the_world_is_merged_too(tmp_path: Path) -> None:
    doc = merged(tmp_path, BASE, PROD)
    s = doc.data["services"]["s"]
    assert (s["read_only"], s["hostname"], s["cap_add"]) == (True, "h", ["A", "B", "B"])
    assert s["dns"] == ["1.1.1.1", "2.2.2.2"]
    assert s["logging"] == {"driver": "d", "options": {"a": "1", "b": "3"}}
    assert s["networks"] == {"n": {"ipv4_address": "1.1.1.1", "ipv6_address": "::1"}, "m": None, "o": None}
    assert s["healthcheck"]["retries"] == 0


def test_other_loggers_and_things_at_the_top_are_replaced_whole(tmp_path: Path) -> None:
    over = "services: {s: {logging: {driver: other}}}\nnetworks: {n: {attachable: true}}\nvolumes: {v: {}}\n"
    doc = merged(tmp_path, BASE, over)
    assert doc.data["services"]["s"]["logging"] == {"driver": "other"}
    assert doc.data["networks"]["n"] == {"attachable": True}
    assert doc.data["volumes"]["v"] == {}


def test_a_problem_is_told_with_the_file_in_which_it_stands(tmp_path: Path) -> None:
    doc = merged(tmp_path, BASE, "services:\n  s:\n    deploy:\n      labels:\n        a.b: true\n      replica: 2\n")
    found, outline = find_problems(doc)
    assert outline is None
    assert [(p.path, p.line) for p in found] == [(tmp_path / "1.yml", 5), (tmp_path / "1.yml", 6)]


def test_one_version_for_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1\.yml:1: version 3\.7 differs from 3\.13 of 0\.yml"):
        merged(tmp_path, BASE, "version: '3.7'\nservices: {s: {image: 'x:2'}}\n")
    assert merged(tmp_path, "version: '3'\n" + BASE, PROD).data["services"].keys() == {"s", "only", "new"}


def test_what_cannot_be_read_as_a_list_is_told_where_the_whole_is_read(tmp_path: Path) -> None:
    over = "services: {s: {ports: ['x:y', 80.5], volumes: [{type: 7}, 'a:b:c:d'], secrets: 3}}\n"
    said = "\n".join(p.reason for p in find_problems(merged(tmp_path, BASE, over))[0])
    for wrong in ("'x:y' is no port", "'type' must be one of", "'a:b:c:d' is no volume", "'secrets' must be a list"):
        assert wrong in said


def test_the_command_takes_several_files_as_one_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base, prod = tmp_path / "base.yml", tmp_path / "prod.yml"
    base.write_text("services:\n  web:\n    image: nginx:1.26\n")
    prod.write_text("services:\n  web:\n    deploy: {replicas: 2}\n")
    assert main(["check", str(base), str(prod)]) == 2
    capsys.readouterr()
    assert main(["check", "-c", str(base), "--compose-file", str(prod)]) == 0
    assert "2 files checked, 0 wrong" in capsys.readouterr().out
    prod.write_text("services:\n  web:\n    build: .\n")
    assert main(["check", "-c", str(base), "-c", str(prod)]) == 2
    assert f"{prod}:3: service web: 'build' has no effect" in capsys.readouterr().out
    prod.write_text("services:\n  web:\n    environment: {UMASK: 022}\n    deploy: {replicas: '2'}\n")
    assert main(["check", "-c", str(base), "-c", str(prod)]) == 2
    said = capsys.readouterr().out
    assert f"{prod}:3: service web: docker reads 022 as 18" in said
    assert f"{prod}:4: service web: 'replicas' must be a number without quotes" in said
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"services: {web: {imgae: x}}")))
    assert main(["check", "-c", str(base), "-c", "-"]) == 2
    assert "-:1: 'web' has the unknown key 'imgae'" in capsys.readouterr().out


def test_a_file_of_several_that_is_not_there(tmp_path: Path) -> None:
    problems, looked_at = check_paths([], stack=[tmp_path / "none.yml", tmp_path / "neither.yml"])
    assert [p.reason for p in problems] == ["there is no such file"] * 2
    assert looked_at == 2
