"""No test but a live one comes near the labs and the cache of whoever runs it."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# `make unit` tries a few examples of each property, `make test` many. No deadline: machines are slow and shared.
settings.register_profile("fast", max_examples=15, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "fast")
settings.load_profile(PROFILE)

# Where Python writes no bytecode beside the sources, each process that a test starts would compile the product anew.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parent.parent / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

# A run in the background may have been told to ignore these; what the tests start and interrupt would inherit it.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is costly to the thorough profile, unless it was asked for by its name."""
    if PROFILE == "fast" and not any("::" in word for word in config.args):
        costly = [item for item in items if item.get_closest_marker("costly")]
        config.hook.pytest_deselected(items=costly)
        items[:] = [item for item in items if item not in costly]


_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def _own_folders(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "live" not in request.node.path.parts:
        # Not made before something needs it, and not by `mktemp`, which looks through all the folders made before.
        folder = tmp_path_factory.getbasetemp() / f"own-{next(_NUMBERS)}"
        # Those that the platform names, too: a test that unsets the lab's own variables must not reach a real lab.
        for variable in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            monkeypatch.setenv(variable, str(folder / "home"))
        monkeypatch.setenv("SWARMLAB_STATE", str(folder / "state"))
        monkeypatch.setenv("SWARMLAB_CACHE", str(folder / "cache"))
