from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling, SearchSpace

UNITS = st.floats(0.0, 1.0, exclude_max=True)


@given(st.integers(-1000, 1000), st.integers(0, 1000), UNITS)
def test_an_integer_draw_lies_in_its_range(low: int, width: int, unit: float) -> None:
    item = IntegerRange("k", low, low + width, Scaling.LINEAR)
    assert item.contains(item.at(unit))


@given(st.floats(1e-6, 1e3), st.floats(1.0, 1e6), UNITS)
def test_a_logarithmic_draw_lies_in_its_range(low: float, ratio: float, unit: float) -> None:
    item = ContinuousRange("x", low, low * ratio, Scaling.LOGARITHMIC)
    assert item.contains(item.at(unit))


@given(st.floats(0.0, 0.9), st.floats(0.0, 0.0999), UNITS)
def test_a_reverse_logarithmic_draw_lies_in_its_range(low: float, width: float, unit: float) -> None:
    item = ContinuousRange("x", low, low + width, Scaling.REVERSE_LOGARITHMIC)
    assert item.contains(item.at(unit))


SCALINGS = st.sampled_from([Scaling.LINEAR, Scaling.LOGARITHMIC, Scaling.AUTO])


@given(st.integers(1, 1000), st.integers(0, 10_000), SCALINGS, UNITS)
def test_an_integers_place_in_the_unit_interval_leads_back_to_it(
    low: int, width: int, scaling: Scaling, unit: float
) -> None:
    item = IntegerRange("k", low, low + width, scaling)
    value = item.at(unit)
    assert 0.0 <= item.unit(value) <= 1.0
    assert item.at(item.unit(value)) == value


@given(st.floats(1e-6, 0.5), st.floats(1e-3, 0.49), st.sampled_from(Scaling), UNITS)
def test_a_numbers_place_in_the_unit_interval_leads_back_to_it(
    low: float, width: float, scaling: Scaling, unit: float
) -> None:
    item = ContinuousRange("x", low, low + width, scaling)
    assert item.unit(item.at(unit)) == pytest.approx(unit, abs=1e-6)


def test_choices_that_python_holds_equal_have_places_of_their_own() -> None:
    item = CategoricalRange("c", (1, True, "1"))
    assert [item.at(item.unit(choice)) for choice in item.choices] == [1, True, "1"]
    assert isinstance(item.at(item.unit(True)), bool)


def draws(item: ContinuousRange | IntegerRange, count: int = 20_000) -> list[float]:
    rng = random.Random(0)
    return [item.at(rng.random()) for _ in range(count)]


def test_linear_draws_are_uniform() -> None:
    values = draws(ContinuousRange("x", 0.0, 10.0, Scaling.LINEAR))
    assert sum(value < 2.5 for value in values) / len(values) == pytest.approx(0.25, abs=0.02)


def test_logarithmic_draws_are_uniform_over_decades() -> None:
    values = draws(ContinuousRange("x", 1e-4, 1.0, Scaling.LOGARITHMIC))
    assert sum(value < 1e-2 for value in values) / len(values) == pytest.approx(0.5, abs=0.02)


def test_reverse_logarithmic_draws_are_uniform_over_decades_of_the_distance_to_one() -> None:
    values = draws(ContinuousRange("x", 0.0, 0.9999, Scaling.REVERSE_LOGARITHMIC))
    assert sum(value > 0.99 for value in values) / len(values) == pytest.approx(0.5, abs=0.02)


def test_every_integer_of_a_linear_range_is_equally_likely() -> None:
    values = draws(IntegerRange("k", 1, 4, Scaling.LINEAR))
    for number in (1, 2, 3, 4):
        assert values.count(number) / len(values) == pytest.approx(0.25, abs=0.02)


def test_auto_scaling_is_logarithmic_from_three_decades_on() -> None:
    wide, narrow = ContinuousRange("x", 1e-3, 1.0), ContinuousRange("x", 1e-2, 1.0)
    assert wide.at(0.5) == pytest.approx(math.sqrt(1e-3))
    assert narrow.at(0.5) == pytest.approx(0.505)


def test_a_space_counts_its_configurations() -> None:
    space = SearchSpace((IntegerRange("k", 20, 40), CategoricalRange("flag", (True, False))))
    assert space.cardinality == 42
    assert SearchSpace((ContinuousRange("x", 0, 1),)).cardinality is None


def test_the_grid_holds_every_configuration_once_and_the_first_range_varies_slowest() -> None:
    space = SearchSpace((CategoricalRange("c", ("a", "b")), IntegerRange("k", 1, 3)))
    points = [space.grid_point(index) for index in range(6)]
    assert points[:4] == [{"c": "a", "k": 1}, {"c": "a", "k": 2}, {"c": "a", "k": 3}, {"c": "b", "k": 1}]
    assert len({tuple(point.items()) for point in points}) == 6


def test_a_grid_position_outside_the_space_is_an_error() -> None:
    space = SearchSpace((CategoricalRange("c", ("a",)),))
    with pytest.raises(IndexError):
        space.grid_point(1)
    with pytest.raises(ValueError, match="no grid"):
        SearchSpace((ContinuousRange("x", 0, 1),)).grid_point(0)
