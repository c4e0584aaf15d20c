"""The way from the event loop to the database threads, as its users see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class RunBlocking(Protocol):
    """Runs a blocking function on the database threads."""

    def __call__(self, call: Callable[[], Result]) -> Awaitable[Result]:
        """Returns its result."""
