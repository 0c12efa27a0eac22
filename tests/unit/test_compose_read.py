"""Stack files: settings are filled in as `docker stack deploy` does, and what it would refuse is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.compose import read
from lab.compose.interpolate import interpolate
from lab.compose.model import Stack
from lab.errors import InputError
from lab.schema.diagnostics import Problems
from tests.unit.stack_files import NAMES, STACKS


def stack(tmp_path: Path, text: str) -> read.StackFile:
    path = tmp_path / "stack.yaml"
    path.write_text(text)
    return read.read_stack(path)


def wrong(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(Problems) as caught:
        stack(tmp_path, text)
    assert all(str(p).startswith(f"{tmp_path / 'stack.yaml'}:") for p in caught.value.problems)
    return [(p.line, p.reason) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "env", "filled"),
    [
        ("plain", {}, "plain"),
        ("a$$b $${A}", {"A": "1"}, "a$b ${A}"),
        ("$A-${A}", {"A": "1"}, "1-1"),
        ("[${A}]", {}, "[]"),
        ("${A:-one} ${A-two}", {}, "one two"),
        ("${A:-one} ${A-two}", {"A": ""}, "one "),
        ("${A:-} ${A-}", {}, " "),
        ("${A:-https://x/a?b-c}", {}, "https://x/a?b-c"),
        ("${A:?why} ${A?why}", {"A": "x"}, "x x"),
        ("${A?why}", {"A": ""}, ""),
    ],
)
def test_settings_are_filled_in(text: str, env: dict[str, str], filled: str) -> None:
    assert interpolate(text, env) == filled


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${A:?run swarmlab env}", "the setting A is needed: run swarmlab env"),
        ("${A:?}", "the setting A is needed and not set"),
        ("a $ b", "begins no setting"),
        ("${}", "begins no setting"),
        ("${1A}", "begins no setting"),
        ("${A", "begins no setting"),
    ],
)
def test_a_setting_that_is_missing_and_a_dollar_that_begins_nothing(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason.replace("$", r"\$")):
        interpolate(text, {})


@given(st.text(), st.dictionaries(st.sampled_from("ABC"), st.text(), max_size=3))
def test_any_text_can_be_said_with_dollars_doubled(text: str, env: dict[str, str]) -> None:
    assert interpolate(text.replace("$", "$$"), env) == text
    assert interpolate(text.replace("$", "$$"), env, keep=True) == text


@given(st.sampled_from(["${A}", "$A", "${A:?x}", "${A?}"]), st.text(st.characters(exclude_characters="$")))
def test_what_is_kept_open_is_filled_in_later(hole: str, value: str) -> None:
    kept = interpolate(f"<{hole}>", {}, keep=True)
    assert kept == "<${A}>"
    assert interpolate(kept, {"A": value}) == f"<{value}>"


def test_short_forms_are_long_ones(tmp_path: Path) -> None:
    found = stack(
        tmp_path,
        """\
version: "3.8"
x-note: {any: thing}
services:
  web:
    image: nginx:1.26
    x-more: 1
    command: nginx -g 'daemon off;'
    environment: [A=1, B, "C=x=y"]
    ports: ["80", 8080:80, "127.0.0.1:5000-5001:6000-6001/udp", {target: 443, published: 8443, mode: host}]
    networks: [front]
    volumes: [/cache, "data:/var/data:ro", "./www:/www", {type: tmpfs, target: /tmp}]
    secrets: [key, {source: key, target: other}]
    healthcheck: {test: curl localhost, interval: 1m30s, timeout: 500ms, retries: 3}
    deploy:
      replicas: 2
      labels: [traefik.enable=true, empty]
      resources: {limits: {memory: 64M, cpus: "0.5"}}
