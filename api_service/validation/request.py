"""All checks of a tuning job request, in the order in which their results are listed."""

from __future__ import annotations

from dataclasses import dataclass

from api_service.from_proto import domain_range
from api_service.validation import hyperparameters, later_versions, locations, message_rules, stopping
from api_service.validation.findings import Findings, among
from hrnn_tuner.algorithms import Algorithm, AlgorithmRegistry
from hrnn_tuner.domain.objective import ObjectiveType
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_job_pb2, tuning_service_pb2

_DEFINITIONS = "tuning_job.training_job_definitions"


@dataclass(frozen=True)
class Checked:
    """What the checks found out on the way.

    Attributes:
        algorithm: The definition's algorithm.
        max_training_jobs: As given, or the number of points of a grid.
        max_resource: Hyperband's maximum of epochs, as given or inferred; None with other strategies.
        warnings: Things the sender should know.
    """

    algorithm: Algorithm
    max_training_jobs: int
    max_resource: int | None
    warnings: tuple[str, ...]


def check_tuning_job(
    request: tuning_service_pb2.CreateTuningJobRequest, algorithms: AlgorithmRegistry, settings: Settings
) -> Checked:
    """Checks a request completely.

    Raises:
        InvalidRequest: With all violations at once.
        NotImplementedYet: When nothing is wrong but fields of later versions.
    """
    findings = Findings()
    spec = request.tuning_job
    message_rules.collect(request, findings)
    later_versions.collect(spec, findings)
    if spec.strategy == tuning_job_pb2.STRATEGY_UNSPECIFIED and not spec.autotune.enabled:
        names = [name for name in list(tuning_job_pb2.Strategy.keys()) if not name.endswith("UNSPECIFIED")]
        findings.wrong("tuning_job.strategy", f"is missing; allowed: {', '.join(names)}", "REQUIRED")
    seen: set[str] = set()
    for index, definition in enumerate(spec.training_job_definitions):
        path = f"{_DEFINITIONS}[{index}]"
        name = definition.definition_name
        if name and name in seen:
            findings.wrong(f"{path}.definition_name", f"got {name!r} twice; allowed: different names", "DUPLICATE_NAME")
        seen.add(name)
        _check_definition(definition, path, algorithms, settings, findings)
    algorithm: Algorithm | None = None
    jobs: int | None = None
    if spec.training_job_definitions:
        first = spec.training_job_definitions[0]
        algorithm = algorithms.get(first.algorithm)
        jobs = _check_size(spec, first, settings, findings)
    max_resource = stopping.collect(spec, algorithm, findings)
    findings.raise_if_any()
    if algorithm is None or jobs is None:
        raise AssertionError("a request without violations has an algorithm and a size")
    return Checked(algorithm, jobs, max_resource, tuple(findings.warnings))


def _check_definition(
    definition: tuning_job_pb2.TrainingJobDefinition,
    path: str,
    algorithms: AlgorithmRegistry,
    settings: Settings,
    findings: Findings,
) -> None:
    """A definition must fit its algorithm and this installation."""
    algorithm = algorithms.get(definition.algorithm)
    if algorithm is None:
        findings.wrong(f"{path}.algorithm", among(definition.algorithm, algorithms), "UNKNOWN_ALGORITHM")
    else:
        _check_objective(definition, path, algorithm, findings)
        hyperparameters.collect(definition, path, algorithm, findings)
        locations.collect(definition, path, algorithm, settings, findings)
    if definition.HasField("resource_class") and definition.resource_class not in settings.resource_classes:
        text = among(definition.resource_class, settings.resource_classes)
        findings.wrong(f"{path}.resource_class", text, "UNKNOWN_RESOURCE_CLASS")


