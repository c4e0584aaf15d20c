"""What the database and the broker know, as metrics: read anew at each scrape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import structlog
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hrnn_tuner.broker import Broker, BrokerUnavailable
from hrnn_tuner.broker.topology import DEAD_QUEUE, JOBS_QUEUE, reports_queue, tasks_queue
from hrnn_tuner.domain.clock import Clock, utc_now
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store

_LOG = structlog.get_logger(__name__)


class Census(Collector):
    """Counts at each scrape. Every scheduler says the same, so dashboards take the maximum over them.

    What cannot be read is left out of the answer: an absent series is seen, a stale one is believed.
    """

    def __init__(self, store: Store, broker: Broker, *, settings: Settings, clock: Clock = utc_now) -> None:
        """Takes what it reads."""
        self._store = store
        self._broker = broker
        self._worker_ttl = timedelta(seconds=settings.lease_ttl_s)
        self._queues = [*map(tasks_queue, settings.resource_classes), reports_queue(), JOBS_QUEUE, DEAD_QUEUE]
        self._clock = clock

    def describe(self) -> Sequence[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        try:
            yield from self._of_database()
        except Exception as error:  # noqa: BLE001 - the other metrics are worth having, most of all now
            _LOG.warning("the database cannot be counted", error=str(error)[:500])
        try:
            yield self._of_broker()
        except BrokerUnavailable as error:
            _LOG.warning("the queues cannot be counted", error=str(error)[:500])

    def _of_database(self) -> Sequence[Metric]:
        """What the tables say."""
        now = self._clock()
        with self._store.read() as tx:
            states = tx.tuning_jobs.count_by_state()
            depth, oldest = tx.outbox.backlog()
            slots = tx.workers.slots(seen_after=now - self._worker_ttl)
        jobs = GaugeMetricFamily("hrnn_tuner_tuning_jobs", "Tuning jobs by state", labels=["state"])
        for state, count in states.items():
            jobs.add_metric([state.value], count)
        live = GaugeMetricFamily("hrnn_tuner_live_slots", "Slots of the workers that are alive", labels=["class"])
        for resource_class, number in slots.items():
            live.add_metric([resource_class], number)
        age = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
        return [
            jobs,
            live,
            GaugeMetricFamily("hrnn_tuner_outbox_messages", "Tasks whose publication is not settled", value=depth),
            GaugeMetricFamily("hrnn_tuner_outbox_oldest_seconds", "Age of the oldest of them", value=age),
        ]

    def _of_broker(self) -> Metric:
        """How much waits in the queues."""
        ready = GaugeMetricFamily("hrnn_tuner_queue_messages_ready", "Messages that wait in a queue", labels=["queue"])
        for queue in self._queues:
            ready.add_metric([queue], self._broker.depth(queue))
        return ready


@contextmanager
def registered(census: Census) -> Iterator[None]:
    """Counts at each scrape while the block runs."""
    REGISTRY.register(census)
    try:
        yield
    finally:
        REGISTRY.unregister(census)
