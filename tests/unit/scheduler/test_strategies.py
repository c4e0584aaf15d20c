from __future__ import annotations

import pytest

from hrnn_tuner.domain.search_space import IntegerRange, SearchSpace
from scheduler_service.strategies import GridStrategy, RandomStrategy
from scheduler_service.strategies.parzen import ParzenStrategy
from tests.unit.scheduler.strategy_contract import (
    COMBINATIONS,
    MIXED,
    LearningContract,
    SeededContract,
    StrategyContract,
    run,
    tuned,
)


class TestRandom(StrategyContract, SeededContract):
    strategy = RandomStrategy()
    space = MIXED


class TestGrid(StrategyContract):
    strategy = GridStrategy()
    space = COMBINATIONS


class TestParzen(StrategyContract, SeededContract, LearningContract):
    strategy = ParzenStrategy()
    space = MIXED

    def test_it_finds_better_ones_than_random_draws(self) -> None:
        found = [max(tuned(ParzenStrategy(), MIXED, 60, seed)) for seed in range(3)]
        by_chance = [max(tuned(RandomStrategy(), MIXED, 60, seed)) for seed in range(3)]
        assert sum(found) > sum(by_chance)


@pytest.mark.parametrize("seed", [0, 42])
def test_random_draws_are_the_same_on_every_machine(seed: int) -> None:
    golden = {0: 7, 42: 9}
    (point,) = run(RandomStrategy(), SearchSpace((IntegerRange("k", 1, 9),)), [1], seed)
    assert point["k"] == golden[seed]
