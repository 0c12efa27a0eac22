"""Where a lesson shows some lines of a block, they are still the lines that it speaks of."""

from __future__ import annotations

from lab import paths
from lab.lesson.excerpt import excerpt
from tests.course import LESSONS

#: The first and the last line of each, without indentation.
SHOWN = {
    ("edge-router", "services/traefik/command#1-11"): (
        "command:",
        "- --providers.swarm.refreshseconds=${REFRESH:-5}",
    ),
    ("edge-router", "services/traefik/command#16-27"): (
        "# Where Traefik listens. HTTP only redirects to HTTPS; plain TCP goes",
        "- --entrypoints.tcp.address=:9000",
    ),
    ("middlewares", "services/traefik/deploy/labels#18-23"): (
        "# Users and password hashes are in a secret: anyone who may inspect the",
        'traefik.http.middlewares.edge-users.basicauth.removeheader: "true"',
    ),
    ("observe", "services/traefik/command#48-51"): ("- --accesslog=true", "- --log.format=json"),
    ("observe", "services/traefik/deploy/labels#13-17"): (
        "traefik.http.routers.edge-metrics.rule: >-",
        "traefik.http.routers.edge-metrics.middlewares: edge-users",
    ),
    ("edge-hardened", "services/traefik#1-7"): ("traefik:", "cap_add: [NET_BIND_SERVICE]"),
    ("maintenance", "services/web#12-22"): (
        "# httpd ignores SIGTERM as process 1: it goes on answering until the grace",
        "retries: 3",
    ),
}


def test_a_lesson_shows_the_lines_that_it_speaks_of() -> None:
    shown = {
        (lesson.id, read.block): excerpt(paths.stacks(), read.file, read.block).splitlines()
        for lesson in LESSONS
        for step in lesson.steps
        for read in step.reads
        if "#" in read.block
    }
    assert {key: (lines[0].strip(), lines[-1].strip()) for key, lines in shown.items()} == SHOWN
