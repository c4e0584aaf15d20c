"""Publishes tasks from the outbox, with the broker's confirmation. A crash at any point publishes twice: harmless.

A task goes out straight after the commit that wrote it, from memory. Its row is removed a moment later, together with
others, so that the path from one training job's end to the next one's start holds no further transaction. What a
scheduler left behind when it died, or could not publish, is found in the table and published from there.
"""

from __future__ import annotations

import functools
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import structlog
from opentelemetry.trace import SpanKind

from hrnn_tuner.broker import Broker, Letter, Message, MessageUnroutable
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.store import OutboxMessage, Store, Transaction
from hrnn_tuner.telemetry.scheduler_metrics import TASKS_PUBLISHED
from hrnn_tuner.telemetry.tracing import HEADER, inject, span
from scheduler_service.outgoing import Outgoing

_LOG = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 10.0
#: Stays below what the database allows a transaction to pause.
_PUBLISH_TIMEOUT_S = 4.0
#: Most tasks whose confirmations are waited for together.
_BATCH = 64
#: Rows of published tasks are removed this long after; a training job that no worker took by then shows as queued.
SETTLE_S = 0.2
#: Pause between two looks for left-behind rows, and the age from which a row counts as one.
CLAIM_INTERVAL_S = 2.0
LEFT_BEHIND_AFTER = timedelta(seconds=2)

Claimed = tuple[int, OutboxMessage]


class Relay:
    """Owns the thread that publishes tasks; several schedulers may run one at a time."""

    def __init__(self, *, store: Store, broker: Broker, outgoing: Outgoing, clock: Clock) -> None:
        """Takes its collaborators; `start` starts the thread."""
        self._store = store
        self._broker = broker
        self._outgoing = outgoing
        self._clock = clock
        self._committed: queue.SimpleQueue[Claimed | None] = queue.SimpleQueue()
        self._published: list[Claimed] = []
        self._thread = threading.Thread(target=self._run, name="scheduler-relay", daemon=True)

    def start(self) -> None:
        """Starts publishing."""
        self._thread.start()

    def stop(self) -> None:
        """Publishes what was submitted, removes its rows and ends the thread."""
        self._committed.put(None)
        self._thread.join(_JOIN_TIMEOUT_S)

    def submit(self, committed: Iterable[Claimed]) -> None:
        """Hands over the outbox rows of a transaction that has been committed."""
        for item in committed:
            self._committed.put(item)

    def _run(self) -> None:
        """Publishes what is submitted at once; settles and looks for left-behind rows in between."""
        settle_at = claim_at = time.monotonic()
        while True:
            due = min(settle_at, claim_at) if self._published else claim_at
            try:
                item = self._committed.get(timeout=max(0.0, due - time.monotonic()))
                batch = [item]
                while len(batch) < _BATCH and not self._committed.empty():
                    batch.append(self._committed.get())
                tasks = [task for task in batch if task is not None]
                if not self._published:
                    settle_at = time.monotonic() + SETTLE_S
                self._guard(functools.partial(self._publish_committed, tasks))
                if len(tasks) < len(batch):
                    self._guard(self._settle)
                    return
            except queue.Empty:
                if self._published and time.monotonic() >= settle_at:
                    self._guard(self._settle)
                    settle_at = time.monotonic() + SETTLE_S
                if time.monotonic() >= claim_at:
                    self._guard(self._publish_left_behind)
                    claim_at = time.monotonic() + CLAIM_INTERVAL_S

    def _publish_committed(self, tasks: Sequence[Claimed]) -> None:
        """Publishes tasks that were just committed; what the broker does not take is found in the table later."""
        self._published += self._publish(tasks)

    def _guard(self, work: Callable[[], None]) -> None:
        """Runs a transaction; what it would have done is done the next time when the database is away."""
        try:
            work()
        except ServiceUnavailable as error:
            _LOG.warning("database is away, the outbox waits", error=str(error))
        except Exception:  # noqa: BLE001 - a thread of a service must outlive any single failure
            _LOG.exception("unexpected error in the relay")

    def _settle(self) -> None:
        """Removes the rows of published tasks and shows training jobs that still wait as queued."""
        settled = self._published
        with self._store.write() as tx:
            tx.outbox.remove([row_id for row_id, _ in settled])
            changed = self._mark_queued(tx, settled)
        failpoint("relay.settled")
        self._published = []
        for tuning_job_id in changed:
            self._outgoing.changed(tuning_job_id)

    def _publish_left_behind(self) -> None:
        """Publishes rows that nobody published for a while."""
        own = {row_id for row_id, _ in self._published}
        while True:
            with self._store.write() as tx:
                claimed = tx.outbox.claim(limit=_BATCH, before=self._clock() - LEFT_BEHIND_AFTER)
                published = [item for item in claimed if item[0] in own]
                published += self._publish([item for item in claimed if item[0] not in own])
                tx.outbox.remove([row_id for row_id, _ in published])
                changed = self._mark_queued(tx, published)
                failpoint("relay.left_behind")
            for tuning_job_id in changed:
                self._outgoing.changed(tuning_job_id)
            if len(published) < _BATCH:
                return

    def _publish(self, tasks: Sequence[Claimed]) -> list[Claimed]:
        """Publishes tasks in their order; returns those that the broker took."""
        failures = self._broker.publish_all([_letter(task) for _, task in tasks], timeout_s=_PUBLISH_TIMEOUT_S)
        published = []
        for item, failure in zip(tasks, failures, strict=True):
            if failure is None:
                failpoint("relay.confirmed")
                TASKS_PUBLISHED.labels("attempt" if item[1].attempt else "removal").inc()
                published.append(item)
            elif isinstance(failure, MessageUnroutable):
                _LOG.error("no queue for resource class", routing_key=item[1].routing_key)
            else:
                _LOG.warning("broker takes no tasks, they wait", error=str(failure))
        return published

    def _mark_queued(self, tx: Transaction, published: list[Claimed]) -> list[str]:
        """Shows published training jobs that no worker took as queued; returns the ids of the changed tuning jobs."""
        by_job: dict[str, list[OutboxMessage]] = {}
        for _, message in published:
            by_job.setdefault(message.correlation_id, []).append(message)
        changed = []
        for tuning_job_id, own in sorted(by_job.items()):
            change = tx.change(tuning_job_id, self._clock())
            if change is None:
                continue
            change.preload([message.number for message in own])
            for message in own:
                job = change.training_job(message.number)
                if job is not None and job.attempt == message.attempt:
                    change.put(job, job.queued(change.now))
            if change.changed:
                changed.append(tuning_job_id)
            change.write()
        return changed


def _letter(task: OutboxMessage) -> Letter:
    """A task, ready to be published, as a part of its tuning job's trace."""
    failpoint("relay.publishing")
    about: dict[str, str | int] = {"messaging.message.id": task.message_id, "tuning_job.id": task.correlation_id}
    with span("publish task", SpanKind.PRODUCER, parent={HEADER: task.trace}, attributes=about):
        message = Message(task.type, task.body, task.message_id, task.correlation_id, inject())
    return Letter(task.exchange, task.routing_key, message)
