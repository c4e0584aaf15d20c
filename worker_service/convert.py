"""Between the queue's protobuf messages and the worker's own values; the only module here that knows both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from hrnn_tuner.broker.contract import Message
from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value
from hrnn_tuner.v1 import queue_pb2 as pb
from hrnn_tuner.v1.parameters_pb2 import HyperparameterValue
from hrnn_tuner.v1.training_job_pb2 import LogLine, MetricPoint
from hrnn_tuner.wire_channels import channel_from_wire
from hrnn_tuner.wire_values import from_wire
from worker_service.assignment import Assignment, AttemptKey, InvalidTask, Work
from worker_service.log_buffer import Line
from worker_service.messages import Point

TASK_TYPE = pb.Task.DESCRIPTOR.full_name
CONTROL_TYPE = pb.Control.DESCRIPTOR.full_name
REPORT_TYPE = pb.Report.DESCRIPTOR.full_name

Command = pb.Control.Command
Outcome = pb.AttemptEnded.Outcome
MAX_REASON_LENGTH = 1024
MAX_ID_LENGTH = 100  #: keeps message ids within AMQP's 255 bytes


def _key(ref: pb.AttemptRef) -> AttemptKey:
    return AttemptKey(ref.tuning_job_id, ref.number, ref.attempt, ref.token)


def ref_of(key: AttemptKey) -> pb.AttemptRef:
    """The message form of an attempt's identity."""
    return pb.AttemptRef(tuning_job_id=key.tuning_job_id, number=key.number, attempt=key.attempt, token=key.token)


def _value(name: str, value: HyperparameterValue) -> Value:
    content = from_wire(value)
    if content is None:
        raise InvalidTask(f"hyperparameter {name!r} has no value")
    return content


def _channels(message: pb.TrainingAssignment) -> dict[str, DataChannel]:
    """The data by channel; tasks of earlier schedulers may still wait in the queue."""
    earlier = {name: DataChannel(uri) for name, uri in message.channels.items()}
    return earlier | {channel.name: channel_from_wire(channel) for channel in message.data_channels}


def _assignment(message: pb.TrainingAssignment) -> Assignment:
    ref = message.ref
    if not (ref.tuning_job_id and ref.token and ref.number > 0 and ref.attempt > 0):
        raise InvalidTask("an assignment has no complete identity")
    if max(len(ref.tuning_job_id), len(ref.token)) > MAX_ID_LENGTH:
        raise InvalidTask(f"an identity is longer than {MAX_ID_LENGTH} characters")
    if not message.artifact_uri:
        raise InvalidTask("an assignment has no artifact_uri")
    return Assignment(
        key=_key(ref),
        training_job_name=message.training_job_name,
        algorithm=message.algorithm,
        hyperparameters={name: _value(name, value) for name, value in message.hyperparameters.items()},
        channels=_channels(message),
        objective_metric=message.objective_metric,
        maximize=message.maximize,
        seed=message.seed,
        split_seed=message.split_seed,
        artifact_uri=message.artifact_uri,
        environment=dict(message.environment),
        checkpoint_uri=message.checkpoint_uri,
        resume_from=_checkpoint(message.resume_from) if message.HasField("resume_from") else None,
        pauses=message.pauses,
    )


def _checkpoint(message: pb.Checkpoint) -> Checkpoint:
    """A checkpoint."""
    if message.step < 1 or not message.uri or not message.digest:
        raise InvalidTask("a checkpoint is not complete")
    return Checkpoint(message.step, message.uri, message.digest)


def parse_task(message: Message) -> Work:
    """Reads a message of the tasks queue.

    Raises:
        InvalidTask: When it is no task, or one that cannot be reported on.
    """
    if message.type != TASK_TYPE:
        raise InvalidTask(f"message type {message.type!r} is not {TASK_TYPE!r}")
    try:
        task = pb.Task.FromString(message.body)
    except DecodeError as error:
        raise InvalidTask(f"the body is no {TASK_TYPE}: {error}") from error
    if not task.assignments and not task.remove_checkpoints and not task.remove_artifacts:
        raise InvalidTask("the task has no assignments")
    return Work(
        [_assignment(item) for item in task.assignments],
        list(task.remove_checkpoints),
        [(item.root, list(item.folders)) for item in task.remove_artifacts],
    )


@dataclass(frozen=True)
class ParsedControl:
    """A command about an attempt; ``step`` belongs to one of them only."""

    key: AttemptKey
    command: pb.Control.Command
    step: int = 0


def parse_control(message: Message) -> ParsedControl | None:
    """Reads a control message; None when it is none: the scheduler repeats what matters."""
    if message.type != CONTROL_TYPE:
        return None
    try:
        control = pb.Control.FromString(message.body)
    except DecodeError:
        return None
    return ParsedControl(_key(control.ref), control.command, control.step)


