"""Conversion of the JSON of Traefik's API (3.7) and of its metrics to the world's values. Pure; optional fields may be
absent.

Every function raises EngineError, with the path and the fault, for an answer that does not have the API's shape. In a
list, an object of another shape costs only that object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from lab.engine.raw import check_bounds, describe_odd
from lab.errors import EngineError
from lab.watch.http import drop_surrogates
from lab.watch.source import first_line
from lab.world.traefik import Balancer, Certificate, EntryPoint, Middleware, Router, Traffic

Raw = Mapping[str, Any]
T = TypeVar("T", EntryPoint, Router, Balancer, Middleware, Certificate)

#: Go counts in 64 bits.
_MOST = 2**63

_SERVICE = "traefik_service_requests_total"
_ENTRYPOINT = "traefik_entrypoint_requests_total"
_OPEN = "traefik_open_connections"


@dataclass(frozen=True)
class Listing(Generic[T]):
    """The objects of a list, in a stable order, and a sentence for each one that could not be read."""

    values: tuple[T, ...]
    odd: tuple[str, ...] = ()


def version(path: str, raw: Any) -> str:
    """Return `Version` from /api/version."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("Version"), str):
        raise _shape(path, raw, "an object with a Version")
    return drop_surrogates(raw["Version"])


def entrypoints(path: str, raw: Any) -> Listing[EntryPoint]:
    """Convert the answer of /api/entrypoints."""
    return _read_all(path, raw, lambda one: EntryPoint(_text(one, "name"), _text(one, "address", "")))


def routers(path: str, raw: Any, protocol: str) -> Listing[Router]:
    """Convert the answer of /api/{http,tcp}/routers."""

    def router(one: Raw) -> Router:
        tls = one.get("tls")
        return Router(
            name=_text(one, "name"),
            protocol=protocol,
            rule=_text(one, "rule", ""),
            service=_text(one, "service", ""),
            entrypoints=_texts(one, "entryPoints"),
            middlewares=_texts(one, "middlewares"),
            status=_text(one, "status", "enabled"),
            errors=_errors(one),
            tls=tls is not None,
            resolver=_text(tls or {}, "certResolver", ""),
        )

    return _read_all(path, raw, router)


def balancers(path: str, raw: Any, protocol: str) -> Listing[Balancer]:
    """Convert the answer of /api/{http,tcp}/services."""

    def balancer(one: Raw) -> Balancer:
        told = one.get("serverStatus") or {}
        places = (
            _text(server, "url", "") or _text(server, "address", "")
            for server in (one.get("loadBalancer") or {}).get("servers") or ()
        )
        return Balancer(
            name=_text(one, "name"),
            protocol=protocol,
            servers=tuple(sorted((place, _text(told, place, "UP")) for place in places)),
            status=_text(one, "status", "enabled"),
            errors=_errors(one),
            type=_text(one, "type", ""),
        )

    return _read_all(path, raw, balancer)


def middlewares(path: str, raw: Any, protocol: str) -> Listing[Middleware]:
    """Convert the answer of /api/{http,tcp}/middlewares."""
    return _read_all(
        path,
        raw,
        lambda one: Middleware(
            _text(one, "name"), protocol, _text(one, "type", ""), _text(one, "status", "enabled"), _errors(one)
        ),
    )


def certificates(path: str, raw: Any) -> Listing[Certificate]:
    """Convert the answer of /api/certificates, the certificates that Traefik holds."""

    def certificate(one: Raw) -> Certificate:
        return Certificate(
            fingerprint=_text(one, "name").lower(),
            subject=_text(one, "commonName", ""),
            issuer=_text(one, "issuerCN", "") or _text(one, "issuerOrg", ""),
            names=_texts(one, "sans"),
            key=_key(_text(one, "keyType", ""), one.get("keySize")),
            serial=f"{int(_text(one, 'serialNumber', '0')):x}",
            not_before=_seconds(_text(one, "notBefore")),
            not_after=_seconds(_text(one, "notAfter")),
        )

    return _read_all(path, raw, certificate)