networks: {front: }
volumes: {data: {external: {name: disk}}}
secrets: {key: {external: true}}
""",
    ).outline
    web = found.services["web"]
    assert web.command == ("nginx", "-g", "daemon off;")
    assert web.environment == {"A": "1", "B": None, "C": "x=y"}
    assert [(p.published, p.target, p.protocol, p.mode) for p in web.ports] == [
        (0, 80, "tcp", "ingress"),
        (8080, 80, "tcp", "ingress"),
        (5000, 6000, "udp", "ingress"),
        (5001, 6001, "udp", "ingress"),
        (8443, 443, "tcp", "host"),
    ]
    assert list(web.networks) == ["front"]
    assert [(m.type, m.source, m.target, m.read_only) for m in web.volumes] == [
        ("volume", "", "/cache", False),
        ("volume", "data", "/var/data", True),
        ("bind", "./www", "/www", False),
        ("tmpfs", "", "/tmp", False),
    ]
    assert [(s.source, s.target) for s in web.secrets] == [("key", ""), ("key", "other")]
    assert web.healthcheck is not None
    assert (web.healthcheck.test, web.healthcheck.interval) == (("CMD-SHELL", "curl localhost"), 90.0)
    assert (web.healthcheck.timeout, web.healthcheck.retries) == (0.5, 3)
    assert web.deploy.replicas == 2
    assert web.deploy.labels == {"traefik.enable": "true", "empty": ""}
    assert web.deploy.resources.limits.memory == 64 * 1024 * 1024
    assert (found.volumes["data"].external, found.volumes["data"].name) == (True, "disk")


GOOD = """\
services:
  web:
    image: nginx:1.26
    networks: [front]
    deploy:
      replicas: 2
networks:
  front: {}