def _check_objective(
    definition: tuning_job_pb2.TrainingJobDefinition, path: str, algorithm: Algorithm, findings: Findings
) -> None:
    """The objective must be a metric of the algorithm."""
    objective = definition.objective
    if not objective.metric_name:
        return  # the message's own rules say so
    metric = algorithm.metric(objective.metric_name)
    if metric is None:
        text = among(objective.metric_name, [entry.name for entry in algorithm.metrics])
        findings.wrong(f"{path}.objective.metric_name", text, "UNKNOWN_METRIC")
        return
    natural = tuning_job_pb2.ObjectiveType.Value(f"OBJECTIVE_TYPE_{metric.objective_type.value}")
    directions = {tuning_job_pb2.OBJECTIVE_TYPE_MAXIMIZE, tuning_job_pb2.OBJECTIVE_TYPE_MINIMIZE}
    if objective.type in directions - {natural}:
        better = "larger" if metric.objective_type is ObjectiveType.MAXIMIZE else "smaller"
        findings.warn(f"the objective goes against its metric: {metric.name} is better when it is {better}")


def _check_size(
    spec: tuning_job_pb2.TuningJobSpec,
    definition: tuning_job_pb2.TrainingJobDefinition,
    settings: Settings,
    findings: Findings,
) -> int | None:
    """The number of training jobs must fit the search space and the quotas; returns it when it can be told."""
    limits = spec.resource_limits
    path = "tuning_job.resource_limits.max_number_of_training_jobs"
    ranges = definition.parameter_ranges
    count = sum(
        len(kind)
        for kind in (
            ranges.integer_parameter_ranges,
            ranges.continuous_parameter_ranges,
            ranges.categorical_parameter_ranges,
            ranges.auto_parameters,
        )
    )
    grid = spec.strategy == tuning_job_pb2.STRATEGY_GRID
    jobs = limits.max_number_of_training_jobs if limits.HasField("max_number_of_training_jobs") else None
    place = f"{_DEFINITIONS}[0].parameter_ranges"
    if count == 0 and not spec.autotune.enabled:  # which chooses them
        findings.wrong(place, "is missing: nothing is tuned; allowed: 1 to 30 ranges", "REQUIRED")
    points = _points(ranges, count)
    if grid and (ranges.integer_parameter_ranges or ranges.continuous_parameter_ranges):
        findings.wrong(place, "STRATEGY_GRID takes categorical_parameter_ranges only", "GRID_IS_CATEGORICAL")
    elif grid and points is not None:
        if jobs is not None and jobs != points:
            text = f"got {jobs}; the grid has {points} combinations; allowed: {points}, or nothing"
            findings.wrong(path, text, "NOT_THE_GRID")
        jobs = points
    elif jobs is None and not grid and not spec.autotune.enabled and spec.HasField("resource_limits"):
        findings.wrong(path, "is missing; only STRATEGY_GRID can infer it", "REQUIRED")
    elif jobs is not None and points is not None and points < jobs:
        text = f"got {jobs}, and the search space has only {points} combinations; allowed: at most {points}"
        findings.wrong(path, text, "SPACE_TOO_SMALL")
    random = spec.strategy == tuning_job_pb2.STRATEGY_RANDOM
    quota = settings.max_training_jobs_limit_random if random else settings.max_training_jobs_limit
    if jobs is not None and jobs > quota:
        findings.wrong(path, f"got {jobs}; allowed: at most {quota}", "OVER_QUOTA")
    parallel = limits.max_parallel_training_jobs
    if parallel > settings.max_parallel_limit:
        text = f"got {parallel}; allowed: at most {settings.max_parallel_limit}"
        findings.wrong("tuning_job.resource_limits.max_parallel_training_jobs", text, "OVER_QUOTA")
    return jobs


def _points(ranges: object, count: int) -> int | None:
    """Number of points of a search space of so many ranges; None when it is infinite or not well-formed."""
    items = domain_range(ranges)
    if not items or len(items) < count or any(item.cardinality is not None and item.cardinality < 1 for item in items):
        return None
    return SearchSpace(items).cardinality
