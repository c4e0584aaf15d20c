"""Results may contradict what a range alone suggests about its scaling."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from hrnn_tuner.domain.inferred_scaling import MIN_VALUES, inferred_scaling, stretched
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling, SearchSpace
from hrnn_tuner.domain.trial import Trial, TrialStatus

LINEAR, LOGARITHMIC = Scaling.LINEAR, Scaling.LOGARITHMIC
NARROW = ContinuousRange("x", 0.01, 1.0)  # AUTO is linear
WIDE = ContinuousRange("x", 0.001, 1.0)  # AUTO is logarithmic


def results(
    item: ContinuousRange | IntegerRange, truth: Scaling, count: int = 24, *, noise: float = 0.003, seed: int = 0
) -> list[Trial]:
    """Random draws whose results are a parabola in one coordinate, and noise."""
    rng = random.Random(seed)
    best = rng.uniform(0.2, 0.8)
    place = replace(item, scaling=truth).unit
    draws = [item.at(rng.random()) for _ in range(count)]
    return [
        Trial(number, {"x": value}, TrialStatus.OBSERVED, -((place(value) - best) ** 2) + rng.gauss(0, noise))
        for number, value in enumerate(draws, start=1)
    ]


@pytest.mark.parametrize("item", [NARROW, WIDE, IntegerRange("x", 1, 200), IntegerRange("x", 1, 5000)])
@pytest.mark.parametrize("truth", [LINEAR, LOGARITHMIC])
def test_results_show_the_coordinate_in_which_they_are_simple(
    item: ContinuousRange | IntegerRange, truth: Scaling
) -> None:
    found = [inferred_scaling(item, results(item, truth, seed=seed)) for seed in range(20)]
    assert found.count(truth) >= 15


@pytest.mark.parametrize(("item", "usual"), [(NARROW, LINEAR), (WIDE, LOGARITHMIC)])
def test_noise_alone_seldom_contradicts_the_range(item: ContinuousRange, usual: Scaling) -> None:
    found = [inferred_scaling(item, results(item, usual, noise=10.0, seed=seed)) for seed in range(50)]
    assert found.count(usual) >= 45


@pytest.mark.parametrize(("item", "usual"), [(NARROW, LINEAR), (WIDE, LOGARITHMIC)])
def test_few_results_say_nothing(item: ContinuousRange, usual: Scaling) -> None:
    truth = LOGARITHMIC if usual is LINEAR else LINEAR
    trials = results(item, truth, MIN_VALUES - 1, noise=0.0)
    assert inferred_scaling(item, trials) is usual
    assert inferred_scaling(item, trials * 3) is usual, "repeats are not more values"


@pytest.mark.parametrize("change", [{"status": TrialStatus.FAILED}, {"value": None}, {"configuration": {}}])
def test_only_results_of_trials_to_which_the_range_applies_count(change: dict[str, object]) -> None:
    trials = results(WIDE, LINEAR, noise=0.0)
    assert inferred_scaling(WIDE, trials) is LINEAR
    assert inferred_scaling(WIDE, [replace(trial, **change) for trial in trials]) is LOGARITHMIC  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", [LINEAR, LOGARITHMIC, Scaling.REVERSE_LOGARITHMIC])
def test_a_scaling_that_was_asked_for_stays(asked: Scaling) -> None:
    item = ContinuousRange("x", 0.001, 0.9, asked)
    for truth in (LINEAR, LOGARITHMIC):
        assert inferred_scaling(item, results(item, truth, noise=0.0)) is asked


@pytest.mark.parametrize("item", [ContinuousRange("x", 0.0, 1.0), ContinuousRange("x", 0.2, 1.0)])
def test_a_range_with_zero_or_of_less_than_a_decade_stays_linear(item: ContinuousRange) -> None:
    trials = results(item, LINEAR, noise=0.0)
    bent = [replace(trial, value=-(abs(float(trial.configuration["x"]) + 1e-3) ** 0.1)) for trial in trials]
    assert inferred_scaling(item, bent) is LINEAR


@pytest.mark.parametrize("reshape", [lambda value: -value, lambda value: 1e6 * value + 3])
def test_direction_and_unit_of_the_objective_do_not_matter(reshape: Callable[[float], float]) -> None:
    for truth in (LINEAR, LOGARITHMIC):
        trials = results(NARROW, truth)
        changed = [replace(trial, value=reshape(trial.value or 0.0)) for trial in trials]
        assert inferred_scaling(NARROW, changed) is inferred_scaling(NARROW, trials)


def test_the_order_of_trials_does_not_matter() -> None:
    trials = results(NARROW, LOGARITHMIC)
    found = {inferred_scaling(NARROW, random.Random(seed).sample(trials, len(trials))) for seed in range(5)}
    assert len(found) == 1


def test_extreme_values_are_no_error() -> None:
    item = ContinuousRange("x", 1e-300, 1e300)
    trials = [Trial(i, {"x": item.at(i / 30)}, TrialStatus.OBSERVED, 1e308 * (-1) ** i) for i in range(30)]
    assert inferred_scaling(item, trials) is LOGARITHMIC
    assert inferred_scaling(item, [replace(trial, value=1.0) for trial in trials]) is LOGARITHMIC


def test_a_space_is_stretched_only_where_results_contradict_it() -> None:
    space = SearchSpace((NARROW, CategoricalRange("c", ("a", "b")), ContinuousRange("y", 0.0, 1.0)))
    assert stretched(space, results(NARROW, LINEAR, noise=0.0)) is space
    found = stretched(space, results(NARROW, LOGARITHMIC, noise=0.0))
    assert found.ranges == (replace(NARROW, scaling=LOGARITHMIC), *space.ranges[1:])
