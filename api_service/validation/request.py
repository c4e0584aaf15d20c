"""All checks of a tuning job request, in the order in which their results are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api_service.autotuning import complete
from api_service.findings import Findings, among
from api_service.validation import (
    conditions,
    hyperparameters,
    locations,
    message_rules,
    operator_limits,
    secret_text,
    several_definitions,
    size,
    stopping,
    warm_start,
)
from hrnn_tuner.algorithms import Algorithm, AlgorithmRegistry
from hrnn_tuner.domain.autotune import AutotuneChoice
from hrnn_tuner.domain.objective import ObjectiveType
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_job_pb2, tuning_service_pb2

_DEFINITIONS = "tuning_job.training_job_definitions"


@dataclass(frozen=True)
class Checked:
    """What the checks found out on the way.

    Attributes:
        tuning_job: What was asked for, completed with what the service chose.
        max_training_jobs: As given, or the number of points of a grid.
        max_resource: The maximum of epochs of strategies with levels, as given or inferred; None with other strategies.
        warnings: Things the sender should know.
        choices: What the service chose.
        parents: The tuning jobs to learn from, in the order given.
    """

    tuning_job: tuning_job_pb2.TuningJobSpec
    max_training_jobs: int
    max_resource: int | None
    warnings: tuple[str, ...]
    choices: tuple[AutotuneChoice, ...] = ()
    parents: tuple[TuningJob, ...] = ()


def check_tuning_job(
    request: tuning_service_pb2.CreateTuningJobRequest,
    algorithms: AlgorithmRegistry,
    settings: Settings,
    parents: Mapping[str, TuningJob] = MappingProxyType({}),
) -> Checked:
    """Completes a request with what it leaves to the service, and checks all of it.

    Args:
        request: As it was sent.
        algorithms: Those of this installation.
        settings: The operator's limits.
        parents: The tuning jobs, by name in lower case, that its warm start names, as far as they exist.

    Raises:
        InvalidRequest: With all violations at once.
    """
    secret_text.refuse(request)
    findings = Findings()
    named = warm_start.named(request.tuning_job, parents)
    launched = sum(parent.counters.launched for parent in named)
    completed = complete(request, algorithms, settings, findings, parents_launched=launched)
    spec = completed.request.tuning_job
    message_rules.collect(completed.request, findings)
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
    several_definitions.collect(spec, settings, findings)
    operator_limits.collect(spec, settings, findings)
    jobs = size.collect(spec, settings, findings, parents_launched=launched)
    max_resource = stopping.collect(spec, algorithms, findings)
    warm_start.collect(spec, parents, algorithms, findings)
    findings.raise_if_any()
    if jobs is None:
        raise AssertionError("a request without violations has a size")
    return Checked(spec, jobs, max_resource, tuple(findings.warnings), completed.choices, tuple(named))


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
