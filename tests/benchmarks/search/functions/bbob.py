"""The noise-free functions of COCO's suite bbob (Hansen et al. 2009), in cut boxes, without and with noise."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace

import cocoex
import numpy as np

from hrnn_tuner.domain.search_space import ContinuousRange, Scaling, SearchSpace
from tests.benchmarks.search.functions.boxes import cut_around
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half

#: Functions of the suite.
NUMBERS = range(1, 25)
DIMENSIONS = (2, 5, 10)
_INSTANCES = 15
_BOUND = 5.0
#: Noise, as a share of what the median of random configurations is above the optimum.
_NOISE_SHARE = 0.05
_DRAWS_FOR_NOISE = 256


def bbob(number: int, dimension: int) -> BenchFunction:
    """A function of the suite; which of its instances, and which box, depends on number and dimension."""
    name = f"bbob-f{number}-d{dimension}"
    rng = random.Random(name)
    problem = cocoex.BareProblem("bbob", number, dimension, rng.randint(1, _INSTANCES))
    at = [float(value) for value in problem.best_parameter()]
    boxes = [cut_around(-_BOUND, _BOUND, value, rng) for value in at]
    names = [f"x{position}" for position in range(dimension)]
    ranges = (ContinuousRange(key, *box, scaling=Scaling.LINEAR) for key, box in zip(names, boxes, strict=True))

    def loss(configuration: Configuration) -> float:
        return float(problem(np.array([configuration[key] for key in names], dtype=float)))

    return BenchFunction(
        name=name,
        family="bbob",
        half=Half.of(number),
        space=SearchSpace(tuple(ranges)),
        loss=loss,
        optimum=float(problem.best_value()),
        best=dict(zip(names, at, strict=True)),
    )


def noisy_bbob(number: int, dimension: int) -> BenchFunction:
    """The same with noise."""
    plain = bbob(number, dimension)
    rng = random.Random(plain.name)
    draws = [plain.loss(plain.space.at([rng.random() for _ in range(dimension)])) for _ in range(_DRAWS_FOR_NOISE)]
    assert plain.optimum is not None
    return replace(
        plain,
        name=plain.name.replace("bbob", "bbob-noisy"),
        family="bbob-noisy",
        noise=_NOISE_SHARE * (statistics.median(draws) - plain.optimum),
    )
