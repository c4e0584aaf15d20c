"""Proposals that are made in a process of their own, by the real scheduler with the Bayesian strategy."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace

import pytest

from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.early_stopping import HyperbandConfig
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, SearchSpace
from hrnn_tuner.domain.states import CompletionReason, TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import StrategyName
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import queue_pb2
from scheduler_service.proposing.sequences import own_history, own_seed
from scheduler_service.proposing.strategy_process import StrategyFailed, StrategyProcess
from scheduler_service.strategies import strategy_for
from scheduler_service.strategies.bayesian.recipe import Recipe
from tests.support.invariants import read_training_jobs
from tests.support.scheduling import running, wait_for_end
from tests.support.tuning import create_job, make_spec
from tests.support.waiting import wait_until

RANGES = (ContinuousRange("x", 0.0, 1.0),)
START = Recipe().start.count


@pytest.fixture
def hub() -> InMemoryHub:
    return InMemoryHub(build_topology(["default"]))


def peak_at_a_third(assignment: queue_pb2.TrainingAssignment) -> float:
    return -((assignment.hyperparameters["x"].double_value - 1 / 3) ** 2)


def learnt(rows: list[TrainingJob]) -> list[TrainingJob]:
    return [row for row in rows if "acquisition_value" in row.proposal.figures]


def test_a_bayesian_job_learns_from_its_results_and_one_at_a_time_its_proposals_can_be_made_again(
    store: Store, hub: InMemoryHub
) -> None:
    spec = make_spec(strategy=StrategyName.BAYESIAN, max_training_jobs=START + 4, max_parallel=1, ranges=RANGES)
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, objective=peak_at_a_third, train_s=0.2):
        ended = wait_for_end(store, job, timeout_s=110)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.MAX_JOBS)
    rows = read_training_jobs(store, job.id)
    assert len(learnt(rows)) >= 3
    last = rows[-1]
    (definition,) = spec.definitions
    with store.read() as tx:
        trials = [(name, trial) for name, trial in tx.training_jobs.trials(job.id) if trial.number < last.number]

    history = own_history(definition, trials)
    (again,) = strategy_for(spec.strategy).propose(history, [last.number], own_seed(spec, definition))
    assert last.proposal.hyperparameters == again.hyperparameters, "it knew all results, however short they were"


def test_two_schedulers_and_a_strategy_process_that_is_killed_leave_every_limit_as_it_is(
    store: Store, hub: InMemoryHub
) -> None:
    spec = make_spec(strategy=StrategyName.BAYESIAN, max_training_jobs=START + 5, max_parallel=3, ranges=RANGES)
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, schedulers=2, slots=3, objective=peak_at_a_third, train_s=0.3):
        wait_until(lambda: bool(multiprocessing.active_children()), 60, "a strategy process to start")
        for process in multiprocessing.active_children():
            process.kill()
        wait_for_end(store, job, timeout_s=110)
    rows = read_training_jobs(store, job.id)
    points = {row.proposal.hyperparameters["x"] for row in rows}
    assert (len(rows), len(points)) == (START + 5, START + 5)


def test_a_small_space_is_exhausted_and_said_to_be(store: Store, hub: InMemoryHub) -> None:
    spec = make_spec(strategy=StrategyName.BAYESIAN, max_training_jobs=100, max_parallel=2, ranges=RANGES)
    small = SearchSpace((CategoricalRange("k", tuple(range(1, START + 4))),))
    spec = replace(spec, definitions=(replace(spec.definitions[0], space=small),))
    job = create_job(store, spec, now=utc_now())
    with running(store, hub):
        ended = wait_for_end(store, job, timeout_s=110)
    assert ended.completion_reason is CompletionReason.SPACE_EXHAUSTED
    assert len({row.proposal.hyperparameters["k"] for row in read_training_jobs(store, job.id)}) == START + 3


def test_where_a_model_fails_and_training_jobs_pause_what_takes_its_place_pauses_too(
    store: Store, hub: InMemoryHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StrategyFailed("out of memory")

    monkeypatch.setattr(StrategyProcess, "propose", fails)
    levels = HyperbandConfig(1, 9)
    spec = make_spec(strategy=StrategyName.BAYESIAN_ASHA, max_training_jobs=START + 4, hyperband=levels, ranges=RANGES)
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, objective=peak_at_a_third):
        wait_for_end(store, job, timeout_s=110)
    instead = [row for row in read_training_jobs(store, job.id) if " failed (" in row.proposal.explanation]
    assert instead
    assert all(row.proposal.until_epoch is not None for row in instead)
    assert instead[0].proposal.explanation.startswith("BAYESIAN_ASHA failed (out of memory); ")
