"""The rule of a Traefik router: its matchers, and its faults in Traefik 3's syntax."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lab.world.traefik_rule_grammar import find_misplaced, find_wrong_values

_CALL = re.compile(r"(!?)\s*([A-Za-z]\w*)\s*\(")
_BRACES = re.compile(r"(?<!\$)\{[A-Za-z_]\w*\s*[:}]")
_QUOTES = '`"'
#: A rule that is one text in quotes of another kind than those within: "Host(`a.b`)".
_WHOLE = re.compile(r"""\s*(["'])([^"']*\([^"']*)\1\s*""")

#: Matchers of Traefik 2 that have a new name in 3.
_RENAMED = {"headers": "Header", "headersregexp": "HeaderRegexp", "hostheader": "Host", "methods": "Method"}
#: Matchers that take one value in 3, and the matcher that now takes what was a pattern in braces in 2.
_SINGLE = {"host": "HostRegexp", "path": "PathRegexp", "pathprefix": "PathRegexp", "hostsni": "HostSNIRegexp"}
#: Matchers of Traefik 1 whose values are taken as they are.
_AS_THEY_ARE = {"host": "Host", "path": "Path", "pathprefix": "PathPrefix", "method": "Method"}
_PATTERNS = {"hostregexp": "HostRegexp", "pathregexp": "PathRegexp", "hostsniregexp": "HostSNIRegexp"}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher of a rule: Host(`a.b`). `text` is the text between its parentheses, `values` its arguments without
    their quotes; `quoted` says whether each has the backticks or double quotes that Traefik requires."""

    name: str
    text: str
    values: tuple[str, ...]
    quoted: bool
    negated: bool = False


def matchers(rule: str) -> tuple[Matcher, ...]:
    """Return the matchers of a rule, from left to right, however wrong it is."""
    found, place = [], 0
    while call := _CALL.search(rule, place):
        end = _find_closing(rule, call.end())
        text = rule[call.end() : end].strip()
        parts = _arguments(text)
        quoted = all(len(p) > 1 and p[0] in _QUOTES and p[-1] == p[0] for p in parts)
        values = tuple(p.strip("`\"'") for p in parts)
        found.append(Matcher(call[2], text, values, quoted, bool(call[1])))
        place = end
    return tuple(found)


def is_balanced(rule: str) -> bool:
    """Return whether every parenthesis and every quote of a rule is closed."""
    depth = 0
    for char, quoted in _scan_quotes(rule):
        if quoted:
            continue
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0 and not _open_quote(rule)


def to_regexp(pattern: str, part: str = "[^.]+") -> str | None:
    """Convert a pattern of Traefik 2 (`{sub:[a-z]+}.example.org`) to the regular expression that 3 requires; return
    None if it has no such braces. `part` replaces braces with only a name."""
    made, place = "", 0
    while found := _BRACES.search(pattern, place):
        end = _brace(pattern, found.start())
        inside = pattern[found.start() + 1 : end].partition(":")[2]
        made += pattern[place : found.start()].replace(".", r"\.") + (inside or part)
        place = end + 1
    rest = pattern[place:].replace(".", r"\.")
    return f"^{made}{rest}$" if place else None


def translate_rule(rule: str) -> str | None:
    """Convert a rule of Traefik 1 (`Host:a.b,c.d;PathPrefix:/x`) to one of 3; None where that takes a human."""
    parts = []
    for part in rule.split(";"):
        name, colon, values = part.partition(":")
        now, found = _AS_THEY_ARE.get(name.strip().lower()), [value.strip() for value in values.split(",")]
        # A colon within the values is of a pattern in braces, or of a setting: ${NAME:-value}.
        if not now or not colon or not all(found) or any(_BRACES.search(value) for value in found):
            return None
        text = " || ".join(_call(now, [value]) for value in found)
        parts.append(f"({text})" if len(found) > 1 and ";" in rule else text)
    return " && ".join(parts)


