"""What strategies draw is uniform in the scaled coordinate: their distributions against the formulas."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from hrnn_tuner.domain.search_space import ContinuousRange, IntegerRange, ParameterRange, Scaling, SearchSpace
from scheduler_service.strategies import RandomStrategy, SobolStrategy, Strategy
from tests.support.proposing import propose

COUNT = 1024
#: Largest distance of an empirical distribution function from the true one that is accepted. Independent draws exceed
#: it once in a thousand times; of Sobol's points, each has its own interval of length 1 / COUNT.
STRATEGIES: list[tuple[Strategy, float]] = [(RandomStrategy(), 1.95 / math.sqrt(COUNT)), (SobolStrategy(), 2 / COUNT)]
#: Makes the space infinite, so that integers are drawn again and again.
BESIDE = ContinuousRange("beside", 0.0, 1.0)

LINEAR, LOGARITHMIC, REVERSE, AUTO = (
    Scaling.LINEAR,
    Scaling.LOGARITHMIC,
    Scaling.REVERSE_LOGARITHMIC,
    Scaling.AUTO,
)


def linear(low: float, high: float) -> Callable[[float], float]:
    return lambda x: (x - low) / (high - low)


def logarithmic(low: float, high: float) -> Callable[[float], float]:
    return lambda x: math.log(x / low) / math.log(high / low)


def reverse(low: float, high: float) -> Callable[[float], float]:
    return lambda x: math.log((1 - x) / (1 - low)) / math.log((1 - high) / (1 - low))


CONTINUOUS = [
    (ContinuousRange("v", -3.0, 5.0, LINEAR), linear(-3, 5)),
    (ContinuousRange("v", 1e-5, 1e-1, LINEAR), linear(1e-5, 1e-1)),
    (ContinuousRange("v", 1e-5, 1e-1, LOGARITHMIC), logarithmic(1e-5, 1e-1)),
    (ContinuousRange("v", 2.0, 3.0, LOGARITHMIC), logarithmic(2, 3)),
    (ContinuousRange("v", 0.0, 0.9999, REVERSE), reverse(0, 0.9999)),
    (ContinuousRange("v", 0.5, 0.99, REVERSE), reverse(0.5, 0.99)),
    (ContinuousRange("v", 1e-3, 1.0, AUTO), logarithmic(1e-3, 1)),
    (ContinuousRange("v", 1.1e-3, 1.0, AUTO), linear(1.1e-3, 1)),
    (ContinuousRange("v", 0.0, 1e6, AUTO), linear(0, 1e6)),
    (ContinuousRange("v", -1e6, 1.0, AUTO), linear(-1e6, 1)),
]
INTEGERS = [
    (IntegerRange("v", -4, 5, LINEAR), linear(-4.5, 5.5)),
    (IntegerRange("v", 1, 5000, LINEAR), linear(0.5, 5000.5)),
    (IntegerRange("v", 1, 5000, LOGARITHMIC), logarithmic(0.5, 5000.5)),
    (IntegerRange("v", 8, 12, LOGARITHMIC), logarithmic(7.5, 12.5)),
    (IntegerRange("v", 1, 1000, AUTO), logarithmic(0.5, 1000.5)),
    (IntegerRange("v", 2, 1000, AUTO), linear(1.5, 1000.5)),
    (IntegerRange("v", 0, 9, AUTO), linear(-0.5, 9.5)),
]


def draws(strategy: Strategy, item: ParameterRange) -> list[float]:
    return sorted(float(point["v"]) for point in propose(strategy, SearchSpace((item, BESIDE)), [COUNT], seed=11))


@pytest.mark.parametrize(("strategy", "allowed"), STRATEGIES, ids=["random", "sobol"])
@pytest.mark.parametrize(("item", "distribution"), CONTINUOUS)
def test_numbers(
    strategy: Strategy, allowed: float, item: ContinuousRange, distribution: Callable[[float], float]
) -> None:
    values = draws(strategy, item)
    assert all(item.contains(value) for value in values)
    distance = max(
        max(distribution(value) - index / COUNT, (index + 1) / COUNT - distribution(value))
        for index, value in enumerate(values)
    )
    assert distance <= allowed


@pytest.mark.parametrize(("strategy", "allowed"), STRATEGIES, ids=["random", "sobol"])
@pytest.mark.parametrize(("item", "distribution"), INTEGERS)
def test_integers_own_what_is_nearest_to_them(
    strategy: Strategy, allowed: float, item: IntegerRange, distribution: Callable[[float], float]
) -> None:
    values = draws(strategy, item)
    assert all(item.contains(int(value)) for value in values)
    steps = [
        (value, index) for index, (value, after) in enumerate(pairwise([*values, math.inf]), start=1) if value != after
    ]
    assert max(abs(distribution(value + 0.5) - index / COUNT) for value, index in steps) <= allowed
