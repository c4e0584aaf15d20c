"""Early stopping, levels of epochs and completion criteria: the rules about more than one message."""

from __future__ import annotations

from api_service.findings import Findings
from api_service.from_proto import WITH_LEVELS
from hrnn_tuner.algorithms import Algorithm, AlgorithmRegistry
from hrnn_tuner.domain.early_stopping import EPOCH_HYPERPARAMETERS, planned_epochs
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.wire_values import from_wire

#: AMT's bound, also for what is inferred.
MAX_RESOURCE = 20_000
_HYPERBAND = "tuning_job.strategy_config.hyperband"


def collect(spec: tuning_job_pb2.TuningJobSpec, algorithms: AlgorithmRegistry, findings: Findings) -> int | None:
    """Adds everything that is wrong with how a tuning job and its training jobs end early.

    Args:
        spec: The request.
        algorithms: Those of this installation.
        findings: Where to add.

    Returns:
        The maximum of epochs of strategies with levels, as given or inferred; None with other strategies.
    """
    if spec.training_job_early_stopping_type == tuning_job_pb2.TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO:
        _check_auto(spec, findings)
    if spec.strategy not in WITH_LEVELS:
        return None
    definitions = spec.training_job_definitions
    return _check_levels(spec, algorithms.get(definitions[0].algorithm) if definitions else None, findings)


def _check_auto(spec: tuning_job_pb2.TuningJobSpec, findings: Findings) -> None:
    """The median rule compares training jobs of one definition, and is the only rule that stops them."""
    path = "tuning_job.training_job_early_stopping_type"
    allowed = "allowed: TRAINING_JOB_EARLY_STOPPING_TYPE_OFF"
    if spec.strategy in WITH_LEVELS:
        strategy = tuning_job_pb2.Strategy.Name(spec.strategy)
        text = f"got AUTO with {strategy}, which stops training jobs by its own rule; {allowed}"
        findings.wrong(path, text, "EARLY_STOPPING_WITH_HYPERBAND")
    if len(spec.training_job_definitions) > 1:
        text = f"got AUTO with {len(spec.training_job_definitions)} training job definitions; {allowed}"
        findings.wrong(path, text, "EARLY_STOPPING_WITH_SEVERAL_DEFINITIONS")


def _check_levels(spec: tuning_job_pb2.TuningJobSpec, algorithm: Algorithm | None, findings: Findings) -> int | None:
    """The maximum of epochs must be known and not below the minimum; returns it."""
    given = spec.strategy_config.hyperband
    maximum = given.max_resource if given.HasField("max_resource") else _inferred(spec, algorithm)
    path = f"{_HYPERBAND}.max_resource"
    if maximum is None:
        if algorithm is not None:
            names = ", ".join(EPOCH_HYPERPARAMETERS)
            text = f"is missing, and no static hyperparameter among {names} says it; allowed: 1 to {MAX_RESOURCE}"
            findings.wrong(path, text, "REQUIRED")
        return None
    if maximum > MAX_RESOURCE:
        text = f"the static hyperparameters say {maximum} epochs; allowed: 1 to {MAX_RESOURCE}"
        findings.wrong(path, text, "OUTSIDE_LIMITS")
    if given.HasField("min_resource") and given.min_resource > maximum:
        text = f"got {given.min_resource}, and max_resource is {maximum}; allowed: 1 to {maximum}"
        findings.wrong(f"{_HYPERBAND}.min_resource", text, "MIN_ABOVE_MAX")
    return maximum


def _inferred(spec: tuning_job_pb2.TuningJobSpec, algorithm: Algorithm | None) -> int | None:
    """The number of epochs that all training jobs have; None when it is tuned or nothing says it."""
    if not spec.training_job_definitions:
        return None
    definition = spec.training_job_definitions[0]
    ranges = definition.parameter_ranges
    tuned = {
        item.name
        for kind in (
            ranges.integer_parameter_ranges,
            ranges.continuous_parameter_ranges,
            ranges.categorical_parameter_ranges,
            ranges.auto_parameters,
        )
        for item in kind
    }
    if tuned & set(EPOCH_HYPERPARAMETERS):
        return None
    static = {name: from_wire(message) for name, message in definition.static_hyperparameters.items()}
    values = {name: value for name, value in static.items() if value is not None}
    return planned_epochs(values) or (None if algorithm is None else planned_epochs(algorithm.defaults()))
