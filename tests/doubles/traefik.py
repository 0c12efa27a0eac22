"""Traefik as its API shows it (3.7): JSON with pages, basic authentication, Prometheus metrics.

Shapes and field names are those of the real one; `tests/live` holds the real one to the same contract.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.doubles.https import Answer, Asked

Raw = dict[str, Any]
HOST, LOGIN = "traefik.localhost", ("admin", "s3cret")

METRICS = """\
# HELP traefik_entrypoint_requests_total How many HTTP requests processed on an entrypoint.
# TYPE traefik_entrypoint_requests_total counter
traefik_entrypoint_requests_total{code="200",entrypoint="websecure",method="GET",protocol="http"} 40
traefik_entrypoint_requests_total{code="404",entrypoint="websecure",method="GET",protocol="http"} 2
# HELP traefik_open_connections How many open connections exist, by entryPoint and protocol
# TYPE traefik_open_connections gauge
traefik_open_connections{entrypoint="tcp",protocol="TCP"} 1
traefik_open_connections{entrypoint="websecure",protocol="TCP"} 3
# HELP traefik_service_requests_total How many HTTP requests processed on a service.
# TYPE traefik_service_requests_total counter
traefik_service_requests_total{code="200",method="GET",protocol="http",service="app@swarm"} %d
traefik_service_requests_total{code="502",method="GET",protocol="http",service="app@swarm"} 1
traefik_service_requests_total{code="503",method="GET",protocol="http",service="app@swarm"} 1
# HELP traefik_tls_certs_not_after Certificate expiration timestamp
# TYPE traefik_tls_certs_not_after gauge
traefik_tls_certs_not_after{cn="",sans="node-app.localhost",serial="7"} 1.7e+09
"""


def router(name: str, rule: str, service: str, **more: Any) -> Raw:
    """A router as the swarm provider makes it."""
    return {
        "entryPoints": ["websecure"],
        "service": service,
        "rule": rule,
        "ruleSyntax": "default",
        "priority": len(rule),
        "tls": {"certResolver": "le", "options": "default"},
        "observability": {"accessLogs": True, "metrics": True, "tracing": True},
        "status": "enabled",
        "using": ["websecure"],
        "name": name,
        "provider": name.rpartition("@")[2],
        **more,
    }


def service(name: str, *servers: str, **more: Any) -> Raw:
    """A service as the swarm provider makes it."""
    return {
        "loadBalancer": {
            "servers": [{"url": server} for server in servers],
            "strategy": "wrr",
            "passHostHeader": True,
            "responseForwarding": {"flushInterval": "100ms"},
        },
        "status": "enabled",
        "usedBy": [],
        "serverStatus": dict.fromkeys(servers, "UP"),
        "name": name,
        "provider": name.rpartition("@")[2],
        "type": "loadbalancer",
        **more,
    }


class Traefik:
    """`lists` may be changed at any time; `instead` is answered, by path, in place of what Traefik would say."""

    def __init__(self) -> None:
        self.page = 100
        self.requests = 38
        self.asked: list[str] = []
        self.instead: dict[str, Answer] = {}
        self.version: Raw = {"Version": "3.7.15", "Codename": "langres", "startDate": "2026-01-01T10:00:00.123456789Z"}
        self.lists: dict[str, list[Raw]] = {
            "entrypoints": [
                {"address": ":443", "transport": {}, "http": {"tls": {"certResolver": "le"}}, "name": "websecure"},
                {"address": ":80", "transport": {}, "http": {}, "name": "web"},
                {"address": ":9000", "transport": {}, "http": {}, "name": "tcp"},
            ],
            "http/routers": [
                router("app@swarm", "Host(`node-app.localhost`)", "app", middlewares=["again@swarm"]),
                router(
                    "edge-dashboard@swarm",
                    f"Host(`{HOST}`)",
                    "api@internal",
                    middlewares=["edge-headers@file", "edge-users@swarm"],
                ),
                router(
                    "broken@swarm",
                    "Host(`broken.localhost`)",
                    "nowhere",
                    status="disabled",
                    error=['the service "nowhere@swarm" does not exist'],
                ),
            ],
            "http/services": [
                service("app@swarm", "http://10.0.1.8:80", "http://10.0.1.7:80"),
                {
                    "status": "enabled",
                    "usedBy": ["edge-dashboard@swarm"],
                    "name": "api@internal",
                    "provider": "internal",
                },
            ],
            "http/middlewares": [
                {
                    "retry": {"attempts": 3},
                    "status": "enabled",
                    "usedBy": ["app@swarm"],
                    "name": "again@swarm",
                    "provider": "swarm",
                    "type": "retry",
                },
                {
                    "basicAuth": {"usersFile": "/run/secrets/users"},
                    "status": "enabled",
                    "usedBy": ["edge-dashboard@swarm"],
                    "name": "edge-users@swarm",
                    "provider": "swarm",
                    "type": "basicauth",
                },
            ],
            "tcp/routers": [
                {
                    "entryPoints": ["tcp"],
                    "service": "echo",
                    "rule": "HostSNI(`*`)",
                    "status": "enabled",
                    "name": "echo@swarm",
                    "provider": "swarm",
                },
            ],
            "tcp/services": [
                {
                    "loadBalancer": {"servers": [{"address": "10.0.1.9:7000"}]},
                    "status": "enabled",
                    "serverStatus": {"10.0.1.9:7000": "UP"},
                    "name": "echo@swarm",
                    "provider": "swarm",
                    "type": "loadbalancer",
                },
            ],
            "tcp/middlewares": [],
            "certificates": [
                {
                    "name": "ab" * 32,
                    "sans": ["node-app.localhost"],
                    "notAfter": "2026-01-01T11:00:00Z",
                    "notBefore": "2026-01-01T10:00:00Z",
                    "serialNumber": "255",
                    "commonName": "",
                    "issuerCN": "Pebble Intermediate CA 28cc4a",
                    "version": "v3",
                    "keyType": "ECDSA",
                    "keySize": 256,
                    "signatureAlgorithm": "ECDSA-SHA256",
                    "certFingerprint": "ab" * 32,
                    "status": "warning",
                },
            ],
        }

    def answer(self, asked: Asked) -> Answer:
        """What Traefik says, through its own router and the middleware that asks for a password."""
        url = urlsplit(asked.path)
        self.asked.append(asked.path)
        if url.path in self.instead:
            return self.instead[url.path]
        if asked.host != HOST:
            return Answer("404 page not found\n", 404)
        if asked.login != "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode():
            return Answer("401 Unauthorized\n", 401, {"WWW-Authenticate": 'Basic realm="traefik"'})
        if url.path == "/metrics":
            return Answer(METRICS % self.requests)
        what = url.path.removeprefix("/api/")
        if what == "version":
            return self._json(self.version)
        if what not in self.lists:
            return Answer("404 page not found\n", 404)
        query = parse_qs(url.query)
        size = min(self.page, int(query.get("per_page", ["100"])[0]))
        page = int(query.get("page", ["1"])[0])
        rows = self.lists[what]
        following = page + 1 if page * size < len(rows) else 1
        return self._json(rows[(page - 1) * size : page * size], {"X-Next-Page": str(following)})

    def _json(self, value: Any, headers: dict[str, str] | None = None) -> Answer:
        return Answer(json.dumps(value) + "\n", headers={"Content-Type": "application/json", **(headers or {})})
