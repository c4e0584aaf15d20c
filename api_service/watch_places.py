"""Places for Watch streams: each costs memory and polls for as long as its reader likes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hrnn_tuner.domain.errors import LimitExceeded


class WatchPlaces:
    """Counts the streams of a replica. For one event loop.

    Args:
        per_project: Most streams of a project at a time.
        together: Most streams at a time.
    """

    def __init__(self, per_project: int, together: int) -> None:
        self._per_project = per_project
        self._together = together
        self._used: Counter[str] = Counter()

    @property
    def used(self) -> int:
        """Number of streams that are open."""
        return self._used.total()

    @contextmanager
    def one(self, project: str) -> Iterator[None]:
        """Holds a place for a stream of a project.

        Raises:
            LimitExceeded: When there is none.
        """
        _refuse_beyond(self._per_project, self._used[project], "this project", "max_watch_streams_per_project")
        _refuse_beyond(self._together, self.used, "this server", "max_watch_streams")
        self._used[project] += 1
        try:
            yield
        finally:
            self._used[project] -= 1
            if not self._used[project]:
                del self._used[project]


def _refuse_beyond(limit: int, used: int, whose: str, setting: str) -> None:
    if used >= limit:
        text = f"{used} Watch streams of {whose} are open; allowed: {limit} ({setting})"
        raise LimitExceeded(text, metadata={"limit": str(limit), "used": str(used)})
