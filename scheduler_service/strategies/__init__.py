"""Search strategies, one per file."""

from scheduler_service.strategies.contract import History, Reads, Strategy
from scheduler_service.strategies.grid import GridStrategy
from scheduler_service.strategies.parents import ParentTrial, ParentTrials
from scheduler_service.strategies.random import RandomStrategy
from scheduler_service.strategies.registry import strategy_for
from scheduler_service.strategies.sobol import SobolStrategy

__all__ = [
    "GridStrategy",
    "History",
    "ParentTrial",
    "ParentTrials",
    "RandomStrategy",
    "Reads",
    "SobolStrategy",
    "Strategy",
    "strategy_for",
]
