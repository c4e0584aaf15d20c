"""The operator's limits of one request, which may be lower than the contract's own."""

from __future__ import annotations

from collections.abc import Iterator

from api_service.findings import Findings
from api_service.validation.conditions import placed_ranges
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import parameters_pb2, tuning_job_pb2

_DEFINITIONS = "tuning_job.training_job_definitions"
#: Field, what is counted, how many there are, and the setting that limits it.
_Count = tuple[str, str, int, str]


def collect(spec: tuning_job_pb2.TuningJobSpec, settings: Settings, findings: Findings) -> None:
    """Adds everything of which there is more than the operator allows."""
    for path, what, given, setting in (*_of_job(spec), *_of_definitions(spec)):
        limit = getattr(settings, setting)
        if given > limit:
            findings.wrong(path, f"got {given} {what}; allowed: at most {limit} ({setting})", "OVER_QUOTA")


def _of_job(spec: tuning_job_pb2.TuningJobSpec) -> Iterator[_Count]:
    yield _DEFINITIONS, "definitions", len(spec.training_job_definitions), "max_definitions"
    yield "tuning_job.tags", "tags", len(spec.tags), "max_tags"
    parents = len(spec.warm_start_config.parent_tuning_job_names)
    yield "tuning_job.warm_start_config.parent_tuning_job_names", "parents", parents, "max_warm_start_parents"
    runtime = spec.resource_limits.max_runtime_in_seconds
    yield "tuning_job.resource_limits.max_runtime_in_seconds", "s", runtime, "max_tuning_job_runtime_s"


def _of_definitions(spec: tuning_job_pb2.TuningJobSpec) -> Iterator[_Count]:
    for index, definition in enumerate(spec.training_job_definitions):
        path = f"{_DEFINITIONS}[{index}]"
        yield f"{path}.data_channels", "channels", len(definition.data_channels), "max_data_channels"
        yield f"{path}.environment", "variables", len(definition.environment), "max_environment_variables"
        runtime = definition.stopping_condition.max_runtime_in_seconds
        yield f"{path}.stopping_condition.max_runtime_in_seconds", "s", runtime, "max_training_job_runtime_s"
        retries = definition.retry_strategy.maximum_retry_attempts
        yield f"{path}.retry_strategy.maximum_retry_attempts", "attempts", retries, "max_retries"
        place = f"{path}.parameter_ranges"
        ranges = list(placed_ranges(definition.parameter_ranges, place))
        yield place, "tuned hyperparameters", len(ranges), "max_tuned_hyperparameters"
        for where, item in ranges:
            if isinstance(item, parameters_pb2.CategoricalParameterRange):
                yield f"{where}.values", "values", len(item.values), "max_categorical_values"
