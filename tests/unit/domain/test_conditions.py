"""Ranges that apply to some configurations only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.conditions import condition_faults
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    SearchSpace,
    Value,
)
from tests.support.search_spaces import all_configurations, spaces

UNIT = st.floats(0.0, 1.0, exclude_max=True)
UNITS = st.lists(UNIT, min_size=5, max_size=5)

# The range that others depend on need not come first: the contract lists integers before categories.
DECAY = IntegerRange("decay", 1, 3, condition=Condition("optimizer", ("sgd", "adam")))
NESTEROV = CategoricalRange("nesterov", (True, False), Condition("optimizer", ("sgd",)))
MOMENTUM = ContinuousRange("momentum", 0.5, 0.9, condition=Condition("nesterov", (True,)))
OPTIMIZER = CategoricalRange("optimizer", ("adam", "sgd", "none"))
CHAIN = SearchSpace((DECAY, MOMENTUM, NESTEROV, OPTIMIZER))
FINITE = SearchSpace((DECAY, NESTEROV, OPTIMIZER))


@pytest.mark.parametrize(
    ("units", "configuration"),
    [
        ((0.5, 0.5, 0.0, 0.0), {"decay": 2, "optimizer": "adam"}),
        ((0.5, 0.5, 0.0, 0.5), {"decay": 2, "momentum": 0.7, "nesterov": True, "optimizer": "sgd"}),
        ((0.5, 0.5, 0.9, 0.5), {"decay": 2, "nesterov": False, "optimizer": "sgd"}),
        ((0.5, 0.5, 0.0, 0.9), {"optimizer": "none"}),
    ],
)
def test_a_range_that_does_not_apply_is_absent(units: tuple[float, ...], configuration: dict[str, Value]) -> None:
    found = CHAIN.at(units)
    assert found == pytest.approx(configuration)
    assert list(found) == list(configuration), "in the order of the ranges"


def test_a_coordinate_of_a_range_that_does_not_apply_is_absent_too() -> None:
    expected: tuple[Any, ...] = (pytest.approx(0.5), None, None, pytest.approx(1 / 6))
    assert CHAIN.units({"decay": 2, "optimizer": "adam"}) == expected


def test_a_range_applies_only_where_the_one_that_it_depends_on_does() -> None:
    stale: dict[str, Value] = {"optimizer": "none", "nesterov": True, "momentum": 0.7}
    assert CHAIN.active(stale) == (OPTIMIZER,)
    assert not CHAIN.contains(stale)
    assert CHAIN.contains({"optimizer": "none"})


def test_a_configuration_without_a_range_that_applies_lies_outside() -> None:
    assert not CHAIN.contains({"optimizer": "sgd", "decay": 1})
    assert not CHAIN.contains({"decay": 1})


def test_configurations_that_differ_in_what_does_not_apply_only_are_the_same() -> None:
    assert FINITE.key({"optimizer": "none", "decay": 1}) == FINITE.key({"optimizer": "none", "decay": 2})
    assert FINITE.key({"optimizer": "adam", "decay": 1}) != FINITE.key({"optimizer": "adam", "decay": 2})


def test_true_and_one_are_different_values() -> None:
    space = SearchSpace((CategoricalRange("c", (1, True)), IntegerRange("k", 1, 2, condition=Condition("c", (True,)))))
    assert space.contains({"c": 1})
    assert not space.contains({"c": True})
    assert space.cardinality == 3
    assert space.key({"c": 1}) != space.key({"c": True, "k": 1})


def test_a_space_counts_what_applies() -> None:
    assert FINITE.cardinality == 3 + 3 * 2 + 1
    assert CHAIN.cardinality is None


def test_the_grid_of_a_range_is_walked_before_the_next_value_of_the_one_it_depends_on() -> None:
    points = [FINITE.grid_point(index) for index in range(10)]
    assert points[:4] == [
        {"decay": 1, "optimizer": "adam"},
        {"decay": 2, "optimizer": "adam"},
        {"decay": 3, "optimizer": "adam"},
        {"decay": 1, "nesterov": True, "optimizer": "sgd"},
    ]
    assert points[-1] == {"optimizer": "none"}


def test_a_long_chain_is_counted_and_walked_at_once() -> None:
    links: list[ParameterRange] = [CategoricalRange("p0", (True, False))]
    links += [CategoricalRange(f"p{i}", (True, False), Condition(f"p{i - 1}", (True, False))) for i in range(1, 30)]
    space = SearchSpace(tuple(links))
    assert space.cardinality == 2**30
    assert space.can_repeat
    assert list(space.grid_point(2**30 - 1).values()) == [False] * 30


@given(space=spaces(), units=UNITS)
def test_every_point_of_the_cube_is_a_configuration_of_the_space(space: SearchSpace, units: list[float]) -> None:
    assert space.contains(space.at(units[: len(space.ranges)]))


@given(space=spaces(), units=UNITS)
def test_a_configurations_place_in_the_cube_leads_back_to_it(space: SearchSpace, units: list[float]) -> None:
    configuration = space.at(units[: len(space.ranges)])
    places = space.units(configuration)
    applies = [item.name in configuration for item in space.ranges]
    assert [place is not None for place in places] == applies
    again = space.at([0.5 if place is None else place for place in places])
    assert list(again) == list(configuration)
    for name, value in configuration.items():
        continuous = isinstance(next(item for item in space.ranges if item.name == name), ContinuousRange)
        assert again[name] == (pytest.approx(value, rel=1e-9) if continuous else value)
        assert type(again[name]) is type(value)


@given(space=spaces(infinite=False))
def test_the_grid_holds_every_configuration_once(space: SearchSpace) -> None:
    expected = all_configurations(space)
    total = space.cardinality
    assert total == len(expected)
    points = [space.grid_point(index) for index in range(total)]
    assert sorted(map(repr, points)) == sorted(map(repr, expected))
    assert len({space.key(point) for point in points}) == total
    assert all(space.contains(point) for point in points)


@given(space=spaces(), first=UNITS, second=UNITS)
def test_only_a_space_that_can_repeat_does(space: SearchSpace, first: list[float], second: list[float]) -> None:
    one, other = (space.at(units[: len(space.ranges)]) for units in (first, second))
    finite = all(item.cardinality is not None for item in space.active(one))
    assert space.can_repeat or not finite
    assert (space.key(one) == space.key(other)) == (repr(one) == repr(other))


def faults(*ranges: ParameterRange) -> list[tuple[int, str, str]]:
    return [(fault.position, fault.field, fault.description) for fault in condition_faults(ranges)]


def on(name: str, *values: Value) -> IntegerRange:
    return IntegerRange("k", 1, 9, condition=Condition(name, values))


def test_a_condition_names_a_categorical_range_of_the_space() -> None:
    c, x = CategoricalRange("c", ("a", "b")), ContinuousRange("x", 0, 1)
    assert faults(on("c", "a"), c, x) == []
    assert faults(c, on("d", "a")) == [(1, "name", "got 'd', which is not tuned; allowed: c")]
    assert faults(c, x, on("x", 0.5)) == [(2, "name", "got 'x', which is not a categorical range; allowed: c")]
    assert faults(on("k", 1)) == [
        (0, "name", "got 'k', which is the range itself; allowed: none, as no other range is categorical")
    ]


def test_a_condition_asks_for_values_that_the_other_range_takes() -> None:
    c = CategoricalRange("c", (1, 2.5, True))
    assert faults(c, on("c", 1.0, 2.5)) == []
    assert faults(c, on("c", False, 1)) == [(1, "values[0]", "got False, which 'c' never is; allowed: 1, 2.5, True")]
    assert faults(c, on("c", 1, 1.0)) == [(1, "values[1]", "got 1.0 twice; allowed: different values")]
    assert faults(c, on("c")) == [(1, "values", "is empty; allowed: at least one value")]


def test_conditions_that_lead_back_are_told_with_their_way() -> None:
    a = CategoricalRange("a", (1, 2), Condition("b", (1,)))
    b = CategoricalRange("b", (1, 2), Condition("c", (1,)))
    c = CategoricalRange("c", (1, 2), Condition("a", (1,)))
    beside = CategoricalRange("d", (1, 2), Condition("a", (1,)))
    assert faults(a, b, c, beside) == [
        (0, "name", "got 'b', which leads back to the range: a needs b needs c needs a; allowed: b, c, d"),
        (1, "name", "got 'c', which leads back to the range: b needs c needs a needs b; allowed: a, c, d"),
        (2, "name", "got 'a', which leads back to the range: c needs a needs b needs c; allowed: a, b, d"),
    ]


def test_no_space_is_made_of_conditions_that_are_not_well_formed() -> None:
    with pytest.raises(ValueError, match="condition of 'k': name: got 'd', which is not tuned"):
        SearchSpace((on("d", 1),))
