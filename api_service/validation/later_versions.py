"""Fields of the contract that later versions implement: refused by name, never ignored."""

from __future__ import annotations

from api_service.validation.findings import Findings
from hrnn_tuner.v1 import tuning_job_pb2


def collect(spec: tuning_job_pb2.TuningJobSpec, findings: Findings) -> None:
    """Adds every field that is set and not implemented."""
    root = "tuning_job"
    if spec.strategy in {tuning_job_pb2.STRATEGY_BAYESIAN, tuning_job_pb2.STRATEGY_HYPERBAND}:
        findings.later(f"{root}.strategy", tuning_job_pb2.Strategy.Name(spec.strategy))
    if spec.strategy == tuning_job_pb2.STRATEGY_HYPERBAND and spec.strategy_config.HasField("hyperband"):
        findings.later(f"{root}.strategy_config.hyperband", "STRATEGY_HYPERBAND")
    if spec.training_job_early_stopping_type == tuning_job_pb2.TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO:
        findings.later(f"{root}.training_job_early_stopping_type", "early stopping of training jobs")
    criteria = spec.completion_criteria
    if criteria.HasField("target_objective_metric_value"):
        findings.later(f"{root}.completion_criteria.target_objective_metric_value", "ending at a target value")
    if criteria.HasField("best_objective_not_improving"):
        findings.later(f"{root}.completion_criteria.best_objective_not_improving", "ending without improvement")
    if criteria.convergence_detected.complete_on_convergence:
        findings.later(f"{root}.completion_criteria.convergence_detected", "ending at convergence")
    if len(spec.training_job_definitions) > 1:
        findings.later(f"{root}.training_job_definitions[1]", "more than one training job definition")
