"""Asynchronous successive halving with promotion (ASHA).

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), algorithm 2: whenever there is room,
promote a trial that paused among the best third of its level, at the highest level that has one, and otherwise begin a
new configuration at the lowest level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hrnn_tuner.domain.early_stopping import REDUCTION_FACTOR
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies.chains import Chain, chains_of, joined, nothing_left
from scheduler_service.strategies.contract import History, Reads, Strategy
from scheduler_service.strategies.random import RandomStrategy

NAME = "ASHA"


class AshaStrategy(Strategy):
    """Promotions, and between them random configurations, which are trained to the lowest level.

    A promotion follows from the results alone, and the n-th new configuration does not depend on the promotions before
    it. Without levels, it is RANDOM.
    """

    _draws = RandomStrategy(NAME)

    def reads(self, space: SearchSpace) -> Reads:  # noqa: ARG002 - promotions follow from results in every space
        """Configurations and their results."""
        return Reads.RESULTS

    def exhausted(self, history: History, wanted: int, found: int) -> bool:
        """See `Strategy.exhausted`."""
        return nothing_left(history, wanted, found)

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`."""
        chains = chains_of(history.trials)
        proposals: list[Proposal] = []
        while len(proposals) < len(numbers):
            promoted = _promotable(chains, history)
            if promoted is None:
                break
            proposals.append(self._promotion(chains, promoted, history, numbers[len(proposals)], seed))
        proposals += self._new(chains, history, len(numbers) - len(proposals), seed)
        while len(proposals) < len(numbers):  # every configuration was begun: the best that paused go on
            promoted = _promotable(chains, history, all_of_them=True)
            if promoted is None:
                break
            proposals.append(self._promotion(chains, promoted, history, numbers[len(proposals)], seed))
        return proposals

    def _promotion(self, chains: list[Chain], place: int, history: History, number: int, seed: int) -> Proposal:
        """Continues a chain, and notes that."""
        chain = chains[place]
        last = chain[-1]
        level = history.levels.index(last.until_epoch or 0)
        peers = sorted(_paused_values(chains, history, level), reverse=True)
        value = _signed(history, last)
        assert value is not None, "a promoted trial has a value"
        rank, target = peers.index(value) + 1, history.levels[level + 1]
        chains[place] = (*chain, Trial(number, last.configuration, continues=last.number, until_epoch=target))
        return Proposal(
            last.configuration,
            NAME,
            seed,
            f"goes on with training job {last.number}, of rank {rank} among {len(peers)} at epoch {last.until_epoch}",
            {"rank": float(rank), "paused": float(len(peers)), "epochs": float(target)},
            continues=last.number,
            origin=chain[0].number,
            until_epoch=target,
        )

    def _new(self, chains: list[Chain], history: History, count: int, seed: int) -> list[Proposal]:
        """New configurations; fewer when all were begun."""
        if count == 0:
            return []
        seen = joined(chains, history)
        first = seen.launched + 1
        drawn = self._draws.propose(seen, range(first, first + count), seed)
        lowest = history.levels[0] if history.levels else None
        return [replace(proposal, until_epoch=lowest) for proposal in drawn]


def _promotable(chains: Sequence[Chain], history: History, *, all_of_them: bool = False) -> int | None:
    """Place of the best chain that may go on, at the highest level that has one.

    Args:
        chains: All chains.
        history: Levels and objective.
        all_of_them: Whether those that are not among the best of their level may go on too.
    """
    for level in range(len(history.levels) - 2, -1, -1):
        values = _paused_values(chains, history, level)
        kept = len(values) if all_of_them else len(values) // REDUCTION_FACTOR
        waiting = [
            (value, -place)
            for place, chain in enumerate(chains)
            if chain[-1].paused
            and chain[-1].until_epoch == history.levels[level]
            and (value := _signed(history, chain[-1])) is not None
        ]
        if waiting:
            value, place = max(waiting)
            if sum(other > value for other in values) < kept:
                return -place
    return None


def _paused_values(chains: Sequence[Chain], history: History, level: int) -> list[float]:
    """The values of all trials that paused at a level, larger ones better, whether or not they have gone on since."""
    until = history.levels[level]
    found = (_signed(history, trial) for chain in chains for trial in chain if trial.until_epoch == until)
    return [value for value in found if value is not None]


def _signed(history: History, trial: Trial) -> float | None:
    """The value of a trial that ended with one, larger ones better."""
    if trial.status is not TrialStatus.OBSERVED or trial.value is None:
        return None
    return history.objective.sign * trial.value
