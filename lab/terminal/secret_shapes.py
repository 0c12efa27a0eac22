"""Patterns of secrets that only their form gives away.

The forms are swarmkit's (join tokens, unlock keys), RFC 7468 and RFC 9580 (private keys), RFC 6750 and RFC 7617
(bearer and basic credentials), RFC 3986 (a password in a URL), crypt(5) (password hashes), the Docker configuration's,
and those of the options and variables that take passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 32_768
"""The most characters held back for the end of one secret. Beyond that they are masked as they are."""


@dataclass(frozen=True)
class Shape:
    """A secret that begins with `opener`; `body` is matched right after it, and if it has groups, the one that matched
    is masked. A body that reaches the text's end may go on, so it must also match an incomplete one.

    `exact`: its length is known, so a line break never ends it, and the opener is a part of it. `whole`: a secret only
    if the body is complete. A body under `least` characters is no secret, nor is one in which `tell` is not found.
    `before` must be found in the line up to the opener. A body of `full` characters does not go on.
    """

    opener: str
    body: re.Pattern[str]
    exact: bool = False
    whole: bool = False
    least: int = 1
    tell: re.Pattern[str] | None = None
    any_case: bool = False
    before: re.Pattern[str] | None = None
    full: int = LONGEST


_TOKEN = re.compile(r"[0-9a-z]{0,50}(?:-[0-9a-z]{0,25})?")
_CREDENTIAL = re.compile(r"[A-Za-z0-9._~+/=-]*")
_NO_WORD = re.compile(r"[0-9=]|[a-z][A-Z]")
_KEYS = (
    *("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY"),
    *("ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"),
)

# A word of a command line: quoted, partly quoted, or bare. One that only refers to a variable contains no secret.
_VARIABLE = r"(?!\"?\$\{?\w+\}?\"?[\s|;&)])"
_WORD = r"""(?:'[^']{0,256}'?|"(?:[^"\\]|\\(?:.|\Z)){0,256}"?|\\(?:.|\Z)|[^\s'"\\|;&<>]){1,256}+"""
_SEPARATE = re.compile(rf"(?!-){_VARIABLE}{_WORD}")
_JOINED = re.compile(rf"{_VARIABLE}{_WORD}")
_AFTER_P = re.compile(rf"(?:[ =]+(?:\Z|(?!-){_VARIABLE}({_WORD}))|{_VARIABLE}({_WORD})|\Z)")
#: The commands whose -p is a password, and those whose -u is a name with one.
_LOGIN = re.compile(r"\b(?:login|sshpass|mysql\w*|mariadb\w*)\b[^|;&]*\s\Z")
_REQUEST = re.compile(r"\b(?:curl|wget|https?|xh)\b[^|;&]*\s\Z")
_USER = re.compile(
    r"""[ =]{0,4}(?:"[^\s:"$]{0,64}(?::([^"$]{0,128})|\Z)|'[^:']{0,64}(?::([^']{0,128})|\Z)"""
    rf"""|[^\s:"'$]{{0,64}}(?::{_VARIABLE}((?:{_WORD})?)|\Z))"""
)

# In a URL: up to the last @ before the first slash; or, where a slash is in the password (no port is followed by one),
# up to the @ before what may be a host. The text that follows may contain another @.
_URL = re.compile(
    r"""([^\s/@:"'<>\[]{0,64}:(?:[^\s/"'<>]{0,128}@"""
    r"""|(?!\d{1,5}[/?#])[^\s"'<>@,]{0,128}@(?=[\w.-]{1,255}(?::\d{1,5})?(?:[/?#\s"'<>]|\Z))))[^\s/"'<>]{0,256}"""
    r"""|[^\s/@:"'<>\[]{0,64}(?::[^\s"'<>]{0,256})?\Z"""
)

#: Endings of the names of variables and keys whose value is a secret.
_NAMES = ("password", "passwd", "_secret", "_token", "apikey")
_OF_A_KEY = re.compile(r"(?:api|access|secret|auth)\Z", re.IGNORECASE)
_VALUE = re.compile(
    rf"""{_VARIABLE}(?:'[^']{{0,256}}'?|"(?:[^"\\]|\\(?:.|\Z)){{0,256}}"?|[^\s"'\\,;&|<>\]}})]{{1,256}})"""
)
_TO_QUOTE = re.compile(r"""\$\{?\w+\}?"|([^"\\]{1,256})""")
_TO_APOSTROPHE = re.compile(r"[^']{1,256}")
_IN_QUOTES = re.compile(r'"[\w.-]{0,64}\Z')
_IN_APOSTROPHES = re.compile(r"'[\w.-]{0,64}\Z")
_JSON_VALUE = r'\s{{0,8}}(?:\Z|:\s{{0,8}}(?:\Z|"({})))'
_JSON_CREDENTIAL = re.compile(_JSON_VALUE.format(_CREDENTIAL.pattern))
_JSON_TEXT = re.compile(_JSON_VALUE.format(r'(?:[^"\\]|\\(?:.|\Z)){0,4096}'))

