"""Publishes the outbox: with the broker's confirmation, then deleted. A crash in between publishes twice: harmless."""

from __future__ import annotations

import structlog

from hrnn_tuner.broker import Broker, BrokerUnavailable, Message, MessageRefused, MessageUnroutable
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.store import OutboxMessage, Store, Transaction
from scheduler_service.outgoing import Outgoing

_LOG = structlog.get_logger(__name__)
BATCH_SIZE = 32
_PUBLISH_TIMEOUT_S = 5.0


class Relay:
    """Moves tasks from the outbox to the broker; several may run at a time, on several schedulers."""

    def __init__(self, *, store: Store, broker: Broker, outgoing: Outgoing, clock: Clock) -> None:
        """Takes its collaborators."""
        self._store = store
        self._broker = broker
        self._outgoing = outgoing
        self._clock = clock

    def run(self) -> None:
        """Publishes until the outbox is empty or the broker takes nothing."""
        while True:
            with self._store.write() as tx:
                claimed = tx.outbox.claim(limit=BATCH_SIZE)
                published = []
                for row_id, message in claimed:
                    if not self._publish(message):
                        break
                    published.append((row_id, message))
                tx.outbox.remove([row_id for row_id, _ in published])
                changed = self._mark_queued(tx, [message for _, message in published])
            for tuning_job_id in changed:
                self._outgoing.changed(tuning_job_id)
            if len(published) < BATCH_SIZE:
                return

    def _publish(self, message: OutboxMessage) -> bool:
        """Publishes one task; False when the broker did not take it."""
        try:
            self._broker.publish(
                message.exchange,
                message.routing_key,
                Message(message.type, message.body, message.message_id, message.correlation_id),
                timeout_s=_PUBLISH_TIMEOUT_S,
            )
        except MessageUnroutable:
            _LOG.error("no queue for resource class", routing_key=message.routing_key)
            return False
        except (BrokerUnavailable, MessageRefused) as error:
            _LOG.warning("broker takes no tasks, they wait", error=str(error))
            return False
        return True

    def _mark_queued(self, tx: Transaction, messages: list[OutboxMessage]) -> list[str]:
        """Shows published training jobs as queued; returns the ids of their tuning jobs."""
        by_job: dict[str, list[OutboxMessage]] = {}
        for message in messages:
            by_job.setdefault(message.correlation_id, []).append(message)
        for tuning_job_id, own in sorted(by_job.items()):
            change = tx.change(tuning_job_id, self._clock())
            if change is None:
                continue
            for message in own:
                job = tx.training_jobs.get(tuning_job_id, message.number)
                if job is not None and job.attempt == message.attempt:
                    change.put(job, job.queued(change.now))
            change.write()
        return list(by_job)
