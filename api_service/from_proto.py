"""Messages of the public contract as domain values; for messages that passed the checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hrnn_tuner.algorithms import Algorithm, AlgorithmRegistry, HyperparameterType
from hrnn_tuner.domain.completion import CompletionCriteria
from hrnn_tuner.domain.early_stopping import EarlyStoppingType, HyperbandConfig
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
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

#: The strategies that compare training jobs at levels of epochs.
WITH_LEVELS = frozenset(
    tuning_job_pb2.Strategy.Value(f"STRATEGY_{item.value}") for item in StrategyName if item.has_levels
)


def _scaling(number: int) -> Scaling:
    """A scaling type; unspecified is AUTO, and so is a number without a name until the checks refuse it."""
    names = {value: name.removeprefix("SCALING_TYPE_") for name, value in parameters_pb2.ScalingType.items()}
    name = names.get(number, "UNSPECIFIED")
    return Scaling.AUTO if name == "UNSPECIFIED" else Scaling(name)


def _values(messages: Iterable[parameters_pb2.HyperparameterValue]) -> tuple[Value, ...]:
    """The values that messages hold."""
    return tuple(value for value in map(from_wire, messages) if value is not None)


def _condition(item: Any) -> Condition | None:
    """When a range applies; None for always."""
    if not item.HasField("condition"):
        return None
    return Condition(item.condition.name, _values(item.condition.values))


def _grid_points(item: Any) -> int | None:
    """How many values of a numeric range a grid takes; None when it does not say."""
    return item.grid_points if item.HasField("grid_points") else None


def domain_ranges(message: Any) -> tuple[ParameterRange, ...]:
    """All ranges: integer, continuous, categorical, each in the order given."""
    integers = [
        IntegerRange(
            item.name, item.min_value, item.max_value, _scaling(item.scaling_type), _condition(item), _grid_points(item)
        )
        for item in message.integer_parameter_ranges
    ]
    numbers = [
        ContinuousRange(
            item.name, item.min_value, item.max_value, _scaling(item.scaling_type), _condition(item), _grid_points(item)
        )
        for item in message.continuous_parameter_ranges
    ]
    categories = [
        CategoricalRange(item.name, _values(item.values), _condition(item))
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
        space=SearchSpace(domain_ranges(definition.parameter_ranges)),
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


def _early_stopping(number: int) -> EarlyStoppingType:
    """Whether training jobs are stopped early; unspecified is OFF."""
    auto = number == tuning_job_pb2.TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO
    return EarlyStoppingType.AUTO if auto else EarlyStoppingType.OFF


def _completion(criteria: tuning_job_pb2.TuningJobCompletionCriteria) -> CompletionCriteria:
    """Reasons to end early."""
    not_improving = criteria.best_objective_not_improving.max_number_of_training_jobs_not_improving
    return CompletionCriteria(
        target_value=(
            criteria.target_objective_metric_value if criteria.HasField("target_objective_metric_value") else None
        ),
        max_not_improving=not_improving if criteria.HasField("best_objective_not_improving") else None,
        on_convergence=criteria.convergence_detected.complete_on_convergence,
    )


def domain_spec(
    message: tuning_job_pb2.TuningJobSpec,
    *,
    algorithms: AlgorithmRegistry,
    max_training_jobs: int,
    max_resource: int | None,
    seed: int,
    settings: Settings,
    parents: Sequence[Parent] = (),
) -> TuningJobSpec:
    """A specification with every default filled in.

    Args:
        message: The request, checked.
        algorithms: Those of this installation.
        max_training_jobs: As given or inferred.
        max_resource: Of a strategy with levels, as given or inferred; None with other strategies.
        seed: Used when the request has none.
        settings: For the operator's defaults.
        parents: The tuning jobs that its warm start names.
    """
    limits = message.resource_limits
    min_resource = message.strategy_config.hyperband.min_resource or 1
    return TuningJobSpec(
        name=message.name,
        strategy=StrategyName(tuning_job_pb2.Strategy.Name(message.strategy).removeprefix("STRATEGY_")),
        limits=ResourceLimits(
            max_training_jobs,
            limits.max_parallel_training_jobs,
            limits.max_runtime_in_seconds if limits.HasField("max_runtime_in_seconds") else None,
        ),
        seed=message.random_seed if message.HasField("random_seed") else seed,
        definitions=tuple(
            domain_definition(item, algorithms[item.algorithm], settings) for item in message.training_job_definitions
        ),
        weight=message.weight if message.HasField("weight") else 1,
        autotune=message.autotune.enabled,
        warm_start=_warm_start(message.warm_start_config, parents) if message.HasField("warm_start_config") else None,
        early_stopping=_early_stopping(message.training_job_early_stopping_type),
        hyperband=None if max_resource is None else HyperbandConfig(min_resource, max_resource),
        completion=_completion(message.completion_criteria),
    )