def started() -> pb.AttemptReport:
    """The report that an attempt was taken."""
    return pb.AttemptReport(started=pb.AttemptStarted())


def progressed(stage: str) -> pb.AttemptReport:
    """The report that an attempt entered ``DOWNLOADING``, ``TRAINING`` or ``UPLOADING``."""
    state = f"SECONDARY_STATE_{stage}"
    return pb.AttemptReport(progressed=pb.AttemptProgressed(secondary_state=state))


def metrics(points: Iterable[Point]) -> pb.AttemptReport:
    """The report of metric points."""
    rows = [MetricPoint(metric_name=name, step=step, value=value) for name, step, value in points]
    return pb.AttemptReport(metrics=pb.AttemptMetrics(points=rows))


def completed(artifact_uri: str, final_metrics: Mapping[str, float]) -> pb.AttemptReport:
    """The report of a success."""
    ended = pb.AttemptEnded(
        outcome=Outcome.OUTCOME_COMPLETED, artifact_uri=artifact_uri, final_metrics=dict(final_metrics)
    )
    return pb.AttemptReport(ended=ended)


def failed(cause: str, reason: str) -> pb.AttemptReport:
    """The report of a failure; ``cause`` is a FailureCause without its prefix."""
    ended = pb.AttemptEnded(
        outcome=Outcome.OUTCOME_FAILED,
        failure_cause=f"FAILURE_CAUSE_{cause}",
        failure_reason=reason[:MAX_REASON_LENGTH],
    )
    return pb.AttemptReport(ended=ended)


def stopped_and_kept(artifact_uri: str, final_metrics: Mapping[str, float]) -> pb.AttemptReport:
    """The report of a stop that was asked for, after which there is a model of the best epoch before."""
    ended = pb.AttemptEnded(
        outcome=Outcome.OUTCOME_STOPPED, artifact_uri=artifact_uri, final_metrics=dict(final_metrics)
    )
    return pb.AttemptReport(ended=ended)


def stopped() -> pb.AttemptReport:
    """The report of a stop that was asked for, after which there is no model."""
    return pb.AttemptReport(ended=pb.AttemptEnded(outcome=Outcome.OUTCOME_STOPPED))


def resumed(step: int, problem: str) -> pb.AttemptReport:
    """The report of where an attempt with a checkpoint begins."""
    return pb.AttemptReport(resumed=pb.AttemptResumed(step=step, problem=problem[:MAX_REASON_LENGTH]))


def checkpointed(checkpoint: Checkpoint) -> pb.AttemptReport:
    """The report of a complete checkpoint."""
    message = pb.Checkpoint(step=checkpoint.step, uri=checkpoint.uri, digest=checkpoint.digest)
    return pb.AttemptReport(checkpointed=pb.AttemptCheckpointed(checkpoint=message))


def handed_back(reason: str) -> pb.AttemptReport:
    """The report that this worker leaves and another one is to go on."""
    ended = pb.AttemptEnded(outcome=Outcome.OUTCOME_HANDED_BACK, failure_reason=reason[:MAX_REASON_LENGTH])
    return pb.AttemptReport(ended=ended)


def lost(reason: str) -> pb.AttemptReport:
    """The report that an attempt broke off through no fault of the training job."""
    ended = pb.AttemptEnded(outcome=Outcome.OUTCOME_LOST, failure_reason=reason[:MAX_REASON_LENGTH])
    return pb.AttemptReport(ended=ended)


def log(lines: Sequence[Line]) -> pb.AttemptReport:
    """The report of lines that an attempt's log got."""
    wire = [LogLine(position=line.position, source=f"LOG_SOURCE_{line.source.value}", text=line.text) for line in lines]
    for message, line in zip(wire, lines, strict=True):
        message.time.FromDatetime(line.at)
    return pb.AttemptReport(log=pb.AttemptLog(lines=wire))


def heartbeat(
    worker_id: str, resource_class: str, slots: int, running: Sequence[AttemptKey], *, leaving: bool
) -> Message:
    """A heartbeat as a broker message; it need not survive a broker restart, the next one follows."""
    beat = pb.WorkerHeartbeat(
        worker_id=worker_id,
        resource_class=resource_class,
        slots=slots,
        running=[ref_of(key) for key in running],
        leaving=leaving,
    )
    return Message(type=REPORT_TYPE, body=pb.Report(heartbeat=beat).SerializeToString(), persistent=False)


def report(
    key: AttemptKey, worker_id: str, sequence: int, body: pb.AttemptReport, headers: Mapping[str, str]
) -> Message:
    """A report about an attempt as a broker message, signed with the attempt's identity."""
    body.ref.CopyFrom(ref_of(key))
    body.worker_id = worker_id
    return Message(
        type=REPORT_TYPE,
        body=pb.Report(attempt=body).SerializeToString(),
        message_id=f"{key}/{sequence}",
        correlation_id=key.tuning_job_id,
        headers=headers,
    )
