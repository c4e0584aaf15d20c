"""Wrong tuning jobs: a valid one with some parts replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.api import definition_of, spec_of

ROOT = "tuning_job"
FIRST = f"{ROOT}.training_job_definitions[0]"
RANGES = f"{FIRST}.parameter_ranges"
INTEGERS = f"{RANGES}.integer_parameter_ranges"
NUMBERS = f"{RANGES}.continuous_parameter_ranges"
CATEGORIES = f"{RANGES}.categorical_parameter_ranges"
STATIC = f"{FIRST}.static_hyperparameters"
LIMITS = f"{ROOT}.resource_limits"
JOBS = f"{LIMITS}.max_number_of_training_jobs"


@dataclass(frozen=True)
class Case:
    """A wrong request: fields of the spec, of its definition and of its ranges that replace the valid ones."""

    name: str
    field: str
    says: tuple[str, ...]
    spec: dict[str, Any] | None = None
    definition: dict[str, Any] | None = None
    ranges: dict[str, Any] | None = None
    without: Callable[[dict[str, Any]], object] = lambda spec: None
    also: tuple[str, ...] = ()

    def build(self) -> dict[str, Any]:
        """The request."""
        spec = spec_of() | (self.spec or {})
        if self.definition is not None:
            definition_of(spec).update(self.definition)
        if self.ranges is not None:
            definition_of(spec)["parameter_ranges"] = self.ranges
        self.without(spec)
        return spec


def integers(name: str = "k", low: int = 1, high: int = 10, **more: Any) -> dict[str, Any]:
    return {"integer_parameter_ranges": [{"name": name, "min_value": low, "max_value": high, **more}]}


def numbers(name: str = "x", low: float | str = 0, high: float | str = 1, **more: Any) -> dict[str, Any]:
    return {"continuous_parameter_ranges": [{"name": name, "min_value": low, "max_value": high, **more}]}


def categories(name: str = "c", *values: str, **more: Any) -> dict[str, Any]:
    choices = [{"string_value": item} for item in values]
    return {"categorical_parameter_ranges": [{"name": name, "values": choices, **more}]}


def needing(name: str, *values: str | bool) -> dict[str, Any]:
    """The condition of a range; values are strings or booleans."""
    wanted = [{"bool_value": item} if isinstance(item, bool) else {"string_value": item} for item in values]
    return {"condition": {"name": name, "values": wanted}}


def static(**values: dict[str, Any]) -> dict[str, Any]:
    return {"static_hyperparameters": values}


def limits(jobs: int | None = 4, parallel: int | None = 2, **more: Any) -> dict[str, Any]:
    given = {"max_number_of_training_jobs": jobs, "max_parallel_training_jobs": parallel, **more}
    return {"resource_limits": {name: value for name, value in given.items() if value is not None}}


def grid(jobs: int | None = None, **more: Any) -> dict[str, Any]:
    return {"strategy": "STRATEGY_GRID", **limits(jobs, **more)}
