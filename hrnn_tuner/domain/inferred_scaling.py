"""What results say about the scaling of a range that leaves it to the service.

AUTO stands for what the range alone suggests (`scaling.resolve`): linear, or logarithmic from three decades on. That is
what every draw uses, so that it does not depend on results. Strategies that fit a model to results ask here whether
they contradict it, as AMT's Auto does, and stretch the range accordingly in their model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from hrnn_tuner.domain.parameter_range import CategoricalRange, ContinuousRange, IntegerRange
from hrnn_tuner.domain.scaling import Scaling, resolve, scale
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.trial import Trial, TrialStatus

#: Narrower ranges look alike in both coordinates.
MIN_RATIO = 10.0
#: With so many different values, noise alone makes the other coordinate look better in one case of ten; with 24, in one
#: of fifty.
MIN_VALUES = 15
#: The other coordinate must leave less than this part of the error of the usual one.
MAX_ERROR_RATIO = 0.8

#: Shorter vectors are rounding errors: places lie in [0, 1].
_MIN_NORM = 1e-9


def inferred_scaling(item: IntegerRange | ContinuousRange, trials: Sequence[Trial]) -> Scaling:
    """The scaling in which results are explained best; never AUTO.

    In either coordinate a parabola, the simplest curve with a best value inside of the range, is fitted to the
    objective values, and judged by its errors at values that it was fitted without. Rank correlation could not tell
    the coordinates apart: it is the same in both.

    Args:
        item: The range. Unless its scaling is AUTO and it is positive and spans a decade, trials do not matter.
        trials: In any order.

    Returns:
        LINEAR or LOGARITHMIC, or the scaling that the range asks for.
    """
    usual = resolve(item.scaling, item.minimum, item.maximum)
    if item.scaling is not Scaling.AUTO or item.minimum <= 0 or item.maximum / item.minimum < MIN_RATIO:
        return usual
    observed = sorted(
        (float(trial.configuration[item.name]), trial.value)
        for trial in trials
        if trial.status is TrialStatus.OBSERVED and trial.value is not None and item.name in trial.configuration
    )
    if len({value for value, _ in observed}) < MIN_VALUES:
        return usual
    objectives = [objective for _, objective in observed]
    errors = {
        scaling: _error_of_parabola(
            [scale(scaling, item.minimum, item.maximum, value) for value, _ in observed], objectives
        )
        for scaling in (Scaling.LINEAR, Scaling.LOGARITHMIC)
    }
    other = Scaling.LINEAR if usual is Scaling.LOGARITHMIC else Scaling.LOGARITHMIC
    return other if errors[other] < MAX_ERROR_RATIO * errors[usual] else usual


def stretched(space: SearchSpace, trials: Sequence[Trial]) -> SearchSpace:
    """The space with AUTO replaced where results contradict what the range alone suggests; its points are the same.

    Args:
        space: The search space.
        trials: As in `inferred_scaling`.
    """
    ranges = []
    for item in space.ranges:
        if not isinstance(item, CategoricalRange):
            found = inferred_scaling(item, trials)
            if found is not resolve(item.scaling, item.minimum, item.maximum):
                item = replace(item, scaling=found)
        ranges.append(item)
    return space if tuple(ranges) == space.ranges else SearchSpace(tuple(ranges))


def _error_of_parabola(places: Sequence[float], heights: Sequence[float]) -> float:
    """The sum of squared errors of least-squares parabolas, each at the one point that it was fitted without (PRESS).

    It follows from a single fit: each residual over one minus the leverage of its point. The fit is a projection on an
    orthonormal basis of 1, x and x^2.

    Args:
        places: Abscissae in [0, 1].
        heights: Ordinates, one for each.
    """
    centre = sum(places) / len(places)
    basis: list[list[float]] = []
    for power in range(3):
        vector = [(place - centre) ** power for place in places]
        for earlier in basis:
            part = _dot(vector, earlier)
            vector = [a - part * b for a, b in zip(vector, earlier, strict=True)]
        norm = math.hypot(*vector)
        if norm > _MIN_NORM:
            basis.append([a / norm for a in vector])
    fits = [_dot(heights, vector) for vector in basis]
    total = 0.0
    for index, height in enumerate(heights):
        residual = height - sum(fit * vector[index] for fit, vector in zip(fits, basis, strict=True))
        leverage = sum(vector[index] * vector[index] for vector in basis)
        error = residual / max(1 - leverage, _MIN_NORM)
        total += error * error
    return total


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    """The scalar product."""
    return sum(a * b for a, b in zip(left, right, strict=True))
