"""Grid search on ranges of all kinds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.search_space import CategoricalRange, Condition, ContinuousRange, IntegerRange, SearchSpace
from scheduler_service.strategies import GridStrategy, History, Reads
from tests.support.proposing import OBJECTIVE, propose
from tests.support.search_spaces import all_configurations, spaces

GRID = GridStrategy()
NUMERIC = SearchSpace(
    (
        IntegerRange("k", 1, 100, grid_points=3),
        ContinuousRange("x", 1e-4, 1.0, condition=Condition("c", ("a",)), grid_points=3),
        CategoricalRange("c", ("a", "b")),
    )
)


def test_numeric_ranges_take_their_grid_points() -> None:
    points = propose(GRID, NUMERIC, [100])
    assert len(points) == 3 * (3 + 1)
    assert {point["k"] for point in points} == {1, 51, 100}
    assert {round(float(point["x"]), 6) for point in points if "x" in point} == {1e-4, 1e-2, 1.0}
    assert all(("x" in point) == (point["c"] == "a") for point in points)
    assert all(NUMERIC.contains(point) for point in points)


@settings(max_examples=40)
@given(space=spaces(infinite=False, max_ranges=4), sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_every_configuration_comes_once_however_it_is_asked_for(space: SearchSpace, sizes: list[int]) -> None:
    expected = all_configurations(space)
    rounds = len(expected) // sum(sizes) + 1
    points = propose(GRID, space, sizes * rounds)
    assert sorted(map(repr, points)) == sorted(map(repr, expected))
    assert points == propose(GRID, space, [1] * len(expected))


def test_the_position_is_how_many_were_launched() -> None:
    assert GRID.reads(NUMERIC) is Reads.NOTHING
    (proposal,) = GRID.propose(History(NUMERIC, OBJECTIVE, launched=3), [9], seed=0)
    assert proposal.hyperparameters == {"k": 1, "c": "b"}
    assert proposal.explanation == "point 4 of 12"


def test_an_exhausted_grid_gives_no_proposal() -> None:
    assert GRID.propose(History(NUMERIC, OBJECTIVE, launched=12), [13], seed=0) == []
