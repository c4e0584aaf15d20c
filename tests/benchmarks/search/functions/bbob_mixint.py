"""The functions of COCO's suite bbob-mixint (Tušar et al. 2019): four variables in five are integers."""

from __future__ import annotations

import random

import cocoex
import numpy as np

from hrnn_tuner.domain.search_space import ContinuousRange, IntegerRange, ParameterRange, Scaling, SearchSpace
from tests.benchmarks.search.functions.boxes import cut_one_end
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half

#: Functions of the suite.
NUMBERS = range(1, 25)
DIMENSIONS = (5, 10)
_INSTANCES = 15
#: An integer range of fewer values stays whole.
_FEWEST_VALUES_TO_CUT = 7


def bbob_mixint(number: int, dimension: int) -> BenchFunction:
    """A function of the suite; which of its instances, and which box, depends on number and dimension.

    The suite does not tell where its optimum is. One end of the box is cut off, so that it may be anywhere.
    """
    name = f"bbob-mixint-f{number}-d{dimension}"
    rng = random.Random(name)
    suite = cocoex.Suite("bbob-mixint", "", f"dimensions:{dimension}")
    problem = suite.get_problem_by_function_dimension_instance(number, dimension, rng.randint(1, _INSTANCES))
    ranges: list[ParameterRange] = []
    for position, (low, high) in enumerate(zip(problem.lower_bounds, problem.upper_bounds, strict=True)):
        key = f"x{position}"
        if position >= problem.number_of_integer_variables:
            ranges.append(ContinuousRange(key, *cut_one_end(low, high, rng), scaling=Scaling.LINEAR))
        elif high - low + 1 < _FEWEST_VALUES_TO_CUT:
            ranges.append(IntegerRange(key, int(low), int(high), Scaling.LINEAR))
        else:
            low, high = cut_one_end(low, high, rng)
            ranges.append(IntegerRange(key, round(low), round(high), Scaling.LINEAR))

    def loss(configuration: Configuration) -> float:
        # The problem belongs to the suite, which must therefore live as long as this function.
        assert suite is not None
        return float(problem(np.array([configuration[item.name] for item in ranges], dtype=float)))

    return BenchFunction(name, "bbob-mixint", Half.of(number), SearchSpace(tuple(ranges)), loss)
