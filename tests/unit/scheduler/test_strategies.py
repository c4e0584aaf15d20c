from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, SearchSpace
from hrnn_tuner.domain.trial import Trial
from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.strategies import GridStrategy, History, RandomStrategy, Strategy, strategy_for

OBJECTIVE = Objective(ObjectiveType.MAXIMIZE, "score")
CATEGORICAL = SearchSpace((CategoricalRange("c", ("a", "b", "d")), CategoricalRange("flag", (True, False))))
MIXED = SearchSpace((ContinuousRange("x", 1e-4, 1.0), IntegerRange("k", 1, 9), CategoricalRange("c", ("a", "b"))))


def run(strategy: Strategy, space: SearchSpace, batches: list[int], seed: int) -> list[dict[str, Any]]:
    """Asks for proposals in batches, as the planner does."""
    configurations: list[dict[str, Any]] = []
    for size in batches:
        first = len(configurations) + 1
        trials = tuple(Trial(number, point) for number, point in enumerate(configurations, start=1))
        history = History(space, OBJECTIVE, len(trials), trials)
        proposals = strategy.propose(history, range(first, first + size), seed)
        configurations += [dict(proposal.hyperparameters) for proposal in proposals]
    return configurations


class StrategyContract:
    """What every strategy must satisfy."""

    strategy: Strategy
    space: SearchSpace

    def test_every_proposal_lies_in_the_space(self) -> None:
        assert all(self.space.contains(point) for point in run(self.strategy, self.space, [6], seed=1))

    @settings(suppress_health_check=[HealthCheck.differing_executors])  # each subclass runs it for its own strategy
    @given(batches=st.lists(st.integers(1, 3), max_size=4), seed=st.integers(0, 2**53))
    def test_the_sequence_does_not_depend_on_how_it_is_asked_for(self, batches: list[int], seed: int) -> None:
        total = min(sum(batches), 6)
        together = run(self.strategy, self.space, [total], seed)
        one_by_one = run(self.strategy, self.space, [1] * total, seed)
        assert together == one_by_one

    def test_a_finite_space_is_exhausted_without_a_repeat(self) -> None:
        points = run(self.strategy, CATEGORICAL, [4, 4], seed=0)
        assert len(points) == 6
        assert len({tuple(sorted(point.items())) for point in points}) == 6

    def test_an_exhausted_space_gives_no_proposal(self) -> None:
        assert run(self.strategy, CATEGORICAL, [6, 1], seed=0) == run(self.strategy, CATEGORICAL, [6], seed=0)


class TestRandom(StrategyContract):
    strategy = RandomStrategy()
    space = MIXED

    def test_seed_zero_is_a_seed(self) -> None:
        assert run(self.strategy, MIXED, [3], 0) != run(self.strategy, MIXED, [3], 1)

    def test_untried_points_of_a_nearly_exhausted_space_are_found(self) -> None:
        space = SearchSpace((IntegerRange("k", 1, 5000),))
        history = History(space, OBJECTIVE, 4999, tuple(Trial(value, {"k": value}) for value in range(1, 5000)))
        (proposal,) = self.strategy.propose(history, [5000], seed=3)
        assert proposal.hyperparameters == {"k": 5000}


def test_hyperband_draws_what_random_search_draws_under_its_own_name() -> None:
    history = History(MIXED, OBJECTIVE)
    random, hyperband = (strategy_for(name) for name in (StrategyName.RANDOM, StrategyName.HYPERBAND))
    (ours,), (theirs,) = hyperband.propose(history, [1], 5), random.propose(history, [1], 5)
    assert ours.hyperparameters == theirs.hyperparameters
    assert (ours.strategy, theirs.strategy) == ("HYPERBAND", "RANDOM")


class TestGrid(StrategyContract):
    strategy = GridStrategy()
    space = CATEGORICAL


@pytest.mark.parametrize("seed", [0, 42])
def test_random_draws_are_the_same_on_every_machine(seed: int) -> None:
    golden = {0: 7, 42: 9}
    (point,) = run(RandomStrategy(), SearchSpace((IntegerRange("k", 1, 9),)), [1], seed)
    assert point["k"] == golden[seed]
