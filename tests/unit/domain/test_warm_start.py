"""What counts as a change between a parent and its child."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, ParameterRange, Value
from hrnn_tuner.domain.warm_start import Treatment, changed_kinds, changes

TWO, THREE = CategoricalRange("a", (True, False)), CategoricalRange("a", ("x", "y", "z"))
NUMBER, INTEGER = ContinuousRange("a", 0.0, 1.0), IntegerRange("a", 1, 9)
NAMES = "abcdef"


def ranges_named(name: str) -> st.SearchStrategy[ParameterRange]:
    return st.one_of(
        st.builds(IntegerRange, st.just(name), st.integers(1, 5), st.integers(5, 9)),
        st.builds(ContinuousRange, st.just(name), st.floats(0, 1), st.floats(1, 2)),
        st.builds(CategoricalRange, st.just(name), st.sampled_from([(True, False), ("x", "y", "z")])),
    )


@st.composite
def treatments(draw: st.DrawFn) -> Treatment:
    static: dict[str, Value] = {}
    ranges: dict[str, ParameterRange] = {}
    for name in NAMES:
        if draw(st.booleans()):
            ranges[name] = draw(ranges_named(name))
        else:
            static[name] = draw(st.one_of(st.booleans(), st.integers(0, 2), st.sampled_from(["x", "y"])))
    return Treatment(static, ranges)


@pytest.mark.parametrize(
    ("there", "here", "weight"),
    [
        (NUMBER, 0.5, 1),
        (THREE, "x", 1),
        (TWO, True, 2),
        (0.5, NUMBER, 1),
        (True, TWO, 1),
        (0.5, 0.6, 2),
        (1, True, 2),
        (0.5, 0.5, 0),
        (NUMBER, ContinuousRange("a", 0.4, 0.5), 0),
    ],
)
def test_a_change_has_its_weight(there: ParameterRange | Value, here: ParameterRange | Value, weight: int) -> None:
    def treatment(item: ParameterRange | Value) -> Treatment:
        if isinstance(item, (bool, int, float, str)):
            return Treatment({"a": item}, {})
        return Treatment({}, {"a": item})

    assert sum(change.weight for change in changes(treatment(there), treatment(here))) == weight


@given(treatment=treatments())
def test_nothing_differs_from_itself(treatment: Treatment) -> None:
    assert changes(treatment, treatment) == []
    assert changed_kinds(treatment, treatment) == []


@given(one=treatments(), other=treatments())
def test_each_hyperparameter_changes_once_at_most_and_names_are_in_order(one: Treatment, other: Treatment) -> None:
    found = changes(one, other)
    names = [change.name for change in found]
    assert names == sorted(set(names))
    assert {name for name in one.ranges if name in other.ranges}.isdisjoint(names)
    assert all(change.weight in {1, 2} for change in found)
    assert [change.name for change in changes(other, one)] == names


def test_a_hyperparameter_of_one_side_is_no_change() -> None:
    assert changes(Treatment({"a": 1}, {}), Treatment({"b": 1}, {})) == []


def test_a_range_of_another_kind_is_named() -> None:
    assert changed_kinds(Treatment({}, {"a": NUMBER}), Treatment({}, {"a": INTEGER})) == ["a"]
    assert changed_kinds(Treatment({}, {"a": NUMBER}), Treatment({"a": 1}, {})) == []
