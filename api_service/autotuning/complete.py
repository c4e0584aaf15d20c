"""Completes a request, before it is checked, with what it leaves to the service."""

from __future__ import annotations

from dataclasses import dataclass

from api_service import to_proto
from api_service.autotuning import auto_parameters
from api_service.autotuning.choose import choose
from api_service.autotuning.ranges import range_names, shown_range
from api_service.findings import Findings
from hrnn_tuner.algorithms import Algorithm, AlgorithmRegistry
from hrnn_tuner.domain.autotune import AutotuneChoice
from hrnn_tuner.domain.search_space import ParameterRange, SearchSpace
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_job_pb2, tuning_service_pb2


@dataclass(frozen=True)
class Completed:
    """A request with nothing left to choose, and what was chosen."""

    request: tuning_service_pb2.CreateTuningJobRequest
    choices: tuple[AutotuneChoice, ...]


def complete(
    request: tuning_service_pb2.CreateTuningJobRequest,
    algorithms: AlgorithmRegistry,
    settings: Settings,
    findings: Findings,
    *,
    parents_launched: int = 0,
) -> Completed:
    """Makes a copy of a request, which need not be well-formed, in which everything is given that can be chosen.

    Args:
        request: As it was sent.
        algorithms: Those of this installation.
        settings: The operator's limits.
        findings: Takes what is wrong with auto parameters, and warnings.
        parents_launched: Training jobs of the warm-start parents, which count against the operator's limit.
    """
    completed = tuning_service_pb2.CreateTuningJobRequest()
    completed.CopyFrom(request)
    spec = completed.tuning_job
    choices: list[AutotuneChoice] = []
    for index, definition in enumerate(spec.training_job_definitions):
        algorithm = algorithms.get(definition.algorithm)
        if algorithm is None:
            continue  # the checks say so
        place = f"training_job_definitions[{index}]"
        named = bool(range_names(definition.parameter_ranges) or definition.parameter_ranges.auto_parameters)
        choices += auto_parameters.expand(definition, place, algorithm, findings)
        ranges = () if named else _default_ranges(definition, algorithm)
        if not ranges:
            continue
        definition.parameter_ranges.MergeFrom(to_proto.ranges(SearchSpace(ranges)))
        shown = "; ".join(map(shown_range, ranges))
        if spec.autotune.enabled:
            reason = f"no range is given; these are the default ranges of {algorithm.name}"
            choices.append(AutotuneChoice(f"{place}.parameter_ranges", shown, reason))
        else:
            findings.warn(f"no range is given: the default ranges of {algorithm.name} are tuned: {shown}")
    if spec.autotune.enabled:
        choices += choose(spec, algorithms, settings, parents_launched=parents_launched)
    return Completed(completed, tuple(choices))


def _default_ranges(
    definition: tuning_job_pb2.TrainingJobDefinition, algorithm: Algorithm
) -> tuple[ParameterRange, ...]:
    """What is tuned when a request names nothing: the algorithm's default ranges without what the request fixes."""
    return tuple(item for item in algorithm.default_ranges() if item.name not in definition.static_hyperparameters)
