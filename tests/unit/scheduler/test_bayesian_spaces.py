"""The strategy BAYESIAN in spaces with conditions, of categories alone, and with very many results."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    Scaling,
    SearchSpace,
)
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies import Strategy
from scheduler_service.strategies.bayesian import BayesianStrategy, Recipe
from scheduler_service.strategies.parzen import ParzenStrategy
from tests.support.search_spaces import all_configurations, spaces
from tests.unit.scheduler.strategy_contract import CONDITIONAL, MIXED, drawn, history_of, observed

#: Little is searched, so that many proposals take little time; what holds here holds with any effort.
QUICK = BayesianStrategy(Recipe(candidates=32, searches=2))
#: A chain: "rate" needs "optimizer", "momentum" needs both.
CHAINED = SearchSpace(
    (
        ContinuousRange("momentum", 0.0, 1.0, condition=Condition("nesterov", (True,))),
        CategoricalRange("optimizer", ("sgd", "adam", "none")),
        CategoricalRange("nesterov", (True, False), Condition("optimizer", ("sgd",))),
        ContinuousRange("rate", 1e-4, 1.0, condition=Condition("optimizer", ("sgd", "adam"))),
        IntegerRange("depth", 1, 4),
    )
)
CATEGORIES = SearchSpace(
    (
        CategoricalRange("c", ("a", "b", "d", "e")),
        CategoricalRange("flag", (True, False)),
        CategoricalRange("size", (1, 2, "large")),
    )
)


def chained(point: Mapping[str, Any]) -> float:
    """An objective that is largest with the optimizer sgd, with nesterov, at a momentum of 0.7."""
    value = {"sgd": 0.5, "adam": 0.4, "none": 0.0}[point["optimizer"]]
    return float(value + (0.5 - abs(point["momentum"] - 0.7) if "momentum" in point else 0.0))


def searched(space: SearchSpace, count: int, values: Any, seed: int = 3) -> list[Trial]:
    """A sequential tuning job, in which every seventh training job fails and every fifth is still pending."""
    trials: list[Trial] = []
    for number in range(1, count + 1):
        found = QUICK.propose(history_of(space, trials), [number], seed)
        if not found:
            break
        (proposal,) = found
        point = proposal.hyperparameters
        if number % 7 == 0:
            trials.append(Trial(number, point, TrialStatus.FAILED))
        elif number % 5 == 0:
            trials.append(Trial(number, point))
        else:
            trials.append(Trial(number, point, TrialStatus.OBSERVED, values(point)))
    return trials


@cache
def chained_trials() -> tuple[Trial, ...]:
    return tuple(searched(CHAINED, 26, chained))


def different(space: SearchSpace, trials: Sequence[Trial]) -> int:
    return len({space.key(trial.configuration) for trial in trials})


def test_a_finite_space_with_conditions_is_exhausted_without_a_repeat_while_results_come_in() -> None:
    expected = all_configurations(CONDITIONAL)
    trials = searched(CONDITIONAL, len(expected) + 3, lambda point: float(len(point)))
    assert sorted(repr(dict(trial.configuration)) for trial in trials) == sorted(map(repr, expected))


@pytest.mark.timeout(300)
def test_ranges_that_do_not_apply_are_absent_and_nothing_is_proposed_twice() -> None:
    trials = chained_trials()
    assert len(trials) == different(CHAINED, trials) == 26
    for trial in trials:
        point = trial.configuration
        assert CHAINED.contains(point)
        assert ("rate" in point) == (point["optimizer"] != "none")
        assert ("momentum" in point) == (point["optimizer"] == "sgd" and bool(point["nesterov"]))


@pytest.mark.timeout(300)
def test_a_branch_that_is_better_is_searched_more() -> None:
    later = chained_trials()[10:]
    branch = [trial.configuration for trial in later if "momentum" in trial.configuration]
    assert len(branch) > len(later) / 2
    assert max(chained(point) for point in branch) > 0.9


@pytest.mark.timeout(300)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(space=spaces(), seed=st.integers(0, 2**53))
def test_in_every_space_a_model_proposes_what_is_new_and_lies_in_it(space: SearchSpace, seed: int) -> None:
    rng = random.Random(seed)
    points = {space.key(point): point for point in (space.at([rng.random() for _ in space.ranges]) for _ in range(12))}
    trials = [
        Trial(number, point, TrialStatus.OBSERVED, rng.random())
        for number, point in enumerate(points.values(), start=1)
    ]
    numbers = range(len(trials) + 1, len(trials) + 3)
    proposals = QUICK.propose(history_of(space, trials), numbers, seed)
    left = None if space.cardinality is None else space.cardinality - len(trials)
    assert len(proposals) == (2 if left is None else min(2, left))
    found = [space.key(proposal.hyperparameters) for proposal in proposals]
    assert all(space.contains(proposal.hyperparameters) for proposal in proposals)
    assert len({*points, *found}) == len(points) + len(found)


@pytest.mark.timeout(300)
def test_a_space_of_categories_is_exhausted_without_a_repeat_and_the_best_is_found_early() -> None:
    def value(point: Mapping[str, Any]) -> float:
        category = {"a": 0.0, "b": 0.3, "d": 1.0, "e": 0.1}[point["c"]]
        found: float = category + point["flag"] + 0.2 * (point["size"] == "large")
        return found

    trials = searched(CATEGORIES, 30, value)
    assert len(trials) == different(CATEGORIES, trials) == 24
    assert max(trial.value or 0.0 for trial in trials[:14]) == pytest.approx(2.2)


def test_in_categories_too_many_to_be_listed_nothing_is_proposed_twice() -> None:
    space = SearchSpace(tuple(CategoricalRange(f"c{axis}", tuple(range(7))) for axis in range(5)))  # 16,807 points
    trials = list(observed(space, drawn(space, 40)))
    proposals = QUICK.propose(history_of(space, trials), range(41, 47), seed=2)
    pending = [Trial(number, item.hyperparameters) for number, item in enumerate(proposals, start=41)]
    assert different(space, [*trials, *pending]) == 46
    assert all("acquisition_value" in item.figures for item in proposals)


@pytest.mark.parametrize("space", [MIXED, CHAINED], ids=["mixed", "conditional"])
def test_after_ten_thousand_results_the_light_model_proposes_what_is_new(space: SearchSpace) -> None:
    rng = random.Random(6)
    points = [space.at([rng.random() for _ in space.ranges]) for _ in range(10_000)]
    trials = [Trial(number, point, TrialStatus.OBSERVED, rng.random()) for number, point in enumerate(points, start=1)]
    proposals = BayesianStrategy().propose(history_of(space, trials), [10_001, 10_002], seed=4)
    assert len(proposals) == 2
    tried = {space.key(point) for point in points}
    for proposal in proposals:
        assert proposal.strategy == "BAYESIAN"
        assert "Parzen" in proposal.explanation
        assert space.contains(proposal.hyperparameters)
        assert space.key(proposal.hyperparameters) not in tried


RATE = ContinuousRange("rate", 1e-3, 0.5)  # too narrow for AUTO to be logarithmic
BEST_RATE = 10**-2.2


def results_of_rates(count: int) -> list[Trial]:
    """Results that are a parabola in the logarithm of a rate, at places that a linear draw gives."""
    rng = random.Random(1)
    rates = [RATE.at(rng.random()) for _ in range(count)]
    values = [-((math.log10(rate) - math.log10(BEST_RATE)) ** 2) for rate in rates]
    return [
        Trial(number, {"rate": rate}, TrialStatus.OBSERVED, value)
        for number, (rate, value) in enumerate(zip(rates, values, strict=True), start=1)
    ]


@pytest.mark.parametrize("strategy", [BayesianStrategy(), BayesianStrategy(Recipe(parzen_after=12)), ParzenStrategy()])
def test_a_range_of_auto_is_searched_in_the_scale_that_its_results_suggest(strategy: Strategy) -> None:
    trials = results_of_rates(30)
    found = {}
    for scaling in (Scaling.AUTO, Scaling.LINEAR, Scaling.LOGARITHMIC):
        space = SearchSpace((replace(RATE, scaling=scaling),))
        (found[scaling],) = strategy.propose(history_of(space, trials), [31], seed=1)
    assert found[Scaling.AUTO].hyperparameters == found[Scaling.LOGARITHMIC].hyperparameters
    assert found[Scaling.AUTO].hyperparameters != found[Scaling.LINEAR].hyperparameters


def test_a_proposal_says_which_scaling_the_results_suggest() -> None:
    (proposal,) = BayesianStrategy().propose(history_of(SearchSpace((RATE,)), results_of_rates(30)), [31], seed=1)
    assert proposal.explanation.endswith("; the results suggest another scaling: rate LOGARITHMIC")
    assert proposal.hyperparameters["rate"] == pytest.approx(BEST_RATE, rel=0.5)


def test_where_a_model_of_many_choices_would_take_seconds_the_light_strategy_proposes() -> None:
    space = SearchSpace(tuple(CategoricalRange(f"c{axis}", tuple(range(30))) for axis in range(30)))
    few, many = (observed(space, drawn(space, count)) for count in (20, 100))
    (by_model,) = BayesianStrategy().propose(history_of(space, few), [21], seed=1)
    (by_density,) = BayesianStrategy().propose(history_of(space, many), [101], seed=1)
    assert by_model.explanation.startswith("Gaussian process")
    assert by_density.explanation.startswith("tree-structured Parzen estimator")
    assert by_density.strategy == "BAYESIAN"
