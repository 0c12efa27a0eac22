"""What docker's schema refuses where a model would convert or default: quoted numbers and booleans, empty sections, an
item that is twice in a list, the file's version, an image's name.

After cli/compose/schema/data/config_schema_v3.13.json and cli/compose/loader/interpolate.go: a text becomes a number
only where a setting was filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from lab.compose import short_forms
from lab.errors import InputError
from lab.schema.document import Document, Place

_SECTIONS = ("networks", "volumes", "secrets", "configs")
_VERSION = re.compile(r"3(\.([0-9]|1[0-3]))?")
#: Fields by the end of their place; `*` is any key or index.
_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "whole number": (
            *("deploy.replicas", "deploy.placement.max_replicas_per_node", "deploy.restart_policy.max_attempts"),
            *("deploy.update_config.parallelism", "deploy.rollback_config.parallelism", "deploy.resources.limits.pids"),
            *("ports.*.target", "ports.*.published", "configs.*.mode", "secrets.*.mode", "healthcheck.retries"),
            "oom_score_adj",
        ),
        "size": ("volumes.*.tmpfs.size", "ulimits.*", "ulimits.*.soft", "ulimits.*.hard"),
        "number": ("deploy.update_config.max_failure_ratio", "deploy.rollback_config.max_failure_ratio"),
        "boolean": (
            *("tty", "stdin_open", "init", "read_only", "healthcheck.disable", "volumes.*.read_only"),
            "volumes.*.volume.nocopy",
        ),
    }
)
_OF_SERVICES = {path: kind for kind, paths in _KINDS.items() for path in paths}
_OF_SECTIONS = dict.fromkeys(("external", "internal", "attachable"), "boolean")
_NUMBER = re.compile(r"\s*[-+]?[0-9]{1,18}\s*")
_RATIO = re.compile(r"\s*[-+]?([0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})\s*")
_TRUTH = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "1", "0"})

#: Keys of a service that may be empty.
_MAY_BE_EMPTY = frozenset({"deploy", "pid"})
#: Lists in which docker takes each item once; a port that is twice is told by the linter.
_UNIQUE = frozenset(
    {
        *("cap_add", "cap_drop", "dns", "dns_search", "env_file", "environment", "extra_hosts", "labels", "networks"),
        *("sysctls", "deploy.labels"),
    }
)

#: The keys that docker knows in mappings which the model takes as they are.
_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "logging": ("driver", "options"),
        "credential_spec": ("config", "file", "registry"),
        "ipam": ("driver", "config"),
        "ipam.config.*": ("subnet",),
    }
)

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)"
_IMAGE = re.compile(
    rf"(?:{_HOST}(?::[0-9]+)?/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[a-z0-9+._-]+:[0-9a-fA-F]+)?", re.ASCII
)


def find_refused(doc: Document) -> Iterator[InputError]:
    """Yield what docker's schema refuses and the model would not."""
    version = doc.data.get("version")
    if isinstance(version, str) and version and not _VERSION.fullmatch(version):
        reason = f"docker stack deploy takes no version {version}, only 3 to 3.13: delete this line"
        yield doc.problem(("version",), reason)
    for section in _SECTIONS:
        things = doc.data.get(section)
        if things is None and section in doc.data and not doc.files:
            yield doc.problem((section,), f"{section!r} is empty, which docker refuses: delete this line")
        for name, thing in things.items() if isinstance(things, dict) else ():
            for place, kind in _OF_SECTIONS.items():
                yield from _find_wrong_kind(doc, (section, name, place), kind, thing)
            if section == "networks" and isinstance(thing, dict):
                for path in ("ipam", "ipam.config.*"):
                    yield from _walk(doc, (section, name), thing, path.split("."), path)
            elif section == "configs" and isinstance(thing, dict) and "driver" in thing:
                yield doc.problem((section, name, "driver"), f"config {name}: docker knows no driver of a config")
    services = doc.data.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        if isinstance(service, dict):
            yield from _find_in_service(doc, name, service)


