"""One node's engine with a volume, spoken to by the real docker SDK: volumes, containers, and files in these."""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab.engine.endpoint import Endpoint


@dataclass
class VolumeEngine:
    """An engine on which the volume `name` of the stack `stack` has `files`, by their names; None: there is no volume.
    `mounted`: containers that have it, by id, at a folder. `refuse`: the status of every answer, 0 for none."""

    name: str
    stack: str
    files: dict[str, bytes] | None
    mounted: dict[str, str] = field(default_factory=dict)
    refuse: int = 0
    made: list[Any] = field(default_factory=list)
    url: str = ""

    def endpoint(self, node: str, **published: Any) -> Endpoint:
        """Where the docker SDK finds it."""
        return Endpoint(node, "manager", self.url, **published)

    def answer(self, method: str, url: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        """The status, what is answered and more headers."""
        parts = urlsplit(url)
        path, query = re.sub(r"^/v[0-9.]+", "", parts.path), parse_qs(parts.query)
        kept = json.loads(query.get("filters", ["{}"])[0])
        if self.refuse:
            return self.refuse, {"message": "no"}, {}
        if path == "/volumes":
            wanted = kept["label"] == [f"com.docker.stack.namespace={self.stack}"]
            there = self.files is not None and wanted
            # The engine looks for the name as a part of a volume's name.
            return 200, {"Volumes": [{"Name": self.name}, {"Name": f"{self.name}_old"}] if there else None}, {}
        if path == "/containers/json":
            assert kept == {"volume": [self.name]}
            found = [{"Id": id, "Mounts": [_mount(self.name, at)]} for id, at in self.mounted.items()]
            return 200, found, {}
        if path == "/images/json":
            return 200, [{"Id": "sha256:1"}], {}
        if path == "/containers/create":
            self.made.append(body)
            source, folder = body["HostConfig"]["Binds"][0].split(":")[:2]
            assert source == self.name
            self.mounted["made"] = folder
            return 201, {"Id": "made"}, {}
        id = path.split("/")[2]
        if method == "DELETE":
            del self.mounted[id]
            return 204, None, {}
        return self._archive(id, query["path"][0])

    def _archive(self, id: str, path: str) -> tuple[int, Any, dict[str, str]]:
        folder, _, name = path.rpartition("/")
        if self.mounted.get(id) != folder or name not in (self.files or {}):
            return 404, {"message": f"Could not find the file {path} in container {id}"}, {}
        assert self.files is not None
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            about = tarfile.TarInfo(name)
            about.size = len(self.files[name])
            archive.addfile(about, io.BytesIO(self.files[name]))
        stat = base64.b64encode(json.dumps({"name": name}).encode()).decode()
        return 200, packed.getvalue(), {"X-Docker-Container-Path-Stat": stat}


def _mount(name: str, at: str) -> dict[str, str]:
    return {"Type": "volume", "Name": name, "Destination": at}


@contextmanager
def volume_engine(engine: VolumeEngine) -> Iterator[VolumeEngine]:
    """The engine, while it listens."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said, headers = engine.answer(self.command, self.path, json.loads(raw) if raw else None)
            body = said if isinstance(said, bytes) else b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    engine.url = f"tcp://127.0.0.1:{server.server_address[1]}"
    try:
        yield engine
    finally:
        server.shutdown()
        server.server_close()
