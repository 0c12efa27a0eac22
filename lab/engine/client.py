"""A node's engine through the docker SDK, which is slow to import and so imported on first use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.engine.endpoint import Endpoint
from lab.errors import EngineError

if TYPE_CHECKING:
    import docker

API = "1.44"
"""The API version to request: supported by the lab's engine (26.1) and by every engine up to 29 (minimum 1.44)."""


def connect(endpoint: Endpoint, timeout: float = 10.0) -> docker.DockerClient:
    """Create a client for one engine; each request may take `timeout` seconds. Nothing is sent yet.

    Use one client per thread: the SDK's is not thread-safe. Close it, or use it in a `with` of `contextlib.closing`.
    """
    import docker  # slow to import: not before an engine is contacted
    from docker.tls import TLSConfig

    tls = None
    if endpoint.tls is not None:
        pair = (str(endpoint.tls / "cert.pem"), str(endpoint.tls / "key.pem"))
        tls = TLSConfig(client_cert=pair, ca_cert=str(endpoint.tls / "ca.pem"), verify=True)
    # The SDK passes any number on to requests, though its types say int.
    seconds: Any = timeout
    client = docker.DockerClient(base_url=endpoint.url, version=API, tls=tls or False, timeout=seconds)
    # Otherwise REQUESTS_CA_BUNDLE replaces the lab's own authority, and a proxy may be used for loopback.
    client.api.trust_env = False
    return client


@contextmanager
def open_client(endpoint: Endpoint, timeout: float = 10.0) -> Iterator[docker.DockerClient]:
    """Provide a client for a few requests; any failure of the engine or of the connection to it becomes an
    EngineError."""
    import requests  # slow to import: not before an engine is contacted
    from docker.errors import DockerException

    try:
        client = connect(endpoint, timeout)
        try:
            yield client
        finally:
            client.close()
    except DockerException as error:
        said = getattr(error, "explanation", None) or str(error)
        raise EngineError(f"the engine of {endpoint.node} refuses: {said}", node=endpoint.node) from error
    except (requests.RequestException, OSError) as error:
        reason = type(error).__name__
        raise EngineError(
            f"the engine of {endpoint.node} does not answer ({reason})",
            node=endpoint.node,
            remedy="swarmlab status",
        ) from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise EngineError(
            f"the engine of {endpoint.node} gave an answer that does not conform to its API"
            f" ({type(error).__name__}: {str(error)[:120]})",
            node=endpoint.node,
        ) from error
