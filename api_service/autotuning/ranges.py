"""Parameter ranges of a request: what they name, and how they are shown to people."""

from __future__ import annotations

from hrnn_tuner.domain.search_space import CategoricalRange, ParameterRange, Scaling, Value
from hrnn_tuner.v1 import parameters_pb2


def range_names(message: parameters_pb2.ParameterRanges) -> list[str]:
    """The hyperparameters that ranges name; auto parameters are not ranges yet."""
    return [
        item.name
        for kind in (
            message.integer_parameter_ranges,
            message.continuous_parameter_ranges,
            message.categorical_parameter_ranges,
        )
        for item in kind
    ]


def shown_range(item: ParameterRange) -> str:
    """A range on one line, e.g. ``hidden_dimension 32 to 256, LOGARITHMIC``."""
    if isinstance(item, CategoricalRange):
        return f"{item.name} {', '.join(map(_shown, item.choices))}"
    scaling = "" if item.scaling is Scaling.AUTO else f", {item.scaling.value}"
    return f"{item.name} {_shown(item.minimum)} to {_shown(item.maximum)}{scaling}"


def _shown(value: Value) -> str:
    """A value as requests write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
