"""Static hyperparameters and parameter ranges against what the algorithm declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api_service.findings import Findings, among
from api_service.validation.conditions import placed_ranges
from hrnn_tuner.algorithms import Algorithm, Hyperparameter, HyperparameterType
from hrnn_tuner.v1 import parameters_pb2, tuning_job_pb2
from hrnn_tuner.wire_values import from_wire

MAX_HYPERPARAMETERS = 100


def collect(
    definition: tuning_job_pb2.TrainingJobDefinition, path: str, algorithm: Algorithm, findings: Findings
) -> None:
    """Adds everything that is wrong with a definition's hyperparameters."""
    static = definition.static_hyperparameters
    _check_static(static, f"{path}.static_hyperparameters", algorithm, findings)
    seen: dict[str, str] = {}
    for place, item in placed_ranges(definition.parameter_ranges, f"{path}.parameter_ranges"):
        name_path = f"{place}.name"
        if item.name in seen:
            findings.wrong(name_path, f"got {item.name!r}, which {seen[item.name]} tunes already", "DUPLICATE_NAME")
            continue
        seen[item.name] = place
        if item.name in static and not item.HasField("condition"):  # with one, it is for where the range does not apply
            text = (
                f"got {item.name!r}, which is also in static_hyperparameters; "
                "allowed: one of the two, unless the range has a condition"
            )
            findings.wrong(name_path, text, "STATIC_AND_TUNED")
        declared = algorithm.hyperparameter(item.name)
        if declared is None:
            names = [entry.name for entry in algorithm.hyperparameters if entry.tunable]
            findings.wrong(name_path, among(item.name, names), "UNKNOWN_HYPERPARAMETER")
        elif not declared.tunable:
            text = f"got {item.name!r}, which cannot be tuned; allowed: a fixed value in static_hyperparameters"
            findings.wrong(name_path, text, "NOT_TUNABLE")
        elif isinstance(item, parameters_pb2.CategoricalParameterRange):
            _check_choices(item, place, declared, findings)
        else:
            _check_interval(item, place, declared, findings)
    if len({*static, *seen}) > MAX_HYPERPARAMETERS:
        text = (
            f"got {len(static)} static and {len(seen)} tuned hyperparameters; allowed: {MAX_HYPERPARAMETERS} together"
        )
        findings.wrong(f"{path}.static_hyperparameters", text, "TOO_MANY")


def _check_static(
    static: Mapping[str, parameters_pb2.HyperparameterValue], path: str, algorithm: Algorithm, findings: Findings
) -> None:
    """Fixed values must be known and allowed."""
    for name, message in sorted(static.items()):
        place = f'{path}["{name}"]'
        declared = algorithm.hyperparameter(name)
        if declared is None:
            known = [entry.name for entry in algorithm.hyperparameters]
            findings.wrong(place, among(name, known), "UNKNOWN_HYPERPARAMETER")
            continue
        value = from_wire(message)
        complaint = None if value is None else declared.violation(value)
        if complaint is not None:
            findings.wrong(place, complaint, "OUTSIDE_LIMITS")


def _check_choices(
    item: parameters_pb2.CategoricalParameterRange, place: str, declared: Hyperparameter, findings: Findings
) -> None:
    """Every choice must be allowed and different from the others."""
    seen: set[tuple[bool, object]] = set()
    for index, message in enumerate(item.values):
        value = from_wire(message)
        if value is None:
            continue  # the message's own rules say so
        where = f"{place}.values[{index}]"
        complaint = declared.violation(value)
        if complaint is not None:
            findings.wrong(where, complaint, "OUTSIDE_LIMITS")
        key = (isinstance(value, bool), value)  # 1 and 1.0 are one choice, 1 and True are not
        if key in seen:
            findings.wrong(where, f"got {value!r} twice; allowed: different values", "DUPLICATE_VALUE")
        seen.add(key)
    _warn_of_choices(item, declared, findings)


def _warn_of_choices(
    item: parameters_pb2.CategoricalParameterRange, declared: Hyperparameter, findings: Findings
) -> None:
    """Numbers beyond the published recipe are allowed and worth a word."""
    if declared.recommended is None:
        return
    low, high = declared.recommended
    values = [value for value in map(from_wire, item.values) if isinstance(value, (int, float))]
    beyond = [value for value in values if not low <= value <= high]
    if beyond:
        shown = ", ".join(f"{value:g}" for value in beyond)
        findings.warn(f"{declared.name} is tuned over {shown}, beyond the published recipe's [{low:g}, {high:g}]")


def _check_interval(item: Any, place: str, declared: Hyperparameter, findings: Findings) -> None:
    """A numeric range must fit the hyperparameter's type and limits."""
    integers = isinstance(item, parameters_pb2.IntegerParameterRange)
    fits = declared.type is HyperparameterType.CONTINUOUS or (integers and declared.type is HyperparameterType.INTEGER)
    if not fits:
        kinds = {
            HyperparameterType.INTEGER: "integer_parameter_ranges or categorical_parameter_ranges",
            HyperparameterType.CATEGORICAL: "categorical_parameter_ranges",
            HyperparameterType.BOOLEAN: "categorical_parameter_ranges",
        }
        kind = declared.type.value.lower()
        text = f"{declared.name!r} is {kind} and cannot be tuned by this kind of range; allowed: {kinds[declared.type]}"
        findings.wrong(f"{place}.name", text, "WRONG_KIND")
        return
    for field, value in (("min_value", item.min_value), ("max_value", item.max_value)):
        complaint = declared.violation(value)
        if complaint is not None:
            findings.wrong(f"{place}.{field}", complaint, "OUTSIDE_LIMITS")
    if declared.recommended is not None:
        low, high = declared.recommended
        if item.min_value < low or item.max_value > high:
            findings.warn(
                f"{declared.name} is tuned over [{item.min_value:g}, {item.max_value:g}], "
                f"beyond the published recipe's [{low:g}, {high:g}]"
            )
