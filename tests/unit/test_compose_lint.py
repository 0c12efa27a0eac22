"""`swarmlab check` on stack files: which service, which label, what to write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab import paths
from lab.cli import main
from lab.lesson.course import check_paths

GOOD = """\
services:
  traefik:
    image: traefik:3.7
    command:
      - --providers.swarm=true
      - --entrypoints.web.address=:80
    ports:
      - "80:80"
    configs: [site]
    secrets: [key]
  web:
    image: nginx:1.26
    ports:
      - "8080:80"
    deploy:
      labels:
        traefik.enable: "true"
        traefik.http.routers.web.rule: Host(`web.localhost`)
        traefik.http.routers.web.entrypoints: web
        traefik.http.services.web.loadbalancer.server.port: "80"
configs:
  site:
    file: ./site.conf
secrets:
  key:
    file: ${KEY:?say where}/key.pem
"""


def wrong(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    """Line and reason of all that is wrong with a stack of this text."""
    (tmp_path / "site.conf").touch()
    path = tmp_path / "stack.yaml"
    path.write_text(text)
    problems, looked_at = check_paths([path])
    assert looked_at == 1
    assert all(p.exit_code == 2 and str(p).startswith(f"{path}:") for p in problems)
    return [(p.line, p.reason) for p in problems]


def test_a_good_stack(tmp_path: Path) -> None:
    assert wrong(tmp_path, GOOD) == []


OUTSIDE = GOOD.replace("    deploy:\n      labels:\n", "    labels:\n")
LISTED = GOOD.replace('        traefik.enable: "true"\n', "").replace("        traefik.", "        - traefik.")
LISTED = LISTED.replace(".rule: ", ".rule=").replace("points: ", "points=").replace('port: "80"', "port=80")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (
            OUTSIDE,
            17,
            "label traefik.http.routers.web.rule of service web is outside deploy, so Swarm ignores it; "
            "move it under deploy.labels",
        ),
        (
            GOOD.replace("  web:\n", "  web:\n    labels:\n      - traefik.enable=true\n", 1),
            13,
            "label traefik.enable of service web is outside deploy",
        ),
        (GOOD.replace("entrypoints: web", "entrypoints: wbe"), 19, "service web: there is no entry point wbe"),
        (GOOD.replace("Host(`web.localhost`)", "Host:web.localhost"), 18, "label traefik.http.routers.web.rule of"),
        (
            GOOD.replace('        traefik.http.services.web.loadbalancer.server.port: "80"\n', ""),
            18,
            'write traefik.http.services.web.loadbalancer.server.port: "80"',
        ),
        (LISTED.replace("entrypoints=web", "entrypoints=wbe"), 18, "there is no entry point wbe"),
        (
            GOOD.replace("--providers.swarm=true", "--providers.docker.swarmMode=true"),
            5,
            "Traefik 3 does not start; write --providers.swarm=true",
        ),
        (
            GOOD.replace(
                "      - --providers.swarm=true",
                "      - --providers.docker.swarmMode=true\n      - --providers.docker.network=edge",
            ),
            6,
            "which knows no swarm in Traefik 3; write --providers.swarm.network=edge",
        ),
        (
            GOOD.replace("--providers.swarm=true", "--providers.docker.swarmModeRefreshSeconds=2"),
            5,
            "write --providers.swarm.refreshseconds=2",
        ),
        (
            GOOD.replace(
                "--providers.swarm=true", "--providers.docker.swarmMode\n      - --providers.docker.network=edge"
            ),
            6,
            "write --providers.swarm.network=edge",
        ),
        (GOOD.replace("--providers.swarm=true", "--docker.swarmMode"), 5, "is of Traefik 1, and Traefik 3 does not"),
        (GOOD.replace("--providers.swarm=true", "--docker"), 5, "write --providers.swarm=true"),
        (GOOD.replace("--providers.swarm=true", "--docker.network=edge"), 5, "write --providers.swarm.network=edge"),
        (
            GOOD.replace("--providers.swarm=true", "--acme.email=a@b.c"),
            5,
            "certificatesresolvers.NAME.acme.email=a@b.c",
        ),
        (
            GOOD.replace("--entrypoints.web.address=:80", "--entryPoints=Name:web Address::80 TLS"),
            6,
            "write --entrypoints.web.address=:80",
        ),
        (
            GOOD.replace("--providers.swarm=true", "--tracing.jaeger.x=y"),
            5,
            "of Traefik 2, and Traefik 3 does not start",
        ),
        (GOOD + "networks:\n  old:\n    external: {name: older}\n", 29, "write external: true and name: older"),
        (GOOD + "volumes: {v: {external: {name: v}}}\n", 27, "volume v: a name under external is deprecated"),
        (GOOD + "name: shop\n", 27, "refuses 'name'"),
        (
            GOOD.replace("  web:\n", "  web:\n    depends_on: [traefik]\n", 1),
            12,
            "'depends_on' has no effect in a swarm",
        ),
        (GOOD.replace("  web:\n", "  web:\n    build: .\n", 1), 12, "service web: 'build' has no effect"),
        (GOOD.replace("  web:\n", "  web:\n    container_name: x\n", 1), 12, "'container_name' has no effect"),
        (GOOD.replace("  web:\n", "  web:\n    tmpfs: /run\n", 1), 12, "mount it under volumes (type: tmpfs)"),
        (GOOD.replace("  web:\n", "  web:\n    security_opt: [x]\n", 1), 12, "no-new-privileges is a setting of each"),
        (GOOD.replace("  web:\n", "  web:\n    restart: always\n", 1), 12, "deploy.restart_policy"),
        (GOOD.replace("  web:\n", "  web:\n    links: [traefik]\n", 1), 12, "put both on one network"),
        (GOOD.replace("nginx:1.26", "nginx"), 12, "the image nginx has no tag"),
        (GOOD.replace("nginx:1.26", "here:5000/nginx"), 12, "the image here:5000/nginx has no tag"),
        (GOOD.replace('"8080:80"', '"80:80"'), 14, "service web: port 80/tcp is published by traefik already"),
        (
            GOOD.replace('"8080:80"', '"8080:80"\n      - "8080:81"'),
            15,
            "service web: port 8080/tcp is published by web already",
        ),
        (
            GOOD.replace("      labels:", '      placement: {constraints: ["node.role = manager"]}\n      labels:'),
            16,
            "write node.role == manager",
        ),
        (
            GOOD.replace("  web:\n", "  web:\n    healthcheck: {test: [curl, localhost]}\n", 1),
            12,
            "begins with CMD, CMD-SHELL or NONE, not curl",
        ),
        (
            GOOD.replace('"8080:80"', '"127.0.0.1:8080:80"'),
            14,
            "on every address, not on 127.0.0.1 alone; write 8080:80",
        ),
        (GOOD.replace('"8080:80"', '"[::1]:8080:80"'), 14, "not on [::1] alone"),
        (GOOD.replace("routers.web.rule", "routers.${X}.rule"), 18, "docker fills settings into values only"),
        (
            GOOD.replace("  web:\n", "  web:\n    environment: [A=x:$apr1$a$b]\n", 1),
            12,
            "write each $ of a hash as $$",
        ),
        (GOOD.replace("  web:\n", "  web:\n    environment: {A: 022}\n", 1), 12, "docker reads 022 as 18; write"),
        (
            GOOD.replace("  web:\n", "  web:\n    environment: [A=1, B, A=2]\n", 1),
            12,
            "A is set twice under environment",
        ),
        (GOOD.replace("  web:\n", "  web:\n    labels: {A: 1.10}\n", 1), 12, "docker reads 1.10 as 1.1; write"),
        (
            GOOD.replace("      labels:", "      endpoint_mode: dnsrr\n      labels:"),
            13,
            "service web: endpoint_mode dnsrr has no virtual IP",
        ),
        (
            GOOD.replace(
                "      labels:", "      mode: replicated-job\n      update_config: {delay: 1s}\n      labels:"
            ),
            17,
            "a job (replicated-job) takes no update_config",
        ),
        (GOOD.replace("[site]", "[sites]"), 9, "the config sites, which does not stand under configs at the top; did"),
        (GOOD.replace("./site.conf", "./none.conf"), 23, "config site: there is no file ./none.conf beside stack.yaml"),
        (GOOD.replace("./site.conf", "./${V:-none}.conf"), 23, "there is no file ./none.conf"),
        (GOOD.replace("./site.conf", "/none/site.conf"), 23, "there is no file /none/site.conf on this machine"),
        (GOOD.replace("./site.conf", "~nobody-here/x"), 23, "there is no file ~nobody-here/x beside stack.yaml"),
        (GOOD.replace("./site.conf", "x" * 5000), 23, "config site: there is no file xxx"),
        (
            GOOD.replace('    ports:\n      - "8080:80"\n', "    volumes: [./www:/www]\n"),
            13,
            "there is no ./www beside",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    found = wrong(tmp_path, text)
    assert [(n, r) for n, r in found if n == line and reason in r], found


@pytest.mark.parametrize(
    "text",
    [
        LISTED,
        GOOD.replace("nginx:1.26", "nginx@sha256:0123"),
        GOOD.replace("nginx:1.26", "${IMAGE}"),
        GOOD.replace('"8080:80"', '"80:80/udp"'),
        GOOD.replace('- "8080:80"', "- {target: 80, published: 80, mode: host}").replace(
            '- "80:80"', "- {target: 80, published: 80, mode: host}"
        ),
        GOOD.replace("${KEY:?say where}/key.pem", "${KEY:-/etc/not-here}/key.pem"),
        GOOD.replace("entrypoints: web", "entrypoints: web, traefik")
        .replace("      - --providers.swarm=true\n      - --entrypoints.web.address=:80\n", "      - --x\n")
        .replace("traefik:3.7", "busybox:1.37"),
        "x-all: {a: 1}\n" + GOOD,
        GOOD.replace('"8080:80"', '"0.0.0.0:8080:80"').replace("[site]", "[{source: site, mode: 0440}]"),
        GOOD.replace("  web:\n", "  web:\n    environment: {A: 22, B: 1.5, C: 'x:$$apr1$$a$$b', D: '022'}\n", 1),
        GOOD.replace("  web:\n", "  web:\n    healthcheck: {test: [CMD, curl]}\n", 1),
        GOOD.replace("--providers.swarm=true", "--metrics.influxdb2.token=x"),
        GOOD.replace("image: nginx:1.26", "image: nginx:1.26\n    command: [--docker, --web, --acme.email=x]"),
    ],
)
def test_what_may_be_right_is_not_told(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, text) == []


def test_what_is_too_large_for_the_swarm(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 600_000)
    text = GOOD.replace("${KEY:?say where}/key.pem", "big").replace("./site.conf", "big")
    assert wrong(tmp_path, text) == [(26, "secret key: big has 600,000 bytes; a secret holds at most 500 KB")]


def test_all_mistakes_of_a_file_are_told(tmp_path: Path) -> None:
    text = OUTSIDE.replace("nginx:1.26", "nginx").replace("./site.conf", "./none") + "name: shop\n"
    assert [line for line, _ in wrong(tmp_path, text)] == [12, 16, 17, 18, 19, 22, 26]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("        traefik.enable", "        x: {}\n        traefik.enable"),
        ('    ports:\n      - "80:80"', '    stop_grace_period: 30\n    ports:\n      - "80:80"'),
        ("image: traefik:3.7", "hostname: x"),
        ('"80:80"', '"$"'),
        ("    configs: [site]", "    configs: [sites]"),
        ("  web:\n", "  other: {}\n  web:\n"),
        ("services:\n", "x: y\nvolumes: z\nservices:\n"),
    ],
)
def test_what_is_refused_hides_nothing_of_the_rest(tmp_path: Path, good: str, bad: str) -> None:
    text = GOOD.replace("Host(`web.localhost`)", "Host(`web.localhost`) &&").replace("nginx:1.26", "nginx")
    reasons = [reason for _, reason in wrong(tmp_path, text.replace(good, bad, 1))]
    assert len(reasons) > 2
    assert any("nothing follows the last &&" in reason for reason in reasons), reasons
    assert any("the image nginx has no tag" in reason for reason in reasons), reasons


def test_a_credential_spec_names_a_config_that_is_declared(tmp_path: Path) -> None:
    text = GOOD.replace("image: nginx:1.26", "image: nginx:1.26\n    credential_spec: {config: spec}")
    assert wrong(tmp_path, text) == [
        (13, "service web uses the config spec, which does not stand under configs at the top")
    ]
    assert wrong(tmp_path, text.replace("{config: spec}", "{config: site}")) == []


def test_what_is_wrong_on_purpose_is_checked_only_when_it_is_named(tmp_path: Path) -> None:
    text = "# swarmlab check: only when named\n" + OUTSIDE
    assert len(wrong(tmp_path, text)) == 4
    (tmp_path / "good.yaml").write_text(GOOD)
    assert check_paths([tmp_path]) == ((), 1)


def test_each_old_file_of_the_lesson_is_told_and_the_new_one_is_good() -> None:
    then = paths.stacks() / "then"
    lines = {path.name: [p.line for p in check_paths([path])[0]] for path in sorted(then.glob("*.yaml"))}
    assert lines == {
        "blog-2019.yaml": [10, 11, 12, 17, 18, 19, 20, 21, 22, 26],
        "blog-2020.yaml": [14, 15],
        "blog.yaml": [],
        "traefik-2020.yaml": [10, 11, 12, 32, 40],
    }


def test_the_labs_own_stacks_are_good() -> None:
    problems, looked_at = check_paths([paths.stacks()])
    assert problems == ()
    assert looked_at >= 3


def test_a_misspelt_top_is_still_a_stack(tmp_path: Path) -> None:
    found = wrong(tmp_path, GOOD.replace("services:", "servics:", 1))
    assert (1, "the file has the unknown key 'servics'; did you mean 'services'?") in found


@pytest.mark.costly
def test_with_nothing_named_the_command_checks_all_that_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 0


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", "stacks"]) == 0
    shutil.copytree(paths.stacks() / "app", tmp_path / "stacks" / "app")
    bad = (
        (paths.stacks() / "app.yaml")
        .read_text()
        .replace("    deploy:\n      replicas: 2", "    deploy: {replicas: 2}\n    x:", 1)
    )
    (tmp_path / "stacks" / "app.yaml").write_text(bad)
    capsys.readouterr()
    assert main(["check", "stacks"]) == 2
    said = capsys.readouterr().out
    assert "stacks/app.yaml:" in said
    assert "1 file checked" in said
