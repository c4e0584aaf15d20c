"""Puts anything on every queue of a running scheduler and worker, and looks for defects in their logs."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from google.protobuf.message import Message as Proto
from hypothesis import strategies as st

from hrnn_tuner.broker import Broker, Message, MessageUnroutable
from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    DEAD_EXCHANGE,
    EVENTS_EXCHANGE,
    JOBS_EXCHANGE,
    JOBS_KEY,
    REPORTS_EXCHANGE,
    REPORTS_SHARD,
    TASKS_EXCHANGE,
    job_key,
    worker_key,
)
from hrnn_tuner.store import Store, TrainingJobQuery
from hrnn_tuner.v1 import queue_pb2, training_job_pb2
from tests.fuzz.messages import bodies, texts

_TYPES = [
    kind.DESCRIPTOR.full_name for kind in (queue_pb2.Report, queue_pb2.Task, queue_pb2.Control, queue_pb2.JobHint)
]


class Defects:
    """A structlog processor that keeps what services log when something unexpected happened."""

    def __init__(self) -> None:
        self.found: list[MutableMapping[str, Any]] = []

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        error = event.get("exc_info")
        if error:
            shown = traceback.format_exception(error) if isinstance(error, BaseException) else traceback.format_exc()
            self.found.append({**event, "exc_info": "".join(shown)[-3000:]})
        raise structlog.DropEvent


class QueueFuzzer:
    """Publishes on one broker.

    Args:
        broker: A link of its own.
        store: The scheduler's database: reports that carry the token of a running attempt are believed.
        tuning_job_id: A tuning job that runs.
        worker_id: A worker that listens for commands.
    """

    def __init__(self, broker: Broker, store: Store, tuning_job_id: str, worker_id: str) -> None:
        self._broker = broker
        self._store = store
        self._job_id = tuning_job_id
        self._worker_id = worker_id

    def _ref(self) -> queue_pb2.AttemptRef:
        """The newest attempt of the newest training job."""
        with self._store.read() as tx:
            rows = tx.training_jobs.page(TrainingJobQuery(self._job_id, descending=True), after=None, limit=1).rows
        if not rows:
            return queue_pb2.AttemptRef(tuning_job_id=self._job_id, number=1, attempt=1, token="token")
        job = rows[0]
        return queue_pb2.AttemptRef(tuning_job_id=self._job_id, number=job.number, attempt=job.attempt, token=job.token)

    def _seeds(self) -> dict[tuple[str, str], list[Proto]]:
        """By exchange and routing key, messages that mean something there."""
        ref = self._ref()

        def about(**event: Any) -> queue_pb2.Report:
            report = queue_pb2.AttemptReport(ref=ref, worker_id="fuzz", **event)
            return queue_pb2.Report(attempt=report)

        point = training_job_pb2.MetricPoint(metric_name="score", step=1, value=0.5, attempt=1)
        found = queue_pb2.Checkpoint(step=1, uri="/tmp/x", digest="d")
        ended = queue_pb2.AttemptEnded(outcome=queue_pb2.AttemptEnded.OUTCOME_COMPLETED, final_metrics={"score": 0.5})
        reports = [
            about(started=queue_pb2.AttemptStarted()),
            about(progressed=queue_pb2.AttemptProgressed(secondary_state=training_job_pb2.SECONDARY_STATE_TRAINING)),
            about(metrics=queue_pb2.AttemptMetrics(points=[point])),
            about(resumed=queue_pb2.AttemptResumed(step=1)),
            about(checkpointed=queue_pb2.AttemptCheckpointed(checkpoint=found)),
            about(ended=ended),
            queue_pb2.Report(
                heartbeat=queue_pb2.WorkerHeartbeat(worker_id="fuzz", resource_class="other", slots=4, running=[ref])
            ),
            queue_pb2.Report(probe=queue_pb2.IngestProbe(scheduler_id="s", sequence=1)),
        ]
        task = queue_pb2.Task(
            assignments=[queue_pb2.TrainingAssignment(ref=ref, training_job_name="t", algorithm="synthetic")]
        )
        control = queue_pb2.Control(ref=ref, command=queue_pb2.Control.COMMAND_STOP)
        hint = queue_pb2.JobHint(tuning_job_id=self._job_id)
        return {
            (REPORTS_EXCHANGE, REPORTS_SHARD): [*reports],
            (TASKS_EXCHANGE, "default"): [task],
            (CONTROL_EXCHANGE, worker_key(self._worker_id)): [control],
            (JOBS_EXCHANGE, JOBS_KEY): [hint],
            (EVENTS_EXCHANGE, job_key(self._job_id)): [hint],
            (DEAD_EXCHANGE, ""): [task, *reports[:1]],
        }

    def once(self, draw: Any) -> None:
        """One message."""
        seeds = self._seeds()
        exchange, key = draw(st.sampled_from(sorted(seeds)))
        body = draw(bodies(seeds[exchange, key], [self._job_id, "fuzz"]))
        right = type(seeds[exchange, key][0]).DESCRIPTOR.full_name
        kind = draw(st.sampled_from([right] * 5 + _TYPES) | texts())
        message = Message(kind[:60], body, message_id=draw(texts())[:60], headers={"traceparent": draw(texts())[:60]})
        with contextlib.suppress(MessageUnroutable):  # an exclusive queue whose owner has not subscribed yet
            self._broker.publish(exchange, key, message)
