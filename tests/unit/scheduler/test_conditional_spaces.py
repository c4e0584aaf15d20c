"""Strategies in spaces whose ranges do not always apply."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    SearchSpace,
    Value,
)
from hrnn_tuner.domain.trial import Trial
from scheduler_service.strategies import GridStrategy, History, RandomStrategy, Reads, SobolStrategy, Strategy
from tests.support.proposing import OBJECTIVE, propose
from tests.support.search_spaces import all_configurations, spaces
from tests.unit.scheduler.strategy_contract import CONDITIONAL

DRAWING: list[Strategy] = [RandomStrategy(), SobolStrategy()]
ALL: list[Strategy] = [*DRAWING, GridStrategy()]
#: Infinite, but for one configuration.
BRANCHED = SearchSpace(
    (ContinuousRange("x", 0.0, 1.0, condition=Condition("c", ("a",))), CategoricalRange("c", ("a", "b")))
)


def kind(strategy: Strategy) -> str:
    return type(strategy).__name__


@pytest.mark.parametrize("strategy", ALL, ids=kind)
@settings(max_examples=40)
@given(space=spaces(infinite=False, max_ranges=4), seed=st.integers(0, 2**53))
def test_a_finite_space_is_exhausted_without_a_repeat(strategy: Strategy, space: SearchSpace, seed: int) -> None:
    expected = all_configurations(space)
    points = propose(strategy, space, [3] * (len(expected) // 3 + 1), seed=seed)
    assert sorted(map(repr, points)) == sorted(map(repr, expected))


@pytest.mark.parametrize("strategy", DRAWING, ids=kind)
@settings(max_examples=40)
@given(space=spaces(), batches=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 2**53))
def test_the_sequence_does_not_depend_on_how_it_is_asked_for(
    strategy: Strategy, space: SearchSpace, batches: list[int], seed: int
) -> None:
    points = propose(strategy, space, batches, seed=seed)
    assert points == propose(strategy, space, [1] * sum(batches), seed=seed)
    assert all(space.contains(point) for point in points)
    assert len({space.key(point) for point in points}) == len(points)


@pytest.mark.parametrize("strategy", DRAWING, ids=kind)
def test_each_branch_gets_its_share(strategy: Strategy) -> None:
    space = SearchSpace((*CONDITIONAL.ranges, ContinuousRange("x", 0.0, 1.0)))
    points = propose(strategy, space, [300], seed=1)
    for choice in ("a", "b", "d"):
        branch = [point for point in points if point["c"] == choice]
        assert 80 <= len(branch) <= 120
        assert all(("k" in point) == (choice == "a") for point in branch)
        assert all(("flag" in point) == (choice != "d") for point in branch)


@pytest.mark.parametrize("strategy", DRAWING, ids=kind)
def test_values_of_ranges_that_do_not_apply_make_no_difference(strategy: Strategy) -> None:
    # the same configuration twice, as far as it applies
    tried: list[dict[str, Value]] = [{"c": "d", "k": 1}, {"c": "d", "k": 2}]
    trials = tuple(Trial(number, point) for number, point in enumerate(tried, start=1))
    history = History(CONDITIONAL, OBJECTIVE, 2, trials)
    points = [dict(item.hyperparameters) for item in strategy.propose(history, range(3, 30), seed=0)]
    assert sorted(map(repr, points)) == sorted(
        repr(item) for item in all_configurations(CONDITIONAL) if item != {"c": "d"}
    )


@pytest.mark.parametrize("strategy", DRAWING, ids=kind)
def test_a_finite_branch_of_an_infinite_space_is_not_repeated(strategy: Strategy) -> None:
    assert strategy.reads(BRANCHED) is Reads.CONFIGURATIONS
    points = propose(strategy, BRANCHED, [4] * 10, seed=2)
    assert len(points) == 40
    assert points.count({"c": "b"}) == 1


@pytest.mark.parametrize("strategy", DRAWING, ids=kind)
def test_a_small_infinite_branch_is_found_when_the_rest_is_tried(strategy: Strategy) -> None:
    wide = tuple(range(30))
    space = SearchSpace(
        (
            CategoricalRange("c", wide),
            CategoricalRange("d", wide, Condition("c", (0,))),
            ContinuousRange("x", 0.0, 1.0, condition=Condition("d", (0,))),
        )
    )
    rest = [{"c": c} for c in wide[1:]] + [{"c": 0, "d": d} for d in wide[1:]]
    trials = tuple(Trial(number, point) for number, point in enumerate(rest, start=1))
    proposals = strategy.propose(History(space, OBJECTIVE, len(rest), trials), range(59, 79), seed=0)
    assert len({space.key(item.hyperparameters) for item in proposals}) == 20
    assert all({"c", "d", "x"} == set(item.hyperparameters) for item in proposals)
