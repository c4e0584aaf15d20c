"""Hyperband without waiting: successive halving decided for each training job alone, in brackets.

Li et al., "Hyperband" (JMLR 18, 2018) says which brackets there are and how many training jobs each gets; Li et al.,
"A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020) decides without waiting for the others of a level.
Training jobs are not paused and promoted as there, but go on or are stopped.
"""

from __future__ import annotations

import random
from itertools import accumulate

from hrnn_tuner.domain.early_stopping import REDUCTION_FACTOR, HyperbandConfig
from scheduler_service.early_stopping.contract import Decision, Peers, Point, StoppingRule


def bracket_weights(halvings: int) -> tuple[int, ...]:
    """How many training jobs Hyperband gives each bracket, so that all brackets train for about as many epochs.

    Args:
        halvings: Number of levels of bracket 0; bracket i has i fewer, and the last has none.
    """
    return tuple(
        -(-(halvings + 1) * REDUCTION_FACTOR ** (halvings - skipped) // (halvings - skipped + 1))
        for skipped in range(halvings + 1)
    )


class HyperbandRule(StoppingRule):
    """Stops training jobs that are not in the better third at a level of their bracket, and all at the maximum.

    A training job goes on when fewer than three have come to a level: there is no third of them. Ties go on.

    Args:
        config: Minimum and maximum of epochs.
        seed: Seed of the tuning job, which assigns training jobs to brackets.
    """

    name = "HYPERBAND"
    averages = False

    def __init__(self, config: HyperbandConfig, seed: int) -> None:
        self._maximum = config.max_resource
        self._seed = seed
        self._levels = config.levels
        self._shares = tuple(accumulate(bracket_weights(len(self._levels))))

    def pool(self, number: int) -> int:
        """The bracket: how many of the lowest levels are left out."""
        draw = random.Random(f"bracket/{self._seed}/{number}").random() * self._shares[-1]
        return next(bracket for bracket, share in enumerate(self._shares) if draw < share)

    def level(self, number: int, epoch: int) -> int | None:
        """The highest level of its bracket, or the maximum, that is not above the epoch."""
        own = (*self._levels[self.pool(number) :], self._maximum)
        return max((level for level in own if level <= epoch), default=None)

    def decide(self, point: Point, peers: Peers) -> Decision:
        """See `StoppingRule.decide`."""
        bracket = self.pool(point.number)
        figures = {"epoch": float(point.epoch), "value": point.value, "bracket": float(bracket)}
        if point.epoch >= self._maximum:
            return Decision(True, self.name, f"the maximum of {self._maximum} epochs is reached", figures)
        reached = peers.count() + 1
        figures["training_jobs"] = float(reached)
        if reached < REDUCTION_FACTOR:
            text = f"{reached} have come to epoch {point.epoch}, fewer than {REDUCTION_FACTOR}"
            return Decision(False, self.name, text, figures)
        rank, kept = peers.better_than(point.value) + 1, reached // REDUCTION_FACTOR
        figures |= {"rank": float(rank), "kept": float(kept)}
        text = f"rank {rank} of {reached} after epoch {point.epoch} in bracket {bracket}, where the best {kept} go on"
        return Decision(rank > kept, self.name, text, figures)
