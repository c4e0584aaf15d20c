"""Domain values as messages of the public contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from api_service.best import Best
from api_service.tokens import resume_token
from hrnn_tuner.algorithms import Algorithm
from hrnn_tuner.domain.completion import CompletionCriteria
from hrnn_tuner.domain.early_stopping import HyperbandConfig
from hrnn_tuner.domain.objective import Objective
from hrnn_tuner.domain.search_space import CategoricalRange, Condition, IntegerRange, SearchSpace, Value
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TrainingJobDefinition, TuningJob, TuningJobSpec
from hrnn_tuner.domain.warm_start import WarmStart
from hrnn_tuner.store import LogLine, MetricPoint
from hrnn_tuner.v1 import algorithm_pb2, parameters_pb2, training_job_pb2, tuning_job_pb2
from hrnn_tuner.wire_channels import channel_to_wire
from hrnn_tuner.wire_values import to_wire


def timestamp(value: datetime | None) -> Timestamp | None:
    """A time; None stays absent."""
    if value is None:
        return None
    message = Timestamp()
    message.FromDatetime(value)
    return message


def values(items: Mapping[str, Value]) -> dict[str, parameters_pb2.HyperparameterValue]:
    """Typed values by name."""
    return {name: to_wire(item) for name, item in items.items()}


def _condition(condition: Condition | None) -> parameters_pb2.ParameterCondition | None:
    """When a range applies; None stays absent."""
    if condition is None:
        return None
    return parameters_pb2.ParameterCondition(name=condition.name, values=map(to_wire, condition.values))


def ranges(space: SearchSpace) -> parameters_pb2.ParameterRanges:
    """A search space."""
    message = parameters_pb2.ParameterRanges()
    for item in space.ranges:
        condition = _condition(item.condition)
        if isinstance(item, CategoricalRange):
            choices = [to_wire(choice) for choice in item.choices]
            message.categorical_parameter_ranges.add(name=item.name, values=choices, condition=condition)
            continue
        scaling = f"SCALING_TYPE_{item.scaling.value}"
        if isinstance(item, IntegerRange):
            message.integer_parameter_ranges.add(
                name=item.name,
                min_value=item.minimum,
                max_value=item.maximum,
                scaling_type=scaling,
                condition=condition,
                grid_points=item.grid_points,
            )
        else:
            message.continuous_parameter_ranges.add(
                name=item.name,
                min_value=item.minimum,
                max_value=item.maximum,
                scaling_type=scaling,
                condition=condition,
                grid_points=item.grid_points,
            )
    return message


def objective(item: Objective) -> tuning_job_pb2.Objective:
    """Metric and direction."""
    return tuning_job_pb2.Objective(type=f"OBJECTIVE_TYPE_{item.type.value}", metric_name=item.metric_name)


def definition(item: TrainingJobDefinition) -> tuning_job_pb2.TrainingJobDefinition:
    """A training job definition with its defaults."""
    return tuning_job_pb2.TrainingJobDefinition(
        definition_name=item.name,
        algorithm=item.algorithm,
        objective=objective(item.objective),
        static_hyperparameters=values(item.static_hyperparameters),
        parameter_ranges=ranges(item.space),
        data_channels=[channel_to_wire(name, channel) for name, channel in item.channels.items()],
        output_uri=item.output_uri,
        resource_class=item.resource_class,
        retry_strategy=(
            tuning_job_pb2.RetryStrategy(maximum_retry_attempts=item.max_attempts - 1)
            if item.max_attempts > 1
            else None
        ),
        environment=dict(item.environment),
        stopping_condition=(
            None
            if item.max_runtime_s is None
            else tuning_job_pb2.StoppingCondition(max_runtime_in_seconds=item.max_runtime_s)
        ),
        checkpoint_config=tuning_job_pb2.CheckpointConfig(uri=item.checkpoint_uri) if item.checkpoint_uri else None,
    )


def _hyperband(config: HyperbandConfig) -> tuning_job_pb2.StrategyConfig:
    """Settings of Hyperband."""
    return tuning_job_pb2.StrategyConfig(
        hyperband=tuning_job_pb2.HyperbandStrategyConfig(
            min_resource=config.min_resource, max_resource=config.max_resource
        )
    )


def _completion(criteria: CompletionCriteria) -> tuning_job_pb2.TuningJobCompletionCriteria:
    """Reasons to end early; what was not asked for is absent."""
    message = tuning_job_pb2.TuningJobCompletionCriteria(target_objective_metric_value=criteria.target_value)
    if criteria.max_not_improving is not None:
        limit = message.best_objective_not_improving
        limit.max_number_of_training_jobs_not_improving = criteria.max_not_improving
    if criteria.on_convergence:
        message.convergence_detected.complete_on_convergence = True
    return message


def spec(item: TuningJobSpec, tags: Mapping[str, str], *, definitions: bool) -> tuning_job_pb2.TuningJobSpec:
    """A specification with its defaults."""
    return tuning_job_pb2.TuningJobSpec(
        name=item.name,
        strategy=f"STRATEGY_{item.strategy.value}",
        resource_limits=tuning_job_pb2.ResourceLimits(
            max_number_of_training_jobs=item.limits.max_training_jobs,
            max_parallel_training_jobs=item.limits.max_parallel,
            max_runtime_in_seconds=item.limits.max_runtime_s,
        ),
        strategy_config=None if item.hyperband is None else _hyperband(item.hyperband),
        training_job_early_stopping_type=f"TRAINING_JOB_EARLY_STOPPING_TYPE_{item.early_stopping.value}",
        completion_criteria=None if item.completion == CompletionCriteria() else _completion(item.completion),
        random_seed=item.seed,
        training_job_definitions=[definition(entry) for entry in item.definitions] if definitions else [],
        tags=dict(tags),
        weight=item.weight,
        autotune=tuning_job_pb2.Autotune(enabled=True) if item.autotune else None,
        warm_start_config=None if item.warm_start is None else _warm_start(item.warm_start),
    )


def _warm_start(item: WarmStart) -> tuning_job_pb2.WarmStartConfig:
    """The tuning jobs to learn from."""
    return tuning_job_pb2.WarmStartConfig(
        parent_tuning_job_names=[parent.name for parent in item.parents], type=f"WARM_START_TYPE_{item.type.value}"
    )


def tuning_job(job: TuningJob, best: Best, now: datetime, *, definitions: bool = True) -> tuning_job_pb2.TuningJob:
    """A tuning job.

    Args:
        job: The row.
        best: Its best training job, and the best one over it and its parents.
        now: For the runtime of a job that has not ended.
        definitions: Whether the training job definitions are shown.
    """
    counters = job.counters
    reason = job.completion_reason
    return tuning_job_pb2.TuningJob(
        name=job.spec.name,
        id=job.id,
        spec=spec(job.spec, job.tags, definitions=definitions),
        state=f"TUNING_JOB_STATE_{job.state.value}",
        completion_reason=(None if reason is None else f"COMPLETION_REASON_{reason.value}"),
        failure_reason=job.failure_reason,
        create_time=timestamp(job.created_at),
        update_time=timestamp(job.updated_at),
        end_time=timestamp(job.ended_at),
        training_job_state_counters=tuning_job_pb2.TrainingJobStateCounters(
            completed=counters.completed,
            in_progress=counters.in_progress,
            retryable_error=counters.retryable,
            non_retryable_error=counters.non_retryable,
            stopped=counters.stopped,
        ),
        objective_status_counters=tuning_job_pb2.ObjectiveStatusCounters(
            succeeded=counters.objective_succeeded,
            pending=counters.objective_pending,
            failed=counters.objective_failed,
        ),
        best_training_job=None if best.own is None else training_job(best.own, job.spec.name),
        overall_best_training_job=None if best.overall is None else training_job(best.overall, best.overall_of),
        runtime_in_seconds=((job.ended_at or now) - job.created_at).total_seconds(),
        resume_token=resume_token(job.id, job.revision),
        oldest_resume_token=resume_token(job.id, job.log_starts_after) if job.log_starts_after else "",
        warnings=list(job.warnings),
        autotune_choices=[
            tuning_job_pb2.AutotuneChoice(field=choice.field, value=choice.value, reason=choice.reason)
            for choice in job.choices
        ],
        completion_details=tuning_job_pb2.TuningJobCompletionDetails(
            number_of_training_jobs_objective_not_improving=job.completion_details.not_improving,
            convergence_detected_time=timestamp(job.completion_details.converged_at),
        ),
    )


def training_job(job: TrainingJob, tuning_job_name: str) -> training_job_pb2.TrainingJob:
    """A training job."""
    transitions = [
        training_job_pb2.SecondaryStateTransition(
            state=f"SECONDARY_STATE_{step.state.value}",
            start_time=timestamp(step.at),
            attempt=step.attempt,
            message=step.message,
        )
        for step in job.transitions
    ]
    cause = job.failure_cause
    return training_job_pb2.TrainingJob(
        name=job.name,
        tuning_job_name=tuning_job_name,
        number=job.number,
        definition_name=job.definition_name,
        state=f"TRAINING_JOB_STATE_{job.state.value}",
        secondary_state=f"SECONDARY_STATE_{job.secondary.value}",
        secondary_state_transitions=transitions,
        attempt=job.attempt,
        tuned_hyperparameters=values(job.proposal.hyperparameters),
        hyperparameters=values(job.hyperparameters),
        objective_status=f"OBJECTIVE_STATUS_{job.objective_status.value}",
        final_objective_value=job.final_objective,
        final_metrics=dict(job.final_metrics),
        failure_cause=None if cause is None else f"FAILURE_CAUSE_{cause.value}",
        failure_reason=job.failure_reason,
        artifact_uri=job.artifact_uri,
        create_time=timestamp(job.created_at),
        start_time=timestamp(job.started_at),
        end_time=timestamp(job.ended_at),
        worker_id=job.worker_id,
        proposal=training_job_pb2.Proposal(
            strategy=job.proposal.strategy,
            seed=job.proposal.seed,
            explanation=job.proposal.explanation,
            continues=job.proposal.continues,
            until_epoch=job.proposal.until_epoch or 0,
        ),
        tags=dict(job.tags),
    )


def metric_point(point: MetricPoint) -> training_job_pb2.MetricPoint:
    """A metric point."""
    return training_job_pb2.MetricPoint(
        metric_name=point.metric, step=point.step, value=point.value, attempt=point.attempt, time=timestamp(point.at)
    )


def log_line(line: LogLine) -> training_job_pb2.LogLine:
    """A line of a training job's log."""
    return training_job_pb2.LogLine(
        attempt=line.attempt,
        position=line.position,
        time=timestamp(line.at),
        source=f"LOG_SOURCE_{line.source}",
        text=line.text,
    )


