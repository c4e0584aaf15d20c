"""Messages as the server sends them, for the tests of the client and of the command line."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from hrnn_tuner.v1 import training_job_pb2 as training
from hrnn_tuner.v1 import tuning_job_pb2 as tuning
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.explanation_pb2 import ProposalExplanation, TrainingJobDefinitionInsight
from hrnn_tuner.v1.parameters_pb2 import HyperparameterValue, IntegerParameterRange, ParameterRanges

METRIC = "precision_at_25"


def spec(name: str = "demo", *, maximize: bool = True, jobs: int = 4) -> tuning.TuningJobSpec:
    direction = tuning.OBJECTIVE_TYPE_MAXIMIZE if maximize else tuning.OBJECTIVE_TYPE_MINIMIZE
    return tuning.TuningJobSpec(
        name=name,
        strategy=tuning.STRATEGY_RANDOM,
        random_seed=7,
        resource_limits=tuning.ResourceLimits(max_number_of_training_jobs=jobs, max_parallel_training_jobs=2),
        training_job_definitions=[
            tuning.TrainingJobDefinition(
                algorithm="hrnn",
                objective=tuning.Objective(type=direction, metric_name=METRIC),
                static_hyperparameters={"hidden_dimension": HyperparameterValue(integer_value=55)},
                parameter_ranges=ParameterRanges(
                    integer_parameter_ranges=[IntegerParameterRange(name="bptt", min_value=20, max_value=40)]
                ),
                data_channels=[tuning.DataChannel(name="interactions", uri="/data/interactions.csv")],
            )
        ],
    )


def training_job(
    number: int,
    objective: float | None = None,
    *,
    job: str = "demo",
    secondary: training.SecondaryState | None = None,
    reason: str = "",
    artifact_uri: str = "",
) -> training.TrainingJob:
    """COMPLETED with an objective, FAILED with a reason, else TRAINING."""
    if objective is not None:
        state, phase = training.TRAINING_JOB_STATE_COMPLETED, training.SECONDARY_STATE_COMPLETED
    elif reason:
        state, phase = training.TRAINING_JOB_STATE_FAILED, training.SECONDARY_STATE_FAILED
    else:
        state, phase = training.TRAINING_JOB_STATE_IN_PROGRESS, training.SECONDARY_STATE_TRAINING
    tuned = {
        "bptt": HyperparameterValue(integer_value=20 + number),
        "recency_mask": HyperparameterValue(bool_value=True),
    }
    return training.TrainingJob(
        name=f"{job}-{number}-0000000{number}",
        tuning_job_name=job,
        number=number,
        state=state,
        secondary_state=secondary or phase,
        attempt=1,
        tuned_hyperparameters=tuned,
        hyperparameters={**tuned, "hidden_dimension": HyperparameterValue(integer_value=55)},
        final_objective_value=objective,
        final_metrics={} if objective is None else {METRIC: objective},
        failure_reason=reason,
        artifact_uri=artifact_uri,
        create_time=Timestamp(seconds=1_790_000_000),
    )


def tuning_job(
    state: str = "IN_PROGRESS",
    *,
    best: training.TrainingJob | None = None,
    completed: int = 0,
    **spec_arguments: object,
) -> tuning.TuningJob:
    job_spec = spec(**spec_arguments)  # type: ignore[arg-type]
    return tuning.TuningJob(
        name=job_spec.name,
        id="id-1",
        spec=job_spec,
        state=f"TUNING_JOB_STATE_{state}",
        completion_reason="COMPLETION_REASON_MAX_JOBS" if state == "COMPLETED" else None,
        training_job_state_counters=tuning.TrainingJobStateCounters(completed=completed),
        best_training_job=best,
        create_time=Timestamp(seconds=1_790_000_000),
        runtime_in_seconds=61.0,
        resume_token="t0",
        warnings=["bptt: 20 to 40 leaves the recipe's [2, 32]"],
    )


def event(token: str, item: object) -> pb.WatchTuningJobResponse:
    """Wraps a message into the event of its type."""
    names = {
        tuning.TuningJob: "tuning_job",
        training.TrainingJob: "training_job",
        pb.MetricBatch: "metrics",
        pb.Decision: "decision",
        pb.TuningJobDeleted: "deleted",
        pb.WatchHeartbeat: "heartbeat",
    }
    fields: dict[str, Any] = {names[type(item)]: item}
    return pb.WatchTuningJobResponse(resume_token=token, time=Timestamp(seconds=1_790_000_000), **fields)


def metrics(number: int, step: int, value: float, *, job: str = "demo") -> pb.MetricBatch:
    return pb.MetricBatch(
        training_job_name=f"{job}-{number}-0000000{number}",
        points=[
            training.MetricPoint(metric_name=METRIC, step=step, value=value, attempt=1),
            training.MetricPoint(metric_name="loss", step=step, value=10.0 - step, attempt=1),
        ],
    )


def completed_job_events() -> list[pb.WatchTuningJobResponse]:
    """The whole life of a tuning job of two training jobs."""
    second = training_job(2, 0.2, artifact_uri="/artifacts/2")
    return [
        event("1", tuning_job(jobs=2)),
        event("2", pb.Decision(kind="PROPOSED", training_job_number=1, explanation="draw 1 of RANDOM")),
        event("3", training_job(1)),
        event("4", training_job(2)),
        event("5", metrics(1, 1, 0.05)),
        event("6", metrics(1, 2, 0.1)),
        event("7", training_job(1, 0.1)),
        event("8", pb.WatchHeartbeat()),
        event("9", metrics(2, 1, 0.2)),
        event("10", second),
        event("11", tuning_job("COMPLETED", best=second, completed=2, jobs=2)),
    ]


def explanation_pages() -> list[pb.ExplainTuningJobResponse]:
    """Three proposals on two pages."""
    proposals = [ProposalExplanation(training_job_number=number) for number in (1, 2, 3)]
    insights = [TrainingJobDefinitionInsight(observed=3)]
    first = pb.ExplainTuningJobResponse(insights=insights, proposals=proposals[:2], next_page_token="p2")
    return [first, pb.ExplainTuningJobResponse(proposals=proposals[2:])]
