"""Checks a tuning job against its own event log: what must hold at every commit."""

from __future__ import annotations

from hrnn_tuner.domain.states import CompletionReason, TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Event, Store, TrainingJobQuery
from tests.support.event_log import EventLogChecker, recount

PAGE = 1000


def read_events(store: Store, tuning_job_id: str) -> list[Event]:
    """The whole event log."""
    events: list[Event] = []
    while True:
        with store.read() as tx:
            page = tx.events.after(tuning_job_id, events[-1].revision if events else 0, limit=PAGE)
        events += page
        if len(page) < PAGE:
            return events


def read_training_jobs(store: Store, tuning_job_id: str) -> list[TrainingJob]:
    """All training jobs, by number."""
    with store.read() as tx:
        return list(tx.training_jobs.page(TrainingJobQuery(tuning_job_id), after=None, limit=100_000).rows)


def check_invariants(store: Store, job: TuningJob) -> TuningJob:
    """Checks limits, counters, best and event log of a tuning job; returns it as it is now.

    Invariants 1 to 5, 7, 11 and 12 of the design, at every revision, and that the log ends with the rows.
    """
    with store.read() as tx:
        current = tx.tuning_jobs.get(job.id)
    assert current is not None
    log = EventLogChecker(current)
    log.feed(read_events(store, job.id))
    rows = read_training_jobs(store, job.id)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert recount(rows) == current.counters
    status = log.status
    assert status is not None
    assert log.revision == current.revision
    assert (status.state, status.counters, status.best_number, status.completion_details) == (
        current.state,
        current.counters,
        current.best_number,
        current.completion_details,
    ), "the log ends with the row"
    if current.state is TuningJobState.COMPLETED and current.completion_reason is CompletionReason.MAX_JOBS:
        assert current.counters.launched == current.spec.limits.max_training_jobs
    return current
