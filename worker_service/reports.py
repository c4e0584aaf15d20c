"""Sends reports in order, each until the broker has confirmed it."""

from __future__ import annotations

import itertools
import random
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from hrnn_tuner.broker.contract import Broker, BrokerUnavailable, Message, MessageRefused, MessageUnroutable
from hrnn_tuner.broker.topology import REPORTS_EXCHANGE, REPORTS_SHARD
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.v1.queue_pb2 import AttemptReport
from worker_service import convert
from worker_service.attempt import Attempt

_log = structlog.get_logger(__name__)

PUBLISH_ERRORS = (BrokerUnavailable, MessageRefused, MessageUnroutable)
#: Metric points that are kept while the broker is away; beyond, the oldest go: an outcome matters more than a curve.
MAX_SPOOLED_POINTS = 100_000
_FIRST_BACK_OFF_S = 0.1
_MAX_BACK_OFF_S = 5.0
_PUBLISH_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class _Entry:
    """A report that waits; ``points`` is its number of metric points, 0 for one that must not be dropped."""

    message: Message
    points: int
    on_confirmed: Callable[[], None] | None


class Reporter:
    """One slot's ordered spool and the thread that empties it. Thread-safe."""

    def __init__(self, broker: Broker, worker_id: str, *, max_points: int = MAX_SPOOLED_POINTS) -> None:
        """Starts nothing yet."""
        self._broker = broker
        self._worker_id = worker_id
        self._max_points = max_points
        self._sequence = itertools.count(1)
        self._spool: deque[_Entry] = deque()
        self._points = 0
        self._dropping = False
        self._changed = threading.Condition()
        self._stopping = False
        self._abandon = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Sends what waits, for at most this long, and ends the thread.

        Returns:
            Whether everything was sent; what is left is logged and lost.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)
        self._abandon.set()
        self._thread.join(1.0)
        with self._changed:
            left = len(self._spool)
        if left:
            _log.error("reports were lost: the broker did not take them in time", reports=left)
        return not left

    def publish_started(self, attempt: Attempt, *, timeout_s: float = _PUBLISH_TIMEOUT_S) -> None:
        """Publishes an attempt's first report on the caller's thread and returns when it is confirmed.

        Order is kept: nothing else of this attempt is submitted before.

        Raises:
            BrokerUnavailable: And the other errors of `Broker.publish`, after one try.
        """
        self._publish(self._message(attempt, convert.started()), timeout_s)

    def submit(
        self,
        attempt: Attempt,
        report: AttemptReport,
        *,
        points: int = 0,
        on_confirmed: Callable[[], None] | None = None,
    ) -> None:
        """Queues a report behind all earlier ones.

        Args:
            attempt: What it is about.
            report: What to say.
            points: Number of metric points in it; 0 for a report that must not be dropped.
            on_confirmed: Called on this reporter's thread once the broker has it.
        """
        entry = _Entry(self._message(attempt, report), points, on_confirmed)
        with self._changed:
            self._spool.append(entry)
            self._points += points
            self._bound()
            self._changed.notify()

    def _message(self, attempt: Attempt, report: AttemptReport) -> Message:
        return convert.report(attempt.key, self._worker_id, next(self._sequence), report, attempt.headers)

    def _publish(self, message: Message, timeout_s: float = _PUBLISH_TIMEOUT_S) -> None:
        self._broker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, message, timeout_s=timeout_s)

    def _bound(self) -> None:
        """Drops the oldest metrics beyond the limit; the first entry may be on its way and stays."""
        while self._points > self._max_points:
            index = next((i for i, entry in enumerate(self._spool) if i > 0 and entry.points), None)
            if index is None:
                return
            self._points -= self._spool[index].points
            del self._spool[index]
            if not self._dropping:
                _log.warning("metric points are dropped: the broker is away for long", limit=self._max_points)
            self._dropping = True

    def _run(self) -> None:
        back_off_s = 0.0
        while True:
            with self._changed:
                while not self._spool and not self._stopping:
                    self._changed.wait()
                if not self._spool:
                    return
                entry = self._spool[0]
            if self._abandon.wait(back_off_s):
                return
            try:
                failpoint("reporter.publishing")
                self._publish(entry.message)
                failpoint("reporter.confirmed")
            except ValueError:  # no broker can carry it; waiting would hold up everything behind it
                _log.exception("a report was dropped", message_id=entry.message.message_id)
            except Exception as error:  # noqa: BLE001 - a dead thread would keep the slot's end from the scheduler
                if back_off_s == 0.0:
                    expected = isinstance(error, PUBLISH_ERRORS)
                    _log.warning("reports wait for the broker", error=repr(error), exc_info=not expected)
                back_off_s = min(_MAX_BACK_OFF_S, max(_FIRST_BACK_OFF_S, back_off_s * 2) * random.uniform(0.8, 1.2))
                continue
            back_off_s = 0.0
            with self._changed:
                self._spool.popleft()
                self._points -= entry.points
                self._dropping = self._dropping and bool(self._spool)
            if entry.on_confirmed is not None:
                entry.on_confirmed()
