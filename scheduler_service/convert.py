"""Queue messages from and to domain values."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import UTC

from hrnn_tuner.broker import Message
from hrnn_tuner.broker.topology import TASKS_EXCHANGE
from hrnn_tuner.domain.objective import ObjectiveType
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TrainingJobDefinition, TuningJob
from hrnn_tuner.store import LogLine, OutboxMessage
from hrnn_tuner.v1 import queue_pb2, training_job_pb2
from hrnn_tuner.wire_channels import channel_to_wire
from hrnn_tuner.wire_values import to_wire

TASK_TYPE = queue_pb2.Task.DESCRIPTOR.full_name
REPORT_TYPE = queue_pb2.Report.DESCRIPTOR.full_name
CONTROL_TYPE = queue_pb2.Control.DESCRIPTOR.full_name
HINT_TYPE = queue_pb2.JobHint.DESCRIPTOR.full_name

#: Seeds stay below 2^53, which every client language can hold exactly.
_SEED_BITS = 53
#: The same for all tuning jobs: values on the same data must be comparable across them, as a warm start with identical
#: data takes them to be, whatever seeds their searches have.
_SPLIT_SEED = 0


def training_seed(job_seed: int, number: int) -> int:
    """Seed of a training job: a hash of the tuning job's seed and the number."""
    digest = hashlib.sha256(f"{job_seed}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _SEED_BITS)


def attempt_ref(job: TrainingJob) -> queue_pb2.AttemptRef:
    """Identity of a training job's current attempt."""
    return queue_pb2.AttemptRef(
        tuning_job_id=job.tuning_job_id, number=job.number, attempt=job.attempt, token=job.token
    )


def artifact_uri(output_uri: str, tuning_job: TuningJob, job: TrainingJob) -> str:
    """Where an attempt puts its model; no two attempts share a folder, so a late one can overwrite nothing."""
    return f"{output_uri.rstrip('/')}/{tuning_job.spec.name}/{job.name}/attempt-{job.attempt}"


def checkpoints_uri(definition: TrainingJobDefinition, tuning_job: TuningJob, job: TrainingJob) -> str:
    """Where all attempts at a training job keep their checkpoints, each in a folder of its own."""
    root = (definition.checkpoint_uri or definition.output_uri).rstrip("/")
    return f"{root}/{tuning_job.spec.name}/{job.name}/checkpoints"


def task(tuning_job: TuningJob, job: TrainingJob) -> OutboxMessage:
    """The task message that starts a training job's current attempt."""
    definition = tuning_job.spec.definition(job.definition_name)
    assignment = queue_pb2.TrainingAssignment(
        ref=attempt_ref(job),
        training_job_name=job.name,
        algorithm=definition.algorithm,
        hyperparameters={name: to_wire(value) for name, value in job.hyperparameters.items()},
        data_channels=[channel_to_wire(name, channel) for name, channel in definition.channels.items()],
        objective_metric=definition.objective.metric_name,
        maximize=definition.objective.type is ObjectiveType.MAXIMIZE,
        seed=training_seed(tuning_job.spec.seed, job.proposal.origin or job.number),
        split_seed=_SPLIT_SEED,
        artifact_uri=artifact_uri(definition.output_uri, tuning_job, job),
        environment=dict(definition.environment),
        checkpoint_uri=f"{checkpoints_uri(definition, tuning_job, job)}/attempt-{job.attempt}",
        pauses=job.proposal.until_epoch is not None,
        resume_from=None if job.checkpoint is None else queue_pb2.Checkpoint(**asdict(job.checkpoint)),
    )
    return OutboxMessage(
        exchange=TASKS_EXCHANGE,
        routing_key=definition.resource_class,
        type=TASK_TYPE,
        message_id=f"{job.name}/{job.attempt}",
        correlation_id=job.tuning_job_id,
        body=queue_pb2.Task(assignments=[assignment]).SerializeToString(),
        number=job.number,
        attempt=job.attempt,
        trace=tuning_job.trace,
    )


def removal(tuning_job: TuningJob, job: TrainingJob) -> OutboxMessage:
    """The task message that has the checkpoints of an ended training job removed."""
    definition = tuning_job.spec.definition(job.definition_name)
    folder = checkpoints_uri(definition, tuning_job, job)
    return OutboxMessage(
        exchange=TASKS_EXCHANGE,
        routing_key=definition.resource_class,
        type=TASK_TYPE,
        message_id=f"{job.name}/checkpoints",
        correlation_id=job.tuning_job_id,
        body=queue_pb2.Task(remove_checkpoints=[folder]).SerializeToString(),
        number=0,  # it starts no attempt
        attempt=0,
    )


def log_lines(log: queue_pb2.AttemptLog, attempt: int) -> list[LogLine]:
    """The lines of a report; PostgreSQL stores no NUL."""
    return [
        LogLine(
            attempt,
            line.position,
            line.time.ToDatetime(tzinfo=UTC),
            training_job_pb2.LogSource.Name(line.source).removeprefix("LOG_SOURCE_"),
            line.text.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        )
        for line in log.lines
    ]


def artifact_removal(tuning_job: TuningJob, job: TrainingJob) -> OutboxMessage:
    """The task message that has the models of an ended training job removed, those of earlier attempts too."""
    definition = tuning_job.spec.definition(job.definition_name)
    root = f"{definition.output_uri.rstrip('/')}/{tuning_job.spec.name}"
    folders = [f"{root}/{job.name}/attempt-{attempt}" for attempt in range(1, job.attempt + 1)]
    wanted = queue_pb2.ArtifactRemoval(root=root, folders=folders)
    return OutboxMessage(
        exchange=TASKS_EXCHANGE,
        routing_key=definition.resource_class,
        type=TASK_TYPE,
        message_id=f"{job.name}/artifacts",
        correlation_id=job.tuning_job_id,
        body=queue_pb2.Task(remove_artifacts=[wanted]).SerializeToString(),
        number=0,  # it starts no attempt
        attempt=0,
    )


def stop_command(job: TrainingJob) -> queue_pb2.Control.Command:
    """What the worker of a training job is told that is to be stopped."""
    keep = job.stopping_rule != ""
    return queue_pb2.Control.COMMAND_STOP_AND_KEEP if keep else queue_pb2.Control.COMMAND_STOP


def control(command: queue_pb2.Control) -> Message:
    """A control message; it is worth nothing after a broker restart."""
    ref = command.ref
    body = command.SerializeToString()
    message_id = f"{ref.tuning_job_id}/{ref.number}/{ref.attempt}/{command.command}"
    return Message(CONTROL_TYPE, body, message_id=message_id, correlation_id=ref.tuning_job_id, persistent=False)


def hint(tuning_job_id: str) -> Message:
    """A wake-up hint."""
    body = queue_pb2.JobHint(tuning_job_id=tuning_job_id).SerializeToString()
    return Message(HINT_TYPE, body, correlation_id=tuning_job_id, persistent=False)
