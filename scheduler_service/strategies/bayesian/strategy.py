"""The strategy itself: says which of start design, Gaussian process and Parzen estimator proposes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies.bayesian.recipe import Recipe
from scheduler_service.strategies.contract import History, Reads, Strategy
from scheduler_service.strategies.untried import exhausted, new_configuration

if TYPE_CHECKING:  # these import torch and numpy
    from scheduler_service.strategies.bayesian.model import ModelOfResults

NAME = "BAYESIAN"
#: Fewer results than this teach nothing: no configuration is better than another one.
_MIN_RESULTS = 2


class BayesianStrategy(Strategy):
    """Each proposal is where a Gaussian process expects the largest improvement, given results and pending trials.

    The trials of lower numbers alone decide about a number: those without a result count as pending, and so do the
    proposals before it in the same call.
    """

    def __init__(self, recipe: Recipe | None = None) -> None:
        """Takes the choices that make it up; None for the default ones."""
        self._recipe = recipe or Recipe()
        self.expensive_after = self._recipe.start.count

    def reads(self, space: SearchSpace) -> Reads:  # noqa: ARG002 - every space is learnt about
        """Configurations and their results."""
        return Reads.RESULTS

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`.

        Raises:
            ModuleNotFoundError: When a model is needed and the extra ``bayesian`` is not installed.
        """
        space = history.space
        tried: set[Hashable] = {space.key(trial.configuration) for trial in history.known}
        observed = sum(_has_result(trial) for trial in history.known)
        model: ModelOfResults | None = None
        proposals: list[Proposal] = []
        for number in numbers:
            if exhausted(space, tried):
                break
            if observed < _MIN_RESULTS or max(number - 1, observed) < self._recipe.start.count:
                proposal = self._start(space, tried, number, seed)
            elif len(history.known) >= self._recipe.parzen_after:
                proposal = _by_parzen(history, number, seed)
            else:
                model = model or _model(history, self._recipe)
                proposal = model.propose(history, tried, number, seed)
            proposals.append(proposal)
            tried.add(space.key(proposal.hyperparameters))
            history = _with_pending(history, number, proposal)
        return proposals

    def _start(self, space: SearchSpace, tried: set[Hashable], number: int, seed: int) -> Proposal:
        """A point of the start design."""
        points = self._recipe.start.points(len(space.ranges), number, seed)
        configuration = new_configuration(space, tried, points)
        return Proposal(configuration, NAME, seed, f"point {number} of the start design: too few results to learn from")


def _has_result(trial: Trial) -> bool:
    """Whether a trial has a finite objective value."""
    return trial.status is TrialStatus.OBSERVED and trial.value is not None and math.isfinite(trial.value)


def _with_pending(history: History, number: int, proposal: Proposal) -> History:
    """The history after a proposal was launched."""
    pending = Trial(number, proposal.hyperparameters)
    return replace(history, launched=history.launched + 1, trials=(*history.trials, pending))


def _model(history: History, recipe: Recipe) -> ModelOfResults:
    """A model of the results so far.

    This is the one place from which torch, gpytorch and botorch are imported, and only once a model is needed: they
    take about 200 MB and two seconds. The registry, and with it every scheduler, imports this module. The start
    design needs none of them, so the scheduler's own process, which makes the first `expensive_after` proposals, never
    imports them; those after are made in a process of their own.
    """
    try:
        from scheduler_service.strategies.bayesian.model import ModelOfResults
    except ModuleNotFoundError as error:
        text = f"BAYESIAN needs {error.name}: install the extra 'bayesian' (pip install 'hrnn-tuner[bayesian]')"
        raise ModuleNotFoundError(text, name=error.name) from error
    return ModelOfResults(history, recipe)


def _by_parzen(history: History, number: int, seed: int) -> Proposal:
    """A proposal of the tree-structured Parzen estimator; imported late for the same reason, as it needs numpy."""
    from scheduler_service.strategies.parzen import ParzenStrategy

    (proposal,) = ParzenStrategy().propose(history, [number], seed)
    return replace(proposal, strategy=NAME)