"""


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (GOOD.replace("image:", "imgae:"), 3, "'web' has the unknown key 'imgae'; did you mean 'image'?"),
        (GOOD.replace("image: nginx:1.26", "hostname: x"), 2, "'web' has no 'image'"),
        (GOOD.replace("replicas", "replica"), 6, "service web: 'deploy' has the unknown key 'replica'; did you mean"),
        (GOOD.replace("replicas: 2", "replicas: many"), 6, "service web: 'replicas' must be a whole number"),
        (GOOD.replace("replicas: 2", "mode: globl"), 6, "'mode' must be one of"),
        (GOOD.replace("replicas: 2", "mode: global\n      replicas: 2"), 5, "has no replicas"),
        (GOOD.replace("replicas: 2", "labels: {a.b: true}"), 6, 'true must stand in quotes here: "true"'),
        (GOOD.replace("replicas: 2", "update_config: {delay: 10}"), 6, "10 is no duration"),
        (GOOD.replace("replicas: 2", "resources: {limits: {memory: lots}}"), 6, "'lots' is no size"),
        (GOOD.replace("networks: [front]", "ports: [80:80:80:x]"), 4, "is no port"),
        (GOOD.replace("networks: [front]", "ports: [70000:80]"), 4, "is no port"),
        (GOOD.replace("networks: [front]", 'volumes: ["a:b:c:d"]'), 4, "is no volume"),
        (
            GOOD.replace("[front]", "[frint]"),
            4,
            "the network frint, which does not stand under networks at the top; did",
        ),
        (GOOD.replace("networks: [front]", "secrets:\n      - key"), 5, "the secret key, which does not stand under"),
        (GOOD.replace("networks: [front]", "volumes:\n      - data:/d"), 5, "the volume data, which does not stand"),
        (GOOD + "volumes:\n  data: {external: true, driver: local}\n", 10, "what is external is there already"),
        (GOOD + "secrets:\n  key: {}\n", 10, "needs a file, or external"),
        (GOOD + "name: shop\n", 9, "refuses 'name': the stack's name is the last word"),
        (GOOD.replace("networks: [front]", "mem_limit: 64M"), 4, "deploy.resources.limits.memory"),
        (GOOD.replace("1.26", "$"), 3, "begins no setting"),
        ("services: {}\n", 1, "'services' is empty"),
        ("networks: {}\n", 1, "has no 'services'"),
        ("version: 3.8\n" + GOOD, 1, "'version' must be a text"),
        ('version: "2.4"\n' + GOOD, 1, "takes no version 2.4, only 3 to 3.13"),
        (
            GOOD.replace("replicas: 2", 'replicas: "2"'),
            6,
            "'replicas' must be a number without quotes, not the text '2'",
        ),
        (GOOD.replace("replicas: 2", "replicas: true"), 6, "'replicas' must be a whole number, not true"),
        (GOOD.replace("replicas: 2", "update_config: {max_failure_ratio: '.2'}"), 6, "a number without quotes"),
        (GOOD.replace("replicas: 2", "labels:"), 6, "service web: 'labels' is empty, which docker refuses"),
        (GOOD.replace("networks: [front]", "environment:"), 4, "service web: 'environment' is empty"),
        (GOOD + "volumes:\n", 9, "'volumes' is empty, which docker refuses: delete this line"),
        (GOOD.replace("[front]", "[front, front]"), 4, "'front' is twice under networks"),
        (GOOD.replace("networks: [front]", "cap_add: [A, B, A]"), 4, "'A' is twice under cap_add"),
        (GOOD.replace("front: {}", 'front: {attachable: "true"}'), 8, "'attachable' must be true without quotes"),
        (GOOD.replace("networks: [front]", "tty: yes"), 4, "'tty' must be true without quotes, not the text 'yes'"),
        (GOOD.replace("networks: [front]", "tty: 1"), 4, "'tty' must be true or false, not 1"),
        (GOOD.replace("networks: [front]", 'ports: [{target: "80"}]'), 4, "'target' must be a number without quotes"),
        (
            GOOD.replace("networks: [front]", "volumes: [{type: tmpfs, target: /a, tmpfs: {size: 64m}}]"),
            4,
            "'size' must be a number of bytes, 67108864, not the text '64m'",
        ),
        (GOOD.replace("networks: [front]", "ulimits: {nofile: {soft: many, hard: 1}}"), 4, "'soft' must be a number"),
        (GOOD.replace("nginx:1.26", "Nginx:1.26"), 3, "'Nginx:1.26' is no image's name; write nginx:1.26"),
        (GOOD.replace("nginx:1.26", '"nginx: 1.26"'), 3, "'nginx: 1.26' is no image's name"),
        (
            GOOD.replace("front: {}", "front: {ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.1}]}}"),
            8,
            "docker knows no gateway in ipam, only subnet",
        ),
        (GOOD + "configs:\n  c: {driver: x}\n", 10, "config c: docker knows no driver of a config"),
        (GOOD.replace("networks: [front]", "logging: {drivr: x}"), 4, "no drivr in logging, only driver, options"),
        (GOOD.replace("networks: [front]", "ulimits: {nofile: {soft: 1}}"), 4, "the limit nofile needs soft and hard"),
        (GOOD.replace("networks: [front]", "volumes: [{type: bind, target: /a}]"), 4, "a bind needs a source"),
        (GOOD.replace("networks: [front]", "extra_hosts: x"), 4, "extra_hosts is a list, such as [name:10.0.0.5]"),
        (GOOD.replace("networks: [front]", "depends_on: {db: {}}"), 4, "docker takes only a list under depends_on"),
    ],
)
def test_what_would_be_refused_is_told_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    found = wrong(tmp_path, text)
    assert [(n, r) for n, r in found if n == line and reason in r], found


@pytest.mark.parametrize(
    ("item", "published", "inside"),
    [
        ('"8000-8010:80"', list(range(8000, 8011)), [80] * 11),
        ('"8000-8001:80/udp"', [8000, 8001], [80, 80]),
        ('"127.0.0.1:8000-8001:80"', [8000, 8001], [80, 80]),
        ('"80-81"', [0, 0], [80, 81]),
        ('"0:80"', [0], [80]),
        ('":80"', [0], [80]),
        ('"80-80:80"', [80], [80]),
        ('"10000-20000:10000-20000/udp"', list(range(10000, 20001)), list(range(10000, 20001))),
    ],
)
def test_ranges_of_ports(tmp_path: Path, item: str, published: list[int], inside: list[int]) -> None:
    ports = stack(tmp_path, GOOD.replace("networks: [front]", f"ports: [{item}]")).outline.services["web"].ports
    assert [p.published for p in ports] == published
    assert [p.target for p in ports] == inside


@pytest.mark.parametrize("item", ["8000:80-81", "8000-8001:80-82", "90-80:80", "127.0.0.1:80"])
def test_what_is_no_range_of_ports(tmp_path: Path, item: str) -> None:
    ((line, _),) = wrong(tmp_path, GOOD.replace("networks: [front]", f'ports: ["{item}"]'))
    assert line == 4


@pytest.mark.parametrize(
    "text",
    [
        'version: "3"\n' + GOOD,
        GOOD.replace("replicas: 2", 'replicas: "${N:-2}"'),
        GOOD.replace("networks: [front]", "tty: ${TTY:-yes}"),
        GOOD.replace("replicas: 2", "labels: {a: }"),
        GOOD.replace("  front: {}", "  front:"),
        GOOD.replace("    deploy:\n      replicas: 2\n", "    deploy:\n"),
        GOOD.replace("networks: [front]", "command: [a, a]"),
        GOOD.replace("nginx:1.26", "Registry.example.org:5000/a/b__c:1@sha256:0123"),
        GOOD.replace("nginx:1.26", "localhost/a"),
        GOOD.replace("nginx:1.26", "${IMAGE:-N}"),
    ],
)
def test_what_docker_takes(tmp_path: Path, text: str) -> None:
    assert stack(tmp_path, text).outline.services.keys() == {"web"}


def test_more_ports_than_there_are(tmp_path: Path) -> None:
    items = ", ".join(['"1-65535:1-65535"'] * 3)
    ((line, reason),) = wrong(tmp_path, GOOD.replace("networks: [front]", f"ports: [{items}]"))
    assert line == 4
    assert "more than 131,070" in reason


def test_what_stands_beside_external_is_passed_over_as_docker_does(tmp_path: Path) -> None:
    text = GOOD.replace("{}", "{external: true, driver: overlay, attachable: true, labels: {a: b}}")
    text += "secrets: {key: {external: true, labels: {a: b}, file: ./none}}\nvolumes: {v: {external: true, name: w}}\n"
    assert stack(tmp_path, text).outline.networks["front"].external


@pytest.mark.parametrize("key", ["driver: local", "driver_opts: {a: b}", "labels: {a: b}"])
def test_docker_refuses_more_of_an_external_volume(tmp_path: Path, key: str) -> None:
    ((line, reason),) = wrong(tmp_path, GOOD + f"volumes:\n  data: {{external: true, {key}}}\n")
    assert line == 10
    assert f"no {key.partition(':')[0]}" in reason


def test_an_octal_mode(tmp_path: Path) -> None:
    text = GOOD.replace("networks: [front]", "secrets: [{source: s, mode: 0440}, {source: s, mode: 0o440}]")
    web = stack(tmp_path, text + "secrets: {s: {external: true}}\n").outline.services["web"]
    assert [grant.mode for grant in web.secrets] == [288, 288]


ENV_FILE = GOOD.replace("networks: [front]", "env_file: a.env\n    environment: {A: over, Z: }")


def test_an_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_bytes(
        b'\xef\xbb\xbfA=1\n  C="q" # x\r\nHOME\nNOPE\nD=\nA=2\n\tE=$A ${B}\n\n # a comment\nexport=1'
    )
    file = stack(tmp_path, ENV_FILE)
    found = file.fill({"HOME": "/root", "D": "given"}).services["web"].environment
    assert found == {
        "A": "over", "C": '"q" # x', "HOME": "/root", "D": "given", "E": "$A ${B}", "export": "1", "Z": None,
    }  # fmt: skip
    assert file.outline.services["web"].environment["D"] == ""


def test_several_env_files_and_one_whose_path_is_still_to_come(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("A=1\nB=1\n")
    (tmp_path / "b.env").write_text("B=2\n")
    file = stack(tmp_path, GOOD.replace("networks: [front]", "env_file: [a.env, './${X}.env', b.env]"))
    assert file.outline.services["web"].environment == {"A": "1", "B": "2"}
    with pytest.raises(Problems, match=r"stack\.yaml:4: service web: there is no file \./y\.env beside"):
        file.fill({"X": "y"})


@pytest.mark.parametrize(
    ("given", "text", "reason"),
    [
        ("a.env", "A=1\n B = 2\n", "env_file a.env: line 2: there is a blank in the name 'B '"),
        ("a.env", "=x\n", "env_file a.env: line 1 begins with ="),
        ("a.env", b"A\xff=1\n", "env_file a.env: not UTF-8"),
        ("none.env", "", "there is no file none.env beside stack.yaml"),
        (".", "", "there is no file . beside"),
        ("~/a.env", "", "docker takes ~ for a folder's name"),
        ("/none/a.env", "", "there is no file /none/a.env on this machine"),
        ('"a\\0b"', "", "there is no file a"),
        ("[{path: a.env, required: false}]", "", "takes only paths here"),
    ],
)
def test_what_is_wrong_with_an_env_file(tmp_path: Path, given: str, text: str | bytes, reason: str) -> None:
    (tmp_path / "a.env").write_bytes(text if isinstance(text, bytes) else text.encode())
    ((line, said),) = wrong(tmp_path, GOOD.replace("networks: [front]", f"env_file: {given}"))
    assert line == 4
    assert reason in said


def test_env_files_are_read_once_and_not_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("".join(f"V{n}=\n" for n in range(9_000)))
    services = "".join(f"  s{n}: {{image: 'x:1', env_file: a.env}}\n" for n in range(500))
    reasons = {reason.partition(": ")[2] for _, reason in wrong(tmp_path, f"services:\n{services}")}
    assert "the env_files of all services hold more than 20,000 variables" in reasons


@pytest.mark.parametrize(
    ("where", "one", "times", "unit", "reason"),
    [
        ("resources: {limits: {memory: %s}}", "9", 300, "G", "is too large: at most 9223372036854775807 bytes"),
        ("resources: {limits: {memory: %s}}", "8388608", 1, "P", "is too large"),
        ("resources: {limits: {memory: %s}}", "1.", 100_000, "G", "is no size"),
        ("update_config: {delay: %s}", "9", 20, "s", "is too long: at most 2562047h"),
        ("update_config: {delay: %s}", "1", 200_000, "", "is no duration"),
        ("replicas: %s", "9", 30, "", "'replicas' must be a whole number"),
        ("replicas: '%s'", "9", 5_000, "", "'replicas' must be a whole number"),
        ("update_config: {parallelism: %s}", "9", 19, "", "'parallelism' must be at most"),
    ],
)
def test_huge_numbers_are_told_in_a_sentence(
    tmp_path: Path, where: str, one: str, times: int, unit: str, reason: str
) -> None:
    ((line, said),) = wrong(tmp_path, GOOD.replace("replicas: 2", where % (one * times + unit)))
    assert line == 6
    assert reason in said
    assert len(said) <= 500


def test_all_that_is_wrong_is_told(tmp_path: Path) -> None:
    text = GOOD.replace("image:", "imgae:").replace("replicas: 2", "replicas: many") + "name: shop\n"
    assert [line for line, _ in wrong(tmp_path, text)] == [2, 3, 6, 9]


def test_what_depends_on_a_setting_is_looked_at_when_it_is_there(tmp_path: Path) -> None:
    text = GOOD.replace("replicas: 2", "replicas: ${N}\n      mode: ${MODE:?say it}\n      labels: {a: '${N}'}")
    file = stack(tmp_path, text.replace("[front]", "[front]\n    ports: ['${P}:80']"))
    assert file.outline.services["web"].deploy.labels == {"a": "${N}"}
    filled = file.fill({"N": "3", "MODE": "replicated", "P": "8080"}).services["web"]
    assert (filled.deploy.replicas, filled.ports[0].published) == (3, 8080)
    with pytest.raises(Problems, match=r"stack\.yaml:8: the setting MODE is needed: say it"):
        file.fill({"N": "3"})
    with pytest.raises(Problems, match=r"stack\.yaml:7: service web: 'replicas'"):
        file.fill({"N": "many", "MODE": "replicated", "P": "8080"})


def test_keys_without_effect_do_not_keep_a_file_from_being_read(tmp_path: Path) -> None:
    file = stack(tmp_path, GOOD.replace("networks: [front]", "depends_on: [x]\n    restart: always\n    build: ."))
    assert file.outline.services["web"].image == "nginx:1.26"


@pytest.mark.parametrize("files", STACKS, ids=NAMES)
def test_the_labs_own_stacks_are_read(files: tuple[Path, ...]) -> None:
    assert isinstance(read.read_stack(*files).outline, Stack)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    first = stack(tmp_path, GOOD)
    assert stack(tmp_path, GOOD.replace("1.26", "1.26.1")).outline != first.outline
    with pytest.raises(Problems, match="there is no such file"):
        read.read_stack(tmp_path / "none.yaml")
