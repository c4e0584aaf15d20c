"""Wake-up hints, in both directions. Losing one costs a poll."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from concurrent.futures import Executor, ThreadPoolExecutor

import structlog
from google.protobuf.message import DecodeError

from hrnn_tuner.broker import Broker, BrokerUnavailable, Delivery, Message, MessageRefused, Subscription
from hrnn_tuner.broker.topology import EVENTS_EXCHANGE, JOBS_EXCHANGE, JOBS_KEY
from hrnn_tuner.v1 import queue_pb2

_LOG = structlog.get_logger(__name__)
_PUBLISH_TIMEOUT_S = 2.0
#: Tuning jobs whose hint waits to be sent; beyond it hints are dropped, and the scheduler's poll finds the change.
_MAX_PENDING = 1000
_HINT_TYPE = queue_pb2.JobHint.DESCRIPTOR.full_name


class JobHints:
    """Tells the scheduler that it has something to do, and wakes the streams of a tuning job that has new events."""

    def __init__(self, broker: Broker, executor: Executor) -> None:
        """Takes the broker, and threads for subscribing."""
        self._broker = broker
        self._executor = executor
        # A thread of its own: while the broker is slow or away, publishing must not take those of the database.
        self._publisher = ThreadPoolExecutor(1, thread_name_prefix="api-hints")
        self._pending: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Subscribes; returns at once when the broker is away, and subscribes when it is back."""
        self._loop = asyncio.get_running_loop()
        self._subscription = await self._loop.run_in_executor(
            self._executor, self._broker.subscribe_exclusive, EVENTS_EXCHANGE, ["job.#"], self._receive
        )

    async def stop(self) -> None:
        """Unsubscribes; hints that were not sent yet are dropped."""
        self._publisher.shutdown(wait=False, cancel_futures=True)
        if self._subscription is not None and self._loop is not None:
            await self._loop.run_in_executor(self._executor, self._subscription.cancel)

    def changed(self, tuning_job_id: str) -> None:
        """Sends the scheduler a hint, without waiting for it; wakes this replica's own streams at once."""
        self._wake(tuning_job_id)
        if tuning_job_id in self._pending or len(self._pending) >= _MAX_PENDING:
            return
        self._pending.add(tuning_job_id)
        self._publisher.submit(self._publish, tuning_job_id)

    @property
    def listeners(self) -> int:
        """Number of streams that wait for events."""
        return sum(len(events) for events in self._waiting.values())

    def listen(self, tuning_job_id: str, event: asyncio.Event) -> None:
        """Sets an event whenever a tuning job may have new events."""
        self._waiting[tuning_job_id].add(event)

    def unlisten(self, tuning_job_id: str, event: asyncio.Event) -> None:
        """Undoes `listen`."""
        self._waiting[tuning_job_id].discard(event)
        if not self._waiting[tuning_job_id]:
            del self._waiting[tuning_job_id]

    def _publish(self, tuning_job_id: str) -> None:
        """Publishes one hint."""
        self._pending.discard(tuning_job_id)  # before sending: a change from now on needs another hint
        if not self._broker.connected:
            return
        body = queue_pb2.JobHint(tuning_job_id=tuning_job_id).SerializeToString()
        message = Message(_HINT_TYPE, body, correlation_id=tuning_job_id, persistent=False)
        try:
            self._broker.publish(JOBS_EXCHANGE, JOBS_KEY, message, mandatory=False, timeout_s=_PUBLISH_TIMEOUT_S)
        except (BrokerUnavailable, MessageRefused) as error:
            _LOG.info("hint lost, the scheduler will look by itself", error=str(error))

    def _receive(self, delivery: Delivery) -> None:
        """A hint from a scheduler, on the broker's thread."""
        try:
            hint = queue_pb2.JobHint.FromString(delivery.message.body)
        except DecodeError:
            _LOG.warning("garbage among the events", type=delivery.message.type)
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, hint.tuning_job_id)

    def _wake(self, tuning_job_id: str) -> None:
        """Wakes the streams of a tuning job; on the loop."""
        for event in self._waiting.get(tuning_job_id, ()):
            event.set()
