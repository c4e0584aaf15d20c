"""What can be done with training jobs. Blocking; called on the database threads."""

from __future__ import annotations

from collections.abc import Collection

from api_service.tuning_jobs import find
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.errors import FailedPrecondition, NotFound
from hrnn_tuner.domain.states import TrainingJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.store import LogLine, MetricPoint, Page, Store, TrainingJobOrder, TrainingJobQuery, Transaction
from hrnn_tuner.store.paging import Cursor


def _find(tx: Transaction, project: str, name: str) -> TrainingJob:
    """Reads a training job of a project by name.

    Raises:
        NotFound: When there is none; those of other projects are not there either.
    """
    job = tx.training_jobs.by_name(project, name)
    if job is None:
        raise NotFound(f"there is no training job named {name!r}", metadata={"training_job": name})
    return job


def _tuning_job_name(tx: Transaction, job: TrainingJob) -> str:
    """Name of a training job's tuning job."""
    tuning_job = tx.tuning_jobs.get(job.tuning_job_id)
    if tuning_job is None:
        raise NotFound(f"there is no training job named {job.name!r}")
    return tuning_job.spec.name


class TrainingJobs:
    """The use cases, each in the project of its caller. Thread-safe."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Takes what they work with."""
        self._store = store
        self._clock = clock

    def get(self, project: str, name: str) -> tuple[TrainingJob, str]:
        """A training job, and its tuning job's name."""
        with self._store.read() as tx:
            job = _find(tx, project, name)
            return job, _tuning_job_name(tx, job)

    def page(
        self,
        project: str,
        tuning_job_name: str,
        *,
        order: TrainingJobOrder,
        descending: bool,
        state: TrainingJobState | None,
        after: Cursor | None,
        limit: int,
    ) -> tuple[Page[TrainingJob], str]:
        """A page of the training jobs of a tuning job, and the tuning job's name."""
        with self._store.read() as tx:
            tuning_job = find(tx, project, tuning_job_name)
            query = TrainingJobQuery(tuning_job.id, order, descending, state)
            return tx.training_jobs.page(query, after=after, limit=limit), tuning_job.spec.name

    def metrics(
        self, project: str, name: str, *, names: Collection[str], after: Cursor | None, limit: int
    ) -> Page[MetricPoint]:
        """A page of a training job's metric points."""
        with self._store.read() as tx:
            job = _find(tx, project, name)
            return tx.metrics.page(job.tuning_job_id, job.number, metrics=names, after=after, limit=limit)

    def log(self, project: str, name: str, *, attempt: int | None, after: Cursor | None, limit: int) -> Page[LogLine]:
        """A page of a training job's log."""
        with self._store.read() as tx:
            job = _find(tx, project, name)
            return tx.logs.page(job.tuning_job_id, job.number, attempt=attempt, after=after, limit=limit)

    def stop(self, project: str, name: str) -> tuple[TrainingJob, str]:
        """Asks one training job to stop.

        Raises:
            FailedPrecondition: When it has ended already otherwise.
        """
        with self._store.write() as tx:
            seen = _find(tx, project, name)
            change = tx.change(seen.tuning_job_id, self._clock())
            job = tx.training_jobs.get(seen.tuning_job_id, seen.number)
            if change is None or job is None:
                raise NotFound(f"there is no training job named {name!r}")
            if job.state in {TrainingJobState.COMPLETED, TrainingJobState.FAILED}:
                raise FailedPrecondition(f"training job {name!r} has ended already: it is {job.state.value}")
            stopped = job.stop_requested("a client asked for it", change.now)
            if stopped != job:
                change.decide("STOP_REQUESTED", job.number, "a client asked for it")
                change.put(job, stopped)
                change.write()
            return stopped, change.job.spec.name
