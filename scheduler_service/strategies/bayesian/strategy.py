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
    from scheduler_service.strategies.transfer import Start

NAME = "BAYESIAN"
#: Fewer results than this teach nothing: no configuration is better than another one.
_MIN_RESULTS = 2


class BayesianStrategy(Strategy):
    """Each proposal is where a Gaussian process expects the largest improvement, given results and pending trials.

    The trials of lower numbers alone decide about a number: those without a result count as pending, and so do the
    proposals before it in the same call.

    Warm-start parents with other data give the first configurations, see `starting_configurations`, and after the start
    design a mean function, see `transfer_prior`. The start design is as without parents: only results apart from where
    they lead tell whether they mislead. Those that do thus delay the search by their first configurations.
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
        proposing = self.proposing(history, seed)
        proposals = (proposing.next(number) for number in numbers)
        return [proposal for proposal in proposals if proposal is not None]

    def proposing(self, history: History, seed: int) -> Proposing:
        """The proposals of one call, one at a time."""
        return Proposing(self._recipe, history, seed)


class Proposing:
    """Proposals of which each knows those before it.

    Attributes:
        history: What is known, with a pending trial for each proposal so far.
    """

    def __init__(self, recipe: Recipe, history: History, seed: int) -> None:
        """Takes the recipe, the history to begin with, and the seed of the tuning job."""
        self.history = history
        self._recipe = recipe
        self._seed = seed
        self._tried: set[Hashable] = {history.space.key(trial.configuration) for trial in history.known}
        self._observed = sum(_has_result(trial) for trial in history.known)
        self._starts = _starts(history)
        self._model: ModelOfResults | None = None

    def learns(self, number: int) -> bool:
        """Whether the proposal for a number follows from a model of the results."""
        first_learnt = len(self._starts) + self._recipe.start.count
        return self._observed >= _MIN_RESULTS and max(number - 1, self._observed) >= first_learnt

    @property
    def model(self) -> ModelOfResults:
        """The model; only where it learns."""
        if self._model is None:
            self._model = _model(self.history, self._recipe)
        return self._model

    def next(self, number: int) -> Proposal | None:
        """The proposal for a number; None when every configuration was tried."""
        if exhausted(self.history.space, self._tried):
            return None
        proposal = self._made(number)
        self._tried.add(self.history.space.key(proposal.hyperparameters))
        self.history = _with_pending(self.history, number, proposal)
        return proposal

    def _made(self, number: int) -> Proposal:
        """The proposal for a number."""
        history, seed, starts = self.history, self._seed, self._starts
        if number <= len(starts) and history.space.key(starts[number - 1].trial.configuration) not in self._tried:
            return _by_parent(history, starts[number - 1], seed)
        if not self.learns(number):
            return self._start(max(1, number - len(starts)))
        if _too_large(history, self._recipe):
            return _by_parzen(history, number, seed)
        model = self.model
        return _with_weights(model.propose(history, self._tried, number, seed), history, model.parent_weights)

    def _start(self, place: int) -> Proposal:
        """A point of the start design."""
        points = self._recipe.start.points(len(self.history.space.ranges), place, self._seed)
        configuration = new_configuration(self.history.space, self._tried, points)
        explanation = f"point {place} of the start design: too few results to learn from"
        return Proposal(configuration, NAME, self._seed, explanation)


def _too_large(history: History, recipe: Recipe) -> bool:
    """Whether a Gaussian process would take too long; imports late what it needs, as that imports numpy."""
    from scheduler_service.strategies.bayesian.encoding import Encoding

    count = len(history.known)
    modelled = min(count, recipe.model_points)
    return count >= recipe.parzen_after or Encoding(history.space).width * modelled >= recipe.largest_table


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


def _starts(history: History) -> list[Start]:
    """The first configurations by what parents found out; imported late for the same reason, as it needs numpy."""
    if not history.parents:
        return []
    from scheduler_service.strategies.transfer import starting_configurations

    return starting_configurations(history.objective, history.parents, history.budget)


def _by_parent(history: History, start: Start, seed: int) -> Proposal:
    """A good configuration of a parent."""
    trial, value = start.trial, start.trial.value or 0.0
    explanation = (
        f"training job {trial.number} of the parent {history.parents[start.parent - 1].name!r}, "
        f"where {history.objective.metric_name} was {value:.4g}"
    )
    figures = {"parent": float(start.parent), "parent_training_job": float(trial.number), "parent_value": value}
    return Proposal(dict(trial.configuration), NAME, seed, explanation, figures)


def _with_weights(proposal: Proposal, history: History, weights: Sequence[float]) -> Proposal:
    """The proposal, and how far each parent was believed whose results are not those of own training jobs."""
    places = [place for place, parent in enumerate(history.parents) if parent.hints]
    if not places:
        return proposal
    figures = {f"parent_{place + 1}_weight": weights[place] for place in places}
    believed = ", ".join(f"{history.parents[place].name!r} by {weights[place]:.2f} of 1" for place in places)
    explanation = f"{proposal.explanation}; believes {believed}"
    return replace(proposal, explanation=explanation, figures={**proposal.figures, **figures})


def _by_parzen(history: History, number: int, seed: int) -> Proposal:
    """A proposal of the tree-structured Parzen estimator; imported late for the same reason, as it needs numpy."""
    from scheduler_service.strategies.parzen import ParzenStrategy

    (proposal,) = ParzenStrategy().propose(history, [number], seed)
    return replace(proposal, strategy=NAME)
