"""What can be wrong with the conditions of a space's ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hrnn_tuner.domain.parameter_range import CategoricalRange, Condition, ParameterRange, identity


@dataclass(frozen=True)
class ConditionFault:
    """One thing that is wrong with a range's condition.

    Attributes:
        position: The range's position among those given.
        field: ``name``, ``values`` or ``values[i]`` of the condition.
        description: The value and what is allowed.
        reason: Stable identifier for programs.
    """

    position: int
    field: str
    description: str
    reason: str


def condition_faults(ranges: Sequence[ParameterRange]) -> list[ConditionFault]:
    """Everything that is wrong with the conditions; ranges without any make a forest, and every one of them can apply.

    A condition must name another range that is categorical, must not lead back to its own range, and must ask for
    values that the other range takes.
    """
    by_name: dict[str, ParameterRange] = {}
    for item in ranges:
        by_name.setdefault(item.name, item)
    faults: list[ConditionFault] = []
    for position, item in enumerate(ranges):
        if item.condition is None:
            continue
        others = [other for other in ranges if isinstance(other, CategoricalRange) and other.name != item.name]
        problem = _problem_of_name(item, item.condition, by_name)
        if problem is not None:
            allowed = ", ".join(other.name for other in others) or "none, as no other range is categorical"
            text = f"got {item.condition.name!r}, {problem}; allowed: {allowed}"
            faults.append(ConditionFault(position, "name", text, "CONDITION_NAME"))
            continue
        parent = by_name[item.condition.name]
        if isinstance(parent, CategoricalRange):
            faults += _faults_of_values(position, item.condition, parent)
    return faults


def _problem_of_name(item: ParameterRange, condition: Condition, by_name: Mapping[str, ParameterRange]) -> str | None:
    """Why a range cannot depend on the range that its condition names; None when it can."""
    if condition.name == item.name:
        return "which is the range itself"
    parent = by_name.get(condition.name)
    if parent is None:
        return "which is not tuned"
    if not isinstance(parent, CategoricalRange):
        return "which is not a categorical range"
    chain = [item.name]
    step: ParameterRange | None = parent
    while step is not None and step.name not in chain:
        chain.append(step.name)
        step = None if step.condition is None else by_name.get(step.condition.name)
    if step is not None and step.name == item.name:
        return f"which leads back to the range: {' needs '.join([*chain, item.name])}"
    return None


def _faults_of_values(position: int, condition: Condition, parent: CategoricalRange) -> list[ConditionFault]:
    """Values that the range which they are asked of does not take, or that come twice."""
    if not condition.values:
        return [ConditionFault(position, "values", "is empty; allowed: at least one value", "REQUIRED")]
    faults = []
    known = [identity(value) for value in condition.values]
    for index, value in enumerate(condition.values):
        if not parent.contains(value):
            choices = ", ".join(repr(choice) for choice in parent.choices)
            text = f"got {value!r}, which {parent.name!r} never is; allowed: {choices}"
            faults.append(ConditionFault(position, f"values[{index}]", text, "CONDITION_VALUE"))
        elif identity(value) in known[:index]:
            text = f"got {value!r} twice; allowed: different values"
            faults.append(ConditionFault(position, f"values[{index}]", text, "DUPLICATE_VALUE"))
    return faults
