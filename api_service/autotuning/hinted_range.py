"""A parameter range of an example value: the rule that `AutoParameter` documents."""

from __future__ import annotations

import math
import sys

from hrnn_tuner.algorithms import Hyperparameter, HyperparameterType
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    Scaling,
    Value,
)

#: An integer is searched from its half to its double (AMT's documented example makes 2 to 8 of 4), a number over a
#: decade to either side.
_INTEGER_FACTOR = 2
_DECADE = 10.0
#: Around a hint of 0, for a hyperparameter whose limits say nothing.
_INTEGERS_AROUND_ZERO = 10
_NUMBERS_AROUND_ZERO = 1.0
#: Integers on the wire have 64 bits.
_LARGEST_INTEGER = 2**63 - 1


def hinted_range(declared: Hyperparameter, hint: Value) -> ParameterRange:
    """The range of a hyperparameter around an example value that its declaration allows; contains the hint."""
    if declared.type is HyperparameterType.BOOLEAN:
        return CategoricalRange(declared.name, (hint, not hint))
    if declared.type is HyperparameterType.CATEGORICAL:
        return CategoricalRange(declared.name, (hint, *(choice for choice in declared.choices if choice != hint)))
    if hint == 0:
        return _around_zero(declared)
    if declared.type is HyperparameterType.INTEGER:
        return _integers(declared, int(hint))
    return _numbers(declared, float(hint))


def _integers(declared: Hyperparameter, hint: int) -> IntegerRange:
    """From the half of an integer that is not 0 to its double, mirrored below 0."""
    near, far = max(1, abs(hint) // _INTEGER_FACTOR), min(abs(hint) * _INTEGER_FACTOR, _LARGEST_INTEGER)
    low, high = (near, far) if hint > 0 else (-far, -near)
    for minimum, maximum in _bounds(declared, hint):
        low = low if minimum == -math.inf else max(low, math.ceil(minimum))
        high = high if maximum == math.inf else min(high, math.floor(maximum))
    return IntegerRange(declared.name, low, high, _scaling(declared, Scaling.AUTO, low))


def _numbers(declared: Hyperparameter, hint: float) -> ContinuousRange:
    """A decade to either side of a number that is not 0, mirrored below 0."""
    near, far = abs(hint) / _DECADE, min(abs(hint) * _DECADE, sys.float_info.max)
    low, high = (near, far) if hint > 0 else (-far, -near)
    for minimum, maximum in _bounds(declared, hint):
        low, high = max(low, minimum), min(high, maximum)
    return ContinuousRange(declared.name, low, high, _scaling(declared, Scaling.LOGARITHMIC, low))


def _around_zero(declared: Hyperparameter) -> ParameterRange:
    """A hint of 0 has no scale: the declaration must give one."""
    default = declared.default_range
    if default is not None and default.contains(0):
        return default
    integer = declared.type is HyperparameterType.INTEGER
    width = _INTEGERS_AROUND_ZERO if integer else _NUMBERS_AROUND_ZERO
    low = -width if declared.minimum is None else declared.minimum
    high = width if declared.maximum is None else declared.maximum
    if integer:
        return IntegerRange(declared.name, math.ceil(low), math.floor(high), Scaling.LINEAR)
    return ContinuousRange(declared.name, float(low), float(high), Scaling.LINEAR)


def _bounds(declared: Hyperparameter, hint: float) -> list[tuple[float, float]]:
    """The intervals that a range must not leave: what is allowed, and what is usual if the hint lies there."""
    allowed = (
        -math.inf if declared.minimum is None else declared.minimum,
        math.inf if declared.maximum is None else declared.maximum,
    )
    low, high = declared.recommended or tuple(map(float, declared.tuned)) or allowed
    return [allowed, (low, high)] if low <= hint <= high else [allowed]


def _scaling(declared: Hyperparameter, usual: Scaling, low: float) -> Scaling:
    """The declared scaling or else the usual one; only what is positive has a logarithm."""
    scaling = usual if declared.scaling is Scaling.AUTO else declared.scaling
    return Scaling.LINEAR if low <= 0 and scaling is Scaling.LOGARITHMIC else scaling
