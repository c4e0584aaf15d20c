"""Bayesian optimisation that decides after each level whether a training is worth its next epochs.

Swersky, Snoek and Adams, "Freeze-thaw Bayesian optimization" (2014): trainings pause, and whatever promises most is
trained next, a new configuration or one that paused. Here "most" is the expected improvement of a whole training over
the best whole one, per epoch that it still takes; one model of the values at all levels says both. The levels, the
pauses and the continuations are those of successive halving.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from hrnn_tuner.domain.objective import Objective
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies.bayesian import BayesianStrategy
from scheduler_service.strategies.bayesian.strategy import Proposing
from scheduler_service.strategies.chains import Chain, chains_of, joined, nothing_left
from scheduler_service.strategies.contract import History, Reads, Strategy

NAME = "BAYESIAN_ASHA"


class FreezeThawStrategy(Strategy):
    """Goes on with what paused, or begins something new.

    Until a training is whole, nothing can be compared with it: the best that paused goes on, one at a time, and new
    configurations fill the other places. Without levels it is BAYESIAN.
    """

    def __init__(self) -> None:
        """Takes new configurations from the Bayesian strategy."""
        self._bayesian = BayesianStrategy()
        self.expensive_after = self._bayesian.expensive_after

    def reads(self, space: SearchSpace) -> Reads:  # noqa: ARG002 - every space is learnt about
        """Configurations and their results."""
        return Reads.RESULTS

    def exhausted(self, history: History, wanted: int, found: int) -> bool:
        """See `Strategy.exhausted`."""
        return nothing_left(history, wanted, found)

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`.

        Raises:
            ModuleNotFoundError: When a model is needed and the extra ``bayesian`` is not installed.
        """
        chains = chains_of(history.trials)
        proposals: list[Proposal] = []
        for number in numbers:
            proposal = self._next(chains, history, seed)
            if proposal is None:
                break
            proposals.append(proposal)
            pending = Trial(
                number, proposal.hyperparameters, continues=proposal.continues, until_epoch=proposal.until_epoch
            )
            chains = chains_of([*(trial for chain in chains for trial in chain), pending])
        return proposals

    def _next(self, chains: Sequence[Chain], history: History, seed: int) -> Proposal | None:
        """The next proposal; None when there is none before more results are known."""
        number = len(chains) + 1
        proposing = self._bayesian.proposing(joined(chains, history), seed)
        paused = [chain for chain in chains if chain[-1].may_go_on(history.levels)]
        continued: Proposal | None = None
        if paused and proposing.learns(number):
            if any(_whole(chain, history.levels) for chain in chains):
                return _most_promising(proposing, paused, history, number, seed)
            if not any(_goes_on(chain) for chain in chains):
                continued = _continuation(_leader(paused, history.objective), history, seed, "none is whole yet", {})
        if continued is None:
            fresh = proposing.next(number)
            if fresh is not None:
                return _begun(fresh, history)
            if paused:
                reason = "every configuration was begun"
                continued = _continuation(_leader(paused, history.objective), history, seed, reason, {})
        return continued


def _most_promising(
    proposing: Proposing, paused: Sequence[Chain], history: History, number: int, seed: int
) -> Proposal:
    """A new configuration or a continuation, whichever promises more improvement per epoch to its end."""
    known = proposing.history
    fresh = proposing.next(number)
    configurations = [chain[0].configuration for chain in paused]
    left = [history.levels[-1] - (chain[-1].until_epoch or 0) for chain in paused]
    if fresh is not None:
        configurations.append(fresh.hyperparameters)
        left.append(history.levels[-1])
    values = proposing.model.improvements(known, configurations, number, seed).tolist()
    rates = [value - math.log(epochs) for value, epochs in zip(values, left, strict=True)]
    place = rates.index(max(rates[: len(paused)]))
    if fresh is not None and rates[-1] > rates[place]:
        return _begun(fresh, history)
    reason = f"log expected improvement per epoch to the end {rates[place]:.3g}"
    figures = {
        "improvement_per_epoch": rates[place],
        "acquisition_value": values[place],
        **proposing.model.expectations(configurations[place]),
    }
    if fresh is not None:
        reason += f", that of a new configuration {rates[-1]:.3g}"
        figures["improvement_per_epoch_of_new"] = rates[-1]
    return _continuation(paused[place], history, seed, reason, figures)


def _begun(proposal: Proposal, history: History) -> Proposal:
    """A new configuration, trained to the lowest level."""
    return replace(proposal, strategy=NAME, until_epoch=history.levels[0] if history.levels else None)


def _continuation(chain: Chain, history: History, seed: int, reason: str, figures: dict[str, float]) -> Proposal:
    """Goes on with a chain to its next level."""
    last = chain[-1]
    target = history.levels[history.levels.index(last.until_epoch or 0) + 1]
    return Proposal(
        last.configuration,
        NAME,
        seed,
        f"goes on with training job {last.number} after epoch {last.until_epoch}: {reason}",
        {**figures, "epochs": float(target)},
        continues=last.number,
        origin=chain[0].number,
        until_epoch=target,
    )


def _leader(paused: Sequence[Chain], objective: Objective) -> Chain:
    """The one that came farthest; of those the best, and of these the first."""
    return max(
        paused,
        key=lambda chain: (chain[-1].until_epoch or 0, objective.sign * (chain[-1].value or 0.0), -chain[0].number),
    )


def _whole(chain: Chain, levels: Sequence[int]) -> bool:
    """Whether a chain has a value of a whole training."""
    return chain[-1].status is TrialStatus.OBSERVED and not chain[-1].may_go_on(levels)


def _goes_on(chain: Chain) -> bool:
    """Whether a chain is being continued."""
    return chain[-1].status is TrialStatus.PENDING and len(chain) > 1
