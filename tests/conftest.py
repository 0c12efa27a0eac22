"""No test but a live one comes near the labs and the cache of whoever runs it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _own_folders(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "live" not in request.node.path.parts:
        folder = tmp_path_factory.mktemp("own")
        monkeypatch.setenv("SWARMLAB_STATE", str(folder / "state"))
        monkeypatch.setenv("SWARMLAB_CACHE", str(folder / "cache"))
