"""The built wheel in an empty environment, from another folder, with no Docker in reach: it has all that it needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from lab.lesson.course import load_course
from tests.live.conftest import Say
from tests.live.shard import choose_lessons

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, say: Say) -> Path:
    """The folder of the commands of an environment that holds nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=600)
    (wheel,) = folder.glob("*.whl")
    say(f"built {wheel.name}, {wheel.stat().st_size // 1024} KiB")
    venv.create(folder / "env", with_pip=True)
    # The lock's versions, without their hashes: a wheel that was built here has none.
    pins = re.findall(r"^[a-z0-9._-]+==\S+", (ROOT / "requirements.lock").read_text(), flags=re.M | re.I)
    (folder / "pins.txt").write_text("\n".join(pins))
    pip = [str(folder / "env/bin/pip"), "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(folder / "pins.txt"), str(wheel)], check=True, capture_output=True, timeout=900)
    return folder / "env/bin"


def run(commands: Path, cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command with a home of its own and nothing of this machine's Docker."""
    env = {
        "PATH": str(commands),
        "HOME": str(cwd),
        "DOCKER_HOST": "tcp://127.0.0.1:9",
        "LANG": os.environ.get("LANG", "C.UTF-8"),
    }
    return subprocess.run(
        [str(commands / "swarmlab"), *args],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_it_lists_the_lessons(installed: Path, tmp_path: Path) -> None:
    ran = run(installed, tmp_path, "lessons", "--json")
    assert ran.returncode == 0, ran.stderr
    lessons = json.loads(ran.stdout)["lessons"]
    assert [lesson["id"] for lesson in lessons] == [lesson.id for lesson in load_course()]
    assert all(lesson["recording"] for lesson in lessons)


@pytest.mark.parametrize("lesson", [lesson.id for lesson in choose_lessons(load_course())])
def test_it_replays_with_no_cluster(installed: Path, tmp_path: Path, lesson: str) -> None:
    ran = run(installed, tmp_path, "replay", lesson, "--plain", "--speed", "max")
    assert ran.returncode == 0, ran.stderr
    assert "REPLAY" in ran.stdout
    assert "docker " in ran.stdout
    assert "✔" in ran.stdout


def test_doctor_says_what_is_missing(installed: Path, tmp_path: Path) -> None:
    ran = run(installed, tmp_path, "doctor", "--json")
    found = json.loads(ran.stdout)
    assert ran.returncode == 3, ran.stderr
    missing = [item for item in found["items"] if item["needed"] and not item["there"]]
    assert missing
    assert all(item["remedy"] for item in missing)


def test_its_own_lessons_and_recordings_are_right(installed: Path, tmp_path: Path) -> None:
    ran = run(installed, tmp_path, "check")
    assert ran.returncode == 0, ran.stdout
