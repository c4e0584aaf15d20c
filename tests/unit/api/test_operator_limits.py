from __future__ import annotations

import pytest

from api_service.findings import Findings
from api_service.validation import operator_limits
from hrnn_tuner.client import parse_request
from hrnn_tuner.settings import Settings
from tests.support.api import definition_of, spec_of

FIRST = "tuning_job.training_job_definitions[0]"
LOWERED = {
    "max_tuned_hyperparameters": (1, f"{FIRST}.parameter_ranges", "got 2 tuned hyperparameters; allowed: at most 1"),
    "max_categorical_values": (
        2,
        f"{FIRST}.parameter_ranges.categorical_parameter_ranges[0].values",
        "got 3 values; allowed: at most 2",
    ),
    "max_data_channels": (0, f"{FIRST}.data_channels", "got 1 channels; allowed: at most 0"),
    "max_environment_variables": (1, f"{FIRST}.environment", "got 2 variables; allowed: at most 1"),
    "max_tags": (0, "tuning_job.tags", "got 1 tags; allowed: at most 0"),
    "max_retries": (2, f"{FIRST}.retry_strategy.maximum_retry_attempts", "got 3 attempts; allowed: at most 2"),
    "max_warm_start_parents": (
        1,
        "tuning_job.warm_start_config.parent_tuning_job_names",
        "got 2 parents; allowed: at most 1",
    ),
    "max_tuning_job_runtime_s": (
        600,
        "tuning_job.resource_limits.max_runtime_in_seconds",
        "got 601 s; allowed: at most 600",
    ),
    "max_training_job_runtime_s": (
        60,
        f"{FIRST}.stopping_condition.max_runtime_in_seconds",
        "got 61 s; allowed: at most 60",
    ),
    "max_definitions": (1, "tuning_job.training_job_definitions", "got 2 definitions; allowed: at most 1"),
}


def findings(**settings: int) -> Findings:
    spec = spec_of(tags={"a": "b"}, warm_start_config={"parent_tuning_job_names": ["a", "b"]})
    spec["resource_limits"]["max_runtime_in_seconds"] = 601
    values = [{"string_value": value} for value in "abc"]
    definition_of(spec).update(
        environment={"A": "1", "B": "2"},
        data_channels=[{"name": "a", "uri": "/a"}],
        retry_strategy={"maximum_retry_attempts": 3},
        stopping_condition={"max_runtime_in_seconds": 61},
        parameter_ranges={
            "continuous_parameter_ranges": [{"name": "x", "min_value": 0, "max_value": 1}],
            "categorical_parameter_ranges": [{"name": "c", "values": values}],
        },
    )
    spec["training_job_definitions"] *= 2
    found = Findings()
    operator_limits.collect(parse_request(spec).tuning_job, Settings(**settings), found)  # type: ignore[arg-type]
    return found


def test_the_defaults_allow_what_the_contract_allows() -> None:
    assert findings().violations == []


@pytest.mark.parametrize("setting", LOWERED)
def test_a_lowered_limit_names_field_value_limit_and_setting(setting: str) -> None:
    limit, field, text = LOWERED[setting]
    first = findings(**{setting: limit}).violations[0]
    assert (first.field, first.description, first.reason) == (field, f"{text} ({setting})", "OVER_QUOTA")


def test_no_limit_is_beyond_the_contract() -> None:
    for setting in LOWERED:
        with pytest.raises(ValueError, match="less than or equal to"):
            Settings(**{setting: 10**9})  # type: ignore[arg-type]
