"""What a report must be before it is looked at: anything may be on a queue, and a database takes not everything."""

from __future__ import annotations

from hrnn_tuner.v1 import queue_pb2, training_job_pb2
from hrnn_tuner.wire_texts import placed_texts

#: Most characters of fields that become columns.
_LONGEST = {
    "worker_id": 128,
    "resource_class": 64,
    "tuning_job_id": 36,
    "token": 32,
    "metric_name": 255,
    "scheduler_id": 128,
}
_MAX_SLOTS = 100_000
_PHASES = (
    training_job_pb2.SECONDARY_STATE_DOWNLOADING,
    training_job_pb2.SECONDARY_STATE_TRAINING,
    training_job_pb2.SECONDARY_STATE_UPLOADING,
)
_NUL = "\0"
#: What algorithms and libraries say; it may hold anything.
_FREE_TEXTS = frozenset({"failure_reason", "problem"})


def complaint_about(report: queue_pb2.Report) -> str | None:
    """Says why no worker of ours sent this; None when one may have."""
    if report.WhichOneof("report") is None:
        return "empty report"
    for item in placed_texts(report):
        field = item.path.rpartition(".")[2]
        if _NUL in item.text and field not in _FREE_TEXTS:
            return f"{item.path} has a NUL character"
        longest = _LONGEST.get(field)
        if longest is not None and len(item.text) > longest:
            return f"{item.path} has {len(item.text)} characters; allowed: {longest}"
    if report.HasField("heartbeat") and not 0 <= report.heartbeat.slots <= _MAX_SLOTS:
        return f"heartbeat.slots is {report.heartbeat.slots}; allowed: 0 to {_MAX_SLOTS}"
    return _complaint_about_attempt(report.attempt) if report.HasField("attempt") else None


def _complaint_about_attempt(report: queue_pb2.AttemptReport) -> str | None:
    """The same about a report on an attempt."""
    if not report.worker_id:
        return "attempt.worker_id is missing"
    state = report.progressed.secondary_state
    if report.HasField("progressed") and state not in _PHASES:
        return f"attempt.progressed.secondary_state is {state}; allowed: {_PHASES}"
    cause = report.ended.failure_cause
    if cause not in training_job_pb2.FailureCause.values():
        return f"attempt.ended.failure_cause is {cause}, which there is not"
    return None


def clean(report: queue_pb2.Report) -> None:
    """Takes out of free texts what databases do not store."""
    if report.attempt.HasField("ended") and _NUL in report.attempt.ended.failure_reason:
        report.attempt.ended.failure_reason = report.attempt.ended.failure_reason.replace(_NUL, "")
