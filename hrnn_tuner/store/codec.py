"""Domain values as JSON documents and back; what is written today must be readable by every later version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hrnn_tuner.domain.autotune import AutotuneChoice
from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.completion import CompletionCriteria, CompletionDetails
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.early_stopping import EarlyStoppingType, HyperbandConfig
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    Scaling,
    SearchSpace,
)
from hrnn_tuner.domain.states import CompletionReason, FailureCause, SecondaryState, TuningJobState
from hrnn_tuner.domain.training_job import Proposal, TrainingJob, Transition
from hrnn_tuner.domain.tuning_job import (
    Counters,
    ResourceLimits,
    StrategyName,
    TrainingJobDefinition,
    TuningJob,
    TuningJobSpec,
)
from hrnn_tuner.domain.warm_start import Parent, WarmStart, WarmStartType

Document = dict[str, Any]
_LOST = ["WORKER_LOST"]


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def range_to_json(item: ParameterRange) -> Document:
    """A range with its kind; what it does not have is left out."""
    document: Document
    if isinstance(item, CategoricalRange):
        document = {"kind": "categorical", "name": item.name, "choices": list(item.choices)}
    else:
        document = {
            "kind": "integer" if isinstance(item, IntegerRange) else "continuous",
            "name": item.name,
            "minimum": item.minimum,
            "maximum": item.maximum,
            "scaling": item.scaling.value,
        }
        if item.grid_points is not None:
            document["grid_points"] = item.grid_points
    if item.condition is not None:
        document["condition"] = {"name": item.condition.name, "values": list(item.condition.values)}
    return document


def range_from_json(document: Mapping[str, Any]) -> ParameterRange:
    """Inverse of `range_to_json`."""
    name, needed = document["name"], document.get("condition")
    condition = None if needed is None else Condition(needed["name"], tuple(needed["values"]))
    if document["kind"] == "categorical":
        return CategoricalRange(name, tuple(document["choices"]), condition)
    scaling, grid_points = Scaling(document["scaling"]), document.get("grid_points")
    minimum, maximum = document["minimum"], document["maximum"]
    if document["kind"] == "integer":
        return IntegerRange(name, minimum, maximum, scaling, condition, grid_points)
    return ContinuousRange(name, float(minimum), float(maximum), scaling, condition, grid_points)


def _channel(document: str | Mapping[str, Any]) -> DataChannel:
    """The data of a channel; before it had options it was stored as its URI alone."""
    return DataChannel(document) if isinstance(document, str) else DataChannel(**document)


def spec_to_json(spec: TuningJobSpec) -> Document:
    """The specification of a tuning job."""
    definitions = [
        {
            "name": item.name,
            "algorithm": item.algorithm,
            "objective": {"type": item.objective.type.value, "metric_name": item.objective.metric_name},
            "static_hyperparameters": dict(item.static_hyperparameters),
            "default_hyperparameters": dict(item.default_hyperparameters),
            "ranges": [range_to_json(entry) for entry in item.space.ranges],
            "channels": {name: asdict(channel) for name, channel in item.channels.items()},
            "output_uri": item.output_uri,
            "resource_class": item.resource_class,
            "max_attempts": item.max_attempts,
            "environment": dict(item.environment),
            "max_runtime_s": item.max_runtime_s,
            "checkpoint_uri": item.checkpoint_uri,
        }
        for item in spec.definitions
    ]
    return {
        "name": spec.name,
        "strategy": spec.strategy.value,
        "limits": asdict(spec.limits),
        "seed": spec.seed,
        "weight": spec.weight,
        "early_stopping": spec.early_stopping.value,
        "hyperband": None if spec.hyperband is None else asdict(spec.hyperband),
        "completion": asdict(spec.completion),
        "definitions": definitions,
        "autotune": spec.autotune,
        "warm_start": None if spec.warm_start is None else _warm_start_to_json(spec.warm_start),
    }


def _warm_start_to_json(warm_start: WarmStart) -> Document:
    """The earlier tuning jobs to learn from."""
    return {"type": warm_start.type.value, "parents": [asdict(parent) for parent in warm_start.parents]}


def _warm_start_from_json(document: Mapping[str, Any]) -> WarmStart:
    """Inverse of `_warm_start_to_json`."""
    return WarmStart(WarmStartType(document["type"]), tuple(Parent(**parent) for parent in document["parents"]))


def spec_from_json(document: Mapping[str, Any]) -> TuningJobSpec:
    """Inverse of `spec_to_json`; what earlier versions did not know is absent."""
    warm_start = document.get("warm_start")
    hyperband = document.get("hyperband")
    definitions = tuple(
        TrainingJobDefinition(
            name=item["name"],
            algorithm=item["algorithm"],
            objective=Objective(ObjectiveType(item["objective"]["type"]), item["objective"]["metric_name"]),
            static_hyperparameters=item["static_hyperparameters"],
            default_hyperparameters=item["default_hyperparameters"],
            space=SearchSpace(tuple(range_from_json(entry) for entry in item["ranges"])),
            channels={name: _channel(entry) for name, entry in item["channels"].items()},
            output_uri=item["output_uri"],
            resource_class=item["resource_class"],
            max_attempts=item["max_attempts"],
            environment=item["environment"],
            max_runtime_s=item.get("max_runtime_s"),
            checkpoint_uri=item.get("checkpoint_uri", ""),
        )
        for item in document["definitions"]
    )
    return TuningJobSpec(
        name=document["name"],
        strategy=StrategyName(document["strategy"]),
        limits=ResourceLimits(**document["limits"]),
        seed=document["seed"],
        weight=document["weight"],
        early_stopping=EarlyStoppingType(document.get("early_stopping", "OFF")),
        hyperband=None if hyperband is None else HyperbandConfig(**hyperband),
        completion=CompletionCriteria(**document.get("completion", {})),
        definitions=definitions,
        autotune=document.get("autotune", False),
        warm_start=None if warm_start is None else _warm_start_from_json(warm_start),
    )


def choices_to_json(choices: tuple[AutotuneChoice, ...]) -> list[Document]:
    """What the service chose."""
    return [asdict(choice) for choice in choices]


def choices_from_json(documents: list[Document] | None) -> tuple[AutotuneChoice, ...]:
    """Inverse of `choices_to_json`; None in rows of before it existed."""
    return tuple(AutotuneChoice(**document) for document in documents or ())


def details_to_json(details: CompletionDetails) -> Document:
    """How far a tuning job is from its completion criteria."""
    return dict(vars(details)) | {
        "best_values": list(details.best_values),
        "converged_at": _time(details.converged_at),
    }


def details_from_json(document: Mapping[str, Any] | None) -> CompletionDetails:
    """Inverse of `details_to_json`; None is what earlier versions left."""
    if document is None:
        return CompletionDetails()
    return CompletionDetails(  # by name: what a newer version adds, while both run, is no business of this one
        not_improving=document["not_improving"],
        last_improvement=document["last_improvement"],
        best_values=tuple(document.get("best_values", ())),
        converged_at=_at(document["converged_at"]),
    )


def status_to_json(job: TuningJob) -> Document:
    """Everything of a tuning job that changes, for its event log."""
    return {
        "state": job.state.value,
        "completion_reason": None if job.completion_reason is None else job.completion_reason.value,
        "failure_reason": job.failure_reason,
        "updated_at": _time(job.updated_at),
        "ended_at": _time(job.ended_at),
        "counters": dict(vars(job.counters)),
        "best_number": job.best_number,
        "best_value": job.best_value,
        "completion_details": details_to_json(job.completion_details),
        "tags": dict(job.tags),
    }


def status_from_json(spec_of: TuningJob, document: Mapping[str, Any], revision: int) -> TuningJob:
    """A tuning job as it was at a revision; what never changes is taken from ``spec_of``."""
    reason = document["completion_reason"]
    return TuningJob(
        id=spec_of.id,
        spec=spec_of.spec,
        created_at=spec_of.created_at,
        warnings=spec_of.warnings,
        choices=spec_of.choices,
        state=TuningJobState(document["state"]),
        completion_reason=None if reason is None else CompletionReason(reason),
        failure_reason=document["failure_reason"],
        updated_at=datetime.fromisoformat(document["updated_at"]),
        ended_at=_at(document["ended_at"]),
        revision=revision,
        counters=Counters(**document["counters"]),
        best_number=document["best_number"],
        best_value=document["best_value"],
        completion_details=details_from_json(document.get("completion_details")),
        tags=document["tags"],
    )


def proposal_to_json(proposal: Proposal) -> Document:
    """A proposal; what most of them do not have is left out."""
    document = {
        "hyperparameters": dict(proposal.hyperparameters),
        "strategy": proposal.strategy,
        "seed": proposal.seed,
        "explanation": proposal.explanation,
        "figures": dict(proposal.figures),
    }
    rare = {"continues": proposal.continues, "origin": proposal.origin, "until_epoch": proposal.until_epoch}
    return document | {name: value for name, value in rare.items() if value}


def proposal_from_json(document: Mapping[str, Any]) -> Proposal:
    """Inverse of `proposal_to_json`."""
    return Proposal(**document)


def transitions_to_json(transitions: tuple[Transition, ...]) -> list[Document]:
    """A training job's life so far."""
    return [
        {"state": step.state.value, "at": _time(step.at), "attempt": step.attempt, "message": step.message}
        for step in transitions
    ]


