"""Fields of the contract that later versions implement: refused by name, never ignored."""

from __future__ import annotations

from api_service.validation.findings import Findings
from hrnn_tuner.v1 import tuning_job_pb2


def collect(spec: tuning_job_pb2.TuningJobSpec, findings: Findings) -> None:
    """Adds every field that is set and not implemented."""
    root = "tuning_job"
    for index, definition in enumerate(spec.training_job_definitions):
        path = f"{root}.training_job_definitions[{index}]"
        if definition.HasField("stopping_condition"):
            findings.later(f"{path}.stopping_condition", "a limit of each training job's runtime")
        if definition.HasField("checkpoint_config"):
            findings.later(f"{path}.checkpoint_config", "keeping checkpoints")
