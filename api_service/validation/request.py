"""All checks of a tuning job request, in the order in which their results are listed."""

from __future__ import annotations

from dataclasses import dataclass

from api_service.from_proto import domain_ranges
from api_service.validation import conditions, hyperparameters, later_versions, locations, message_rules
from api_service.validation.findings import Findings, among
from hrnn_tuner.algorithms import Algorithm, AlgorithmRegistry
from hrnn_tuner.domain.objective import ObjectiveType
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import parameters_pb2, tuning_job_pb2, tuning_service_pb2

_DEFINITIONS = "tuning_job.training_job_definitions"


@dataclass(frozen=True)
class Checked:
    """What the checks found out on the way.

    Attributes:
        algorithm: The definition's algorithm.
        max_training_jobs: As given, or the number of points of a grid.
        warnings: Things the sender should know.
    """

    algorithm: Algorithm
    max_training_jobs: int
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
    findings.raise_if_any()
    if algorithm is None or jobs is None:
        raise AssertionError("a request without violations has an algorithm and a size")
    return Checked(algorithm, jobs, tuple(findings.warnings))


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
    conditions.collect(definition.parameter_ranges, f"{path}.parameter_ranges", findings)
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
    ranges = domain_ranges(definition.parameter_ranges)
    chosen = definition.parameter_ranges.auto_parameters
    grid = spec.strategy == tuning_job_pb2.STRATEGY_GRID
    jobs = limits.max_number_of_training_jobs if limits.HasField("max_number_of_training_jobs") else None
    place = f"{_DEFINITIONS}[0].parameter_ranges"
    if not (ranges or chosen or spec.autotune.enabled):  # which chooses them
        findings.wrong(place, "is missing: nothing is tuned; allowed: 1 to 30 ranges", "REQUIRED")
    _check_grid_points(definition.parameter_ranges, place, findings, grid=grid)
    points = None
    if ranges and not chosen and not findings.below(place):  # else their number cannot be told
        space = SearchSpace(ranges)
        points = space.grid.cardinality if grid else space.cardinality
    if grid and points is not None:
        if jobs is not None and jobs != points:
            text = f"got {jobs}; the grid has {points} combinations; allowed: {points}, or nothing"
            findings.wrong(path, text, "NOT_THE_GRID")
        jobs = points
    elif jobs is None and not grid and not spec.autotune.enabled and spec.HasField("resource_limits"):
        findings.wrong(path, "is missing; only STRATEGY_GRID can infer it", "REQUIRED")
    elif jobs is not None and points is not None and points < jobs:
        text = f"got {jobs}, and the search space has only {points} combinations; allowed: at most {points}"
        findings.wrong(path, text, "SPACE_TOO_SMALL")
    drawn = spec.strategy in {tuning_job_pb2.STRATEGY_RANDOM, tuning_job_pb2.STRATEGY_SOBOL}
    quota = settings.max_training_jobs_limit_random if drawn else settings.max_training_jobs_limit
    if jobs is not None and jobs > quota:
        findings.wrong(path, f"got {jobs}; allowed: at most {quota}", "OVER_QUOTA")
    parallel = limits.max_parallel_training_jobs
    if parallel > settings.max_parallel_limit:
        text = f"got {parallel}; allowed: at most {settings.max_parallel_limit}"
        findings.wrong("tuning_job.resource_limits.max_parallel_training_jobs", text, "OVER_QUOTA")
    return jobs


def _check_grid_points(ranges: parameters_pb2.ParameterRanges, place: str, findings: Findings, *, grid: bool) -> None:
    """A grid needs to know which numbers of a continuous range it takes; no other strategy does."""
    for where, item in conditions.placed_ranges(ranges, place):
        if isinstance(item, parameters_pb2.CategoricalParameterRange):
            continue
        given = item.HasField("grid_points")
        continuous = isinstance(item, parameters_pb2.ContinuousParameterRange) and item.min_value != item.max_value
        if grid and continuous and not given:
            text = f"is missing: STRATEGY_GRID needs it to take values of {item.name!r}; allowed: 2 to 1000"
            findings.wrong(f"{where}.grid_points", text, "REQUIRED")
        elif given and not grid:
            findings.warn(f"grid_points of {item.name} is ignored: it is for STRATEGY_GRID only")