def transitions_from_json(documents: list[Document]) -> tuple[Transition, ...]:
    """Inverse of `transitions_to_json`."""
    return tuple(
        Transition(SecondaryState(step["state"]), datetime.fromisoformat(step["at"]), step["attempt"], step["message"])
        for step in documents
    )


def training_job_to_json(job: TrainingJob) -> Document:
    """A whole training job, for the event log; the fencing token stays in the table."""
    return {
        "number": job.number,
        "name": job.name,
        "definition_name": job.definition_name,
        "proposal": proposal_to_json(job.proposal),
        "hyperparameters": dict(job.hyperparameters),
        "secondary": job.secondary.value,
        "attempt": job.attempt,
        "worker_id": job.worker_id,
        "transitions": transitions_to_json(job.transitions),
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "ended_at": _time(job.ended_at),
        "final_objective": job.final_objective,
        "final_metrics": dict(job.final_metrics),
        "failure_cause": None if job.failure_cause is None else job.failure_cause.value,
        "failure_reason": job.failure_reason,
        "artifact_uri": job.artifact_uri,
        "tags": dict(job.tags),
        "stopping_rule": job.stopping_rule,
        "failures": [cause.value for cause in job.failures],
    }


def training_job_from_json(tuning_job_id: str, document: Mapping[str, Any]) -> TrainingJob:
    """Inverse of `training_job_to_json`, but for the token."""
    cause = document["failure_cause"]
    return TrainingJob(
        tuning_job_id=tuning_job_id,
        number=document["number"],
        name=document["name"],
        definition_name=document["definition_name"],
        proposal=proposal_from_json(document["proposal"]),
        hyperparameters=document["hyperparameters"],
        secondary=SecondaryState(document["secondary"]),
        attempt=document["attempt"],
        token="",
        worker_id=document["worker_id"],
        transitions=transitions_from_json(document["transitions"]),
        created_at=datetime.fromisoformat(document["created_at"]),
        started_at=_at(document["started_at"]),
        ended_at=_at(document["ended_at"]),
        final_objective=document["final_objective"],
        final_metrics=document["final_metrics"],
        failure_cause=None if cause is None else FailureCause(cause),
        failure_reason=document["failure_reason"],
        artifact_uri=document["artifact_uri"],
        tags=document["tags"],
        stopping_rule=document.get("stopping_rule", ""),
        # Before failures were counted, every attempt but the last had failed.
        failures=tuple(FailureCause(cause) for cause in document.get("failures", _LOST * (document["attempt"] - 1))),
    )


def checkpoint_to_json(checkpoint: Checkpoint | None) -> Document | None:
    """A checkpoint."""
    return None if checkpoint is None else asdict(checkpoint)


def checkpoint_from_json(document: Mapping[str, Any] | None) -> Checkpoint | None:
    """Inverse of `checkpoint_to_json`."""
    return None if document is None else Checkpoint(**document)
