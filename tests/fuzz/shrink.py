"""A failing input made small: parts are taken out for as long as it goes on failing in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

SECONDS = 20.0
"""How long one input is worked on, at most."""


def shrunk(value: Any, fails: Callable[[Any], bool], seconds: float = SECONDS) -> Any:
    """The smallest that was found in that time; the value itself when nothing can go."""
    end = time.monotonic() + seconds
    going = True
    while going:
        going = False
        for smaller in _smaller(value):
            if time.monotonic() > end:
                return value
            if fails(smaller):
                value, going = smaller, True
                break
    return value


def _smaller(value: Any) -> Iterator[Any]:
    match value:
        case str() | list():
            yield from _with_less(value)
        case dict():
            for key in value:
                yield {k: v for k, v in value.items() if k != key}
    match value:
        case list():
            for index, inner in enumerate(value):
                for less in _smaller(inner):
                    yield [*value[:index], less, *value[index + 1 :]]
        case dict():
            for key, inner in value.items():
                for less in _smaller(inner):
                    yield {**value, key: less}


def _with_less(value: Any) -> Iterator[Any]:
    """Without a half of it, a quarter, and so on, at each place."""
    size = len(value)
    while size := size // 2 if size > 1 else 0:
        for at in range(0, len(value), size):
            yield value[:at] + value[at + size :]
    if len(value) == 1:
        yield value[:0]
