"""Early stopping, Hyperband and completion criteria through the API."""

from __future__ import annotations

from typing import Any

import pytest

from hrnn_tuner.client import InvalidRequestError
from hrnn_tuner.v1 import tuning_job_pb2
from tests.support.api import Api, definition_of, spec_of

AUTO = "TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO"
MIN, MAX = (f"tuning_job.strategy_config.hyperband.{name}" for name in ("min_resource", "max_resource"))
CRITERIA = "tuning_job.completion_criteria"


def hyperband(name: str = "job", **config: int) -> dict[str, Any]:
    """A tuning job with Hyperband, whose algorithm has a static hyperparameter epochs of 2."""
    return spec_of(name, strategy="STRATEGY_HYPERBAND", strategy_config={"hyperband": config})


def violations(api: Api, spec: dict[str, Any]) -> dict[str, str]:
    """What is wrong, by field."""
    with pytest.raises(InvalidRequestError) as caught:
        api.client.create_tuning_job(spec)
    return {item.field: item.description for item in caught.value.violations}


def test_hyperband_takes_its_maximum_from_the_static_epochs(api: Api) -> None:
    answer = api.client.create_tuning_job(hyperband())
    config = answer.tuning_job.spec.strategy_config.hyperband
    assert (config.min_resource, config.max_resource) == (1, 2)


def test_hyperband_takes_its_maximum_from_the_default_of_the_algorithm(api: Api) -> None:
    spec = hyperband(min_resource=2)
    definition_of(spec)["static_hyperparameters"] = {}
    config = api.client.create_tuning_job(spec).tuning_job.spec.strategy_config.hyperband
    assert (config.min_resource, config.max_resource) == (2, 3)


def test_a_maximum_that_is_given_counts(api: Api) -> None:
    config = api.client.create_tuning_job(
        hyperband(min_resource=3, max_resource=9)
    ).tuning_job.spec.strategy_config.hyperband
    assert (config.min_resource, config.max_resource) == (3, 9)


def test_hyperband_needs_to_know_its_maximum(api: Api) -> None:
    path = api.data / "a.csv"
    path.write_text("USER_ID,ITEM_ID,TIMESTAMP\n1,2,3\n")
    spec = hyperband()
    spec["training_job_definitions"] = [
        {
            "algorithm": "popularity-count",
            "objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": "precision_at_25"},
            "parameter_ranges": {
                "continuous_parameter_ranges": [{"name": "recency_half_life_days", "min_value": 1, "max_value": 9}]
            },
            "data_channels": [{"name": "interactions", "uri": str(path)}],
        }
    ]
    text = violations(api, spec)[MAX]
    assert text == (
        "is missing, and no static hyperparameter among epochs, numepochs, n-epochs, n_epochs, num_epochs says it; "
        "allowed: 1 to 20000"
    )


def test_a_minimum_above_the_maximum_is_refused(shared_api: Api) -> None:
    assert violations(shared_api, hyperband(min_resource=10, max_resource=9)) == {
        MIN: "got 10, and max_resource is 9; allowed: 1 to 9"
    }
    assert violations(shared_api, hyperband(min_resource=5)) == {MIN: "got 5, and max_resource is 2; allowed: 1 to 2"}


@pytest.mark.parametrize(("config", "field"), [({"min_resource": 0}, MIN), ({"max_resource": 20_001}, MAX)])
def test_resources_have_bounds(shared_api: Api, config: dict[str, Any], field: str) -> None:
    assert set(violations(shared_api, hyperband(**config))) == {field}


@pytest.mark.parametrize("strategy", ["STRATEGY_HYPERBAND", "STRATEGY_ASHA", "STRATEGY_BAYESIAN_ASHA"])
def test_early_stopping_auto_is_refused_with_a_strategy_that_has_levels(shared_api: Api, strategy: str) -> None:
    found = violations(shared_api, hyperband() | {"strategy": strategy, "training_job_early_stopping_type": AUTO})
    assert found == {
        "tuning_job.training_job_early_stopping_type": (
            f"got AUTO with {strategy}, which stops training jobs by its own rule; "
            "allowed: TRAINING_JOB_EARLY_STOPPING_TYPE_OFF"
        )
    }


def test_early_stopping_with_several_definitions_is_refused(shared_api: Api) -> None:
    spec = spec_of(training_job_early_stopping_type=AUTO)
    first = definition_of(spec)
    spec["training_job_definitions"] = [first | {"definition_name": name} for name in ("a", "b")]
    assert (
        "with 2 training job definitions" in violations(shared_api, spec)["tuning_job.training_job_early_stopping_type"]
    )


def test_settings_of_hyperband_are_ignored_with_other_strategies(api: Api) -> None:
    spec = spec_of(strategy_config={"hyperband": {"min_resource": 9, "max_resource": 1}})
    answer = api.client.create_tuning_job(spec)
    assert not answer.tuning_job.spec.HasField("strategy_config")


def test_criteria_come_back_as_they_were_given(api: Api) -> None:
    criteria = {
        "target_objective_metric_value": 0.0,
        "best_objective_not_improving": {"max_number_of_training_jobs_not_improving": 3},
        "convergence_detected": {"complete_on_convergence": True},
    }
    spec = spec_of(completion_criteria=criteria, training_job_early_stopping_type=AUTO)
    api.client.create_tuning_job(spec)
    job = api.client.get_tuning_job("job")
    found = job.spec.completion_criteria
    assert found.HasField("target_objective_metric_value")
    assert found.target_objective_metric_value == 0.0
    assert found.best_objective_not_improving.max_number_of_training_jobs_not_improving == 3
    assert found.convergence_detected.complete_on_convergence
    assert job.spec.training_job_early_stopping_type == tuning_job_pb2.TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO
    assert job.completion_details.number_of_training_jobs_objective_not_improving == 0
    assert not job.completion_details.HasField("convergence_detected_time")


def test_what_was_not_asked_for_is_absent(api: Api) -> None:
    answer = api.client.create_tuning_job(spec_of())
    assert not answer.tuning_job.spec.HasField("completion_criteria")
    assert (
        answer.tuning_job.spec.training_job_early_stopping_type == tuning_job_pb2.TRAINING_JOB_EARLY_STOPPING_TYPE_OFF
    )


@pytest.mark.parametrize(
    ("criteria", "field"),
    [
        ({"target_objective_metric_value": "NaN"}, "target_objective_metric_value"),
        ({"target_objective_metric_value": "Infinity"}, "target_objective_metric_value"),
        (
            {"best_objective_not_improving": {"max_number_of_training_jobs_not_improving": 2}},
            "best_objective_not_improving.max_number_of_training_jobs_not_improving",
        ),
        (
            {"best_objective_not_improving": {}},
            "best_objective_not_improving.max_number_of_training_jobs_not_improving",
        ),
    ],
)
def test_criteria_that_cannot_be_met_are_refused(shared_api: Api, criteria: dict[str, Any], field: str) -> None:
    assert set(violations(shared_api, spec_of(completion_criteria=criteria))) == {f"{CRITERIA}.{field}"}
