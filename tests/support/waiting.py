"""Waiting for something that another thread or process does, without sleeping longer than needed."""

import time
from collections.abc import Callable

_PAUSE_S = 0.005


def wait_until(predicate: Callable[[], object], timeout_s: float = 10.0, message: str = "condition") -> None:
    """Returns as soon as the predicate holds; fails the test with the message when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {message}")
        time.sleep(_PAUSE_S)
