"""Conditions of parameter ranges: they must name a categorical range of the request and values that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api_service.findings import Findings
from api_service.from_proto import domain_ranges
from hrnn_tuner.domain.conditions import condition_faults
from hrnn_tuner.v1 import parameters_pb2
from hrnn_tuner.wire_values import from_wire


def placed_ranges(message: parameters_pb2.ParameterRanges, path: str) -> Iterator[tuple[str, Any]]:
    """Every range with its place in the request, in the order of `domain_ranges`."""
    for kind in ("integer_parameter_ranges", "continuous_parameter_ranges", "categorical_parameter_ranges"):
        for index, item in enumerate(getattr(message, kind)):
            yield f"{path}.{kind}[{index}]", item


def collect(message: parameters_pb2.ParameterRanges, path: str, findings: Findings) -> None:
    """Adds everything that is wrong with the conditions of a definition's ranges."""
    placed = list(placed_ranges(message, path))
    for fault in condition_faults(domain_ranges(message)):
        place, item = placed[fault.position]
        if fault.field == "name" or all(from_wire(value) is not None for value in item.condition.values):
            findings.wrong(f"{place}.condition.{fault.field}", fault.description, fault.reason)
