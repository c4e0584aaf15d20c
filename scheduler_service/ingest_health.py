"""Whether this scheduler has heard everything that workers had to say.

A lease may only run out when a living worker would have been heard. So each scheduler sends probes to itself through
the reports queue: when a probe comes back quickly, every report before it has been applied, and this scheduler is the
one that receives them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

#: A probe that took longer than this says that reports were waiting.
MAX_LAG = timedelta(seconds=2)
#: Without a probe for longer than this, nothing is known.
MAX_SILENCE = timedelta(seconds=5)


@dataclass(frozen=True)
class Heard:
    """A time in which every report was applied at once.

    Attributes:
        since: Its beginning.
        until: Its end as far as it is known: whatever workers published before has been applied.
    """

    since: datetime
    until: datetime


class IngestHealth:
    """Keeps since when reports have been applied without delay. Thread-safe."""

    def __init__(self) -> None:
        """Knows nothing yet."""
        self._lock = threading.Lock()
        self._sent: dict[int, datetime] = {}
        self._sequence = 0
        self._returned_at: datetime | None = None
        self._caught_up_since: datetime | None = None
        self._heard_until: datetime | None = None

    def next_probe(self, now: datetime) -> int:
        """The number of a probe that is about to be sent."""
        with self._lock:
            self._sequence += 1
            self._sent = {number: at for number, at in self._sent.items() if now - at <= 2 * MAX_SILENCE}
            self._sent[self._sequence] = now
            return self._sequence

    def probe_returned(self, sequence: int, now: datetime) -> None:
        """One of this scheduler's own probes came back."""
        with self._lock:
            sent = self._sent.pop(sequence, None)
            if sent is None or now - sent > MAX_LAG:
                self._caught_up_since = None
                return
            silent = self._returned_at is None or now - self._returned_at > MAX_SILENCE
            if silent or self._caught_up_since is None:
                self._caught_up_since = now
            self._returned_at = now
            self._heard_until = sent

    def heard(self, now: datetime) -> Heard | None:
        """When every report was applied at once, up to the last probe that came back; None while that is not so."""
        with self._lock:
            if self._returned_at is None or now - self._returned_at > MAX_SILENCE:
                self._caught_up_since = None
            if self._caught_up_since is None or self._heard_until is None:
                return None
            return Heard(self._caught_up_since, self._heard_until)
