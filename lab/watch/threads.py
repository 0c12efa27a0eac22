"""Parallel work in threads that a program does not wait for when it exits: an answer may never come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def start_thread(do: Callable[[T], R], thing: T) -> Future[R]:
    """Start `do(thing)` in its own thread; return a future that gets its result or what it raised."""
    future: Future[R] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = do(thing)
        except BaseException as error:  # noqa: BLE001  whoever asks for the result gets it
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, daemon=True).start()
    return future


def run_side_by_side(do: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """Run `do` for all things in parallel; return the results in the order of the things. Raises the first error."""
    return [future.result() for future in [start_thread(do, thing) for thing in things]]
