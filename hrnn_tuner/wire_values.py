"""Hyperparameter values on the wire: the one conversion that the API, the queue and the command line share."""

from __future__ import annotations

from typing import cast

from hrnn_tuner.domain.search_space import Value
from hrnn_tuner.v1.parameters_pb2 import HyperparameterValue


def to_wire(value: Value) -> HyperparameterValue:
    """The message of a value, by its type; a bool is no integer."""
    if isinstance(value, bool):
        return HyperparameterValue(bool_value=value)
    if isinstance(value, int):
        return HyperparameterValue(integer_value=value)
    if isinstance(value, float):
        return HyperparameterValue(double_value=value)
    return HyperparameterValue(string_value=value)


def from_wire(message: HyperparameterValue) -> Value | None:
    """The value in a message; None when it holds none."""
    kind = message.WhichOneof("kind")
    return None if kind is None else cast(Value, getattr(message, kind))
