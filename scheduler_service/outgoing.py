"""Messages that may get lost: commands to workers and wake-up hints. Sent behind the back of the ingest path."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass

import structlog

from hrnn_tuner.broker import Broker, BrokerUnavailable, Message, MessageRefused, MessageUnroutable
from hrnn_tuner.broker.topology import CONTROL_EXCHANGE, EVENTS_EXCHANGE, job_key, worker_key
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.v1 import queue_pb2
from scheduler_service import convert

_LOG = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 5.0
_PUBLISH_TIMEOUT_S = 2.0
#: Beyond this many unsent messages the broker is away, and the oldest are worth nothing any more.
_CAPACITY = 10_000


@dataclass(frozen=True)
class _Letter:
    """A message with its address."""

    exchange: str
    routing_key: str
    message: Message


class Outgoing:
    """Sends commands and hints on a thread of its own; a lost one is made good by a later look at the database."""

    def __init__(self, broker: Broker) -> None:
        """Takes the broker; `start` starts the thread."""
        self._broker = broker
        self._letters: queue.Queue[_Letter | None] = queue.Queue(maxsize=_CAPACITY)
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
        self._put(_Letter(CONTROL_EXCHANGE, worker_key(worker_id), convert.control(command)))

    def changed(self, tuning_job_id: str) -> None:
        """Tells the API that a tuning job has new events."""
        self._put(_Letter(EVENTS_EXCHANGE, job_key(tuning_job_id), convert.hint(tuning_job_id)))

    def _put(self, letter: _Letter) -> None:
        """Queues a letter, or drops it when the broker has been away for long."""
        try:
            self._letters.put_nowait(letter)
        except queue.Full:
            _LOG.warning("outgoing message dropped", routing_key=letter.routing_key)

    def _run(self) -> None:
        """Sends until told to stop."""
        while (letter := self._letters.get()) is not None:
            try:
                self._send(letter)
            except MessageUnroutable:
                _LOG.info("worker is not connected", routing_key=letter.routing_key)  # its lease will run out
            except (BrokerUnavailable, MessageRefused) as error:
                _LOG.warning("outgoing message lost", routing_key=letter.routing_key, error=str(error))
            except Exception:  # noqa: BLE001 - a thread of a service must outlive any single failure
                _LOG.exception("outgoing message lost", routing_key=letter.routing_key)

    def _send(self, letter: _Letter) -> None:
        """Publishes one letter; a command that reaches nobody is worth knowing about, a hint is not."""
        failpoint("outgoing.sending")
        self._broker.publish(
            letter.exchange,
            letter.routing_key,
            letter.message,
            mandatory=letter.exchange == CONTROL_EXCHANGE,
            timeout_s=_PUBLISH_TIMEOUT_S,
        )
