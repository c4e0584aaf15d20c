"""What the scheduler does to a tuning job, in single steps, for tests without one."""

from __future__ import annotations

from collections.abc import Sequence

from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.search_space import Value
from hrnn_tuner.domain.states import SecondaryState
from hrnn_tuner.domain.training_job import Proposal, TrainingJob, Transition
from hrnn_tuner.store import MetricPoint, Store


def launch(
    store: Store, job_id: str, count: int, *, proposal: Proposal | None = None, **hyperparameters: Value
) -> list[TrainingJob]:
    """Launches training jobs, of one proposal or of random ones."""
    now = utc_now()
    with store.write() as tx:
        change = tx.change(job_id, now)
        assert change is not None
        launched = []
        for number in range(change.job.counters.launched + 1, change.job.counters.launched + 1 + count):
            job = TrainingJob(
                tuning_job_id=job_id,
                number=number,
                name=f"{change.job.spec.name}-{number:03d}-{job_id[-8:]}",
                definition_name="",
                proposal=proposal or Proposal({"x": number / 100}, "RANDOM", 1),
                hyperparameters={
                    "x": number / 100,
                    "flag": False,
                    **hyperparameters,
                    **({} if proposal is None else proposal.hyperparameters),
                },
                secondary=SecondaryState.PENDING,
                attempt=1,
                token=f"token-{number}",
                created_at=now,
                transitions=(Transition(SecondaryState.PENDING, now, 1),),
            )
            change.decide("PROPOSED", number, "test")
            change.launch(job)
            launched.append(job)
        change.write()
    return launched


def start(store: Store, job_id: str, number: int, *, points: int = 0) -> None:
    """A worker takes a training job and reports some epochs."""
    now = utc_now()
    with store.write() as tx:
        change = tx.change(job_id, now)
        assert change is not None
        before = change.training_job(number)
        assert before is not None
        after = before.started("worker", now)
        change.put(before, after)
        change.add_metrics(after, [MetricPoint("score", step, step / 10, 1, now) for step in range(1, points + 1)])
        change.write()


def finish(store: Store, job_id: str, number: int, value: float) -> None:
    """A training job completes."""
    now = utc_now()
    with store.write() as tx:
        change = tx.change(job_id, now)
        assert change is not None
        before = change.training_job(number)
        assert before is not None
        change.put(before, before.completed(value, {"score": value}, f"/artifacts/{number}", now))
        change.write()


def complete(store: Store, job_id: str, values: Sequence[float]) -> None:
    """Runs a tuning job to its end, one training job after the other."""
    for value in values:
        (job,) = launch(store, job_id, 1)
        start(store, job_id, job.number, points=2)
        finish(store, job_id, job.number, value)
