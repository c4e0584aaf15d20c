"""Messages that may get lost: commands to workers and wake-up hints. Sent behind the back of the ingest path."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

import structlog

from hrnn_tuner.broker import Broker, Letter, MessageUnroutable
from hrnn_tuner.broker.topology import CONTROL_EXCHANGE, EVENTS_EXCHANGE, job_key, worker_key
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.v1 import queue_pb2
from scheduler_service import convert

_LOG = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 5.0
_PUBLISH_TIMEOUT_S = 2.0
#: Beyond this many unsent messages the broker is away, and the oldest are worth nothing any more.
_CAPACITY = 10_000
#: Most messages whose confirmations are waited for together.
_BATCH = 128


class Outgoing:
    """Sends commands and hints on a thread of its own; a lost one is made good by a later look at the database."""

    def __init__(self, broker: Broker) -> None:
        """Takes the broker; `start` starts the thread."""
        self._broker = broker
        self._letters: queue.Queue[Letter | None] = queue.Queue(maxsize=_CAPACITY)
        self._lock = threading.Lock()
        self._hinted: set[str] = set()  # routing keys of the hints that wait: one of each is enough
        self._thread = threading.Thread(target=self._run, name="scheduler-outgoing", daemon=True)

    def start(self) -> None:
        """Starts sending."""
        self._thread.start()

    def stop(self) -> None:
        """Sends what is there and ends the thread."""
        self._letters.put(None)
        self._thread.join(_JOIN_TIMEOUT_S)

    def command(self, worker_id: str, command: queue_pb2.Control) -> None:
        """Sends a worker a command about an attempt."""
        self._put(Letter(CONTROL_EXCHANGE, worker_key(worker_id), convert.control(command)))

    def changed(self, tuning_job_id: str) -> None:
        """Tells the API that a tuning job has new events."""
        key = job_key(tuning_job_id)
        with self._lock:
            if key in self._hinted:
                return
            self._hinted.add(key)
        # One that reaches nobody is no news, as a command would be.
        self._put(Letter(EVENTS_EXCHANGE, key, convert.hint(tuning_job_id), mandatory=False))

    def _put(self, letter: Letter) -> None:
        """Queues a letter, or drops it when the broker has been away for long."""
        try:
            self._letters.put_nowait(letter)
        except queue.Full:
            self._taken([letter])
            _LOG.warning("outgoing message dropped", routing_key=letter.routing_key)

    def _run(self) -> None:
        """Sends until told to stop; what waits at the same time goes together."""
        over = False
        while not over:
            batch = [self._letters.get()]
            while len(batch) < _BATCH and not self._letters.empty():
                batch.append(self._letters.get())
            letters = [letter for letter in batch if letter is not None]
            over = len(letters) < len(batch)
            self._taken(letters)  # before sending: a change from now on needs another hint
            try:
                self._send(letters)
            except Exception:  # noqa: BLE001 - a thread of a service must outlive any single failure
                _LOG.exception("outgoing messages lost", count=len(letters))

    def _taken(self, letters: Sequence[Letter]) -> None:
        """These do not wait any more."""
        with self._lock:
            self._hinted.difference_update(letter.routing_key for letter in letters)

    def _send(self, letters: Sequence[Letter]) -> None:
        """Publishes letters."""
        if not letters:
            return
        failpoint("outgoing.sending")
        failures = self._broker.publish_all(letters, timeout_s=_PUBLISH_TIMEOUT_S)
        for letter, failure in zip(letters, failures, strict=True):
            if isinstance(failure, MessageUnroutable):
                _LOG.info("worker is not connected", routing_key=letter.routing_key)  # its lease will run out
            elif failure is not None:
                _LOG.warning("outgoing message lost", routing_key=letter.routing_key, error=str(failure))