_SALT = "[./A-Za-z0-9]"
_PARTLY = r"[./A-Za-z0-9=$]{0,110}\Z"
_BCRYPT = re.compile(rf"\d\d\$\$?({_SALT}{{0,53}})|{_PARTLY}")
_CRYPT = {
    kind: re.compile(rf"(?:rounds=\d{{1,9}}\$\$?)?{_SALT}{{0,16}}\$\$?({_SALT}{{0,{size}}})|{_PARTLY}")
    for kind, size in {"apr1": 22, "1": 22, "5": 43, "6": 86}.items()
}
_YESCRYPT = re.compile(rf"{_SALT}{{1,8}}\$\$?{_SALT}{{0,86}}\$\$?({_SALT}{{0,43}})|{_PARTLY}")


def _shapes() -> Iterator[Shape]:
    for version in ("SWMTKN-1-", "SWMTKN-2-0-", "SWMTKN-2-1-"):
        yield Shape(version, _TOKEN, exact=True, full=76)
    yield Shape("SWMKEY-1-", re.compile(r"[A-Za-z0-9+/]{0,43}"), exact=True, full=43)
    key = re.compile(rf"(?:(?!-----END)[\s\S]){{0,{LONGEST // 2}}}(?:-----END[A-Z ]{{0,30}}-{{0,5}})?")
    for kind in _KEYS:
        yield Shape(f"-----BEGIN {kind}-----", key, exact=True, least=0)
    for way in ("bearer", "basic"):
        for opener in ("authorization: {} ", 'authorization": "{} ', 'authorization":"{} '):
            yield Shape(opener.format(way), _CREDENTIAL, any_case=True)
        yield Shape(f"{way} ", _CREDENTIAL, least=10, tell=_NO_WORD, any_case=True)
    yield Shape('"auth"', _JSON_CREDENTIAL, least=6)
    for name in ("password", "passwd", "identitytoken", "registrytoken"):
        yield Shape(f'"{name}"', _JSON_TEXT, any_case=True)
    yield Shape("://", _URL, whole=True)
    yield Shape("--password ", _SEPARATE)
    yield Shape("--password=", _JOINED)
    yield Shape("-p", _AFTER_P, before=_LOGIN)
    for option in ("-u", "--user"):
        yield Shape(option, _USER, before=_REQUEST)
    yield Shape("_key=", _VALUE, any_case=True, before=_OF_A_KEY)
    for name in _NAMES:
        yield Shape(f"{name}=", _VALUE, any_case=True)
        yield Shape(f"{name}=", _TO_QUOTE, any_case=True, before=_IN_QUOTES)
        yield Shape(f"{name}=", _TO_APOSTROPHE, any_case=True, before=_IN_APOSTROPHES)
    # A Compose file doubles each dollar sign.
    for dollar in ("$", "$$"):
        for kind in ("2a", "2b", "2x", "2y"):
            yield Shape(f"{dollar}{kind}{dollar}", _BCRYPT, exact=True, least=20)
        for kind, body in _CRYPT.items():
            yield Shape(f"{dollar}{kind}{dollar}", body, exact=True, least=20)
        yield Shape(f"{dollar}y{dollar}", _YESCRYPT, exact=True, least=20)


SHAPES = tuple(_shapes())
_BEGINNINGS = frozenset(s.opener[:n] for s in SHAPES if not s.any_case for n in range(1, len(s.opener)))
_ANY_CASE = frozenset(s.opener[:n] for s in SHAPES if s.any_case for n in range(1, len(s.opener)))
_LONGEST_OPENER = max(len(s.opener) for s in SHAPES)
_END_OF_KEY = re.compile(r"-----END[A-Z ]*-----\Z")


def may_go_on(shape: Shape, body: str) -> bool:
    """Return whether more of the body may follow when it reaches the text's end."""
    return len(body) < shape.full and not (shape.opener.startswith("-----") and _END_OF_KEY.search(body))


def find_begun(text: str) -> int:
    """Return how many characters at the text's end could be the beginning of a secret that is recognised by its
    form."""
    for size in range(min(_LONGEST_OPENER - 1, len(text)), 0, -1):
        if text[-size:] in _BEGINNINGS or text[-size:].lower() in _ANY_CASE:
            return size
    return 0
