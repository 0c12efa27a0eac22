"""The grammar of a Traefik 3 rule: operators between matchers, which matchers there are, and what each takes.

After pkg/rules/parser.go and pkg/muxer of Traefik: a rule is read as an expression of Go, and a router whose rule does
not parse is disabled.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

#: How many values each matcher takes, by its lowercase name.
_HTTP: Mapping[str, tuple[str, range]] = MappingProxyType(
    {
        name.lower(): (name, range(least, most + 1))
        for name, least, most in (
            *((one, 1, 1) for one in ("ClientIP", "Host", "HostRegexp", "Method", "Path", "PathPrefix", "PathRegexp")),
            *((two, 2, 2) for two in ("Header", "HeaderRegexp")),
            *((any_, 1, 2) for any_ in ("Query", "QueryRegexp")),
        )
    }
)
_TCP: Mapping[str, tuple[str, range]] = MappingProxyType(
    {name.lower(): (name, range(1, 2)) for name in ("HostSNI", "HostSNIRegexp", "ClientIP", "ALPN")}
)
_TOKEN = re.compile(r"\s*(?P<part>&&|\|\||!|\(|\)|[A-Za-z_]\w*\s*\(|\w+|\S)")
#: A longer regular expression is not looked at.
_LONGEST = 500


def find_misplaced(rule: str, masked: str) -> Iterator[tuple[str, str]]:
    """Yield the first operator or matcher that is not where it may be, and what to write. `masked` is the rule with
    another letter for all that is within quotes; its parentheses are balanced."""
    operand, place, before = True, 0, ""
    while found := _TOKEN.match(masked, place):
        part, place = found["part"], found.end()
        call = part.endswith("(") and len(part) > 1
        if operand and part in ("&&", "||", ")"):
            where = before or "the rule's beginning"
            yield f"{part} comes directly after {where}", f"a matcher before it, or no {part}"
            return
        if operand and part not in ("!", "(") and not call:
            yield f"{_word(rule, found)} is no matcher", "Host(`name.example.org`)"
            return
        if not operand and part not in ("&&", "||", ")"):
            name = f"{part[:-1].strip()}(...)" if call else _word(rule, found)
            yield f"no operator before {name}", f"&& {name}, or || {name}"
            return
        if call:
            place = _end_of_call(masked, place)
        operand = not call and part != ")"
        before = part
    if operand:
        yield f"nothing follows the last {before}", f"a matcher after it, or no {before}"


def find_wrong_values(name: str, values: tuple[str, ...], protocol: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one matcher: its name, how many values it has, or a value."""
    known = _TCP if protocol == "tcp" else _HTTP
    if name.lower() not in known:
        yield f"Traefik 3 has no matcher {name}", _replace_matcher(name, values, known)
        return
    called, many = known[name.lower()]
    # Traefik registers each name in four spellings, and no other one.
    if name not in (called, called.lower(), called.upper(), called.lower().title()):
        yield f"Traefik 3 has no matcher {name}", _replace_matcher(name, values, known)
    elif len(values) not in many:
        right = "one value" if many[-1] == 1 else "two values" if many[0] == 2 else "one or two values"
        split = " || ".join(f"{called}(`{value}`)" for value in values)
        write = split if many[-1] == 1 else f"{called}(`NAME`, `VALUE`)"
        yield f"{name} takes {right} in Traefik 3, here {'is' if len(values) == 1 else 'are'} {len(values)}", write
    elif not all(values):
        yield f"{name} has an empty value", f"{called}(`...`)"
    elif called.endswith("Regexp"):
        if (pattern := values[-1]) and "${" not in pattern and (fault := _find_open(pattern)):
            yield f"the regular expression {pattern} does not compile: {fault}", f"{called}(`...`) with a whole one"
    elif "$" not in values[0]:
        yield from _find_wrong_value(called, values[0])


def _find_open(pattern: str) -> str:
    """Return what is wrong with a regular expression in Python's and in Go's syntax alike, "" if nothing is known."""
    # Python warns (FutureWarning) that it may read these otherwise one day.
    if len(pattern) > _LONGEST or any(two in pattern for two in ("[[", "--", "&&", "||", "~~")):
        return ""
    try:
        re.compile(pattern)
    except re.error as error:
        alike = ("unterminated character set", "missing )", "unbalanced parenthesis", "nothing to repeat")
        return error.msg if error.msg.startswith(alike) else ""
    except (OverflowError, RecursionError):
        return ""
    return ""


def _find_wrong_value(name: str, value: str) -> Iterator[tuple[str, str]]:
    if name in ("Path", "PathPrefix") and not value.startswith("/"):
        yield f"the path {value} does not begin with /", f"{name}(`/{value}`)"
    elif name == "ClientIP":
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            yield f"{value} is no address and no range of addresses", "ClientIP(`10.0.0.0/8`)"
    elif name in ("Host", "HostSNI") and not value.isascii():
        try:
            ascii_ = value.encode("idna").decode()
        except UnicodeError:
            ascii_ = "..."
        yield f"{value} has letters that are not ASCII", f"{name}(`{ascii_}`)"


def _replace_matcher(name: str, values: tuple[str, ...], known: Mapping[str, tuple[str, range]]) -> str:
    given = ", ".join(f"`{value}`" for value in values)
    if name.lower() in ("pathprefixstrip", "pathstrip"):
        return f"PathPrefix({given}), and a middleware with stripprefix"
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6) if len(name) < 40 else []
    return f"{known[close[0]][0]}({given})" if close else f"one of {', '.join(n for n, _ in known.values())}"


def _word(rule: str, found: re.Match[str]) -> str:
    end = found.end("part")
    if rule[found.start("part")] in "`\"'":
        # A quoted text was masked; its letters up to the closing quote are one word for people.
        end = next((i + 1 for i in range(end, len(rule)) if rule[i] == rule[found.start("part")]), len(rule))
    return rule[found.start("part") : end]


def _end_of_call(masked: str, place: int) -> int:
    depth = 1
    while place < len(masked) and depth:
        depth += (masked[place] == "(") - (masked[place] == ")")
        place += 1
    return place
