"""Searches in tables of trainings, epoch by epoch in virtual time, with the scheduler's own strategies and rules."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field, replace

from hrnn_tuner.domain.early_stopping import HyperbandConfig
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.trial import Trial, TrialStatus
from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.early_stopping import HyperbandRule, ListedPeers, MedianRule, PauseRule, Point, StoppingRule
from scheduler_service.strategies import History, strategy_for
from tests.benchmarks.search.functions.hrnn_table import EPOCHS, HrnnTable

OBJECTIVE = Objective(ObjectiveType.MAXIMIZE, "normalized_discounted_cumulative_gain_at_10")
LEVELS = HyperbandConfig(1, EPOCHS)


@dataclass(frozen=True)
class Way:
    """A way to spend epochs.

    Attributes:
        title: As tables call it.
        strategy: Proposes.
        early_stopping: Whether the median rule stops training jobs, as with AUTO and the default settings.
    """

    title: str
    strategy: StrategyName
    early_stopping: bool = False

    def rule(self, seed: int) -> StoppingRule | None:
        """What stops training jobs."""
        if self.early_stopping:
            return MedianRule(OBJECTIVE, min_epoch=3, min_training_jobs=5)
        if self.strategy.promotes:
            return PauseRule(LEVELS)
        return HyperbandRule(LEVELS, seed) if self.strategy is StrategyName.HYPERBAND else None

    @property
    def levels(self) -> tuple[int, ...]:
        """Where training jobs pause."""
        return (*LEVELS.levels, EPOCHS) if self.strategy.promotes else ()


@dataclass(frozen=True)
class Spent:
    """What it took to reach a target.

    Attributes:
        epochs: Of all training jobs, also those that were stopped.
        seconds: Of virtual time, with several training jobs at a time.
        trials: Training jobs that were started.
        reached: Whether it was reached; otherwise the space was exhausted.
    """

    epochs: int
    seconds: float
    trials: int
    reached: bool


@dataclass
class _Search:
    """A search in the middle."""

    table: HrnnTable
    way: Way
    seed: int
    trials: list[Trial] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    curves: list[list[float]] = field(default_factory=list)
    standings: dict[tuple[int, int], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    means: dict[int, tuple[float, int]] = field(default_factory=dict)

    def launch(self) -> int | None:
        """Starts the next training job; returns its number, None when nothing can be proposed now."""
        number = len(self.trials) + 1
        history = History(self.table.grid.space, OBJECTIVE, number - 1, tuple(self.trials), levels=self.way.levels)
        proposals = strategy_for(self.way.strategy).propose(history, [number], self.seed)
        if not proposals:
            return None
        (proposal,) = proposals
        self.trials.append(
            Trial(number, proposal.hyperparameters, continues=proposal.continues, until_epoch=proposal.until_epoch)
        )
        self.rows.append(self.table.grid.row(proposal.hyperparameters))
        # A promotion has the epochs of the training job that it goes on from.
        self.curves.append(list(self.curves[proposal.continues - 1]) if proposal.continues else [])
        return number

    def epoch(self, number: int) -> float:
        """Trains one more epoch; returns the objective after it."""
        curve = self.curves[number - 1]
        curve.append(float(self.table.objective[self.rows[number - 1], len(curve)]))
        return curve[-1]

    def seconds(self, number: int) -> float:
        """What the next epoch takes."""
        return float(self.table.cpu_s[self.rows[number - 1], len(self.curves[number - 1])])

    def goes_on(self, number: int, rule: StoppingRule | None) -> bool:
        """Whether a training job has another epoch; if not, its result is known from now on."""
        trial, curve = self.trials[number - 1], self.curves[number - 1]
        stopped = rule is not None and self._stopped(number, rule)
        if not stopped and len(curve) < EPOCHS:
            return True
        paused = trial.until_epoch is not None and len(curve) < EPOCHS
        self.trials[number - 1] = replace(trial, status=TrialStatus.OBSERVED, value=max(curve), paused=paused)
        return False

    def _stopped(self, number: int, rule: StoppingRule) -> bool:
        """Asks the rule, once at each level, as the scheduler does."""
        epoch, value = len(self.curves[number - 1]), self.curves[number - 1][-1]
        level = rule.level(number, epoch)
        if level is None:
            return False
        scores = self.standings[rule.pool(number), level]
        if number in scores:
            return False
        peers = ListedPeers(OBJECTIVE, list(scores.values()))
        total, count = self.means.get(number, (0.0, 0))
        self.means[number] = (total + value, count + 1)
        scores[number] = (total + value) / (count + 1) if rule.averages else value
        return rule.decide(Point(number, epoch, value, self.trials[number - 1].until_epoch), peers).stop


def spend(table: HrnnTable, way: Way, in_flight: int, target: float, seed: int) -> Spent:
    """Searches a table until the target is reached or nothing is left.

    Args:
        table: Trainings.
        way: How.
        in_flight: Training jobs at a time.
        target: Objective to be reached by any epoch.
        seed: Of the tuning job.
    """
    search, rule = _Search(table, way, seed), way.rule(seed)
    running: list[tuple[float, int]] = []
    now, epochs = 0.0, 0
    while True:
        while len(running) < in_flight and (number := search.launch()) is not None:
            heapq.heappush(running, (now + search.seconds(number), number))
        if not running:
            return Spent(epochs, now, len(search.trials), reached=False)
        now, number = heapq.heappop(running)
        epochs += 1
        if search.epoch(number) >= target:
            return Spent(epochs, now, len(search.trials), reached=True)
        if search.goes_on(number, rule):
            heapq.heappush(running, (now + search.seconds(number), number))
