from __future__ import annotations

import pickle

import pytest

from hrnn_tuner.domain.search_space import IntegerRange, SearchSpace
from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.strategies import GridStrategy, RandomStrategy, SobolStrategy, strategy_for
from scheduler_service.strategies.parzen import ParzenStrategy
from tests.unit.scheduler import test_asha, test_bayesian, test_freeze_thaw
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


class TestSobol(StrategyContract, SeededContract):
    strategy = SobolStrategy()
    space = MIXED


class TestSobolWithCategoriesOnly(StrategyContract, SeededContract):
    strategy = SobolStrategy()
    space = COMBINATIONS


class TestHyperband(StrategyContract, SeededContract):
    strategy = strategy_for(StrategyName.HYPERBAND)
    space = MIXED


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


@pytest.mark.parametrize("name", StrategyName)
def test_every_registered_strategy_has_the_contract_tested(name: StrategyName) -> None:
    classes = [*globals().values(), *vars(test_asha).values(), *vars(test_bayesian).values()]
    classes += vars(test_freeze_thaw).values()
    tested = [item for item in classes if isinstance(item, type) and issubclass(item, StrategyContract)]
    strategies = [item.strategy for item in tested if item is not StrategyContract]
    assert pickle.dumps(strategy_for(name)) in [pickle.dumps(strategy) for strategy in strategies]
