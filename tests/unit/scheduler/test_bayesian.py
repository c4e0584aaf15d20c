from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling, SearchSpace, Value
from hrnn_tuner.domain.trial import Trial, TrialStatus
from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.strategies import RandomStrategy, strategy_for
from scheduler_service.strategies.bayesian import AcquisitionDomain, BayesianStrategy, Kernel, Recipe, Transform
from scheduler_service.strategies.start_design import StartDesign
from tests.unit.scheduler.strategy_contract import (
    COMBINATIONS,
    GRID_FOR_MANY,
    MAXIMIZE,
    MINIMIZE,
    MIXED,
    LearningContract,
    SeededContract,
    StrategyContract,
    drawn,
    history_of,
    key,
    observed,
    tuned,
)

PLANE = SearchSpace((ContinuousRange("x", 0.0, 1.0), ContinuousRange("y", 0.0, 1.0)))
RATE = SearchSpace((ContinuousRange("rate", 1e-6, 1.0, Scaling.LOGARITHMIC), IntegerRange("k", 1, 64)))


class TestBayesian(StrategyContract, SeededContract, LearningContract):
    strategy = BayesianStrategy()
    space = MIXED
    many = (1_500, 10_000)


class TestBayesianWithCategoriesOnly(StrategyContract):
    strategy = BayesianStrategy()
    space = COMBINATIONS
    many = (1_000, 10_000)


class TestBayesianThatHandsOver(StrategyContract, LearningContract):
    strategy = BayesianStrategy(Recipe(parzen_after=12))
    space = MIXED


def branin(space: SearchSpace, configuration: Mapping[str, Value]) -> float:
    """Branin's function, negative, on the unit square; its largest value is -0.3979."""
    x, y = 15 * float(configuration["x"]) - 5, 15 * float(configuration["y"])
    curve = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return -(curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def one(recipe: Recipe, trials: Any, space: SearchSpace = MIXED) -> Any:
    """The one proposal that follows these trials."""
    (proposal,) = BayesianStrategy(recipe).propose(history_of(space, trials), [len(trials) + 1], seed=3)
    return proposal


@pytest.mark.timeout(600)
def test_thirty_trials_on_a_smooth_function_beat_random_ones() -> None:
    found, by_chance = (max(tuned(item, PLANE, 30, 1, branin)) for item in (BayesianStrategy(), RandomStrategy()))
    assert found > by_chance
    assert found > -0.5


@pytest.mark.timeout(600)
def test_an_optimum_at_a_small_learning_rate_is_found() -> None:
    def loss(space: SearchSpace, configuration: Mapping[str, Value]) -> float:
        decades = math.log10(float(configuration["rate"]) / 3e-5)
        return -(decades**2) - ((int(configuration["k"]) - 20) / 64) ** 2

    assert max(tuned(BayesianStrategy(), RATE, 30, 1, loss)) > -0.01


@pytest.mark.parametrize("objective", [MAXIMIZE, MINIMIZE])
def test_the_figures_are_in_units_of_the_objective(objective: Any) -> None:
    trials = [replace(trial, value=100.0 + (trial.value or 0.0)) for trial in observed(PLANE, drawn(PLANE, 40))]
    (proposal,) = BayesianStrategy().propose(history_of(PLANE, trials, objective), [41], seed=0)
    values = [trial.value for trial in trials if trial.value is not None]
    figures = proposal.figures
    assert figures["best_observed"] == (max if objective is MAXIMIZE else min)(values)
    assert 98.0 < figures["predicted_mean"] < 102.0
    assert 0.0 <= figures["predicted_sd"] < 2.0


def test_a_proposal_says_whether_it_exploits() -> None:
    rising = [Trial(n, {"x": n / 20, "y": 0.5}, TrialStatus.OBSERVED, n / 20) for n in range(1, 15)]
    proposal = one(Recipe(), rising, PLANE)
    assert proposal.figures["predicted_mean"] > proposal.figures["best_observed"]
    assert proposal.explanation.endswith("exploits")


def test_next_to_a_pending_trial_little_improvement_is_left() -> None:
    trials = observed(PLANE, drawn(PLANE, 20))
    first = one(Recipe(), trials, PLANE)
    second = one(Recipe(), [*trials, Trial(21, first.hyperparameters)], PLANE)
    assert second.hyperparameters != first.hyperparameters
    assert second.figures["acquisition_value"] < first.figures["acquisition_value"]
    assert "1 pending" in second.explanation


def test_a_region_where_trials_fail_is_left() -> None:
    rng = random.Random(0)
    points = [{"x": rng.random(), "y": rng.random()} for _ in range(30)]
    trials = [
        Trial(n, point, TrialStatus.FAILED) if point["x"] > 0.5 else Trial(n, point, TrialStatus.OBSERVED, point["x"])
        for n, point in enumerate(points, start=1)
    ]
    assert one(Recipe(), trials, PLANE).hyperparameters["x"] < 0.7


def test_no_state_of_a_global_generator_is_touched() -> None:
    trials = observed(MIXED, drawn(MIXED, 20))
    before = (random.getstate(), str(np.random.get_state()), torch.get_rng_state(), torch.get_num_threads())
    one(Recipe(), trials)
    assert random.getstate() == before[0]
    assert str(np.random.get_state()) == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
    assert torch.get_num_threads() == before[3]


def test_proposals_do_not_depend_on_global_generators() -> None:
    trials = observed(MIXED, drawn(MIXED, 20))
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        found.append(one(Recipe(), trials))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(kernel=Kernel.MATERN_52),
        Recipe(transform=Transform.STANDARDIZE),
        Recipe(transform=Transform.RANK),
        Recipe(transform=Transform.NONE),
        Recipe(domain=AcquisitionDomain.RELAXED),
        Recipe(start=StartDesign(block=8, centre=False)),
    ],
    ids=str,
)
def test_every_variant_of_the_recipe_proposes_something_new(recipe: Recipe) -> None:
    trials = observed(MIXED, drawn(MIXED, 25))
    proposal = one(recipe, trials)
    assert MIXED.contains(proposal.hyperparameters)
    assert key(proposal.hyperparameters) not in {key(trial.configuration) for trial in trials}
    assert all(math.isfinite(figure) for figure in proposal.figures.values())


