"""The tuning jobs that a request wants to learn from, against what is stored of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from api_service.findings import Findings
from api_service.from_proto import domain_ranges
from hrnn_tuner.algorithms import AlgorithmRegistry
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import ParameterRange, Value
from hrnn_tuner.domain.states import TuningJobState
from hrnn_tuner.domain.tuning_job import TrainingJobDefinition, TuningJob
from hrnn_tuner.domain.warm_start import MAX_CHANGES, MAX_PARENTS, Treatment, changed_kinds, changes
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.wire_channels import channel_from_wire
from hrnn_tuner.wire_values import from_wire

_CONFIG = "tuning_job.warm_start_config"
_ENDED = "COMPLETED, FAILED or STOPPED"
_Reason = tuple[str, str]
#: Strategies whose new hyperparameter sets follow from no result, but are none that was tried.
_DRAWS = frozenset(
    {
        tuning_job_pb2.STRATEGY_RANDOM,
        tuning_job_pb2.STRATEGY_SOBOL,
        tuning_job_pb2.STRATEGY_HYPERBAND,
        tuning_job_pb2.STRATEGY_ASHA,
    }
)
#: What of a definition may differ from the parents', data only with TRANSFER_LEARNING.
_MAY_DIFFER = (
    "parameter_ranges",
    "static_hyperparameters",
    "data_channels",
    "output_uri",
    "resource_class",
    "stopping_condition",
    "checkpoint_config",
    "retry_strategy",
)


def named(spec: tuning_job_pb2.TuningJobSpec, parents: Mapping[str, TuningJob]) -> list[TuningJob]:
    """The stored tuning jobs that a warm start names, each once, in the order given."""
    names = dict.fromkeys(name.lower() for name in spec.warm_start_config.parent_tuning_job_names)
    return [parents[name] for name in names if name in parents]


def collect(
    spec: tuning_job_pb2.TuningJobSpec,
    parents: Mapping[str, TuningJob],
    algorithms: AlgorithmRegistry,
    findings: Findings,
) -> None:
    """Adds everything that is wrong with a warm start.

    Args:
        spec: The tuning job with its ranges, not yet known to be well-formed.
        parents: The tuning jobs, by name in lower case, that it names, as far as they exist.
        algorithms: Those of this installation.
        findings: Takes what is wrong, all of it for each parent.
    """
    if not spec.HasField("warm_start_config"):
        return
    if len(spec.training_job_definitions) > 1:
        text = f"got {len(spec.training_job_definitions)} training job definitions; allowed with a warm start: 1"
        findings.wrong(_CONFIG, text, "SEVERAL_DEFINITIONS")
    seen: set[str] = set()
    names = spec.warm_start_config.parent_tuning_job_names[:MAX_PARENTS]  # the message's own rules allow no more
    for index, name in enumerate(names):
        path = f"{_CONFIG}.parent_tuning_job_names[{index}]"
        parent = parents.get(name.lower())
        if name.lower() in seen:
            findings.wrong(path, f"got {name!r} twice; allowed: different names", "DUPLICATE_NAME")
        elif name.lower() == spec.name.lower():
            findings.wrong(path, f"got {name!r}; a tuning job cannot learn from itself", "OWN_NAME")
        elif parent is None:
            text = f"there is no tuning job named {name!r}; allowed: names of tuning jobs that are {_ENDED}"
            findings.wrong(path, text, "UNKNOWN_TUNING_JOB")
        else:
            for text, reason in _mismatches(spec, parent, algorithms):
                findings.also_wrong(path, f"{name!r} {text}", reason)
            if parent.best_number is None:
                findings.warn(f"parent {name!r} has no training job with an objective value: nothing is learnt from it")
        seen.add(name.lower())
    if spec.strategy == tuning_job_pb2.STRATEGY_GRID:
        findings.warn("STRATEGY_GRID does not look at warm-start parents")
    elif spec.strategy in _DRAWS:
        strategy = tuning_job_pb2.Strategy.Name(spec.strategy)
        findings.warn(f"{strategy} learns nothing from warm-start parents but what need not be tried again")


def _mismatches(
    spec: tuning_job_pb2.TuningJobSpec, parent: TuningJob, algorithms: AlgorithmRegistry
) -> Iterator[_Reason]:
    """Why a tuning job cannot be a parent."""
    if not parent.state.terminal:
        doing = "is being deleted" if parent.state is TuningJobState.DELETING else f"is {parent.state.value}"
        yield f"{doing}; allowed: tuning jobs that are {_ENDED}", "NOT_TERMINAL"
    if len(parent.spec.definitions) > 1:
        yield f"has {len(parent.spec.definitions)} training job definitions; allowed: 1", "SEVERAL_DEFINITIONS"
        return
    if not spec.training_job_definitions:
        return
    child, there = spec.training_job_definitions[0], parent.spec.definitions[0]
    algorithm = algorithms.get(child.algorithm)
    if algorithm is None or algorithm.name != there.algorithm:
        if algorithm is not None:
            yield f"tunes algorithm {there.algorithm!r}, not {algorithm.name!r}; allowed: the same", "OTHER_ALGORITHM"
        return  # hyperparameters of different algorithms cannot be compared
    direction = tuning_job_pb2.ObjectiveType.Value(f"OBJECTIVE_TYPE_{there.objective.type.value}")
    if (child.objective.metric_name, child.objective.type) != (there.objective.metric_name, direction):
        text = f"{there.objective.type.value} {there.objective.metric_name}"
        yield f"has the objective {text}; allowed: the same objective metric and type", "OTHER_OBJECTIVE"
    yield from _differences(_treatment(there), _treatment_of(child))
    yield from _other_environment(there.environment, child.environment)
    if spec.warm_start_config.type == tuning_job_pb2.WARM_START_TYPE_IDENTICAL_DATA_AND_ALGORITHM:
        here = {channel.name: channel_from_wire(channel) for channel in child.data_channels}
        yield from _other_data(there.channels, here)


def _differences(there: Treatment, here: Treatment) -> Iterator[_Reason]:
    """What must not differ among the hyperparameters."""
    if there.names != here.names:
        parts = []
        if missing := sorted(there.names - here.names):
            parts.append(f"missing here: {', '.join(missing)}")
        if added := sorted(here.names - there.names):
            parts.append(f"not in the parent: {', '.join(added)}")
        text = "cannot be a parent: the set of tunable plus static hyperparameter names is not the same"
        yield f"{text}; {'; '.join(parts)}; allowed: the same names, static or tuned", "OTHER_NAMES"
    for name in changed_kinds(there, here):
        yield f"tunes {name} with another kind of range; allowed: the same kind", "OTHER_KIND"
    found = changes(there, here)
    total = sum(change.weight for change in found)
    if total > MAX_CHANGES:
        shown = ", ".join(f"{change.name} ({change.description}: {change.weight})" for change in found)
        yield f"differs in {total} changes: {shown}; allowed: {MAX_CHANGES}", "TOO_MANY_CHANGES"


def _other_environment(there: Mapping[str, str], here: Mapping[str, str]) -> Iterator[_Reason]:
    """Variables that are not the same; their values may be secret."""
    other = sorted(name for name in {*there, *here} if there.get(name) != here.get(name))
    if other:
        text = f"has another environment, which differs in {', '.join(other)}"
        fields = ", ".join(_MAY_DIFFER)
        yield f"{text}; only these fields of a training job definition may differ: {fields}", "OTHER_ENVIRONMENT"


def _other_data(there: Mapping[str, DataChannel], here: Mapping[str, DataChannel]) -> Iterator[_Reason]:
    """Channels that are not the same, which identical data must be."""
    other = sorted(name for name in {*there, *here} if there.get(name) != here.get(name))
    if other:
        text = f"has other data in the channels {', '.join(other)}"
        yield f"{text}; allowed: the same, or WARM_START_TYPE_TRANSFER_LEARNING", "OTHER_DATA"


def _treatment(definition: TrainingJobDefinition) -> Treatment:
    """What a stored tuning job does with its hyperparameters."""
    return _split(definition.static_hyperparameters, definition.space.ranges)


def _treatment_of(definition: tuning_job_pb2.TrainingJobDefinition) -> Treatment:
    """The same of a request, as far as it is well-formed."""
    values = {name: from_wire(message) for name, message in definition.static_hyperparameters.items()}
    static = {name: value for name, value in values.items() if value is not None}
    return _split(static, domain_ranges(definition.parameter_ranges))


def _split(static: Mapping[str, Value], ranges: Iterable[ParameterRange]) -> Treatment:
    """Each hyperparameter once: one that is tuned under a condition, and fixed where that does not hold, is tuned."""
    tuned = {item.name: item for item in ranges}
    return Treatment({name: value for name, value in static.items() if name not in tuned}, tuned)
