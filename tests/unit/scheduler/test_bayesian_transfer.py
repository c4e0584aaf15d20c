"""The strategy BAYESIAN with warm-start parents: what it tries first, and what its model makes of them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from botorch.models import SingleTaskGP

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial, TrialStatus
from hrnn_tuner.domain.warm_start import WarmStartType
from scheduler_service.strategies import History
from scheduler_service.strategies.bayesian import BayesianStrategy, Recipe
from scheduler_service.strategies.bayesian.encoding import Encoding
from scheduler_service.strategies.bayesian.model import ModelOfResults
from scheduler_service.strategies.bayesian.prior_mean import with_prior_mean
from scheduler_service.strategies.bayesian.surrogate import predict, quiet_torch
from scheduler_service.strategies.parents import ParentTrials
from scheduler_service.strategies.transfer import TransferPrior, transfer_prior
from tests.support.model_search import MAXIMIZE, Array, Function, bumps, cube, parent_of

RECIPE = Recipe(candidates=64, searches=2)  # a wider search takes longer and finds little more in so few dimensions
STRATEGY = BayesianStrategy(RECIPE)
DIMENSION, BUDGET = 4, 20
JOBS, TRIALS = 3, 12
SPACE = cube(DIMENSION)
ENCODING = Encoding(SPACE)


def value_of(function: Function, proposal: Proposal) -> float:
    return float(function(ENCODING.of([proposal.hyperparameters]).rows)[0])


def history_of(trials: Sequence[Trial], parents: Sequence[ParentTrials]) -> History:
    return History(SPACE, MAXIMIZE, len(trials), tuple(trials), tuple(parents), budget=BUDGET)


def tuned(function: Function, parents: Sequence[ParentTrials], count: int, seed: int) -> list[Trial]:
    """A sequential tuning job."""
    trials: list[Trial] = []
    for number in range(1, count + 1):
        (proposal,) = STRATEGY.propose(history_of(trials, parents), [number], seed)
        trials.append(Trial(number, proposal.hyperparameters, TrialStatus.OBSERVED, value_of(function, proposal)))
    return trials


@pytest.fixture
def function() -> Function:
    return bumps(np.random.default_rng(1), DIMENSION)[0]


@pytest.fixture
def parent(function: Function) -> ParentTrials:
    return parent_of(function, DIMENSION, np.random.default_rng(2))


@pytest.fixture
def results(function: Function) -> list[Trial]:
    """Random results, enough of them for a model."""
    points = np.random.default_rng(5).random((12, DIMENSION))
    names = [item.name for item in SPACE.ranges]
    return [
        Trial(number, dict(zip(names, point.tolist(), strict=True)), TrialStatus.OBSERVED, float(value))
        for number, (point, value) in enumerate(zip(points, function(points), strict=True), start=1)
    ]


def prior_of(results: Sequence[Trial], parent: ParentTrials) -> tuple[Array, Array, TransferPrior]:
    """Rows and standardised values of results, and what a parent says about them."""
    rows = ENCODING.of([trial.configuration for trial in results]).rows
    values = np.array([trial.value for trial in results], dtype=np.float64)
    targets = (values - values.mean()) / values.std()
    return rows, targets, transfer_prior(ENCODING, MAXIMIZE, rows, targets, (parent,))


def test_the_parents_best_come_first_and_the_start_design_after_them(parent: ParentTrials) -> None:
    proposals = STRATEGY.propose(history_of([], [parent]), range(1, 9), seed=3)
    ranked = sorted(parent.trials, key=lambda trial: -(trial.value or 0.0))
    assert [dict(proposal.hyperparameters) for proposal in proposals[:2]] == [
        dict(trial.configuration) for trial in ranked[:2]
    ]
    for proposal, trial in zip(proposals[:2], ranked, strict=False):
        assert proposal.figures == {
            "parent": 1.0,
            "parent_training_job": float(trial.number),
            "parent_value": trial.value,
        }
        assert "'parent'" in proposal.explanation
    alone = STRATEGY.propose(history_of([], []), range(1, 7), seed=3)
    assert [item.hyperparameters for item in proposals[2:]] == [item.hyperparameters for item in alone]


def test_a_process_with_a_prior_mean_predicts_what_that_of_the_residuals_leaves_plus_the_prior(
    results: list[Trial], parent: ParentTrials
) -> None:
    rows, targets, prior = prior_of(results, parent)
    assert max(prior.weights) > 0.3
    places = np.random.default_rng(8).random((40, DIMENSION))

    def process(values: Array) -> SingleTaskGP:
        made = SingleTaskGP(torch.from_numpy(rows), torch.from_numpy(values).unsqueeze(-1), outcome_transform=None)
        made.eval()
        return made

    with quiet_torch(0):
        residual = process(targets - prior.mean(rows))
        means, deviations = predict(residual, places)
        whole = process(targets - prior.mean(rows))
        with_prior_mean(whole, prior, rows, targets)
        found, spread = predict(whole, places)
    assert found == pytest.approx(means + prior.mean(places), abs=1e-6)
    assert spread == pytest.approx(deviations, abs=1e-6)


def test_the_prior_mean_has_the_gradient_of_its_values_also_at_the_parents_points(
    results: list[Trial], parent: ParentTrials
) -> None:
    rows, targets, prior = prior_of(results, parent)
    model = SingleTaskGP(torch.from_numpy(rows), torch.from_numpy(targets).unsqueeze(-1), outcome_transform=None)
    with_prior_mean(model, prior, rows, targets)
    at = ENCODING.of([trial.configuration for trial in parent.trials[:4]]).rows
    x = torch.from_numpy(at).requires_grad_(True)
    (gradient,) = torch.autograd.grad(model.mean_module(x).sum(), x)
    step = 1e-5
    for axis in range(DIMENSION):
        moved = np.zeros(DIMENSION)
        moved[axis] = step
        slope = (prior.mean(at + moved) - prior.mean(at - moved)) / (2 * step)
        assert gradient[:, axis].numpy() == pytest.approx(slope, abs=1e-4)


def test_the_weights_of_parents_are_among_the_figures(
    function: Function, results: list[Trial], parent: ParentTrials
) -> None:
    wrong = parent_of(lambda points: -function(points), DIMENSION, np.random.default_rng(2))
    (proposal,) = STRATEGY.propose(history_of(results, [parent, wrong]), [13], seed=1)
    assert proposal.figures["parent_1_weight"] > 0.3
    assert proposal.figures["parent_2_weight"] == 0.0
    assert all(math.isfinite(figure) for figure in proposal.figures.values())
    assert "believes 'parent' by 0." in proposal.explanation


def test_proposals_do_not_depend_on_the_order_of_results_nor_on_how_they_are_asked_for(
    results: list[Trial], parent: ParentTrials
) -> None:
    together = STRATEGY.propose(history_of(results, [parent]), [13, 14], seed=1)
    shuffled = list(results)
    random.Random(4).shuffle(shuffled)
    (first,) = STRATEGY.propose(history_of(shuffled, [parent]), [13], seed=1)
    (second,) = STRATEGY.propose(history_of([*shuffled, Trial(13, first.hyperparameters)], [parent]), [14], seed=1)
    assert [first, second] == together


def test_parents_with_identical_data_are_own_results_and_nothing_else(
    results: list[Trial], parent: ParentTrials
) -> None:
    identical = replace(parent, type=WarmStartType.IDENTICAL_DATA_AND_ALGORITHM)
    (found,) = STRATEGY.propose(history_of(results, [identical]), [13], seed=1)
    as_own = History(SPACE, MAXIMIZE, 12, (*parent.trials, *results))
    assert dict(found.hyperparameters) == dict(STRATEGY.propose(as_own, [13], 1)[0].hyperparameters)
    assert not any(name.startswith("parent") for name in found.figures)
    assert STRATEGY.propose(history_of([], [identical]), [1], seed=1)[0].figures["results"] == 40.0


def test_a_parent_that_nobody_believes_leaves_the_model_as_it_is(function: Function, results: list[Trial]) -> None:
    wrong = parent_of(lambda points: -function(points), DIMENSION, np.random.default_rng(2))
    with_parent = ModelOfResults(history_of(results, [wrong]), RECIPE)
    alone = ModelOfResults(history_of(results, []), RECIPE)
    places = np.random.default_rng(8).random((20, DIMENSION))
    assert with_parent.parent_weights == (0.0,)
    assert np.array_equal(predict(with_parent.process, places)[0], predict(alone.process, places)[0])


def test_parents_are_heard_in_a_space_of_all_kinds_of_ranges() -> None:
    space = SearchSpace(
        (
            ContinuousRange("x", 0.0, 1.0),
            CategoricalRange("c", ("a", "b", "d")),
            CategoricalRange("flag", (True, False)),
            CategoricalRange("only", (7,)),
        )
    )
    rng = random.Random(3)
    points = [space.at([rng.random() for _ in space.ranges]) for _ in range(40)]

    def value(point: object) -> float:
        assert isinstance(point, dict)
        found: float = -((point["x"] - 0.4) ** 2) - 0.2 * (point["c"] != "b") + 0.1 * point["flag"]
        return found

    trials = [Trial(n, point, TrialStatus.OBSERVED, value(point)) for n, point in enumerate(points, start=1)]
    parent = parent_of(lambda rows: rows.sum(1), 1, np.random.default_rng(1), 30)
    taught = [
        replace(entry, configuration=trial.configuration, value=trial.value)
        for entry, trial in zip(parent.trials, trials, strict=False)
    ]
    parent = replace(parent, trials=tuple(taught))
    own = [replace(trial, number=number) for number, trial in enumerate(trials[30:], start=1)]
    (proposal,) = STRATEGY.propose(History(space, MAXIMIZE, 10, tuple(own), (parent,), budget=30), [11], seed=1)
    assert space.contains(proposal.hyperparameters)
    assert proposal.figures["parent_1_weight"] > 0.3


@cache
def progress(kind: str) -> Array:
    """The best value so far, as a share of the maximum, of tuning jobs on several functions; shape (jobs, trials)."""
    found = []
    for seed in range(JOBS):
        rng = np.random.default_rng(seed)
        function, top = bumps(rng, DIMENSION)
        parents: tuple[ParentTrials, ...] = ()
        if kind != "none":
            sign = {"good": 1.0, "reversed": -1.0}[kind]
            parents = (parent_of(lambda points, f=function, s=sign: s * f(points), DIMENSION, rng),)  # type: ignore[misc]
        values = [trial.value or 0.0 for trial in tuned(function, parents, TRIALS, seed)]
        found.append(np.maximum.accumulate(values) / top)
    return np.array(found)


@pytest.mark.timeout(300)  # two or three dozen fits, one after the other
def test_a_good_parent_makes_a_child_better_than_a_cold_start_at_equal_budget() -> None:
    alone, taught = progress("none").mean(0), progress("good").mean(0)
    assert (taught >= alone - 0.01).all()
    assert taught.mean() > alone.mean() + 0.03


@pytest.mark.timeout(300)
def test_a_misleading_parent_costs_a_tenth_of_the_budget_at_most() -> None:
    delay = BUDGET // 10
    alone, misled = progress("none").mean(0), progress("reversed").mean(0)
    assert misled[:delay].max() < 0.7  # its first configurations are bad ones
    assert misled[delay:].mean() >= alone[:-delay].mean() - 0.02
