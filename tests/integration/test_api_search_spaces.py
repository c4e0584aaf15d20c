"""Search spaces that the API takes, and what it answers about them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import CSV, Api, definition_of, hrnn_spec_of, spec_of
from tests.support.bad_requests import categories, grid, integers, limits, needing, numbers


def request(ranges: dict[str, Any], **fields: Any) -> dict[str, Any]:
    spec = spec_of(**fields)
    definition_of(spec)["parameter_ranges"] = ranges
    return spec


def test_conditions_and_grid_points_come_back_as_they_were_sent(api: Api) -> None:
    ranges = (
        integers(scaling_type="SCALING_TYPE_LINEAR", grid_points=3, **needing("flag", True))
        | numbers(scaling_type="SCALING_TYPE_AUTO", grid_points=4, **needing("c", "a", "b"))
        | {
            "categorical_parameter_ranges": [
                {"name": "c", "values": [{"string_value": item} for item in "abc"], **needing("flag", False)},
                {"name": "flag", "values": [{"bool_value": True}, {"bool_value": False}]},
            ]
        }
    )
    created = api.client.create_tuning_job(request(ranges, **grid())).tuning_job
    assert created.spec.resource_limits.max_number_of_training_jobs == 3 + (4 + 4 + 1)
    stored = api.client.get_tuning_job("job").spec.training_job_definitions[0].parameter_ranges
    assert stored == created.spec.training_job_definitions[0].parameter_ranges
    (k,), (x,) = stored.integer_parameter_ranges, stored.continuous_parameter_ranges
    c, flag = stored.categorical_parameter_ranges
    assert (k.grid_points, k.condition.name, k.condition.values[0].bool_value) == (3, "flag", True)
    assert (x.grid_points, x.condition.name) == (4, "c")
    assert [value.string_value for value in x.condition.values] == ["a", "b"]
    assert (c.condition.name, flag.HasField("condition")) == ("flag", False)


@pytest.mark.parametrize(
    ("ranges", "jobs"),
    [
        (integers(), 10),
        (integers(grid_points=4) | categories("c", *"ab"), 8),
        (numbers(grid_points=5), 5),
        (numbers(low=0.5, high=0.5) | categories("c", *"ab"), 2),
    ],
)
def test_a_grid_of_numbers_infers_its_number_of_training_jobs(api: Api, ranges: dict[str, Any], jobs: int) -> None:
    answer = api.client.create_tuning_job(request(ranges, **grid()))
    assert answer.tuning_job.spec.resource_limits.max_number_of_training_jobs == jobs
    assert list(answer.warnings) == []


def test_the_readmes_example_is_a_grid_of_five_points(api: Api) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", readme, re.DOTALL)
    path = api.data / "interactions.csv"
    path.write_text(CSV)
    spec = hrnn_spec_of("job", ("interactions", path), **json.loads("{" + block + "}")) | grid()
    answer = api.client.create_tuning_job(spec)
    assert answer.tuning_job.spec.resource_limits.max_number_of_training_jobs == 5


def test_grid_points_without_a_grid_are_a_warning(api: Api) -> None:
    answer = api.client.create_tuning_job(request(numbers(grid_points=5)))
    assert list(answer.warnings) == ["grid_points of x is ignored: it is for STRATEGY_GRID only"]


def test_a_hyperparameter_is_fixed_for_where_its_range_does_not_apply(api: Api) -> None:
    spec = request(numbers(**needing("c", "a")) | categories("c", *"ab"))
    definition_of(spec)["static_hyperparameters"]["x"] = {"double_value": 0.25}
    created = api.client.create_tuning_job(spec).tuning_job.spec.training_job_definitions[0]
    assert created.static_hyperparameters["x"].double_value == 0.25


def test_sobol_may_launch_as_many_training_jobs_as_random(api: Api) -> None:
    spec = spec_of(strategy="STRATEGY_SOBOL", **limits(10_000))
    assert api.client.create_tuning_job(spec).tuning_job.spec.strategy == 5


@pytest.mark.parametrize(
    "ranges",
    [
        numbers(low=1e-300, scaling_type="SCALING_TYPE_LOGARITHMIC"),
        numbers(low=0, high=0.999, scaling_type="SCALING_TYPE_REVERSE_LOGARITHMIC"),
        integers(low=1, scaling_type="SCALING_TYPE_LOGARITHMIC"),
        numbers(low=0, high=0, scaling_type="SCALING_TYPE_REVERSE_LOGARITHMIC") | integers(),
    ],
)
def test_a_scaling_is_taken_up_to_its_limits(api: Api, ranges: dict[str, Any]) -> None:
    assert api.client.create_tuning_job(request(ranges)).tuning_job.name == "job"
