"""Ranges that are made of an example value."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_service.autotuning.hinted_range import hinted_range
from hrnn_tuner.algorithms import Hyperparameter, HyperparameterType, load_algorithms
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling, SearchSpace, Value

INTEGER, CONTINUOUS = HyperparameterType.INTEGER, HyperparameterType.CONTINUOUS
LOG = Scaling.LOGARITHMIC


def declared(type_: HyperparameterType = INTEGER, **more: object) -> Hyperparameter:
    return Hyperparameter("h", type_, 1, "Any.", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hint", "low", "high"),
    [(4, 2, 8), (5, 2, 10), (1, 1, 2), (-4, -8, -2), (-1, -2, -1), (0, -10, 10), (2**63 - 1, 2**62 - 1, 2**63 - 1)],
)
def test_an_integer_is_searched_from_its_half_to_its_double(hint: int, low: int, high: int) -> None:
    found = hinted_range(declared(), hint)
    assert isinstance(found, IntegerRange)
    assert (found.minimum, found.maximum) == (low, high)


def test_a_positive_number_is_searched_a_decade_to_either_side_by_its_logarithm() -> None:
    assert hinted_range(declared(CONTINUOUS), 0.5) == ContinuousRange("h", 0.05, 5.0, LOG)


def test_an_integer_for_a_number_makes_a_range_of_numbers() -> None:
    assert hinted_range(declared(CONTINUOUS), 2) == ContinuousRange("h", 0.2, 20.0, LOG)


def test_a_negative_number_has_no_logarithm() -> None:
    found = hinted_range(declared(CONTINUOUS, scaling=LOG), -2.0)
    assert found == ContinuousRange("h", -20.0, -0.2, Scaling.LINEAR)


def test_zero_takes_the_default_range_or_else_what_is_allowed() -> None:
    assert hinted_range(declared(tuned=(0, 7)), 0) == IntegerRange("h", 0, 7)
    assert hinted_range(declared(minimum=0, maximum=3), 0) == IntegerRange("h", 0, 3, Scaling.LINEAR)
    assert hinted_range(declared(CONTINUOUS, tuned=(1.0, 2.0), minimum=0.0), 0.0) == ContinuousRange(
        "h", 0.0, 1.0, Scaling.LINEAR
    )


def test_choices_are_all_of_them_with_the_hint_first() -> None:
    category = declared(HyperparameterType.CATEGORICAL, choices=("a", "b", "c"))
    assert hinted_range(category, "b") == CategoricalRange("h", ("b", "a", "c"))
    assert hinted_range(declared(HyperparameterType.BOOLEAN), False) == CategoricalRange("h", (False, True))


def test_the_recommended_range_is_not_left_unless_the_hint_leaves_it() -> None:
    assert hinted_range(ALGORITHM.hyperparameter("hidden_dimension"), 43) == IntegerRange(  # type: ignore[arg-type]
        "hidden_dimension", 32, 86, LOG
    )
    assert hinted_range(ALGORITHM.hyperparameter("hidden_dimension"), 600) == IntegerRange(  # type: ignore[arg-type]
        "hidden_dimension", 300, 1024, LOG
    )
    assert hinted_range(ALGORITHM.hyperparameter("dropout"), 0.25) == ContinuousRange(  # type: ignore[arg-type]
        "dropout", 0.025, 0.6, Scaling.LINEAR
    )


LIMIT = st.none() | st.floats(-1e6, 1e6)


@given(
    type_=st.sampled_from([INTEGER, CONTINUOUS]),
    limits=st.tuples(LIMIT, LIMIT),
    usual=st.none() | st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
    scaling=st.sampled_from([Scaling.AUTO, Scaling.LINEAR, LOG]),
    hint=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63) + 1, 2**63 - 1),
)
def test_every_allowed_hint_gives_a_valid_range_that_contains_it(
    type_: HyperparameterType,
    limits: tuple[float | None, float | None],
    usual: tuple[float, float] | None,
    scaling: Scaling,
    hint: float,
) -> None:
    low, high = limits
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    item = declared(
        type_,
        minimum=low,
        maximum=high,
        recommended=None if usual is None else (min(usual), max(usual)),
        scaling=scaling,
    )
    if item.violation(hint) is not None:
        return
    found = hinted_range(item, hint)
    assert isinstance(found, (IntegerRange, ContinuousRange))
    assert found.contains(hint)
    assert item.violation(found.minimum) is None
    assert item.violation(found.maximum) is None
    assert math.isfinite(found.maximum)
    assert found.scaling is not LOG or found.minimum > 0


@pytest.mark.parametrize("name", ["hrnn", "hrnn-metadata", "hrnn-coldstart", "popularity-count"])
def test_every_default_of_a_recipe_is_a_hint(name: str) -> None:
    for item in load_algorithms()[name].hyperparameters:
        value: Value = item.default
        assert SearchSpace((hinted_range(item, value),)).contains({item.name: value})
