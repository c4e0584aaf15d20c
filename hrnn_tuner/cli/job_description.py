"""What `hrnn-tuner describe` shows of a tuning job."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hrnn_tuner.cli.output import duration_text, objective_text, short_name, state_text, table, time_text, value_text
from hrnn_tuner.cli.watch_state import objective_metric
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.v1.parameters_pb2 import (
    SCALING_TYPE_AUTO,
    SCALING_TYPE_UNSPECIFIED,
    CategoricalParameterRange,
    ContinuousParameterRange,
    IntegerParameterRange,
    ParameterRanges,
    ScalingType,
)
from hrnn_tuner.v1.training_job_pb2 import TrainingJob
from hrnn_tuner.v1.tuning_job_pb2 import (
    TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO,
    CompletionReason,
    ObjectiveType,
    Strategy,
    TrainingJobDefinition,
    TuningJob,
    WarmStartConfig,
    WarmStartType,
)
from hrnn_tuner.wire_channels import channel_from_wire

_PLAIN = (SCALING_TYPE_UNSPECIFIED, SCALING_TYPE_AUTO)


def describe_job(job: TuningJob) -> RenderableType:
    """The whole description."""
    parts: list[RenderableType] = [_facts(job)]
    for definition in job.spec.training_job_definitions:
        parts += [Text(), _definition(definition)]
    if job.HasField("best_training_job"):
        parts += [Text(), _best("best training job", job.best_training_job, job)]
    overall = job.overall_best_training_job
    if job.HasField("overall_best_training_job") and overall.name != job.best_training_job.name:
        parts += [Text(), _best("overall best, of a parent", overall, job)]
    return Group(*parts)


def _facts(job: TuningJob) -> Table:
    """State, bounds, counters and times."""
    counters, limits = job.training_job_state_counters, job.spec.resource_limits
    reason = short_name(CompletionReason, job.completion_reason) if job.completion_reason else job.failure_reason
    state = state_text(job).append(f" ({reason})" if reason else "", style="default")
    rows: list[tuple[str, RenderableType]] = [
        ("tuning job", Text(job.name, style="bold")),
        ("id", job.id),
        ("state", state),
        ("strategy", f"{short_name(Strategy, job.spec.strategy)}, random_seed {job.spec.random_seed}"),
        (
            "limits",
            f"{limits.max_number_of_training_jobs} training jobs, {limits.max_parallel_training_jobs} in parallel",
        ),
        (
            "training jobs",
            f"{counters.completed} completed, {counters.in_progress} in progress "
            f"({counters.retryable_error} retrying), {counters.non_retryable_error} failed, {counters.stopped} stopped",
        ),
        *_endings(job),
        ("created", time_text(job.create_time)),
        ("ended", time_text(job.end_time)),
        ("runtime", duration_text(job.runtime_in_seconds)),
        *_warm_start(job.spec.warm_start_config),
        *(("tag", f"{key}={value}") for key, value in sorted(job.spec.tags.items())),
        *(("chosen", f"{choice.field}: {choice.value} ({choice.reason})") for choice in job.autotune_choices),
        *(("warning", Text(warning, style="yellow")) for warning in job.warnings),
    ]
    return _pairs(rows)


def _endings(job: TuningJob) -> Iterator[tuple[str, RenderableType]]:
    """How training jobs and the tuning job end early, and how far that is."""
    spec, details = job.spec, job.completion_details
    if spec.strategy_config.HasField("hyperband"):
        config, strategy = spec.strategy_config.hyperband, short_name(Strategy, spec.strategy)
        yield "early stopping", f"{strategy}, {config.min_resource} to {config.max_resource} epochs"
    elif spec.training_job_early_stopping_type == TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO:
        yield "early stopping", "AUTO"
    criteria, asked = spec.completion_criteria, []
    if criteria.HasField("target_objective_metric_value"):
        asked.append(f"at {criteria.target_objective_metric_value:.6g}")
    if criteria.HasField("best_objective_not_improving"):
        limit = criteria.best_objective_not_improving.max_number_of_training_jobs_not_improving
        asked.append(f"after {limit} training jobs without improvement")
    if criteria.convergence_detected.complete_on_convergence:
        asked.append("at convergence")
    if asked:
        yield "completes early", ", or ".join(asked)
    quiet = details.number_of_training_jobs_objective_not_improving
    if quiet:
        yield "not improving", f"{quiet} training jobs in a row"
    if details.HasField("convergence_detected_time"):
        yield "converged", time_text(details.convergence_detected_time)


def _warm_start(config: WarmStartConfig) -> Iterator[tuple[str, str]]:
    """The tuning jobs that one learns from; nothing when it has none."""
    if config.parent_tuning_job_names:
        yield "warm start", f"{short_name(WarmStartType, config.type)} from {', '.join(config.parent_tuning_job_names)}"


def _definition(definition: TrainingJobDefinition) -> Table:
    """Algorithm, objective, data and search space."""
    objective = definition.objective
    static = definition.static_hyperparameters
    rows: list[tuple[str, RenderableType]] = [
        ("algorithm", Text(definition.algorithm, style="bold")),
        ("objective", f"{short_name(ObjectiveType, objective.type)} {objective.metric_name}"),
        *((f"data {channel.name}", _data(channel_from_wire(channel))) for channel in definition.data_channels),
        *((f"tuned {name}", text) for name, text in range_texts(definition.parameter_ranges)),
        *((f"static {name}", value_text(static[name])) for name in sorted(static)),
    ]
    return _pairs(rows)


def _data(channel: DataChannel) -> str:
    """Where data are and how they are read."""
    renamed = [f"{name} from {found}" for name, found in sorted(channel.columns.items())]
    filters = [f"only {channel.filters}"] if channel.filters else []
    return "; ".join([channel.uri, *([", ".join(renamed)] if renamed else []), *filters])


def range_texts(ranges: ParameterRanges) -> Iterator[tuple[str, str]]:
    """Each tuned hyperparameter with its range."""
    numeric: list[IntegerParameterRange | ContinuousParameterRange] = [
        *ranges.integer_parameter_ranges,
        *ranges.continuous_parameter_ranges,
    ]
    for item in numeric:
        scaling = "" if item.scaling_type in _PLAIN else f", {short_name(ScalingType, item.scaling_type)}"
        grid = f", {item.grid_points} grid points" if item.HasField("grid_points") else ""
        yield item.name, f"{item.min_value} to {item.max_value}{scaling}{grid}{_condition(item)}"
    for categorical in ranges.categorical_parameter_ranges:
        choices = ", ".join(value_text(value) for value in categorical.values)
        yield categorical.name, f"{choices}{_condition(categorical)}"


def _condition(item: IntegerParameterRange | ContinuousParameterRange | CategoricalParameterRange) -> str:
    """When a range applies; empty for always."""
    if not item.HasField("condition"):
        return ""
    return f"; only if {item.condition.name} is {' or '.join(map(value_text, item.condition.values))}"


def _best(title: str, job: TrainingJob, tuning_job: TuningJob) -> Table:
    """A best training job."""
    rows: list[tuple[str, RenderableType]] = [
        (title, Text(job.name, style="bold green")),
        (objective_metric(tuning_job, job) or "objective", objective_text(job)),
        *((name, value_text(value)) for name, value in sorted(job.tuned_hyperparameters.items())),
        ("artifact", job.artifact_uri or "-"),
    ]
    return _pairs(rows)


def _pairs(rows: list[tuple[str, RenderableType]]) -> Table:
    """Facts, one a line."""
    result = table("", "", "")
    result.show_header = False
    for name, value in rows:
        result.add_row(Text(name, style="dim"), value)
    return result
