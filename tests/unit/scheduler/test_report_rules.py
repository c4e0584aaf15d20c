from __future__ import annotations

import pytest

from hrnn_tuner.v1 import queue_pb2, training_job_pb2
from scheduler_service.report_rules import clean, complaint_about


def report(worker_id: str = "w", token: str = "t", **event: object) -> queue_pb2.Report:
    ref = queue_pb2.AttemptRef(tuning_job_id="j", number=1, attempt=1, token=token)
    return queue_pb2.Report(attempt=queue_pb2.AttemptReport(ref=ref, worker_id=worker_id, **event))  # type: ignore[arg-type]


def metrics(name: str) -> queue_pb2.AttemptMetrics:
    return queue_pb2.AttemptMetrics(points=[training_job_pb2.MetricPoint(metric_name=name, step=1, value=1.0)])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (queue_pb2.Report(), "empty report"),
        (report(worker_id=""), "worker_id is missing"),
        (report(worker_id="w" * 129), "attempt.worker_id has 129 characters; allowed: 128"),
        (report(token="a\0"), "attempt.ref.token has a NUL"),
        (report(metrics=metrics("a\0b")), "attempt.metrics.points[0].metric_name has a NUL"),
        (report(metrics=metrics("m" * 256)), "256 characters; allowed: 255"),
        (report(progressed=queue_pb2.AttemptProgressed()), "secondary_state is 0; allowed"),
        (report(progressed=queue_pb2.AttemptProgressed(secondary_state=99)), "secondary_state is 99; allowed"),  # type: ignore[arg-type]
        (report(ended=queue_pb2.AttemptEnded(failure_cause=99)), "failure_cause is 99"),  # type: ignore[arg-type]
        (queue_pb2.Report(heartbeat=queue_pb2.WorkerHeartbeat(worker_id="w", slots=-1)), "heartbeat.slots is -1"),
    ],
)
def test_what_no_worker_sends_is_told(wrong: queue_pb2.Report, says: str) -> None:
    complaint = complaint_about(wrong)
    assert complaint is not None
    assert says in complaint


def test_what_workers_send_is_accepted_and_what_algorithms_say_is_cleaned() -> None:
    ended = queue_pb2.AttemptEnded(outcome=queue_pb2.AttemptEnded.OUTCOME_FAILED, failure_reason="a\0b")
    given = report(ended=ended)
    assert complaint_about(given) is None
    clean(given)
    assert given.attempt.ended.failure_reason == "ab"
    assert complaint_about(report(started=queue_pb2.AttemptStarted())) is None
    beat = queue_pb2.Report(heartbeat=queue_pb2.WorkerHeartbeat(worker_id="w", resource_class="gpu", slots=8))
    assert complaint_about(beat) is None
