"""Tells the scheduler at intervals that this worker and its attempts live."""

from __future__ import annotations

import threading

import structlog

from hrnn_tuner.broker.contract import Broker
from hrnn_tuner.broker.topology import REPORTS_EXCHANGE, REPORTS_SHARD
from hrnn_tuner.failpoints import failpoint
from worker_service import convert
from worker_service.attempt import Attempts
from worker_service.reports import PUBLISH_ERRORS

_log = structlog.get_logger(__name__)

_LEAVING_TIMEOUT_S = 1.0
_JOIN_TIMEOUT_S = 5.0


class Heartbeat:
    """A thread that publishes a heartbeat at once and then at every interval.

    Heartbeats are not spooled: a late one would say nothing that the next one does not.
    """

    def __init__(
        self, broker: Broker, worker_id: str, resource_class: str, *, slots: int, attempts: Attempts, interval_s: float
    ) -> None:
        """Starts nothing yet."""
        self._broker = broker
        self._worker_id = worker_id
        self._resource_class = resource_class
        self._slots = slots
        self._attempts = attempts
        self._interval_s = interval_s
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def request_stop(self) -> None:
        """Makes the thread end; returns at once."""
        self._stop.set()

    def stop(self, *, good_bye: bool) -> None:
        """Ends the thread; with ``good_bye`` says so, that the scheduler needs no time-out to know."""
        self.request_stop()
        self._thread.join(_JOIN_TIMEOUT_S)
        if good_bye and self._broker.connected:
            self._beat(leaving=True, timeout_s=_LEAVING_TIMEOUT_S)

    def _run(self) -> None:
        while True:
            self._beat(leaving=False, timeout_s=min(self._interval_s, _JOIN_TIMEOUT_S))
            if self._stop.wait(self._interval_s):
                return

    def _beat(self, *, leaving: bool, timeout_s: float) -> None:
        message = convert.heartbeat(
            self._worker_id, self._resource_class, self._slots, self._attempts.running(), leaving=leaving
        )
        try:
            failpoint("heartbeat.publishing")
            self._broker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, message, timeout_s=timeout_s)
        except Exception as error:  # noqa: BLE001 - without this thread all that the worker runs would count as lost
            if not self._failing:  # once per outage, not once per beat
                expected = isinstance(error, PUBLISH_ERRORS)
                _log.warning("heartbeats do not get through", error=repr(error), exc_info=not expected)
            self._failing = True
            return
        if self._failing:
            _log.info("heartbeats get through again")
        self._failing = False
