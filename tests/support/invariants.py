"""Checks a tuning job against its own event log: what must hold at every commit."""

from __future__ import annotations

from hrnn_tuner.domain.objective import best_number
from hrnn_tuner.domain.states import SecondaryState, TrainingJobState, TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import Counters, TuningJob
from hrnn_tuner.store import Event, EventKind, Store, TrainingJobQuery, codec

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


def recount(jobs: list[TrainingJob]) -> Counters:
    """The counters that these training jobs give."""
    counters = Counters()
    for job in jobs:
        counters = counters.moved(None, job)
    return counters


def _check_end(job: TrainingJob, stopped_early: set[int]) -> None:
    """What is known of a training job fits how it ended."""
    if job.secondary is SecondaryState.EARLY_STOPPED:
        assert job.number in stopped_early, f"{job.name} was stopped early without a decision"
        assert job.stopping_rule
    else:
        assert not (job.state is TrainingJobState.COMPLETED and job.stopping_rule)
    with_model = job.secondary in {
        SecondaryState.COMPLETED,
        SecondaryState.EARLY_STOPPED,
        SecondaryState.MAX_RUNTIME_EXCEEDED,
    }
    assert (job.final_objective is not None) == (job.artifact_uri != ""), f"{job.name}: an objective value has a model"
    assert with_model or job.final_objective is None, f"{job.name} has an objective value though it was stopped"


def check_invariants(store: Store, job: TuningJob) -> TuningJob:
    """Checks limits, counters, best and event log of a tuning job; returns it as it is now.

    Invariants 1, 2, 3, 5 and 12 of the design, at every revision.
    """
    with store.read() as tx:
        current = tx.tuning_jobs.get(job.id)
    assert current is not None
    limits = current.spec.limits
    seen: dict[int, TrainingJob] = {}
    stopped_early: set[int] = set()
    ended: dict[int, TrainingJob] = {}
    status: TuningJob | None = None
    for position, event in enumerate(read_events(store, job.id), start=1):
        assert event.revision == position, "revisions follow each other without a gap"
        if event.kind is EventKind.TRAINING_JOB:
            training_job = codec.training_job_from_json(job.id, event.body)
            assert training_job.number not in ended, f"{training_job.name} changed after its end"
            seen[training_job.number] = training_job
            if not training_job.active:
                ended[training_job.number] = training_job
                _check_end(training_job, stopped_early)
        elif event.kind is EventKind.DECISION and event.body["kind"] == "EARLY_STOPPED":
            assert event.body["number"] not in stopped_early, "a training job is stopped early once"
            assert event.body["figures"], "a decision shows its figures"
            stopped_early.add(event.body["number"])
        elif event.kind is EventKind.TUNING_JOB:
            status = codec.status_from_json(current, event.body, event.revision)
            assert status.counters == recount(list(seen.values())), f"counters at revision {position}"
            assert status.counters.in_progress <= limits.max_parallel, f"parallel limit at revision {position}"
            assert status.counters.launched <= limits.max_training_jobs, f"budget at revision {position}"
            finals = [(number, item.final_objective) for number, item in seen.items()]
            assert status.best_number == best_number(current.spec.objective, finals), f"best at revision {position}"
    rows = read_training_jobs(store, job.id)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert recount(rows) == current.counters
    assert status is not None
    assert (status.state, status.counters, status.best_number, status.completion_details) == (
        current.state,
        current.counters,
        current.best_number,
        current.completion_details,
    ), "the log ends with the row"
    if current.state is TuningJobState.COMPLETED and current.completion_reason.value == "MAX_JOBS":  # type: ignore[union-attr]
        assert current.counters.launched == limits.max_training_jobs
    return current
