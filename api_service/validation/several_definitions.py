"""What several training job definitions of one tuning job must have in common."""

from __future__ import annotations

from api_service.findings import Findings
from api_service.from_proto import WITH_LEVELS
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_job_pb2

_DEFINITIONS = "tuning_job.training_job_definitions"
#: Other numbers are wrong by themselves.
_DIRECTIONS = (tuning_job_pb2.OBJECTIVE_TYPE_MAXIMIZE, tuning_job_pb2.OBJECTIVE_TYPE_MINIMIZE)


def collect(spec: tuning_job_pb2.TuningJobSpec, settings: Settings, findings: Findings) -> None:
    """Adds everything that keeps the definitions from being tuned together."""
    if len(spec.training_job_definitions) < 2:
        return
    first, *others = spec.training_job_definitions
    if not first.definition_name:
        text = "is missing; allowed with several definitions: a name of its own for each"
        findings.wrong(f"{_DEFINITIONS}[0].definition_name", text, "REQUIRED")
    if spec.strategy in WITH_LEVELS:
        strategy = tuning_job_pb2.Strategy.Name(spec.strategy)
        text = f"got {strategy}; allowed with several definitions: those that compare no epochs of training jobs"
        findings.wrong("tuning_job.strategy", text, "HYPERBAND_WITH_SEVERAL_DEFINITIONS")
    for index, definition in enumerate(others, start=1):
        path = f"{_DEFINITIONS}[{index}]"
        if not definition.definition_name:
            text = "is missing; allowed with several definitions: a name of its own for each"
            findings.wrong(f"{path}.definition_name", text, "REQUIRED")
        if first.objective.type in _DIRECTIONS and definition.objective.type != first.objective.type:
            wanted = tuning_job_pb2.ObjectiveType.Name(first.objective.type)
            text = f"differs from the first definition's, so that no training job could be the best; allowed: {wanted}"
            findings.also_wrong(f"{path}.objective.type", text, "OTHER_DIRECTION")
        wanted = first.resource_class or settings.resource_classes[0]
        given = definition.resource_class or settings.resource_classes[0]
        if given != wanted:
            text = f"got {given!r}; allowed in one tuning job: the class of the first definition, {wanted!r}"
            findings.also_wrong(f"{path}.resource_class", text, "OTHER_RESOURCE_CLASS")
