"""Messages of the public contract as domain values; for messages that passed the checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hrnn_tuner.algorithms import Algorithm, HyperparameterType
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    Scaling,
    SearchSpace,
    Value,
)
from hrnn_tuner.domain.tuning_job import (
    ResourceLimits,
    StrategyName,
    TrainingJobDefinition,
    TuningJobSpec,
)
from hrnn_tuner.domain.warm_start import Parent, WarmStart, WarmStartType
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import parameters_pb2, tuning_job_pb2
from hrnn_tuner.wire_channels import channel_from_wire
from hrnn_tuner.wire_values import from_wire


def _scaling(number: int) -> Scaling:
    """A scaling type; unspecified is AUTO."""
    name = parameters_pb2.ScalingType.Name(number).removeprefix("SCALING_TYPE_")
    return Scaling.AUTO if name == "UNSPECIFIED" else Scaling(name)


def domain_range(message: Any) -> tuple[ParameterRange, ...]:
    """All ranges: integer, continuous, categorical, each in the order given. Scaling types must be known."""
    known = set(parameters_pb2.ScalingType.values())
    integers = [
        IntegerRange(item.name, item.min_value, item.max_value, _scaling(item.scaling_type))
        for item in message.integer_parameter_ranges
        if item.scaling_type in known
    ]
    numbers = [
        ContinuousRange(item.name, item.min_value, item.max_value, _scaling(item.scaling_type))
        for item in message.continuous_parameter_ranges
        if item.scaling_type in known
    ]
    categories = [
        CategoricalRange(item.name, tuple(value for value in map(from_wire, item.values) if value is not None))
        for item in message.categorical_parameter_ranges
    ]
    return (*integers, *numbers, *categories)


def _static(definition: tuning_job_pb2.TrainingJobDefinition, algorithm: Algorithm) -> dict[str, Value]:
    """Static hyperparameters; an integer given for a number becomes one."""
    static: dict[str, Value] = {}
    for name, message in sorted(definition.static_hyperparameters.items()):
        value = from_wire(message)
        declared = algorithm.hyperparameter(name)
        if value is None or declared is None:
            raise AssertionError(f"unchecked hyperparameter {name!r}")
        static[name] = float(value) if declared.type is HyperparameterType.CONTINUOUS else value
    return static


def domain_definition(
    definition: tuning_job_pb2.TrainingJobDefinition, algorithm: Algorithm, settings: Settings
) -> TrainingJobDefinition:
    """A definition with every default filled in."""
    retries = definition.retry_strategy.maximum_retry_attempts
    stopping = definition.stopping_condition
    return TrainingJobDefinition(
        name=definition.definition_name,
        algorithm=algorithm.name,
        objective=Objective(
            ObjectiveType(tuning_job_pb2.ObjectiveType.Name(definition.objective.type).removeprefix("OBJECTIVE_TYPE_")),
            definition.objective.metric_name,
        ),
        static_hyperparameters=_static(definition, algorithm),
        default_hyperparameters=algorithm.defaults(),
        space=SearchSpace(domain_range(definition.parameter_ranges)),
        channels={channel.name: channel_from_wire(channel) for channel in definition.data_channels},
        output_uri=definition.output_uri or settings.artifacts_url,
        resource_class=definition.resource_class or settings.resource_classes[0],
        max_attempts=retries + 1 if definition.HasField("retry_strategy") else settings.max_attempts,
        environment=dict(definition.environment),
        max_runtime_s=stopping.max_runtime_in_seconds if stopping.HasField("max_runtime_in_seconds") else None,
        checkpoint_uri=definition.checkpoint_config.uri,
    )


def _warm_start(message: tuning_job_pb2.WarmStartConfig, parents: Sequence[Parent]) -> WarmStart:
    """The tuning jobs to learn from."""
    name = tuning_job_pb2.WarmStartType.Name(message.type).removeprefix("WARM_START_TYPE_")
    return WarmStart(WarmStartType(name), tuple(parents))


def domain_spec(
    message: tuning_job_pb2.TuningJobSpec,
    *,
    algorithm: Algorithm,
    max_training_jobs: int,
    seed: int,
    settings: Settings,
    parents: Sequence[Parent] = (),
) -> TuningJobSpec:
    """A specification with every default filled in.

    Args:
        message: The request, checked.
        algorithm: The algorithm of its definition.
        max_training_jobs: As given or inferred.
        seed: Used when the request has none.
        settings: For the operator's defaults.
        parents: The tuning jobs that its warm start names.
    """
    limits = message.resource_limits
    return TuningJobSpec(
        name=message.name,
        strategy=StrategyName(tuning_job_pb2.Strategy.Name(message.strategy).removeprefix("STRATEGY_")),
        limits=ResourceLimits(
            max_training_jobs,
            limits.max_parallel_training_jobs,
            limits.max_runtime_in_seconds if limits.HasField("max_runtime_in_seconds") else None,
        ),
        seed=message.random_seed if message.HasField("random_seed") else seed,
        definitions=tuple(domain_definition(item, algorithm, settings) for item in message.training_job_definitions),
        weight=message.weight if message.HasField("weight") else 1,
        autotune=message.autotune.enabled,
        warm_start=_warm_start(message.warm_start_config, parents) if message.HasField("warm_start_config") else None,
    )
