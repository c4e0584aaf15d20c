"""The strategies by their names in the contract."""

from __future__ import annotations

from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.strategies.asha import AshaStrategy
from scheduler_service.strategies.bayesian import BayesianStrategy
from scheduler_service.strategies.contract import Strategy
from scheduler_service.strategies.freeze_thaw import FreezeThawStrategy
from scheduler_service.strategies.grid import GridStrategy
from scheduler_service.strategies.random import RandomStrategy
from scheduler_service.strategies.sobol import SobolStrategy

_STRATEGIES: dict[StrategyName, Strategy] = {
    StrategyName.BAYESIAN: BayesianStrategy(),
    StrategyName.RANDOM: RandomStrategy(),
    StrategyName.GRID: GridStrategy(),
    StrategyName.SOBOL: SobolStrategy(),
    StrategyName.ASHA: AshaStrategy(),
    StrategyName.BAYESIAN_ASHA: FreezeThawStrategy(),
    StrategyName.HYPERBAND: RandomStrategy("HYPERBAND"),  # what makes it Hyperband is which of them it stops
}


def strategy_for(name: StrategyName) -> Strategy:
    """The strategy of a name; the API accepts no other names.

    Raises:
        KeyError: When this version does not have it.
    """
    return _STRATEGIES[name]