def algorithm(item: Algorithm) -> algorithm_pb2.Algorithm:
    """An algorithm's declaration."""
    hyperparameters = [
        algorithm_pb2.HyperparameterSpec(
            name=entry.name,
            type=f"HYPERPARAMETER_TYPE_{entry.type.value}",
            description=entry.description,
            default_value=to_wire(entry.default),
            min_value=entry.minimum,
            max_value=entry.maximum,
            choices=[to_wire(choice) for choice in entry.choices],
            tunable=entry.tunable,
            recommended_min_value=None if entry.recommended is None else entry.recommended[0],
            recommended_max_value=None if entry.recommended is None else entry.recommended[1],
        )
        for entry in item.hyperparameters
    ]
    metrics = [
        algorithm_pb2.MetricSpec(
            name=entry.name,
            objective_type=f"OBJECTIVE_TYPE_{entry.objective_type.value}",
            description=entry.description,
        )
        for entry in item.metrics
    ]
    channels = [
        algorithm_pb2.ChannelSpec(
            name=entry.name,
            required=entry.required,
            required_columns=entry.required_columns,
            description=entry.description,
            optional_columns=entry.optional_columns,
            options=[option.value for option in entry.options],
            min_metadata_columns=0 if entry.metadata is None else entry.metadata.minimum,
            max_metadata_columns=0 if entry.metadata is None else entry.metadata.maximum,
            reserved_columns=() if entry.metadata is None else entry.metadata.reserved,
        )
        for entry in item.channels
    ]
    return algorithm_pb2.Algorithm(
        name=item.name,
        description=item.description,
        hyperparameters=hyperparameters,
        metrics=metrics,
        channels=channels,
        recommends=item.recommender is not None,
        aliases=item.aliases,
        needs_metadata=item.needs_metadata,
        default_parameter_ranges=ranges(SearchSpace(item.default_ranges())),
    )
