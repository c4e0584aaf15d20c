"""This project's strategies as searchers."""

from __future__ import annotations

import time
from dataclasses import replace

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies import History, Reads, Strategy
from tests.benchmarks.search.functions.contract import Configuration
from tests.benchmarks.search.searcher import Cost, Searcher

_OBJECTIVE = Objective(ObjectiveType.MINIMIZE, "loss")


class StrategySearcher(Searcher):
    """Keeps the history that the scheduler would read from the database."""

    def __init__(self, strategy: Strategy, space: SearchSpace, seed: int) -> None:
        self._strategy = strategy
        self._reads = strategy.reads(space)
        self._space, self._seed = space, seed
        self._trials: dict[int, Trial] = {}

    def ask(self, number: int) -> tuple[Configuration | None, Cost]:
        """See `Searcher.ask`."""
        trials = tuple(self._trials[key] for key in sorted(self._trials)) if self._reads > Reads.NOTHING else ()
        history = History(self._space, _OBJECTIVE, launched=len(self._trials), trials=trials)
        cpu, wall = time.process_time(), time.monotonic()
        proposals = self._strategy.propose(history, [number], self._seed)
        cost = Cost(time.process_time() - cpu, time.monotonic() - wall)
        if not proposals:
            return None, cost
        configuration = proposals[0].hyperparameters
        self._trials[number] = Trial(number, configuration)
        return configuration, cost

    def tell(self, number: int, value: float) -> Cost:
        """See `Searcher.tell`."""
        self._trials[number] = replace(self._trials[number], status=TrialStatus.OBSERVED, value=value)
        return Cost()

    def add(self, number: int, configuration: Configuration, value: float) -> None:
        """See `Searcher.add`."""
        self._trials[number] = Trial(number, configuration, TrialStatus.OBSERVED, value)