def _find_in_service(doc: Document, name: str, service: dict[str, object]) -> Iterator[InputError]:
    at: Place = ("services", name)
    for path, kind in _OF_SERVICES.items():
        yield from _walk(doc, at, service, path.split("."), kind)
    for path in ("logging", "credential_spec"):
        yield from _walk(doc, at, service, [path], path)
    hosts, limits, volumes = service.get("extra_hosts"), service.get("ulimits"), service.get("volumes")
    if isinstance(hosts, str | int | float):
        yield doc.problem((*at, "extra_hosts"), f"service {name}: extra_hosts is a list, such as [name:10.0.0.5]")
    for key, limit in limits.items() if isinstance(limits, dict) else ():
        if isinstance(limit, dict) and limit.keys() != {"soft", "hard"}:
            yield doc.problem(
                (*at, "ulimits", key), f"service {name}: the limit {key} needs soft and hard, and no more"
            )
    for index, mount in enumerate(volumes if isinstance(volumes, list) else ()):
        if isinstance(mount, dict) and mount.get("type") == "bind" and not mount.get("source"):
            yield doc.problem((*at, "volumes", index), f"service {name}: a bind needs a source")
    image = service.get("image")
    if isinstance(image, str) and image and "$" not in image and not _IMAGE.fullmatch(image):
        write = image.strip().lower()
        more = f"; write {write}" if write != image and _IMAGE.fullmatch(write) else ""
        yield doc.problem((*at, "image"), f"service {name}: {image!r} is no image's name{more}")
    if isinstance(service.get("depends_on"), dict):
        reason = f"service {name}: docker takes only a list under depends_on, and it has no effect: delete it"
        yield doc.problem((*at, "depends_on"), reason)
    if doc.files:
        # Merging may leave what docker does not see in any single file.
        return
    deploy = service.get("deploy")
    keys = {key: value for key, value in service.items() if not key.startswith("x-")}
    keys |= {f"deploy.{key}": value for key, value in deploy.items()} if isinstance(deploy, dict) else {}
    for key, value in keys.items():
        place = (*at, *key.split("."))
        if value is None and key not in _MAY_BE_EMPTY:
            yield doc.problem(place, f"service {name}: {key.rpartition('.')[2]!r} is empty, which docker refuses")
        elif key in _UNIQUE and isinstance(value, list):
            for index, item in enumerate(value[:1000]):
                if item in value[:index]:
                    yield doc.problem((*place, index), f"service {name}: {item!r} is twice under {key}")


def _walk(doc: Document, place: Place, value: object, path: list[str], kind: str) -> Iterator[InputError]:
    """Yield what is of another kind at this path, below `place`."""
    first, *rest = path
    keys: list[str | int] = [first]
    if first == "*":
        keys = list(range(len(value))) if isinstance(value, list) else list(value) if isinstance(value, dict) else []
    for key in keys:
        if not rest and kind in _KEYS:
            inner = _get(value, key)
            for each in inner if isinstance(inner, dict) else ():
                if each not in _KEYS[kind]:
                    known = ", ".join(_KEYS[kind])
                    yield doc.problem(
                        (*place, key, each), f"docker knows no {each} in {kind.split('.')[0]}, only {known}"
                    )
        elif not rest:
            yield from _find_wrong_kind(doc, (*place, key), kind, value)
        elif isinstance(inner := _get(value, key), dict | list):
            yield from _walk(doc, (*place, key), inner, rest, kind)


def _get(value: object, key: str | int) -> object:
    if isinstance(value, list) and isinstance(key, int):
        return value[key]
    return value.get(key) if isinstance(value, dict) else None


def _find_wrong_kind(doc: Document, place: Place, kind: str, around: object) -> Iterator[InputError]:
    key = place[-1]
    value = _get(around, key)
    who = f"service {place[1]}: " if place[0] == "services" else ""
    if isinstance(value, str):
        if kind == "boolean" and value.lower() in _TRUTH:
            word = "true" if value.lower() in ("true", "yes", "on", "y", "t", "1") else "false"
            yield doc.problem(place, f"{who}{key!r} must be {word} without quotes, not the text {value!r}")
        elif kind == "size" and "$" not in value:
            yield doc.problem(place, f"{who}{key!r} must be a number{_in_bytes(place, value)}, not the text {value!r}")
        elif kind not in ("boolean", "size") and (_NUMBER if kind == "whole number" else _RATIO).fullmatch(value):
            yield doc.problem(place, f"{who}{key!r} must be a number without quotes, not the text {value!r}")
    elif isinstance(value, bool) and kind != "boolean":
        yield doc.problem(place, f"{who}{key!r} must be a {kind.replace('size', 'number')}, not {str(value).lower()}")
    elif isinstance(value, int | float) and not isinstance(value, bool) and kind == "boolean":
        yield doc.problem(place, f"{who}{key!r} must be true or false, not {value}")


def _in_bytes(place: Place, text: str) -> str:
    if place[-1] != "size":
        return ""
    try:
        return f" of bytes, {short_forms.parse_size(text)}"
    except ValueError:
        return " of bytes"
