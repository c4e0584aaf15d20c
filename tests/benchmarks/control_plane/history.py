"""Tuning jobs that have come far already: their training jobs are written as the scheduler writes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.domain.states import SecondaryState
from hrnn_tuner.store import MetricPoint, Store
from scheduler_service.planner import training_job_name
from scheduler_service.strategies import History, RandomStrategy
from tests.benchmarks.control_plane.algorithm import ALGORITHM, METRIC, RANGES
from tests.support.tuning import make_job, make_spec

#: No tuning job of the benchmark comes to its end by itself.
MORE = 1_000_000
EPOCHS = 3


def create_with_history(store: Store, name: str, size: int, *, max_parallel: int, paused: bool = False) -> TuningJob:
    """Stores a tuning job with ``size`` completed training jobs.

    Each has the events of its life and the metric points of a few epochs. It is one transaction: no scheduler sees a
    part of it.
    """
    now = utc_now() - timedelta(seconds=1)
    spec = make_spec(name, max_training_jobs=size + MORE, max_parallel=max_parallel, ranges=RANGES, seed=1)
    definition = replace(spec.definitions[0], algorithm=ALGORITHM.name, static_hyperparameters={})
    job = make_job(replace(spec, definitions=(definition,)), now=now)
    proposals = RandomStrategy().propose(
        History(definition.space, definition.objective), range(1, size + 1), job.spec.seed
    )
    with store.write() as tx:
        change = tx.create(job, request_id=None, request_hash=None)
        for number, proposal in enumerate(proposals, start=1):
            training_job = TrainingJob(
                tuning_job_id=job.id,
                number=number,
                name=training_job_name(job, number),
                definition_name=definition.name,
                proposal=proposal,
                hyperparameters=definition.resolve(proposal.hyperparameters),
                secondary=SecondaryState.PENDING,
                attempt=1,
                token=f"{number:032x}",
                created_at=now,
            )
            change.decide("PROPOSED", number, proposal.explanation)
            change.launch(training_job)
            started = training_job.started("earlier", now, None)
            change.put(training_job, started)
            change.add_metrics(
                started, [MetricPoint(METRIC, step, step / number, 1, now) for step in range(1, EPOCHS + 1)]
            )
            ended = started.completed(1 / number, {METRIC: 1 / number}, f"/tmp/artifacts/{number}", now)
            change.put(started, ended)
        change.write()
    return change.job
