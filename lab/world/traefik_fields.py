"""The fields of Traefik's labels that are most often misspelt, and the values that do not parse.

Traefik decodes all labels of a service at once (`field not found, node: ...`, `strconv.ParseBool: parsing ...`): one
that it cannot decode costs the service every router, service and middleware. A field is told only when it is near to a
known one, since another version may have more of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from types import MappingProxyType

#: What follows the name of a router, a service and a middleware.
_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "routers": ("rule", "rulesyntax", "entrypoints", "middlewares", "service", "priority", "tls", "observability"),
        "services": ("loadbalancer", "weighted", "mirroring", "failover"),
        "middlewares": (
            *(
                "addprefix",
                "basicauth",
                "buffering",
                "chain",
                "circuitbreaker",
                "compress",
                "contenttype",
                "digestauth",
            ),
            *(
                "errors",
                "forwardauth",
                "grpcweb",
                "headers",
                "inflightreq",
                "inflightconn",
                "ipallowlist",
                "ipwhitelist",
            ),
            *("passtlsclientcert", "plugin", "ratelimit", "redirectregex", "redirectscheme", "replacepath"),
            *("replacepathregex", "retry", "stripprefix", "stripprefixregex"),
        ),
    }
)
#: Fields of a router that are near to none, or to another.
_MEANT = {"certresolver": "tls.certresolver", "middleware": "middlewares", "entrypoint": "entrypoints", "rules": "rule"}
_BOOLEANS = frozenset(
    {
        *("passhostheader", "passthrough", "permanent", "secure", "httponly", "removeheader", "trustforwardheader"),
        *("insecureskipverify", "framedeny", "stsincludesubdomains", "stspreload", "forcestsheader", "addvaryheader"),
        *("contenttypenosniff", "browserxssfilter", "requesthost", "followredirects", "accesscontrolallowcredentials"),
    }
)
_WHOLE_NUMBERS = frozenset(
    {"priority", "attempts", "average", "burst", "amount", "depth", "stsseconds", "accesscontrolmaxage"}
)
#: What Go's strconv.ParseBool reads.
_TRUE_OR_FALSE = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})
#: Fields whose own keys are free: names of headers, and what a plugin takes.
_FREE = frozenset({"plugin", "customrequestheaders", "customresponseheaders", "sslproxyheaders"})
_DROPPED = "Traefik drops all labels of the service"
_UNKNOWN = "Traefik knows no such field, and drops all labels of the service"
_NEAR = 0.8


def find_blanks(labels: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each label whose key has a blank at its end, as `KEY = VALUE` in a list gives it."""
    for key, value in labels.items():
        bare = key.strip()
        if bare != key and bare.lower().startswith("traefik."):
            yield key, f"a blank belongs to its key; {_DROPPED}", f"{bare}={value.strip()}, without blanks"


def find_wrong_fields(labels: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each label with a field that Traefik does not know or a value that it cannot parse: its key, what is wrong,
    and what to write."""
    for key, value in labels.items():
        parts = key.split(".")
        words = [part.lower() for part in parts]
        if words[0] != "traefik":
            continue
        if words[1:] != ["enable"] and "".join(words[1:2]).startswith("enable"):
            yield key, "Traefik knows no such field, and passes the service over", "traefik.enable"
        elif words[1:] == ["enable"]:
            if "$" not in value and value not in _TRUE_OR_FALSE:
                wrong = f"{value or 'nothing'} is neither true nor false, and Traefik passes the service over"
                yield key, wrong, f'{key}: "true"'
        elif len(words) > 4 and words[1] in ("http", "tcp", "udp") and words[2] in _FIELDS:
            yield from _find_wrong_field(key, parts, words)
            yield from _find_wrong_value(key, value, words)


def _find_wrong_field(key: str, parts: list[str], words: list[str]) -> Iterator[tuple[str, str, str]]:
    known = _FIELDS[words[2]]
    if words[4] in known:
        return
    if words[2] == "routers" and len(words) == 5 and (meant := _MEANT.get(words[4])):
        yield key, _UNKNOWN, ".".join((*parts[:4], meant))
        return
    further = next((at for at in range(5, len(words)) if words[at] in known), 0)
    if further:
        name = "-".join(parts[3:further])
        wrong = f"a name has no dots: Traefik knows no field {parts[4]}, and drops all labels of the service"
        yield key, wrong, ".".join((*parts[:3], name, *parts[further:]))
    elif close := difflib.get_close_matches(words[4], known, n=1, cutoff=_NEAR) if len(words[4]) < 40 else []:
        yield key, _UNKNOWN, ".".join((*parts[:4], close[0], *parts[5:]))


def _find_wrong_value(key: str, value: str, words: list[str]) -> Iterator[tuple[str, str, str]]:
    if "$" in value or _FREE & set(words[4:-1]) or words[-3:-1] == ["healthcheck", "headers"]:
        return
    if words[-1] in _BOOLEANS and value not in _TRUE_OR_FALSE:
        yield key, f"{value or 'nothing'} is neither true nor false; {_DROPPED}", f'{key}: "true"'
    elif words[-1] in _WHOLE_NUMBERS and not _is_number(value):
        yield key, f"{value or 'nothing'} is no whole number; {_DROPPED}", f'{key}: "1"'
    elif words[4:] == ["loadbalancer", "server", "port"] and not (_is_number(value) and 0 < int(value) <= 65535):
        yield key, f"{value or 'nothing'} is no port, and Traefik disables the service", f'{key}: "80"'


def _is_number(value: str) -> bool:
    return value.isascii() and value.removeprefix("-").isdigit() and len(value) < 19
