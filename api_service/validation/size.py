"""The size of a tuning job against its search spaces and the operator's quotas."""

from __future__ import annotations

from api_service.findings import Findings
from api_service.from_proto import domain_ranges
from api_service.validation import conditions
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import parameters_pb2, tuning_job_pb2

_MAX_JOBS = "tuning_job.resource_limits.max_number_of_training_jobs"


def collect(
    spec: tuning_job_pb2.TuningJobSpec, settings: Settings, findings: Findings, *, parents_launched: int
) -> int | None:
    """Adds everything that is wrong with the size of a tuning job.

    Args:
        spec: The tuning job with its ranges, not yet known to be well-formed.
        settings: The operator's quotas.
        findings: Takes what is wrong.
        parents_launched: Training jobs of the warm-start parents, which count against the quota.

    Returns:
        The number of training jobs: as given, or that of the points of a grid; None when it cannot be told.
    """
    limits = spec.resource_limits
    grid = spec.strategy == tuning_job_pb2.STRATEGY_GRID
    jobs = limits.max_number_of_training_jobs if limits.HasField("max_number_of_training_jobs") else None
    points = _points(spec, findings, grid=grid)
    if grid and points is not None:
        if jobs is not None and jobs != points:
            text = f"got {jobs}; the grid has {points} combinations; allowed: {points}, or nothing"
            findings.wrong(_MAX_JOBS, text, "NOT_THE_GRID")
        jobs = points
    elif jobs is None and not grid and not spec.autotune.enabled and spec.HasField("resource_limits"):
        findings.wrong(_MAX_JOBS, "is missing; only STRATEGY_GRID can infer it", "REQUIRED")
    elif jobs is not None and points is not None and points < jobs:
        text = f"got {jobs}, and the search space has only {points} combinations; allowed: at most {points}"
        findings.wrong(_MAX_JOBS, text, "SPACE_TOO_SMALL")
    drawn = spec.strategy in {tuning_job_pb2.STRATEGY_RANDOM, tuning_job_pb2.STRATEGY_SOBOL}
    quota = settings.max_training_jobs_limit_random if drawn else settings.max_training_jobs_limit
    if jobs is not None and jobs + parents_launched > quota:
        beside = f" beside the {parents_launched} of the warm-start parents" if parents_launched else ""
        text = f"got {jobs}{beside}; allowed: at most {max(0, quota - parents_launched)}"
        findings.wrong(_MAX_JOBS, text, "OVER_QUOTA")
    parallel = limits.max_parallel_training_jobs
    if parallel > settings.max_parallel_limit:
        text = f"got {parallel}; allowed: at most {settings.max_parallel_limit}"
        findings.wrong("tuning_job.resource_limits.max_parallel_training_jobs", text, "OVER_QUOTA")
    return jobs


def _points(spec: tuning_job_pb2.TuningJobSpec, findings: Findings, *, grid: bool) -> int | None:
    """Points of all search spaces together; None when there is no end of them, or it cannot be told."""
    total: int | None = 0 if spec.training_job_definitions else None
    for index, definition in enumerate(spec.training_job_definitions):
        place = f"tuning_job.training_job_definitions[{index}].parameter_ranges"
        ranges = domain_ranges(definition.parameter_ranges)
        if not ranges and not definition.parameter_ranges.auto_parameters:  # of which none was good
            text = "is missing, and there is no default range: nothing is tuned; allowed: 1 to 30 ranges"
            findings.wrong(place, text, "REQUIRED")
        _check_grid_points(definition.parameter_ranges, place, findings, grid=grid)
        points = None
        if ranges and not findings.below(place):
            space = SearchSpace(ranges)
            points = space.grid.cardinality if grid else space.cardinality
        total = None if total is None or points is None else total + points
    return total


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
