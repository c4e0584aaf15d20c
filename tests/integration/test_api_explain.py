"""What a tuning job's search has learnt and why its training jobs were proposed, through the API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc
import pytest

from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.client import NotFoundError
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.completion import CompletionCriteria
from hrnn_tuner.domain.early_stopping import HyperbandConfig
from hrnn_tuner.domain.search_space import CategoricalRange, Condition, ContinuousRange, IntegerRange, SearchSpace
from hrnn_tuner.domain.tuning_job import StrategyName, TuningJobSpec
from hrnn_tuner.v1 import explanation_pb2 as pb
from hrnn_tuner.v1 import queue_pb2
from hrnn_tuner.v1.training_job_pb2 import (
    OBJECTIVE_STATUS_FAILED,
    OBJECTIVE_STATUS_PENDING,
    OBJECTIVE_STATUS_SUCCEEDED,
)
from hrnn_tuner.v1.tuning_service_pb2 import ExplainTuningJobRequest, ExplainTuningJobResponse
from scheduler_service.strategies.bayesian.recipe import Recipe
from tests.support.api import Api, spec_of
from tests.support.scheduling import running, wait_for_end
from tests.support.simulated_worker import Faults
from tests.support.tuning import create_job, make_spec
from tests.support.tuning_life import finish, launch, start

TWO = (ContinuousRange("x", 0.0, 1.0), IntegerRange("k", 1, 10, grid_points=4))
GRID = (ContinuousRange("x", 0.0, 1.0, grid_points=3), IntegerRange("k", 1, 10, grid_points=4))
START = Recipe().start.count


def mostly_x(assignment: queue_pb2.TrainingAssignment) -> float:
    """An objective of which k is a small part."""
    given = assignment.hyperparameters
    return -10.0 * (given["x"].double_value - 0.3) ** 2 - 0.01 * given["k"].integer_value


def ran(api: Api, spec: TuningJobSpec, **worker: object) -> ExplainTuningJobResponse:
    """The explanation of a tuning job that a scheduler brought to its end."""
    job = create_job(api.store, spec, now=utc_now())
    fields: dict[str, object] = {"objective": mostly_x} | worker
    with running(api.store, InMemoryHub(build_topology(["default"])), **fields):  # type: ignore[arg-type]
        wait_for_end(api.store, job, timeout_s=110)
    return api.client.explain_tuning_job(spec.name)


def test_a_bayesian_job_says_what_matters_and_why_each_proposal(api_on_each_database: Api) -> None:
    spec = make_spec(strategy=StrategyName.BAYESIAN, max_training_jobs=START + 5, max_parallel=2, ranges=TWO, seed=2)
    explanation = ran(api_on_each_database, spec, train_s=0.3)
    (insight,) = explanation.insights
    assert (insight.objective.metric_name, insight.observed, insight.failed, insight.pending) == ("score", 11, 0, 0)
    assert [entry.name for entry in insight.importances] == ["x", "k"]
    assert insight.importances[0].main_effect > 0.8
    assert insight.explained_variance > 0.5
    assert insight.predicted_best.tuned_hyperparameters["x"].double_value == pytest.approx(0.3, abs=0.1)
    assert insight.predicted_best.standard_deviation > 0
    assert insight.note == ""

    origins = [item.origin for item in explanation.proposals]
    assert origins == [pb.PROPOSAL_ORIGIN_START_DESIGN] * START + [pb.PROPOSAL_ORIGIN_MODEL] * 5
    for item in explanation.proposals[START:]:
        assert item.intent in {pb.PROPOSAL_INTENT_EXPLORE, pb.PROPOSAL_INTENT_EXPLOIT}
        assert (item.intent == pb.PROPOSAL_INTENT_EXPLOIT) == (item.predicted_mean > item.best_observed)
        assert item.predicted_standard_deviation > 0
        assert item.figures["acquisition_value"] == item.acquisition_value
        assert item.objective_status == OBJECTIVE_STATUS_SUCCEEDED
    assert not explanation.proposals[0].HasField("predicted_mean")
    assert "start design" in explanation.proposals[0].explanation
    assert explanation.decisions[0].kind == "CREATED"
    assert (explanation.decisions[-1].kind, explanation.decisions[-1].explanation) == ("COMPLETED", "MAX_JOBS")


@pytest.mark.parametrize(
    ("strategy", "origin"),
    [
        (StrategyName.RANDOM, pb.PROPOSAL_ORIGIN_RANDOM),
        (StrategyName.SOBOL, pb.PROPOSAL_ORIGIN_SEQUENCE),
        (StrategyName.GRID, pb.PROPOSAL_ORIGIN_GRID),
    ],
)
def test_importance_does_not_need_a_strategy_with_a_model(
    api: Api, strategy: StrategyName, origin: pb.ProposalOrigin
) -> None:
    ranges = GRID if strategy is StrategyName.GRID else TWO
    explanation = ran(api, make_spec(strategy=strategy, max_training_jobs=12, max_parallel=3, ranges=ranges))
    (insight,) = explanation.insights
    assert [entry.name for entry in insight.importances] == ["x", "k"]
    assert insight.HasField("predicted_best")
    assert {item.origin for item in explanation.proposals} == {origin}
    assert [item.training_job_number for item in explanation.proposals] == list(range(1, 13))


def test_failed_training_jobs_are_counted_and_explained(api: Api) -> None:
    spec = make_spec(max_training_jobs=14, max_parallel=2, ranges=TWO, max_attempts=1)
    explanation = ran(api, spec, faults=Faults(fail=0.4))
    (insight,) = explanation.insights
    failed = [item for item in explanation.proposals if item.objective_status == OBJECTIVE_STATUS_FAILED]
    assert 0 < len(failed) == insight.failed
    assert insight.observed == 14 - len(failed)
    assert not any(item.HasField("final_objective_value") for item in failed)


def test_hyperparameters_that_do_not_apply_are_absent_from_every_part(api: Api) -> None:
    ranges = (
        CategoricalRange("c", ("a", "b")),
        ContinuousRange("x", 0.0, 1.0, condition=Condition("c", ("b",))),
    )

    def objective(assignment: queue_pb2.TrainingAssignment) -> float:
        given = assignment.hyperparameters
        return 1.0 + given["x"].double_value if given["c"].string_value == "b" else 0.0

    explanation = ran(api, make_spec(max_training_jobs=20, max_parallel=4, ranges=ranges), objective=objective)
    (insight,) = explanation.insights
    assert [entry.name for entry in insight.importances] == ["c", "x"]
    for item in explanation.proposals:
        applies = item.tuned_hyperparameters["c"].string_value == "b"
        assert ("x" in item.tuned_hyperparameters) == applies
    assert insight.predicted_best.tuned_hyperparameters["c"].string_value == "b"


def test_each_definition_has_an_insight_of_its_own(api: Api) -> None:
    spec = make_spec(max_training_jobs=20, max_parallel=2, ranges=TWO)
    (first,) = spec.definitions
    second = replace(first, name="second", space=SearchSpace((ContinuousRange("x", 0.0, 1.0),)))
    explanation = ran(api, replace(spec, definitions=(replace(first, name="first"), second)))
    assert [insight.definition_name for insight in explanation.insights] == ["first", "second"]
    assert sum(insight.observed for insight in explanation.insights) == 20
    for insight in explanation.insights:
        own = [item for item in explanation.proposals if item.definition_name == insight.definition_name]
        assert len(own) == insight.observed
        names = ["x", "k"] if insight.definition_name == "first" else ["x"]
        assert [entry.name for entry in insight.importances] in (names, [])


def test_the_rule_that_stopped_a_training_job_is_there_with_its_figures(api: Api) -> None:
    config = HyperbandConfig(2, 18)
    spec = make_spec(
        max_training_jobs=12, strategy=StrategyName.HYPERBAND, hyperband=config, static={"epochs": 30}, ranges=TWO
    )
    explanation = ran(api, spec, epochs=30, train_s=0.6)
    stops = [entry for item in explanation.proposals for entry in item.decisions if entry.kind == "EARLY_STOPPED"]
    assert stops
    assert all(entry.explanation.startswith("HYPERBAND: ") and "epoch" in entry.figures for entry in stops)
    assert {item.origin for item in explanation.proposals} == {pb.PROPOSAL_ORIGIN_RANDOM}


def test_the_criterion_that_ended_a_tuning_job_is_there_with_its_figures(api: Api) -> None:
    spec = make_spec(max_training_jobs=50, ranges=TWO, completion=CompletionCriteria(target_value=-8.0))
    explanation = ran(api, spec)
    (reached,) = [entry for entry in explanation.decisions if entry.kind == "TARGET_REACHED"]
    assert reached.figures["target"] == -8.0
    assert reached.figures["value"] >= -8.0


def test_few_results_give_a_statement_and_pending_training_jobs_are_shown(api: Api) -> None:
    job = create_job(api.store, make_spec(ranges=(ContinuousRange("x", 0.0, 1.0),)), now=utc_now())
    launch(api.store, job.id, 2)
    start(api.store, job.id, 1)
    finish(api.store, job.id, 1, 0.5)
    explanation = api.client.explain_tuning_job("JOB")
    (insight,) = explanation.insights
    assert (insight.observed, insight.pending) == (1, 1)
    assert insight.note == "at least 5 training jobs with an objective value are needed; there are 1"
    assert not insight.importances
    assert not insight.HasField("predicted_best")
    first, second = explanation.proposals
    assert (first.final_objective_value, second.objective_status) == (0.5, OBJECTIVE_STATUS_PENDING)
    assert [entry.kind for entry in first.decisions] == ["BEST"]


def test_a_new_result_changes_what_was_learnt(api: Api) -> None:
    ranges = (ContinuousRange("x", 0.0, 1.0),)
    job = create_job(api.store, make_spec(ranges=ranges, max_training_jobs=9, max_parallel=9), now=utc_now())
    launch(api.store, job.id, 6)
    for number in range(1, 6):
        start(api.store, job.id, number)
        finish(api.store, job.id, number, number / 10)
    (before,) = api.client.explain_tuning_job("job").insights
    (again,) = api.client.explain_tuning_job("job").insights
    start(api.store, job.id, 6)
    finish(api.store, job.id, 6, 9.0)
    (after,) = api.client.explain_tuning_job("job").insights
    assert (before.observed, before) == (5, again)
    assert after.observed == 6
    assert after.predicted_best.mean > before.predicted_best.mean


def test_pages_hold_every_proposal_once_and_the_rest_on_the_first(api: Api) -> None:
    ranges = (ContinuousRange("x", 0.0, 1.0),)
    job = create_job(api.store, make_spec(ranges=ranges, max_training_jobs=9, max_parallel=9), now=utc_now())
    launch(api.store, job.id, 5)
    request = ExplainTuningJobRequest(name="job", page_size=2)
    pages: list[ExplainTuningJobResponse] = []
    while not pages or request.page_token:
        pages.append(api.stub.ExplainTuningJob(request))
        request.page_token = pages[-1].next_page_token
    assert [[item.training_job_number for item in page.proposals] for page in pages] == [[1, 2], [3, 4], [5]]
    assert [(len(page.insights), len(page.decisions)) for page in pages] == [(1, 1), (0, 0), (0, 0)]
    assert len(api.client.explain_tuning_job("job").proposals) == 5


def test_a_new_tuning_job_can_be_explained(api: Api) -> None:
    api.client.create_tuning_job(spec_of("new"))
    explanation = api.client.explain_tuning_job("new")
    assert explanation.name == "new"
    assert explanation.insights[0].note
    assert not explanation.proposals


def test_an_unknown_tuning_job_is_not_found(api: Api) -> None:
    with pytest.raises(NotFoundError, match="there is no tuning job named 'nothing'"):
        api.client.explain_tuning_job("nothing")


@pytest.mark.parametrize(
    "request_fields", [{"name": ""}, {"name": "job", "page_size": 0}, {"name": "job", "page_token": "bad"}]
)
def test_wrong_requests_are_refused(api: Api, request_fields: dict[str, Any]) -> None:
    create_job(api.store, make_spec(), now=utc_now())
    with pytest.raises(grpc.RpcError) as caught:
        api.stub.ExplainTuningJob(ExplainTuningJobRequest(**request_fields))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
