"""Every wrong value of a tuning job: which field, what was given, what is allowed, and that nothing was stored."""

from __future__ import annotations

import grpc
import pytest

from hrnn_tuner.client import InvalidRequestError
from tests.support.api import Api, definition_of
from tests.support.bad_requests import (
    CATEGORIES,
    FIRST,
    INTEGERS,
    JOBS,
    LIMITS,
    NUMBERS,
    RANGES,
    ROOT,
    STATIC,
    Case,
    categories,
    grid,
    integers,
    limits,
    needing,
    numbers,
    static,
)

LOG, REVERSE = "SCALING_TYPE_LOGARITHMIC", "SCALING_TYPE_REVERSE_LOGARITHMIC"
LONG = "a" * 33
CASES = [
    # names
    Case("name is empty", f"{ROOT}.name", ("got ''",), {"name": ""}),
    Case("name has an underscore", f"{ROOT}.name", ("got 'a_b'", "a-zA-Z0-9"), {"name": "a_b"}),
    Case("name ends with a hyphen", f"{ROOT}.name", ("got 'a-'", "a-zA-Z0-9"), {"name": "a-"}),
    Case("name has 33 characters", f"{ROOT}.name", (f"got '{LONG}'", "32"), {"name": LONG}),
    # things that do not exist
    Case(
        "algorithm is unknown",
        f"{FIRST}.algorithm",
        ("got 'sintetic'", "did you mean 'synthetic'?", "hrnn"),
        definition={"algorithm": "sintetic"},
    ),
    Case(
        "static hyperparameter is unknown",
        f'{STATIC}["epoch"]',
        ("got 'epoch'", "did you mean 'epochs'?", "allowed: x, k, c"),
        definition=static(epoch={"integer_value": 1}),
    ),
    Case("tuned hyperparameter is unknown", f"{NUMBERS}[0].name", ("got 'y'", "x, k, c, flag"), ranges=numbers("y")),
    Case(
        "metric is unknown",
        f"{FIRST}.objective.metric_name",
        ("got 'scores'", "did you mean 'score'?"),
        definition={"objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": "scores"}},
    ),
    Case(
        "resource class is unknown",
        f"{FIRST}.resource_class",
        ("got 'gpu'", "allowed: default"),
        definition={"resource_class": "gpu"},
    ),
    # ranges
    Case("integer minimum is above maximum", f"{INTEGERS}[0]", ("min_value",), ranges=integers(low=5, high=2)),
    Case("number minimum is above maximum", f"{NUMBERS}[0]", ("min_value",), ranges=numbers(low=0.9, high=0.1)),
    Case("number is not finite", f"{NUMBERS}[0].max_value", ("got inf",), ranges=numbers(high="Infinity")),
    Case("integer minimum is outside", f"{INTEGERS}[0].min_value", ("got 0", "[1, 10]"), ranges=integers(low=0)),
    Case("integer maximum is outside", f"{INTEGERS}[0].max_value", ("got 11", "[1, 10]"), ranges=integers(high=11)),
    Case("number minimum is outside", f"{NUMBERS}[0].min_value", ("got -0.5", "[0, 1]"), ranges=numbers(low=-0.5)),
    Case("number maximum is outside", f"{NUMBERS}[0].max_value", ("got 1.5", "[0, 1]"), ranges=numbers(high=1.5)),
    Case(
        "choice is outside",
        f"{CATEGORIES}[0].values[1]",
        ("got 'z'", "'a', 'b', 'c'"),
        limits(2),
        ranges=categories("c", *"az"),
    ),
    Case(
        "choice comes twice",
        f"{CATEGORIES}[0].values[1]",
        ("got 'a' twice", "different"),
        limits(2),
        ranges=categories("c", *"aa"),
    ),
    Case("there are no choices", f"{CATEGORIES}[0].values", ("1",), ranges=categories("c")),
    Case(
        "one number comes twice as integer and double",
        f"{CATEGORIES}[0].values[1]",
        ("got 1.0 twice", "different"),
        limits(2),
        ranges={
            "categorical_parameter_ranges": [{"name": "x", "values": [{"integer_value": 1}, {"double_value": 1.0}]}]
        },
    ),
    Case(
        "logarithm of zero",
        f"{NUMBERS}[0]",
        (LOG, "min_value > 0"),
        ranges=numbers(low=0, scaling_type=LOG),
    ),
    Case(
        "logarithm of integer zero",
        f"{INTEGERS}[0]",
        (LOG,),
        ranges=integers(low=0, scaling_type=LOG),
        also=(f"{INTEGERS}[0].min_value",),
    ),
    Case("reverse logarithm at one", f"{NUMBERS}[0]", (REVERSE, "max_value < 1"), ranges=numbers(scaling_type=REVERSE)),
    Case(
        "reverse logarithm below zero",
        f"{NUMBERS}[0]",
        (REVERSE, "0 <= min_value"),
        ranges=numbers(low=-0.1, high=0.5, scaling_type=REVERSE),
        also=(f"{NUMBERS}[0].min_value",),
    ),
    Case(
        "reverse logarithm of integers",
        f"{INTEGERS}[0]",
        (REVERSE, "continuous"),
        ranges=integers(scaling_type=REVERSE),
    ),
    Case(
        "hyperparameter is static and tuned",
        f"{NUMBERS}[0].name",
        ("got 'x'", "static_hyperparameters"),
        definition=static(x={"double_value": 0.5}),
        ranges=numbers(),
    ),
    Case(
        "hyperparameter is tuned twice",
        f"{NUMBERS}[0].name",
        ("got 'k'", "integer_parameter_ranges[0]"),
        ranges=integers() | numbers("k"),
    ),
    Case("nothing is tuned", RANGES, ("1 to 30",), ranges={}),
    Case(
        "hyperparameter cannot be tuned",
        f"{INTEGERS}[0].name",
        ("got 'epochs'", "static_hyperparameters"),
        definition=static(),
        ranges=integers("epochs"),
    ),
    Case(
        "numbers for an integer", f"{NUMBERS}[0].name", ("'k'", "integer_parameter_ranges"), ranges=numbers("k", 1, 2)
    ),
    Case("numbers for a category", f"{NUMBERS}[0].name", ("'c'", "categorical_parameter_ranges"), ranges=numbers("c")),
    Case(
        "integers for a boolean",
        f"{INTEGERS}[0].name",
        ("'flag'", "categorical_parameter_ranges"),
        spec=limits(2),
        ranges=integers("flag", 0, 1),
    ),
    Case(
        "scaling type has an unknown number",
        f"{NUMBERS}[0].scaling_type",
        ("got 9",),
        ranges=numbers(scaling_type=9) | categories("c", *"ab"),
    ),
    # fixed values
    Case(
        "static value is outside",
        f'{STATIC}["epochs"]',
        ("got 1001", "an integer in [1, 1000]"),
        definition=static(epochs={"integer_value": 1001}),
    ),
    Case(
        "static value has another type",
        f'{STATIC}["epochs"]',
        ("got 'two'", "an integer"),
        definition=static(epochs={"string_value": "two"}),
    ),
    Case(
        "static boolean is a number",
        f'{STATIC}["flag"]',
        ("got 1", "true or false"),
        definition=static(flag={"integer_value": 1}),
    ),
    Case("static value is empty", f'{STATIC}["epochs"].kind', ("exactly one",), definition=static(epochs={})),
    # objective, strategy and limits
    Case(
        "objective is missing",
        f"{FIRST}.objective",
        ("required",),
        without=lambda spec: definition_of(spec).pop("objective"),
    ),
    Case(
        "objective has no direction",
        f"{FIRST}.objective.type",
        ("got 0",),
        definition={"objective": {"metric_name": "score"}},
    ),
    Case(
        "objective direction has an unknown number",
        f"{FIRST}.objective.type",
        ("got 7",),
        definition={"objective": {"type": 7, "metric_name": "score"}},
    ),
    Case("strategy is missing", f"{ROOT}.strategy", ("STRATEGY_RANDOM", "STRATEGY_GRID"), {"strategy": 0}),
    Case("strategy has an unknown number", f"{ROOT}.strategy", ("got 99",), {"strategy": 99}),
    Case(
        "early stopping has an unknown number",
        f"{ROOT}.training_job_early_stopping_type",
        ("got 42",),
        {"training_job_early_stopping_type": 42},
    ),
    Case("limits are missing", LIMITS, ("required",), without=lambda spec: spec.pop("resource_limits")),
    Case("number of jobs is missing", JOBS, ("is missing", "STRATEGY_GRID"), limits(jobs=None)),
    Case("number of jobs is zero", JOBS, ("got 0", "1"), limits(jobs=0)),
    Case("number of jobs is over the quota", JOBS, ("got 10001", "10000"), limits(jobs=10_001)),
    Case("parallelism is zero", f"{LIMITS}.max_parallel_training_jobs", ("got 0", "1"), limits(parallel=0)),
    Case(
        "parallelism is over the quota",
        f"{LIMITS}.max_parallel_training_jobs",
        ("got 101", "100"),
        limits(parallel=101),
    ),
    Case(
        "runtime is too short",
        f"{LIMITS}.max_runtime_in_seconds",
        ("got 119", "120"),
        limits(max_runtime_in_seconds=119),
    ),
    Case("random space is too small", JOBS, ("got 4", "3 combinations"), ranges=categories("c", *"abc")),
    Case("grid of integers has another size", JOBS, ("got 4", "10 combinations"), grid(4), ranges=integers()),
    Case(
        "grid of integers takes fewer with grid points",
        JOBS,
        ("got 10", "3 combinations"),
        grid(10),
        ranges=integers(grid_points=3),
    ),
    Case(
        "grid has a continuous range without grid points",
        f"{NUMBERS}[0].grid_points",
        ("is missing", "STRATEGY_GRID", "'x'", "2 to 1000"),
        grid(),
        ranges=numbers() | categories("c", *"ab"),
    ),
    Case("there is one grid point", f"{NUMBERS}[0].grid_points", ("got 1", "2", "1000"), ranges=numbers(grid_points=1)),
    Case(
        "there are too many grid points",
        f"{INTEGERS}[0].grid_points",
        ("got 2147483647", "1000"),
        grid(),
        ranges=integers(grid_points=2**31 - 1),
    ),
    # conditions
    Case(
        "condition names what is not tuned",
        f"{NUMBERS}[0].condition.name",
        ("got 'flag'", "not tuned", "allowed: c"),
        ranges=numbers(**needing("flag", True)) | categories("c", *"ab"),
    ),
    Case(
        "condition names nothing",
        f"{NUMBERS}[0].condition.name",
        ("got ''", "1"),
        ranges=numbers(**needing("", "a")) | categories("c", *"ab"),
    ),
    Case(
        "condition names a number",
        f"{INTEGERS}[0].condition.name",
        ("got 'x'", "not a categorical range", "allowed: c"),
        ranges=integers(**needing("x", "a")) | numbers() | categories("c", *"ab"),
    ),
    Case(
        "condition names its own range",
        f"{CATEGORIES}[0].condition.name",
        ("got 'c'", "the range itself"),
        limits(2),
        ranges=categories("c", *"ab", **needing("c", "a")),
    ),
    Case(
        "conditions lead back",
        f"{CATEGORIES}[0].condition.name",
        ("got 'flag'", "c needs flag needs c"),
        ranges={
            "categorical_parameter_ranges": [
                *categories("c", *"ab", **needing("flag", True))["categorical_parameter_ranges"],
                {"name": "flag", "values": [{"bool_value": True}, {"bool_value": False}], **needing("c", "a")},
            ]
        },
        also=(f"{CATEGORIES}[1].condition.name",),
    ),
    Case(
        "condition asks for a value that never comes",
        f"{NUMBERS}[0].condition.values[1]",
        ("got 'z'", "'c' never is", "allowed: 'a', 'b'"),
        ranges=numbers(**needing("c", *"az")) | categories("c", *"ab"),
    ),
    Case(
        "condition asks for a value of another type",
        f"{NUMBERS}[0].condition.values[0]",
        ("got True", "allowed: 'a', 'b'"),
        ranges=numbers(**needing("c", True)) | categories("c", *"ab"),
    ),
    Case(
        "condition asks for a value twice",
        f"{NUMBERS}[0].condition.values[1]",
        ("got 'a' twice",),
        ranges=numbers(**needing("c", *"aa")) | categories("c", *"ab"),
    ),
    Case(
        "condition asks for no value",
        f"{NUMBERS}[0].condition.values",
        ("1",),
        ranges=numbers(**needing("c")) | categories("c", *"ab"),
    ),
    Case(
        "condition asks for an empty value",
        f"{NUMBERS}[0].condition.values[0].kind",
        ("exactly one",),
        ranges=numbers(condition={"name": "c", "values": [{}]}) | categories("c", *"ab"),
    ),
    Case(
        "combinations that differ in what does not apply are one",
        JOBS,
        ("got 12", "only 11 combinations"),
        limits(12),
        ranges=integers(**needing("c", "a")) | categories("c", *"ab"),
    ),
    Case(
        "conditions of an unknown algorithm are checked too",
        f"{FIRST}.algorithm",
        ("got 'none'",),
        definition={"algorithm": "none", "parameter_ranges": numbers(**needing("flag", True))},
        also=(f"{NUMBERS}[0].condition.name",),
    ),
    Case("grid has another size", JOBS, ("got 4", "3 combinations"), grid(4), ranges=categories("c", *"abc")),
    Case(
        "grid is over the quota",
        JOBS,
        ("got 900", "at most 750"),
        grid(),
        ranges={
            "categorical_parameter_ranges": [
                {"name": "x", "values": [{"double_value": index / 30} for index in range(30)]},
                {"name": "k", "values": [{"integer_value": 1 + index % 10} for index in range(10)]},
                *categories("c", "a", "b", "c")["categorical_parameter_ranges"],
            ]
        },
    ),
    Case("weight is zero", f"{ROOT}.weight", ("got 0", "1"), {"weight": 0}),
    Case("seed is negative", f"{ROOT}.random_seed", ("got -1", "0"), {"random_seed": -1}),
    Case("there are 51 tags", f"{ROOT}.tags", ("50",), {"tags": {str(index): "" for index in range(51)}}),
    Case("definitions are missing", f"{ROOT}.training_job_definitions", ("1",), {"training_job_definitions": []}),
    Case(
        "environment has a NUL",
        f'{FIRST}.environment["NOTE"]',
        ("NUL",),
        definition={"environment": {"NOTE": "a\0b"}},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_field_is_named_with_its_value_and_what_is_allowed(shared_api: Api, case: Case) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(case.build())
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.violations] == [case.field, *case.also]
    for text in case.says:
        assert text in caught.value.violations[0].description
    assert shared_api.names == [], "nothing was stored"
