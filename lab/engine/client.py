"""A node's engine through the docker SDK, whose import is dear and so happens at the first use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.engine.endpoint import Endpoint
from lab.errors import EngineError

if TYPE_CHECKING:
    import docker

API = "1.44"
"""The API's version asked for: known to the lab's engine (26.1) and to every one up to 29 (minimum 1.44)."""


def connect(endpoint: Endpoint, timeout: float = 10.0) -> docker.DockerClient:
    """A client of one engine; each request may take `timeout` seconds. Nothing is sent yet.

    One client a thread: the SDK's is not safe to share. Close it, or use it in a `with` of `closing`.
    """
    import docker  # slow to import: not before an engine is asked
    from docker.tls import TLSConfig

    tls = None
    if endpoint.tls is not None:
        pair = (str(endpoint.tls / "cert.pem"), str(endpoint.tls / "key.pem"))
        tls = TLSConfig(client_cert=pair, ca_cert=str(endpoint.tls / "ca.pem"), verify=True)
    # The SDK hands any number on to requests; its types say int.
    seconds: Any = timeout
    client = docker.DockerClient(base_url=endpoint.url, version=API, tls=tls or False, timeout=seconds)
    # Otherwise REQUESTS_CA_BUNDLE replaces the lab's own authority, and a proxy may be asked for loopback.
    client.api.trust_env = False
    return client


@contextmanager
def open_client(endpoint: Endpoint, timeout: float = 10.0) -> Iterator[docker.DockerClient]:
    """A client for a few requests; whatever the engine or the way to it answers badly becomes EngineError."""
    import requests  # slow to import: not before an engine is asked
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
            f"the engine of {endpoint.node} gave an answer that its API does not promise"
            f" ({type(error).__name__}: {str(error)[:120]})",
            node=endpoint.node,
        ) from error
