"""A bound on how long somebody else's service may take: its client library waits for ever."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

SECONDS = 120
"""Generous: a log may answer only once it has integrated an entry, and a BOM of many megabytes has to travel."""

_T = TypeVar("_T")


def bounded(work: Callable[[], _T]) -> _T:
    """Do the work, for at most `SECONDS`. Raises what it raises, or TimeoutError.

    Work that takes longer is left to itself in a thread that does not keep the program from ending.
    """
    outcome: Future[_T] = Future()
    threading.Thread(target=_settle, args=(outcome, work), daemon=True).start()
    return outcome.result(timeout=SECONDS)


def _settle(outcome: "Future[_T]", work: Callable[[], _T]) -> None:
    try:
        outcome.set_result(work())
    except BaseException as error:  # noqa: BLE001 -- raised again by whoever waits
        outcome.set_exception(error)