def traffic(path: str, text: str) -> tuple[Traffic, ...]:
    """Read the counters from /metrics, by service and by entry point; what Traefik does not count is left out."""
    # Slow to import: not before there are metrics.
    from prometheus_client.parser import text_string_to_metric_families

    counts: dict[tuple[str, str], list[int]] = {}
    try:
        for family in text_string_to_metric_families(drop_surrogates(text)):
            for sample in family.samples:
                if sample.name not in {_SERVICE, _ENTRYPOINT, _OPEN}:
                    continue
                what = "service" if sample.name == _SERVICE else "entrypoint"
                row = counts.setdefault((sample.labels[what], what), [0, 0, 0])
                bad = sample.labels.get("code", "").startswith("5")
                if not 0 <= sample.value < _MOST:
                    raise ValueError(f"{sample.name} is {sample.value}, and counts requests")
                row[2 if sample.name == _OPEN else 1 if bad else 0] += int(sample.value)
    except Exception as error:  # the parser raises whatever its own steps raise
        raise EngineError(f"the answer of {path} cannot be read as metrics: {error}") from error
    return tuple(
        Traffic(name, "service" if what == "service" else "entrypoint", good, bad, open)
        for (name, what), (good, bad, open) in sorted(counts.items())
    )


def _read_all(path: str, raw: Any, read: Callable[[Raw], T]) -> Listing[T]:
    """Convert the objects of a list; raises EngineError if it is not a list, or nothing in it can be read."""
    if not isinstance(raw, list):
        raise _shape(path, raw, "a list")
    found, odd = list[T](), list[str]()
    for one in raw:
        if not isinstance(one, Mapping):
            odd.append(_shape(path, one, "a list of objects").sentence)
            continue
        try:
            found.append(check_bounds(read(one)))
        except Exception as error:  # noqa: BLE001  whatever an odd shape raises, it is this one object that is odd
            said = describe_odd(error) if isinstance(error, ValidationError | KeyError) else first_line(error)
            name = drop_surrogates(one["name"][:80]) if isinstance(one.get("name"), str) else "?"
            odd.append(f"the answer of {path} has not the API's shape: {name}: {said}")
    if odd and not found:
        raise EngineError(odd[0])
    return Listing(tuple(sorted(found, key=_order)), tuple(odd))


def _order(one: T) -> str:
    return one.fingerprint if isinstance(one, Certificate) else one.name


def _text(one: Any, field: str, otherwise: str | None = None) -> str:
    value = one.get(field, otherwise)
    if value is None and otherwise is None:
        raise KeyError(field)
    if value is None:
        return str(otherwise)
    if not isinstance(value, str):
        raise TypeError(f"{field} is {value!r:.60} and not a text")
    return drop_surrogates(value)


def _texts(one: Raw, field: str) -> tuple[str, ...]:
    value = one.get(field) or []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError(f"{field} is {value!r:.60} and not a list of texts")
    return tuple(map(drop_surrogates, value))


def _errors(one: Raw) -> tuple[str, ...]:
    """Return the errors of a router or service: Traefik gives a list of sentences, and formerly gave a single one."""
    value = one.get("error") or one.get("err") or []
    return (drop_surrogates(value),) if isinstance(value, str) else tuple(drop_surrogates(str(text)) for text in value)


def _key(type: str, size: object) -> str:
    """Return `EC P-256` or `RSA 2048`, worded as for a certificate that was served."""
    if not isinstance(size, int) or not size:
        return type
    return f"EC P-{size}" if type == "ECDSA" else f"{type} {size}"


def _seconds(stamp: str) -> float:
    trimmed = re.sub(r"(\.\d{1,6})\d*", r"\1", stamp).replace("Z", "+00:00")
    return datetime.fromisoformat(trimmed).timestamp()


def _shape(path: str, raw: Any, wanted: str) -> EngineError:
    return EngineError(
        f"the answer of {path} has not the API's shape: {wanted} was expected, but this came: {raw!r:.80}"
    )
