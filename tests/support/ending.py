"""What reports do to a tuning job, without a queue: metrics that are judged, and training jobs that end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.store import JobChange, MetricPoint, Store
from scheduler_service.completion import Completion
from scheduler_service.early_stopping import Judge

#: Gives a training job as it was and as it became.
End: TypeAlias = Callable[[JobChange], tuple[TrainingJob, TrainingJob]]


def report_points(store: Store, job_id: str, judge: Judge, points: Sequence[tuple[int, int, float]]) -> list[int]:
    """Workers report scores as (number, epoch, value), in one batch; returns who is to be stopped early by it."""
    now = utc_now()
    with store.write() as tx:
        change = tx.change(job_id, now)
        assert change is not None
        for number, epoch, value in points:
            job = change.training_job(number)
            assert job is not None
            change.add_metrics(job, [MetricPoint("score", epoch, value, job.attempt, now)])
        stopped = judge.judge(tx, change)
        change.write()
    return [job.number for job in stopped]


def end_training_jobs(
    store: Store,
    job_id: str,
    completion: Completion,
    ends: Sequence[End],
) -> None:
    """Training jobs end, in one batch."""
    with store.write() as tx:
        change = tx.change(job_id, utc_now())
        assert change is not None
        for end in ends:
            change.put(*end(change))
        completion.apply(change)
        change.write()


def completed(number: int, value: float) -> End:
    """A training job completes."""

    def end(change: JobChange) -> tuple[TrainingJob, TrainingJob]:
        before = change.training_job(number)
        assert before is not None
        return before, before.completed(value, {"score": value}, _artifact(before), change.now)

    return end


def kept(number: int, value: float) -> End:
    """A training job that was stopped early ends with its best model so far."""

    def end(change: JobChange) -> tuple[TrainingJob, TrainingJob]:
        before = change.training_job(number)
        assert before is not None
        return before, before.kept(value, {"score": value}, _artifact(before), change.now)

    return end


def _artifact(job: TrainingJob) -> str:
    """Where its current attempt leaves its model."""
    return f"/artifacts/{job.name}/attempt-{job.attempt}"
