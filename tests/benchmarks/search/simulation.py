"""Runs a search in virtual time: always as many training jobs in flight as allowed, each as long as its seed says."""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.search.functions.contract import BenchFunction, Configuration
from tests.benchmarks.search.searcher import Cost, Searcher

#: Shortest and longest training job, in virtual time.
_DURATIONS = (0.5, 1.5)


@dataclass(frozen=True)
class Trace:
    """What came of N training jobs, in the order in which they ended.

    Attributes:
        best: Loss, without noise, of the configuration whose reported value was the lowest so far [N].
        cpu_s: Processor seconds of each proposal, with those of taking the result before it [N], in order of asking.
        wall_s: Seconds of the wall clock, likewise [N].
        evaluation_cpu_s: Processor seconds of evaluating the function, all together.
    """

    best: NDArray[np.float64]
    cpu_s: NDArray[np.float64]
    wall_s: NDArray[np.float64]
    evaluation_cpu_s: float

    def figures(self) -> Mapping[str, NDArray[np.float64]]:
        """All of it as arrays."""
        return {name: np.array(value) for name, value in vars(self).items()}


def duration_of(seed: int, number: int) -> float:
    """How long a training job takes: the same for every method."""
    return random.Random(f"duration/{seed}/{number}").uniform(*_DURATIONS)


def simulate(searcher: Searcher, function: BenchFunction, in_flight: int, trials: int, seed: int) -> Trace:
    """Searches.

    Args:
        searcher: A fresh one.
        function: What to search.
        in_flight: Training jobs at a time: so many are asked for before the first result, and one more after each.
        trials: Training jobs altogether; fewer when the method says that the space is exhausted. The best stays
            what it is then.
        seed: Of durations and noise.
    """
    running: list[tuple[float, int, Configuration]] = []
    costs: list[Cost] = []
    best, lowest, incumbent = list[float](), float("inf"), float("inf")
    pending, evaluation_cpu_s, now, asked, exhausted = Cost(), 0.0, 0.0, 0, False
    while running or (asked < trials and not exhausted):
        while len(running) < in_flight and asked < trials and not exhausted:
            configuration, cost = searcher.ask(asked + 1)
            if configuration is None:
                exhausted = True
                break
            asked += 1
            costs.append(pending + cost)
            pending = Cost()
            heapq.heappush(running, (now + duration_of(seed, asked), asked, configuration))
        if not running:
            break
        now, number, configuration = heapq.heappop(running)
        started = time.process_time()
        value, loss = function.evaluate(configuration, seed * 1_000_003 + number), function.loss(configuration)
        evaluation_cpu_s += time.process_time() - started
        if value < lowest:
            lowest, incumbent = value, loss
        best.append(incumbent)
        pending = pending + searcher.tell(number, value)
    best += [incumbent] * (trials - len(best))
    return Trace(
        best=np.array(best),
        cpu_s=np.array([cost.cpu_s for cost in costs]),
        wall_s=np.array([cost.wall_s for cost in costs]),
        evaluation_cpu_s=evaluation_cpu_s,
    )