def test_a_relaxed_acquisition_still_exhausts_integers_without_a_repeat() -> None:
    space = SearchSpace((IntegerRange("k", 1, 6), IntegerRange("l", 1, 2)))
    strategy = BayesianStrategy(Recipe(domain=AcquisitionDomain.RELAXED, exhaustive_points=0))
    trials: list[Trial] = []
    for number in range(1, 13):
        (proposal,) = strategy.propose(history_of(space, trials), [number], seed=1)
        trials.append(Trial(number, proposal.hyperparameters, TrialStatus.OBSERVED, -float(number % 7)))
    assert len({key(trial.configuration) for trial in trials}) == 12


def test_ranges_of_one_value_are_no_obstacle() -> None:
    space = SearchSpace((*PLANE.ranges, IntegerRange("k", 3, 3), ContinuousRange("z", 2.0, 2.0)))
    proposal = one(Recipe(), observed(space, drawn(space, 12)), space)
    assert proposal.hyperparameters["k"] == 3
    assert proposal.hyperparameters["z"] == 2.0


def test_beyond_the_model_points_a_part_of_the_results_is_used() -> None:
    proposal = one(Recipe(model_points=30, fit_points=20), observed(MIXED, drawn(MIXED, 60)))
    assert "30 of 60 results" in proposal.explanation


def test_a_long_tuning_job_is_handed_over_to_the_parzen_estimator() -> None:
    trials = observed(GRID_FOR_MANY, drawn(GRID_FOR_MANY, 2_000))
    proposal = one(Recipe(), trials, GRID_FOR_MANY)
    assert "Parzen" in proposal.explanation
    assert proposal.strategy == "BAYESIAN"


def test_the_start_design_covers_every_range_evenly() -> None:
    proposals = BayesianStrategy().propose(history_of(PLANE, []), range(1, 7), seed=9)
    assert proposals[0].hyperparameters == {"x": 0.5, "y": 0.5}
    for name in ("x", "y"):
        assert sorted(int(float(item.hyperparameters[name]) * 5) for item in proposals[1:]) == [0, 1, 2, 3, 4]


@pytest.mark.timeout(600)
def test_categories_with_an_effect_are_told_apart() -> None:
    space = SearchSpace((CategoricalRange("c", tuple("abcdefgh")), ContinuousRange("x", 0.0, 1.0)))
    effect = {choice: index / 10 for index, choice in enumerate("cadbefhg")}

    def value(space: SearchSpace, configuration: Mapping[str, Value]) -> float:
        return effect[str(configuration["c"])] - (float(configuration["x"]) - 0.4) ** 2

    assert max(tuned(BayesianStrategy(), space, 30, 2, value)) > 0.69


def test_the_scheduler_makes_the_first_proposals_without_torch_and_numpy() -> None:
    script = """
import sys
import scheduler_service.service
from scheduler_service.strategies import History, strategy_for
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import ContinuousRange, SearchSpace
from hrnn_tuner.domain.tuning_job import StrategyName
strategy = strategy_for(StrategyName.BAYESIAN)
history = History(SearchSpace((ContinuousRange("x", 0.0, 1.0),)), Objective(ObjectiveType.MAXIMIZE, "score"))
assert len(strategy.propose(history, range(1, strategy.expensive_after + 1), 1)) == strategy.expensive_after
print(sorted({"torch", "numpy", "botorch", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "scheduler_service.strategies.bayesian.model", raising=False)
    monkeypatch.setitem(sys.modules, "scheduler_service.strategies.bayesian.surrogate", None)
    with pytest.raises(ModuleNotFoundError, match=r"hrnn-tuner\[bayesian\]"):
        one(Recipe(), observed(PLANE, drawn(PLANE, 10)), PLANE)


def test_the_registry_has_it() -> None:
    assert isinstance(strategy_for(StrategyName.BAYESIAN), BayesianStrategy)
