"""The environment of what the lab runs for the user: a shell, and docker."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

ALLOWED = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"),
    "NO_COLOR",
    # `swarmlab` in the shell looks for its labs where this one does.
    *("SWARMLAB_STATE", "SWARMLAB_CACHE"),
)
"""The variables of the lab's own environment that the shell gets. All others must be passed."""


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return a shell's environment: a few variables of this process, the terminal type, UTF-8, and `given`. The program
    that runs this is found as `swarmlab`, also where it runs from a virtual environment that is not active."""
    env = {name: os.environ[name] for name in ALLOWED if os.environ.get(name)}
    env.setdefault("PATH", os.defpath)
    own = Path(sys.executable).parent
    if shutil.which("swarmlab", path=env["PATH"]) is None and (own / "swarmlab").is_file():
        env["PATH"] += f"{os.pathsep}{own}"
    env.setdefault("HOME", str(Path.home()))
    if not any("UTF" in env.get(name, "").upper() for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        env.pop("LC_ALL", None)
        env["LC_CTYPE"] = "C.UTF-8"
    return {**env, "TERM": "xterm-256color", **given}
