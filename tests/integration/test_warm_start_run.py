"""Tuning jobs with parents, run to their end by a scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hrnn_tuner.domain.states import CompletionReason
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store
from hrnn_tuner.v1.explanation_pb2 import PROPOSAL_ORIGIN_PARENT, PROPOSAL_ORIGIN_START_DESIGN
from hrnn_tuner.wire_values import from_wire
from scheduler_service.proposing.parents import read_parents
from scheduler_service.service import SchedulerService
from tests.support.api import Api, definition_of, spec_of
from tests.support.bad_requests import categories, limits
from tests.support.invariants import check_invariants, read_training_jobs
from tests.support.simulated_worker import SimulatedWorker
from tests.support.waiting import wait_until

SETTINGS = Settings(lease_ttl_s=5, heartbeat_interval_s=0.2, planner_interval_s=0.1)
FLAGS = {"name": "flag", "values": [{"bool_value": True}, {"bool_value": False}]}


@contextmanager
def scheduler(api: Api) -> Iterator[None]:
    """A scheduler and a worker beside an API."""
    link, worker_link = api.hub.connect("scheduler"), api.hub.connect("worker")
    service = SchedulerService(SETTINGS, api.store, link)
    worker = SimulatedWorker(worker_link, slots=2, objective=lambda _: 0.5)
    service.start()
    worker.start()
    try:
        yield
    finally:
        worker.stop()
        service.stop()
        link.close()
        worker_link.close()


def finite(name: str, jobs: int, **fields: Any) -> dict[str, Any]:
    """A tuning job over six points."""
    spec = spec_of(name, **limits(jobs), **fields)
    ranges = [*categories("c", *"abc")["categorical_parameter_ranges"], FLAGS]
    definition_of(spec)["parameter_ranges"] = {"categorical_parameter_ranges": ranges}
    return spec


def run(api: Api, spec: dict[str, Any]) -> TuningJob:
    """Runs a tuning job to its end."""
    job_id = api.client.create_tuning_job(spec).tuning_job.id

    def row() -> TuningJob:
        with api.store.read() as tx:
            found = tx.tuning_jobs.get(job_id)
        assert found is not None
        return found

    wait_until(lambda: row().state.terminal, 60, f"{spec['name']} to end")
    return check_invariants(api.store, row())


def points(store: Store, job: TuningJob) -> list[tuple[Any, ...]]:
    return [tuple(sorted(row.proposal.hyperparameters.items())) for row in read_training_jobs(store, job.id)]


def test_a_finite_space_is_finished_by_children_without_a_repeat(api_on_each_database: Api) -> None:
    api = api_on_each_database
    warm = {"parent_tuning_job_names": ["parent"], "type": "WARM_START_TYPE_IDENTICAL_DATA_AND_ALGORITHM"}
    with scheduler(api):
        parent = run(api, finite("parent", 3))
        child = run(api, finite("child", 6, warm_start_config=warm))
        everything = warm | {"parent_tuning_job_names": ["parent", "child"]}
        last = run(api, finite("last", 2, warm_start_config=everything))
    assert child.completion_reason is CompletionReason.SPACE_EXHAUSTED
    tried = [*points(api.store, parent), *points(api.store, child)]
    assert len(tried) == len(set(tried)) == 6
    assert (last.completion_reason, last.counters.launched) == (CompletionReason.SPACE_EXHAUSTED, 0)


def test_a_history_has_the_parents_after_they_are_deleted(api_on_each_database: Api) -> None:
    api = api_on_each_database
    warm = {"parent_tuning_job_names": ["parent"], "type": "WARM_START_TYPE_TRANSFER_LEARNING"}
    with scheduler(api):
        parent = run(api, finite("parent", 2))
        child = run(api, finite("child", 1, warm_start_config=warm))
        api.client.delete_tuning_job("parent")
        wait_until(lambda: "parent" not in api.names, 30, "the parent to be deleted")
    with api.store.read() as tx:
        (found,) = read_parents(tx, child)
    assert found.name == parent.spec.name
    assert [(trial.number, trial.value, trial.inside, trial.same_rest) for trial in found.trials] == [
        (1, 0.5, True, True),
        (2, 0.5, True, True),
    ]
    assert found.like_own == ()


def test_a_bayesian_child_starts_with_the_best_of_its_parent_and_says_so(api_on_each_database: Api) -> None:
    api = api_on_each_database
    warm = {"parent_tuning_job_names": ["parent"], "type": "WARM_START_TYPE_TRANSFER_LEARNING"}
    with scheduler(api):
        parent = run(api, spec_of("parent", **limits(3)))
        run(api, spec_of("child", **limits(3), strategy="STRATEGY_BAYESIAN", warm_start_config=warm))
    best, *_ = read_training_jobs(api.store, parent.id)  # all are as good, so it is the first
    first, *others = api.client.explain_tuning_job("child").proposals
    assert first.origin == PROPOSAL_ORIGIN_PARENT
    assert {name: from_wire(value) for name, value in first.tuned_hyperparameters.items()} == dict(
        best.proposal.hyperparameters
    )
    assert {"parent": 1.0, "parent_training_job": 1.0, "parent_value": 0.5}.items() <= dict(first.figures).items()
    assert "'parent'" in first.explanation
    assert [item.origin for item in others] == [PROPOSAL_ORIGIN_START_DESIGN] * 2
