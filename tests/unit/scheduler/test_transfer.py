"""What parents with other data are worth to a model, and what misleading ones cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.trial import TrialStatus
from hrnn_tuner.domain.warm_start import WarmStartType
from scheduler_service.strategies.bayesian.encoding import Encoding
from scheduler_service.strategies.parents import ParentTrials
from scheduler_service.strategies.transfer import (
    STARTING_SHARE,
    agreement,
    normal_scores,
    starting_configurations,
    transfer_prior,
)
from tests.support.model_search import MAXIMIZE, Array, Function, bumps, cube, parent_of, search

MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")
BUDGET, SEEDS, DIMENSION = 30, 12, 3
ENCODING = Encoding(cube(DIMENSION))
FINITE = st.floats(-1e6, 1e6)


def negated(function: Function) -> Function:
    return lambda points: -function(points)


def own_results(function: Function, count: int, seed: int = 5) -> tuple[Array, Array]:
    points = np.random.default_rng(seed).random((count, DIMENSION))
    return points, normal_scores(list(function(points)), MAXIMIZE)


@pytest.fixture
def function() -> Function:
    return bumps(np.random.default_rng(1), DIMENSION)[0]


@pytest.fixture
def parent(function: Function) -> ParentTrials:
    return parent_of(function, DIMENSION, np.random.default_rng(2))


@given(values=st.lists(FINITE, min_size=1, max_size=30))
def test_scores_keep_the_order_and_turn_it_where_smaller_is_better(values: list[float]) -> None:
    scores, turned = normal_scores(values, MAXIMIZE), normal_scores(values, MINIMIZE)
    for index, value in enumerate(values):
        for other, another in enumerate(values):
            assert (value < another) == (scores[index] < scores[other])
    assert np.allclose(scores, -turned)
    assert abs(scores.sum()) < 1e-6 or len(set(values)) < len(values)


@given(values=st.lists(FINITE, min_size=2, max_size=20, unique=True))
def test_agreement_is_one_with_the_same_order_and_zero_with_the_opposite(values: list[float]) -> None:
    given_ = np.array(values)
    assert agreement(given_, given_) == 1.0
    assert agreement(-given_, given_) == 0.0
    assert agreement(np.zeros(len(values)), given_) == 0.5


def test_without_own_results_every_parent_with_a_model_is_believed_alike(parent: ParentTrials) -> None:
    few = replace(parent, trials=parent.trials[:3])
    prior = transfer_prior(ENCODING, MAXIMIZE, np.zeros((0, DIMENSION)), np.zeros(0), (parent, few, parent))
    assert prior.weights[0] == prior.weights[2] > 0.5
    assert prior.weights[1] == 0.0


def test_a_parent_that_agrees_is_believed_and_predicts_where_results_are_good(
    function: Function, parent: ParentTrials
) -> None:
    units, targets = own_results(function, 10)
    prior = transfer_prior(ENCODING, MAXIMIZE, units, targets, (parent,))
    assert prior.weights[0] > 0.3
    elsewhere = np.random.default_rng(9).random((200, DIMENSION))
    assert agreement(prior.mean(elsewhere), function(elsewhere)) > 0.8


def test_smaller_is_better_in_a_parent_when_the_objective_says_so(function: Function) -> None:
    losses = parent_of(negated(function), DIMENSION, np.random.default_rng(2))
    units, targets = own_results(function, 10)
    prior = transfer_prior(ENCODING, MINIMIZE, units, targets, (losses,))
    assert prior.weights[0] > 0.3


def test_a_parent_that_misleads_has_no_weight_after_a_few_results(function: Function) -> None:
    wrong = parent_of(negated(function), DIMENSION, np.random.default_rng(2))
    for count in (5, 8, 20):
        units, targets = own_results(function, count)
        prior = transfer_prior(ENCODING, MAXIMIZE, units, targets, (wrong,))
        assert prior.weights == (0.0,)
        assert not prior.mean(units).any()


def test_noise_loses_its_weight(function: Function) -> None:
    weights: list[float] = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise = parent_of(lambda points, rng=rng: rng.standard_normal(len(points)), DIMENSION, rng)  # type: ignore[misc]
        units, targets = own_results(function, 20, seed)
        weights += transfer_prior(ENCODING, MAXIMIZE, units, targets, (noise,)).weights
    assert np.mean(weights) < 0.1


def test_a_good_parent_is_heard_beside_a_bad_one(function: Function, parent: ParentTrials) -> None:
    wrong = parent_of(negated(function), DIMENSION, np.random.default_rng(3))
    units, targets = own_results(function, 10)
    both = transfer_prior(ENCODING, MAXIMIZE, units, targets, (wrong, parent))
    alone = transfer_prior(ENCODING, MAXIMIZE, units, targets, (parent,))
    assert both.weights[0] == 0.0
    assert np.allclose(both.mean(units), alone.mean(units))


def test_trials_outside_of_the_space_and_without_a_value_say_nothing(function: Function, parent: ParentTrials) -> None:
    units, targets = own_results(function, 6)
    strange = (
        replace(parent.trials[0], inside=False, value=1e9),
        replace(parent.trials[1], status=TrialStatus.FAILED, value=None),
    )
    with_them = replace(parent, trials=(*strange, *parent.trials[2:]))
    without = replace(parent, trials=parent.trials[2:])
    priors = [transfer_prior(ENCODING, MAXIMIZE, units, targets, (item,)) for item in (with_them, without)]
    assert np.array_equal(priors[0].mean(units), priors[1].mean(units))
    starts = [starting_configurations(MAXIMIZE, (item,), 30) for item in (with_them, without)]
    assert starts[0] == starts[1]


@given(budget=st.integers(1, 100), parents=st.integers(0, 3), objective=st.sampled_from([MAXIMIZE, MINIMIZE]))
def test_the_first_configurations_are_the_parents_best_within_a_tenth_of_the_budget(
    budget: int, parents: int, objective: Objective
) -> None:
    rng = np.random.default_rng(7)
    given_ = [parent_of(lambda points: points.sum(1), 2, rng, 12) for _ in range(parents)]
    found = starting_configurations(objective, given_, budget)
    assert len(found) == min(max(1, int(STARTING_SHARE * budget)), 12 * parents)
    for place, (start, item) in enumerate(zip(found, given_, strict=False), start=1):
        values = [trial.value for trial in item.trials if trial.value is not None]
        assert start.parent == place
        assert start.trial in item.trials
        assert start.trial.value == (max(values) if objective is MAXIMIZE else min(values))


def test_an_equal_configuration_is_started_once(parent: ParentTrials) -> None:
    found = starting_configurations(MAXIMIZE, (parent, parent), 40)
    assert len(found) == 4
    configurations = [start.trial.configuration for start in found]
    assert all(configurations.count(configuration) == 1 for configuration in configurations)


def needed(make_parent: Callable[[Function], Function] | None) -> float:
    """Mean number of evaluations to come within a tenth of the maximum, over several functions."""
    counts = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        function, top = bumps(rng, DIMENSION)
        parents = () if make_parent is None else (parent_of(make_parent(function), DIMENSION, rng),)
        best = search(function, DIMENSION, parents, budget=BUDGET, seed=seed)
        reached = np.flatnonzero(best >= 0.9 * top)
        counts.append(float(reached[0]) + 1.0 if len(reached) else BUDGET + 1.0)
    return float(np.mean(counts))


def test_a_good_parent_saves_a_quarter_and_a_misleading_one_costs_a_tenth_of_the_budget_at_most() -> None:
    alone = needed(None)
    assert needed(lambda function: function) <= 0.75 * alone
    assert needed(negated) <= alone + 0.1 * BUDGET


def test_a_model_of_hundreds_of_trials_uses_a_part_of_them(function: Function) -> None:
    many = parent_of(function, DIMENSION, np.random.default_rng(4), 700)
    units, targets = own_results(function, 12)
    prior = transfer_prior(ENCODING, MAXIMIZE, units, targets, (many,))
    assert prior.weights[0] > 0.4


def test_results_of_identical_data_are_no_hints_but_those_with_other_fixed_values_are(
    function: Function, parent: ParentTrials
) -> None:
    units, targets = own_results(function, 10)
    identical = replace(parent, type=WarmStartType.IDENTICAL_DATA_AND_ALGORITHM)
    assert transfer_prior(ENCODING, MAXIMIZE, units, targets, (identical,)).weights == (0.0,)
    assert starting_configurations(MAXIMIZE, (identical,), 30) == []
    changed = replace(identical, trials=tuple(replace(trial, same_rest=False) for trial in identical.trials))
    assert (
        transfer_prior(ENCODING, MAXIMIZE, units, targets, (changed,)).weights
        == transfer_prior(ENCODING, MAXIMIZE, units, targets, (parent,)).weights
    )
