"""What later versions implement is refused by name, never ignored."""

from __future__ import annotations

from typing import Any

import pytest

from hrnn_tuner.client import InvalidRequestError, NotImplementedByServerError
from tests.support.api import Api, spec_of

FIRST = "tuning_job.training_job_definitions[0]"
IN_SPEC: list[tuple[str, dict[str, Any]]] = [
    ("tuning_job.strategy", {"strategy": "STRATEGY_BAYESIAN"}),
    ("tuning_job.strategy", {"strategy": "STRATEGY_HYPERBAND"}),
    (
        "tuning_job.training_job_early_stopping_type",
        {"training_job_early_stopping_type": "TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO"},
    ),
    (
        "tuning_job.completion_criteria.target_objective_metric_value",
        {"completion_criteria": {"target_objective_metric_value": 0.5}},
    ),
    (
        "tuning_job.completion_criteria.best_objective_not_improving",
        {"completion_criteria": {"best_objective_not_improving": {"max_number_of_training_jobs_not_improving": 3}}},
    ),
    (
        "tuning_job.completion_criteria.convergence_detected",
        {"completion_criteria": {"convergence_detected": {"complete_on_convergence": True}}},
    ),
]


@pytest.mark.parametrize(("field", "change"), IN_SPEC, ids=[field for field, _ in IN_SPEC])
def test_a_field_of_the_request(shared_api: Api, field: str, change: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedByServerError) as caught:
        shared_api.client.create_tuning_job(spec_of(**change))
    assert [item.field for item in caught.value.violations] == [field]


def test_a_second_definition(shared_api: Api) -> None:
    spec = spec_of()
    spec["training_job_definitions"] *= 2
    with pytest.raises(NotImplementedByServerError, match=r"training_job_definitions\[1\]"):
        shared_api.client.create_tuning_job(spec)


def test_a_wrong_field_beside_it_is_listed_too(shared_api: Api) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec_of("bad name!", strategy="STRATEGY_HYPERBAND"))
    assert {item.field for item in caught.value.violations} == {"tuning_job.name", "tuning_job.strategy"}


def test_hyperband_settings_with_another_strategy_are_ignored_as_in_amt(api: Api) -> None:
    api.client.create_tuning_job(spec_of(strategy_config={"hyperband": {"min_resource": 1}}))
    assert api.names == ["job"]
