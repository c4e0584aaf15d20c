"""The values of numeric ranges that a grid takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    Scaling,
    SearchSpace,
    Value,
)


def grid_values(item: IntegerRange | ContinuousRange) -> list[Value]:
    on_grid = item.on_grid()
    assert isinstance(on_grid, CategoricalRange)
    return list(on_grid.choices)


@pytest.mark.parametrize(
    ("low", "high", "scaling", "expected"),
    [
        (0.0, 1.0, Scaling.LINEAR, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (1e-4, 1.0, Scaling.LOGARITHMIC, [1e-4, 1e-3, 1e-2, 1e-1, 1.0]),
        (1e-4, 1.0, Scaling.AUTO, [1e-4, 1e-3, 1e-2, 1e-1, 1.0]),
        (0.1, 0.9, Scaling.AUTO, [0.1, 0.3, 0.5, 0.7, 0.9]),
        (0.0, 0.9999, Scaling.REVERSE_LOGARITHMIC, [0.0, 0.9, 0.99, 0.999, 0.9999]),
    ],
)
def test_numbers_are_spaced_equally_in_the_scaled_coordinate(
    low: float, high: float, scaling: Scaling, expected: list[float]
) -> None:
    values = grid_values(ContinuousRange("x", low, high, scaling, grid_points=5))
    assert values == pytest.approx(expected)
    assert (values[0], values[-1]) == (low, high), "the ends are exact"


@pytest.mark.parametrize(
    ("low", "high", "scaling", "points", "expected"),
    [
        (1, 9, Scaling.LINEAR, 5, [1, 3, 5, 7, 9]),
        (1, 10, Scaling.LINEAR, 4, [1, 4, 7, 10]),
        (1, 1000, Scaling.LOGARITHMIC, 4, [1, 10, 100, 1000]),
        (1, 1000, Scaling.AUTO, 4, [1, 10, 100, 1000]),
        (1, 8, Scaling.LOGARITHMIC, 7, [1, 2, 3, 4, 6, 8]),
        (1, 3, Scaling.LINEAR, 1000, [1, 2, 3]),
        (-2, 3, Scaling.AUTO, 2, [-2, 3]),
        (5, 5, Scaling.AUTO, 2, [5]),
    ],
)
def test_integers_are_rounded_and_taken_once(
    low: int, high: int, scaling: Scaling, points: int, expected: list[int]
) -> None:
    assert grid_values(IntegerRange("k", low, high, scaling, grid_points=points)) == expected


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63), st.integers(2, 1000))
def test_integers_of_a_grid_ascend_from_one_end_to_the_other(low: int, width: int, points: int) -> None:
    item = IntegerRange("k", low, min(low + width, 2**63 - 1), grid_points=points)
    values = grid_values(item)
    assert all(item.contains(value) for value in values)
    assert values == sorted(set(map(int, values)))
    assert (values[0], values[-1]) == (item.minimum, item.maximum)
    assert len(values) <= points


def test_an_integer_range_without_grid_points_takes_all_its_values() -> None:
    space = SearchSpace((IntegerRange("k", 1, 3),))
    assert [space.grid.grid_point(index)["k"] for index in range(3)] == [1, 2, 3]


def test_a_continuous_range_without_grid_points_has_no_grid_unless_it_is_one_point() -> None:
    assert SearchSpace((ContinuousRange("x", 0, 1),)).grid.cardinality is None
    assert SearchSpace((ContinuousRange("x", 0.5, 0.5),)).grid.grid_point(0) == {"x": 0.5}


def test_a_grid_keeps_conditions() -> None:
    x = ContinuousRange("x", 0.0, 1.0, condition=Condition("c", ("a",)), grid_points=3)
    grid = SearchSpace((x, CategoricalRange("c", ("a", "b")))).grid
    assert grid.cardinality == 4
    points = [grid.grid_point(index) for index in range(4)]
    assert points == [{"x": 0.0, "c": "a"}, {"x": 0.5, "c": "a"}, {"x": 1.0, "c": "a"}, {"c": "b"}]


def test_grid_points_matter_to_a_grid_only() -> None:
    assert SearchSpace((ContinuousRange("x", 0, 1, grid_points=3),)).cardinality is None
    assert SearchSpace((IntegerRange("k", 1, 9, grid_points=3),)).cardinality == 9