def find_faults(rule: str, protocol: str = "http") -> Iterator[tuple[str, str]]:
    """Yield each fault of a rule, and what to write instead. What a setting outside quotes will be is not known."""
    if whole := _WHOLE.fullmatch(rule):
        yield "the whole rule is in quotes", whole[2]
        return
    if not is_balanced(rule):
        yield "its parentheses or quotes are not closed", "close every ( with ) and every ` with `"
        return
    masked = "".join("q" if quoted and char not in _QUOTES else char for char, quoted in _scan_quotes(rule))
    found = matchers(rule)
    if not found and "${" not in masked:
        yield f"{rule or 'nothing'} is no rule", "Host(`name.example.org`)"
    told = False
    for matcher in found:
        for fault in _faults_of(matcher, protocol):
            told = True
            yield fault
    if found and not told and "${" not in masked:
        yield from find_misplaced(rule, masked)


def _faults_of(matcher: Matcher, protocol: str) -> Iterator[tuple[str, str]]:
    name, low = matcher.name, matcher.name.lower()
    now = _RENAMED.get(low, name)
    if not matcher.values:
        yield f"{name}() names nothing", f"{now}(`...`)"
        return
    if now != name:
        yield f"Traefik 3 has no {name}", _call(now, matcher.values)
    if not matcher.quoted:
        how = "single quotes" if "'" in matcher.text else "no quotes"
        yield f"{name}({matcher.text}) has {how}, Traefik wants backticks", _alternatives(now, matcher.values)
        return
    modern = _SINGLE.get(low) or _PATTERNS.get(low)
    part = "[^/]+" if "path" in low else "[^.]+"
    patterns = [to_regexp(value, part) for value in matcher.values]
    if modern and any(patterns):
        new = [made or f"^{value}$" for made, value in zip(patterns, matcher.values, strict=True)]
        yield f"{name} with {{name:pattern}} is of Traefik 2", f"{_alternatives(modern, new)} (in a stack file $ is $$)"
    elif modern and len(matcher.values) > 1:
        yield (
            f"{name} takes one value in Traefik 3, here are {len(matcher.values)}",
            _alternatives(name, matcher.values),
        )
    elif now == name:
        yield from find_wrong_values(name, matcher.values, protocol)


def _call(name: str, values: tuple[str, ...] | list[str]) -> str:
    return f"{name}({', '.join(f'`{value}`' for value in values)})"


def _alternatives(name: str, values: tuple[str, ...] | list[str]) -> str:
    if name.lower() in _SINGLE or name.lower() in _PATTERNS:
        return " || ".join(_call(name, [value]) for value in values)
    return _call(name, values)


def _scan_quotes(text: str, start: int = 0) -> Iterator[tuple[str, bool]]:
    """Yield each character, and whether it is within quotes; a quote itself is."""
    within = ""
    for char in text[start:]:
        if within:
            yield char, True
            within = "" if char == within else within
        else:
            within = char if char in _QUOTES else ""
            yield char, bool(within)


def _open_quote(text: str) -> bool:
    within = ""
    for char in text:
        if within:
            within = "" if char == within else within
        elif char in _QUOTES:
            within = char
    return bool(within)


def _find_closing(rule: str, start: int) -> int:
    """Return where the parenthesis opened before `start` is closed; the rule's end if it is not."""
    depth = 1
    for place, (char, quoted) in enumerate(_scan_quotes(rule, start), start):
        depth += 0 if quoted else (char == "(") - (char == ")")
        if not depth:
            return place
    return len(rule)


def _brace(pattern: str, start: int) -> int:
    """Return where the brace at `start` is closed; the last position if it is not."""
    depth = 0
    for place in range(start, len(pattern)):
        depth += (pattern[place] == "{") - (pattern[place] == "}")
        if not depth:
            return place
    return len(pattern) - 1


def _arguments(text: str) -> list[str]:
    """Split a text at the commas outside quotes."""
    parts = [""]
    for char, quoted in _scan_quotes(text):
        if char == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]
