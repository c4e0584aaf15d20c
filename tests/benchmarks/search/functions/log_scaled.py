"""Shapes that the loss of a training takes over hyperparameters that differ by factors; the optimum is at loss 0."""

from __future__ import annotations

import math
import random

from hrnn_tuner.domain.search_space import ContinuousRange, IntegerRange, ParameterRange, Scaling, SearchSpace
from tests.benchmarks.search.functions.boxes import cut_around
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half

#: Widest box, in decades; `cut_around` takes a part of it.
_DECADES = 8.0
SHAPES = ("valley", "cliff", "plateau", "sparse")
VARIANTS = (1, 2)
#: In decades from the optimum, the learning rate from which on a training diverges, and what it then loses.
_CLIFF_AT, _CLIFF_LOSS = 0.4, 4.0


def log_scaled(shape: str, variant: int) -> BenchFunction:
    """One of the shapes, in a seeded place.

    valley: two rates whose product matters more than their ratio. cliff: the best rate is just below those that
    diverge. plateau: flat outside of two decades. sparse: six hyperparameters, two of which matter much.
    """
    name = f"log-{shape}-{variant}"
    rng = random.Random(name)
    count = 6 if shape == "sparse" else 3
    centres = [rng.uniform(-4.0, -1.0) for _ in range(count)]
    boxes = [cut_around(at - _DECADES / 2, at + _DECADES / 2, at, rng) for at in centres]
    ranges: list[ParameterRange] = [
        ContinuousRange(f"rate{position}", 10**low, 10**high, scaling=Scaling.LOGARITHMIC)
        for position, (low, high) in enumerate(boxes)
    ]
    width = rng.choice((12, 24, 128, 200))
    ranges.append(IntegerRange("width", 4, 512, Scaling.LOGARITHMIC))

    def loss(configuration: Configuration) -> float:
        away = [math.log10(float(configuration[f"rate{i}"])) - at for i, at in enumerate(centres)]
        narrow = math.log2(float(configuration["width"]) / width)
        return _SHAPES[shape](away) + 0.05 * narrow**2

    best = {f"rate{position}": 10**at for position, at in enumerate(centres)} | {"width": width}
    half = Half.of(SHAPES.index(shape) + variant)
    return BenchFunction(name, "log", half, SearchSpace(tuple(ranges)), loss, optimum=0.0, best=best)


def _valley(away: list[float]) -> float:
    """Two rates of which mostly the product matters."""
    first, second, third = away
    return (first + second) ** 2 + 0.05 * (first - second) ** 2 + 0.1 * third**2


def _cliff(away: list[float]) -> float:
    """Too low a rate costs little, too high a rate everything."""
    first, second, third = away
    diverged = _CLIFF_LOSS if first > _CLIFF_AT else 0.0
    return diverged + 0.3 * first**2 + 0.1 * abs(second) + 0.1 * third**2


def _plateau(away: list[float]) -> float:
    """Flat far away: most of the box tells nothing."""
    return 1.0 - math.exp(-sum(value**2 for value in away) / 2.0)


def _sparse(away: list[float]) -> float:
    """Two of six matter much."""
    return away[0] ** 2 + 0.5 * away[1] ** 2 + 0.01 * sum(abs(value) for value in away[2:])


_SHAPES = {"valley": _valley, "cliff": _cliff, "plateau": _plateau, "sparse": _sparse}
