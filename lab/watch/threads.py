"""Work beside other work, in threads that a program does not wait for when it ends: an answer may never come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def start_thread(do: Callable[[T], R], thing: T) -> Future[R]:
    """Begin `do(thing)` in a thread of its own; its result, or what it raised, comes to the future."""
    future: Future[R] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = do(thing)
        except BaseException as error:  # noqa: BLE001  whoever asks for the result is told
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, daemon=True).start()
    return future


def run_side_by_side(do: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """`do` with every thing at once; the results in the things' order. Raises the first error of theirs."""
    return [future.result() for future in [start_thread(do, thing) for thing in things]]
