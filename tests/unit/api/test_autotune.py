"""What autotune chooses, and that it changes nothing that is given."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from api_service.autotuning import Completed, complete
from api_service.findings import Findings
from hrnn_tuner.algorithms import load_algorithms
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.bad_requests import categories, integers, numbers

ALGORITHMS = load_algorithms(["tests.support.synthetic_algorithm:ALGORITHM"])
BAYESIAN, RANDOM, GRID = "STRATEGY_BAYESIAN", "STRATEGY_RANDOM", "STRATEGY_GRID"


def request(algorithm: str = "synthetic", *, autotune: bool = True, **fields: Any) -> pb.CreateTuningJobRequest:
    """A tuning job that says as little as possible; ``ranges`` and ``static`` are of its definition."""
    definition: dict[str, Any] = {
        "algorithm": algorithm,
        "objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": "score"},
        "parameter_ranges": fields.pop("ranges", {}),
        "static_hyperparameters": fields.pop("static", {}),
    }
    job = {"name": "job", "training_job_definitions": [definition], "autotune": {"enabled": autotune}, **fields}
    return json_format.ParseDict({"tuning_job": job}, pb.CreateTuningJobRequest())


def completed(*arguments: Any, settings: Settings | None = None, parents_launched: int = 0, **fields: Any) -> Completed:
    findings = Findings()
    answer = complete(
        request(*arguments, **fields), ALGORITHMS, settings or Settings(), findings, parents_launched=parents_launched
    )
    assert findings.violations == []
    return answer


def chosen(*arguments: Any, **fields: Any) -> dict[str, str]:
    return {choice.field: choice.value for choice in completed(*arguments, **fields).choices}


def limits(jobs: int | None = None, parallel: int | None = None) -> dict[str, Any]:
    given = {"max_number_of_training_jobs": jobs, "max_parallel_training_jobs": parallel}
    return {"resource_limits": {name: value for name, value in given.items() if value is not None}}


def test_a_request_that_says_nothing_gets_everything() -> None:
    assert chosen("hrnn") == {
        "training_job_definitions[0].parameter_ranges": "hidden_dimension 32 to 256, LOGARITHMIC; "
        "bptt 2 to 32, LOGARITHMIC; recency_mask true, false; learning_rate 0.001 to 0.03, LOGARITHMIC; "
        "dropout 0 to 0.6, LINEAR",
        "strategy": BAYESIAN,
        "resource_limits.max_number_of_training_jobs": "50",
        "resource_limits.max_parallel_training_jobs": "10",
        "training_job_early_stopping_type": "TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO",
        "completion_criteria.convergence_detected.complete_on_convergence": "true",
        "training_job_definitions[0].retry_strategy.maximum_retry_attempts": "2",
    }


def test_what_is_fixed_is_not_tuned_by_default() -> None:
    ranges = chosen("hrnn", static={"dropout": {"double_value": 0.1}})["training_job_definitions[0].parameter_ranges"]
    assert "dropout" not in ranges


def test_what_is_given_stays() -> None:
    given: dict[str, Any] = {
        "ranges": numbers(),
        "strategy": RANDOM,
        **limits(7, 3),
        "training_job_early_stopping_type": "TRAINING_JOB_EARLY_STOPPING_TYPE_OFF",
        "completion_criteria": {},
    }
    answer = completed(**given)
    assert [choice.field.rsplit(".", 1)[-1] for choice in answer.choices] == ["maximum_retry_attempts"]
    sent = request(**given)
    sent.tuning_job.training_job_definitions[0].retry_strategy.maximum_retry_attempts = 2
    assert answer.request == sent


@pytest.mark.parametrize(
    ("fields", "strategy"),
    [
        ({"ranges": numbers()}, BAYESIAN),
        ({"ranges": categories("c", *"abc")}, GRID),
        ({"ranges": categories("c", *"abc"), **limits(3)}, GRID),
        ({"ranges": categories("c", *"abc"), **limits(2)}, BAYESIAN),
        ({"ranges": numbers(), **limits(5, 5)}, RANDOM),
        ({"ranges": numbers(), **limits(5, 4)}, BAYESIAN),
        ({"ranges": numbers(), **limits(751, 10)}, RANDOM),
    ],
)
def test_the_strategy_fits_space_and_count(fields: dict[str, Any], strategy: str) -> None:
    assert chosen(**fields)["strategy"] == strategy


def test_a_warm_start_needs_a_model() -> None:
    warm = {"parent_tuning_job_names": ["a"], "type": "WARM_START_TYPE_TRANSFER_LEARNING"}
    found = chosen(ranges=categories("c", *"abc"), warm_start_config=warm, **limits(3, 3))
    assert found["strategy"] == BAYESIAN


@pytest.mark.parametrize(
    ("ranges", "jobs"),
    [(numbers(), 20), (integers(), 10), (numbers() | integers() | categories("c", *"abc"), 30)],
    ids=["at least 20", "at most the points", "10 each"],
)
def test_the_number_of_training_jobs_grows_with_the_ranges(ranges: dict[str, Any], jobs: int) -> None:
    assert chosen(ranges=ranges)["resource_limits.max_number_of_training_jobs"] == str(jobs)


def test_a_grid_infers_its_number_of_training_jobs_and_runs_them_all_at_once() -> None:
    found = chosen(ranges=categories("c", *"abc"))
    assert "resource_limits.max_number_of_training_jobs" not in found
    assert found["resource_limits.max_parallel_training_jobs"] == "3"
    assert "completion_criteria.convergence_detected.complete_on_convergence" not in found


@pytest.mark.parametrize("strategy", ["STRATEGY_ASHA", "STRATEGY_BAYESIAN_ASHA"])
def test_strategies_that_promote_get_rounds_and_training_jobs_for_promotions(strategy: str) -> None:
    found = chosen(ranges=numbers(), strategy=strategy)
    assert found["resource_limits.max_number_of_training_jobs"] == "30"
    assert found["resource_limits.max_parallel_training_jobs"] == "6"
    assert chosen(ranges=integers(), strategy=strategy)["resource_limits.max_number_of_training_jobs"] == "10"


def test_no_more_retries_are_chosen_than_may_be_asked_for() -> None:
    found = chosen(ranges=numbers(), settings=Settings(max_attempts=3, max_retries=1))
    assert found["training_job_definitions[0].retry_strategy.maximum_retry_attempts"] == "1"


@pytest.mark.parametrize(
    "ranges",
    [
        numbers(low=-1.0, high=1.0, scaling_type="SCALING_TYPE_LOGARITHMIC", grid_points=5),
        numbers(low=0.0, high=1.0, scaling_type="SCALING_TYPE_REVERSE_LOGARITHMIC", grid_points=5),
        numbers(grid_points=2**31 - 1),
        integers(grid_points=2**31 - 1),
        integers(low=3, high=2),
    ],
)
def test_of_ranges_that_break_their_rules_no_grid_is_made(ranges: dict[str, Any]) -> None:
    found = chosen(ranges=ranges, strategy=GRID)
    assert found["resource_limits.max_parallel_training_jobs"] == "1"


def test_the_operators_limits_hold() -> None:
    settings = Settings(max_parallel_limit=2, max_training_jobs_limit=15, max_attempts=1)
    found = chosen(ranges=numbers(), settings=settings, parents_launched=5)
    assert found["resource_limits.max_number_of_training_jobs"] == "10"
    assert found["resource_limits.max_parallel_training_jobs"] == "2"
    assert not [field for field in found if field.endswith("maximum_retry_attempts")]


@pytest.mark.parametrize(
    ("algorithm", "static", "kind"),
    [
        ("synthetic", {}, "AUTO"),
        ("synthetic", {"epochs": {"integer_value": 1}}, "OFF"),
        ("popularity-count", {}, "OFF"),
    ],
)
def test_only_what_has_several_epochs_is_stopped_early(algorithm: str, static: dict[str, Any], kind: str) -> None:
    found = chosen(algorithm, static=static)["training_job_early_stopping_type"]
    assert found == f"TRAINING_JOB_EARLY_STOPPING_TYPE_{kind}"


def test_hyperband_stops_training_jobs_itself() -> None:
    found = chosen(ranges=numbers(), strategy="STRATEGY_HYPERBAND")
    assert found["training_job_early_stopping_type"] == "TRAINING_JOB_EARLY_STOPPING_TYPE_OFF"


def test_without_autotune_only_ranges_are_chosen_and_the_sender_is_warned() -> None:
    findings = Findings()
    answer = complete(request("popularity-count", autotune=False), ALGORITHMS, Settings(), findings)
    assert answer.choices == ()
    assert findings.warnings == [
        "no range is given: the default ranges of popularity-count are tuned: "
        "recency_half_life_days 1 to 3650, LOGARITHMIC"
    ]
    (definition,) = answer.request.tuning_job.training_job_definitions
    assert [item.name for item in definition.parameter_ranges.continuous_parameter_ranges] == ["recency_half_life_days"]
    assert not answer.request.tuning_job.HasField("resource_limits")


def test_a_grid_with_numbers_runs_all_its_points_at_once() -> None:
    found = chosen(ranges=numbers(grid_points=7), strategy=GRID)
    assert found["resource_limits.max_parallel_training_jobs"] == "7"


def test_ranges_whose_conditions_are_wrong_are_left_to_the_checks() -> None:
    nowhere = {"name": "nothing", "values": [{"bool_value": True}]}
    found = chosen(ranges=integers(condition=nowhere))
    assert found["resource_limits.max_number_of_training_jobs"] == "20"


def test_the_ranges_of_all_definitions_count() -> None:
    sent = request(ranges=numbers() | integers())
    sent.tuning_job.training_job_definitions.add().CopyFrom(sent.tuning_job.training_job_definitions[0])
    answer = complete(sent, ALGORITHMS, Settings(), Findings()).request.tuning_job
    assert answer.resource_limits.max_number_of_training_jobs == 40
    off = "TRAINING_JOB_EARLY_STOPPING_TYPE_OFF"
    assert answer.training_job_early_stopping_type == tuning_job_pb2.TrainingJobEarlyStoppingType.Value(off)


RANGES = st.sampled_from([{}, numbers(), integers(), categories("c", *"abc"), numbers() | categories("c", *"ab")])


@given(
    ranges=RANGES,
    jobs=st.none() | st.integers(-1, 1000),
    parallel=st.none() | st.integers(-1, 200),
    strategy=st.integers(0, 9),
    algorithm=st.sampled_from(["synthetic", "hrnn", "nothing"]),
)
def test_completing_twice_changes_nothing_more_and_never_the_request(
    ranges: dict[str, Any], jobs: int | None, parallel: int | None, strategy: int, algorithm: str
) -> None:
    sent = request(algorithm, ranges=ranges, strategy=strategy, **limits(jobs, parallel))
    copy = pb.CreateTuningJobRequest.FromString(sent.SerializeToString())
    once = complete(sent, ALGORITHMS, Settings(), Findings())
    assert sent == copy
    twice = complete(once.request, ALGORITHMS, Settings(), Findings())
    assert twice.request == once.request
    assert twice.choices == ()
