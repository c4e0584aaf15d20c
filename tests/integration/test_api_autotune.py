"""Ranges and settings that the service chooses, through the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner.client import InvalidRequestError
from hrnn_tuner.v1 import tuning_job_pb2
from tests.support.api import CSV, Api, definition_of, hrnn_spec_of, spec_of
from tests.support.bad_data import file_of
from tests.support.bad_requests import RANGES, integers

AUTO = f"{RANGES}.auto_parameters"
#: What autotune would choose of features that have tests of their own.
WITHOUT_ENDS: dict[str, Any] = {
    "training_job_early_stopping_type": "TRAINING_JOB_EARLY_STOPPING_TYPE_OFF",
    "completion_criteria": {},
}


@pytest.fixture
def interactions(api: Api) -> Path:
    return file_of("interactions.csv", CSV.encode())(api.data)


def hinted(*hints: tuple[str, dict[str, Any]], **ranges: Any) -> dict[str, Any]:
    """A request with auto parameters beside ranges."""
    spec = spec_of()
    auto = [{"name": name, "value_hint": hint} for name, hint in hints]
    definition_of(spec)["parameter_ranges"] = {"auto_parameters": auto, **ranges}
    return spec


def test_hints_become_ranges_that_the_answer_shows(api_on_each_database: Api) -> None:
    api = api_on_each_database
    spec = hinted(("x", {"double_value": 0.5}), ("c", {"string_value": "b"}), **integers(low=2, high=9))
    api.client.create_tuning_job(spec)
    job = api.client.get_tuning_job("job")
    ranges = job.spec.training_job_definitions[0].parameter_ranges
    (number,) = ranges.continuous_parameter_ranges
    assert (number.name, number.min_value, number.max_value) == ("x", 0.05, 1.0)
    (category,) = ranges.categorical_parameter_ranges
    assert [value.string_value for value in category.values] == ["b", "a", "c"]
    (integer,) = ranges.integer_parameter_ranges
    assert (integer.min_value, integer.max_value) == (2, 9)
    assert not ranges.auto_parameters
    place = "training_job_definitions[0].parameter_ranges.auto_parameters"
    assert [(choice.field, choice.value, choice.reason) for choice in job.autotune_choices] == [
        (f"{place}[0]", "x 0.05 to 1, LOGARITHMIC", "made of the hint 0.5"),
        (f"{place}[1]", "c b, a, c", "made of the hint 'b'"),
    ]
    assert list(job.warnings) == []


def test_every_wrong_hint_is_named_with_its_value_and_what_is_allowed(shared_api: Api) -> None:
    spec = hinted(
        ("y", {"double_value": 0.5}),
        ("x", {"double_value": 2.0}),
        ("epochs", {"integer_value": 2}),
        ("k", {"integer_value": 3}),
        ("flag", {}),
        ("c", {"string_value": "a"}),
        ("c", {"string_value": "b"}),
        ("fail", {"string_value": "none"}),
        **integers(),
    )
    del definition_of(spec)["static_hyperparameters"]["epochs"]
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec)
    found = {item.field: item.description for item in caught.value.violations}
    assert found == {
        f"{AUTO}[0].name": "got 'y'; allowed: x, k, c, flag",
        f"{AUTO}[1].value_hint": "got 2.0; allowed: a number in [0, 1]",
        f"{AUTO}[2].name": "got 'epochs', which cannot be tuned; allowed: a fixed value in static_hyperparameters",
        f"{AUTO}[3].name": "got 'k', which a range has already; allowed: one of the two",
        f"{AUTO}[4].value_hint.kind": "exactly one field is required in oneof",
        f"{AUTO}[6].name": "got 'c', which auto_parameters[5] has already; allowed: one of the two",
        f"{AUTO}[7].name": "got 'fail', which static_hyperparameters has already; allowed: one of the two",
    }
    assert shared_api.names == []


def test_a_request_without_ranges_tunes_the_default_ranges_with_a_warning(api: Api, interactions: Path) -> None:
    spec = hrnn_spec_of("job", ("interactions", interactions), parameter_ranges={})
    answer = api.client.create_tuning_job(spec)
    (warning,) = answer.warnings
    assert warning.startswith("no range is given: the default ranges of hrnn are tuned: hidden_dimension 32 to 256")
    job = api.client.get_tuning_job("job")
    shown = job.spec.training_job_definitions[0].parameter_ranges
    assert shown == api.client.get_algorithm("hrnn").default_parameter_ranges
    assert [item.name for item in shown.integer_parameter_ranges] == ["hidden_dimension", "bptt"]
    assert not job.autotune_choices


def test_default_ranges_leave_out_what_is_fixed(api: Api, interactions: Path) -> None:
    static = {name: {"integer_value": 16} for name in ("hidden_dimension", "bptt")}
    spec = hrnn_spec_of("job", ("interactions", interactions), parameter_ranges={}, static_hyperparameters=static)
    api.client.create_tuning_job(spec)
    ranges = api.client.get_tuning_job("job").spec.training_job_definitions[0].parameter_ranges
    assert not ranges.integer_parameter_ranges
    assert [item.name for item in ranges.continuous_parameter_ranges] == ["learning_rate", "dropout"]


def test_an_algorithm_without_default_ranges_needs_some(shared_api: Api) -> None:
    spec = spec_of(autotune={"enabled": True}, strategy="STRATEGY_RANDOM", **WITHOUT_ENDS)
    del definition_of(spec)["parameter_ranges"]
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec)
    assert [item.field for item in caught.value.violations] == [RANGES]


def test_autotune_shows_what_it_chose_and_why(api_on_each_database: Api) -> None:
    api = api_on_each_database
    path = file_of("interactions.csv", CSV.encode())(api.data)
    spec = hrnn_spec_of("job", ("interactions", path), parameter_ranges={})
    spec |= {"autotune": {"enabled": True}, "strategy": "STRATEGY_RANDOM", **WITHOUT_ENDS}
    del spec["resource_limits"]
    answer = api.client.create_tuning_job(spec)
    job = api.client.get_tuning_job("job")
    assert job.spec.autotune.enabled
    limits = job.spec.resource_limits
    assert (limits.max_number_of_training_jobs, limits.max_parallel_training_jobs) == (50, 50)
    assert {choice.field: choice.reason for choice in job.autotune_choices} == {
        "training_job_definitions[0].parameter_ranges": "no range is given; these are the default ranges of hrnn",
        "resource_limits.max_number_of_training_jobs": "10 for each of 5 ranges, between 20 and 100",
        "resource_limits.max_parallel_training_jobs": "the strategy proposes the same whatever the results are",
        "training_job_definitions[0].retry_strategy.maximum_retry_attempts": "the operator's default",
    }
    assert job.autotune_choices == answer.tuning_job.autotune_choices
    assert list(job.warnings) == []


def test_autotune_makes_a_grid_of_a_small_categorical_space(api: Api) -> None:
    spec = spec_of(autotune={"enabled": True}, **WITHOUT_ENDS)
    del spec["strategy"], spec["resource_limits"]
    values = [{"bool_value": True}, {"bool_value": False}]
    ranges = {"categorical_parameter_ranges": [{"name": "flag", "values": values}]}
    definition_of(spec)["parameter_ranges"] = ranges
    shown = api.client.create_tuning_job(spec).tuning_job.spec
    assert shown.strategy == tuning_job_pb2.STRATEGY_GRID
    assert shown.resource_limits.max_number_of_training_jobs == 2


def test_the_same_request_id_finds_the_job_whose_settings_were_chosen(api: Api) -> None:
    spec = hinted(("x", {"double_value": 0.5}))
    request_id = "123e4567-e89b-12d3-a456-426614174000"
    first = api.client.create_tuning_job(spec, request_id=request_id)
    assert api.client.create_tuning_job(spec, request_id=request_id).tuning_job.id == first.tuning_job.id


def test_autotune_does_not_hide_a_mistake(shared_api: Api) -> None:
    spec = spec_of(autotune={"enabled": True}, resource_limits={"max_parallel_training_jobs": -1}, **WITHOUT_ENDS)
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec)
    (item,) = caught.value.violations
    assert item.field == "tuning_job.resource_limits.max_parallel_training_jobs"
    assert "got -1" in item.description


def test_a_grid_is_made_of_hints(api: Api) -> None:
    spec = hinted(("c", {"string_value": "b"}), ("flag", {"bool_value": True}))
    spec |= {"strategy": "STRATEGY_GRID", "resource_limits": {"max_parallel_training_jobs": 1}}
    assert api.client.create_tuning_job(spec).tuning_job.spec.resource_limits.max_number_of_training_jobs == 6


def test_a_space_that_is_made_of_hints_is_counted(shared_api: Api) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(hinted(("c", {"string_value": "b"})))
    (item,) = caught.value.violations
    assert item.description == "got 4, and the search space has only 3 combinations; allowed: at most 3"


def test_a_wrong_condition_is_named_also_with_autotune(shared_api: Api) -> None:
    spec = spec_of(autotune={"enabled": True}, **WITHOUT_ENDS)
    nowhere = {"name": "nothing", "values": [{"bool_value": True}]}
    definition_of(spec)["parameter_ranges"] = integers(condition=nowhere)
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec)
    fields = [item.field for item in caught.value.violations]
    assert fields == [f"{RANGES}.integer_parameter_ranges[0].condition.name"]
