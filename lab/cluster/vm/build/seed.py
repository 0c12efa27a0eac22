"""A machine's settings: a tar on its second disk."""

from __future__ import annotations

import io
import shlex
import tarfile
from collections.abc import Mapping
from pathlib import Path


def write(target: Path, settings: Mapping[str, str], files: Mapping[str, bytes]) -> None:
    """Write the tar at `target`, mode 0600. `settings` are shell variables; `files` are stored beside them."""
    lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in {"settings": lines.encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            tar.addfile(member, io.BytesIO(data))
    target.touch(mode=0o600)
    target.write_bytes(buffer.getvalue())
