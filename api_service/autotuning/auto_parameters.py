"""Replaces auto parameters by ranges."""

from __future__ import annotations

from api_service import to_proto
from api_service.autotuning.hinted_range import hinted_range
from api_service.autotuning.ranges import range_names, shown_range
from api_service.findings import Findings, among
from hrnn_tuner.algorithms import Algorithm
from hrnn_tuner.domain.autotune import AutotuneChoice
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.v1 import parameters_pb2, tuning_job_pb2
from hrnn_tuner.wire_values import from_wire


def expand(
    definition: tuning_job_pb2.TrainingJobDefinition, place: str, algorithm: Algorithm, findings: Findings
) -> list[AutotuneChoice]:
    """Adds a range behind the given ones for each auto parameter that has nothing wrong.

    Args:
        definition: Changed in place; its auto parameters stay, so that the other checks see them.
        place: Path of the definition in the tuning job.
        algorithm: The definition's algorithm.
        findings: Takes what is wrong with the others.
    """
    choices = []
    taken = dict.fromkeys(range_names(definition.parameter_ranges), "a range")
    taken |= dict.fromkeys(definition.static_hyperparameters, "static_hyperparameters")
    for index, item in enumerate(definition.parameter_ranges.auto_parameters):
        field = f"{place}.parameter_ranges.auto_parameters[{index}]"
        hint = from_wire(item.value_hint)
        if not _is_good(item, f"tuning_job.{field}", algorithm, taken, findings) or hint is None:
            continue
        taken[item.name] = f"auto_parameters[{index}]"
        declared = algorithm.hyperparameter(item.name)
        assert declared is not None, "an auto parameter without findings names a hyperparameter"
        chosen = hinted_range(declared, hint)
        definition.parameter_ranges.MergeFrom(to_proto.ranges(SearchSpace((chosen,))))
        choices.append(AutotuneChoice(field, shown_range(chosen), f"made of the hint {hint!r}"))
    return choices


def _is_good(
    item: parameters_pb2.AutoParameter, path: str, algorithm: Algorithm, taken: dict[str, str], findings: Findings
) -> bool:
    """Whether an auto parameter can become a range; adds what is wrong with it."""
    name = f"{path}.name"
    declared = algorithm.hyperparameter(item.name)
    hint = from_wire(item.value_hint)
    if declared is None:
        known = [entry.name for entry in algorithm.hyperparameters if entry.tunable]
        findings.wrong(name, among(item.name, known), "UNKNOWN_HYPERPARAMETER")
    elif item.name in taken:
        text = f"got {item.name!r}, which {taken[item.name]} has already; allowed: one of the two"
        findings.wrong(name, text, "DUPLICATE_NAME")
    elif not declared.tunable:
        text = f"got {item.name!r}, which cannot be tuned; allowed: a fixed value in static_hyperparameters"
        findings.wrong(name, text, "NOT_TUNABLE")
    elif hint is not None and (complaint := declared.violation(hint)) is not None:
        findings.wrong(f"{path}.value_hint", complaint, "OUTSIDE_LIMITS")
    else:
        return True
    return False
