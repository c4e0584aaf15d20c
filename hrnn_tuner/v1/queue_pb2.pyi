from hrnn_tuner.v1 import parameters_pb2 as _parameters_pb2
from hrnn_tuner.v1 import training_job_pb2 as _training_job_pb2
from hrnn_tuner.v1 import tuning_job_pb2 as _tuning_job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttemptRef(_message.Message):
    __slots__ = ("tuning_job_id", "number", "attempt", "token")
    TUNING_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    tuning_job_id: str
    number: int
    attempt: int
    token: str
    def __init__(self, tuning_job_id: _Optional[str] = ..., number: _Optional[int] = ..., attempt: _Optional[int] = ..., token: _Optional[str] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("step", "uri", "digest")
    STEP_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    step: int
    uri: str
    digest: str
    def __init__(self, step: _Optional[int] = ..., uri: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class TrainingAssignment(_message.Message):
    __slots__ = ("ref", "training_job_name", "algorithm", "hyperparameters", "channels", "objective_metric", "seed", "split_seed", "artifact_uri", "environment", "maximize", "data_channels", "checkpoint_uri", "resume_from", "pauses")
    class HyperparametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _parameters_pb2.HyperparameterValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_parameters_pb2.HyperparameterValue, _Mapping]] = ...) -> None: ...
    class ChannelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REF_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_METRIC_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SPLIT_SEED_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_URI_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    MAXIMIZE_FIELD_NUMBER: _ClassVar[int]
    DATA_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_URI_FIELD_NUMBER: _ClassVar[int]
    RESUME_FROM_FIELD_NUMBER: _ClassVar[int]
    PAUSES_FIELD_NUMBER: _ClassVar[int]
    ref: AttemptRef
    training_job_name: str
    algorithm: str
    hyperparameters: _containers.MessageMap[str, _parameters_pb2.HyperparameterValue]
    channels: _containers.ScalarMap[str, str]
    objective_metric: str
    seed: int
    split_seed: int
    artifact_uri: str
    environment: _containers.ScalarMap[str, str]
    maximize: bool
    data_channels: _containers.RepeatedCompositeFieldContainer[_tuning_job_pb2.DataChannel]
    checkpoint_uri: str
    resume_from: Checkpoint
    pauses: bool
    def __init__(self, ref: _Optional[_Union[AttemptRef, _Mapping]] = ..., training_job_name: _Optional[str] = ..., algorithm: _Optional[str] = ..., hyperparameters: _Optional[_Mapping[str, _parameters_pb2.HyperparameterValue]] = ..., channels: _Optional[_Mapping[str, str]] = ..., objective_metric: _Optional[str] = ..., seed: _Optional[int] = ..., split_seed: _Optional[int] = ..., artifact_uri: _Optional[str] = ..., environment: _Optional[_Mapping[str, str]] = ..., maximize: bool = ..., data_channels: _Optional[_Iterable[_Union[_tuning_job_pb2.DataChannel, _Mapping]]] = ..., checkpoint_uri: _Optional[str] = ..., resume_from: _Optional[_Union[Checkpoint, _Mapping]] = ..., pauses: bool = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ("assignments", "remove_checkpoints", "remove_artifacts")
    ASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    assignments: _containers.RepeatedCompositeFieldContainer[TrainingAssignment]
    remove_checkpoints: _containers.RepeatedScalarFieldContainer[str]
    remove_artifacts: _containers.RepeatedCompositeFieldContainer[ArtifactRemoval]
    def __init__(self, assignments: _Optional[_Iterable[_Union[TrainingAssignment, _Mapping]]] = ..., remove_checkpoints: _Optional[_Iterable[str]] = ..., remove_artifacts: _Optional[_Iterable[_Union[ArtifactRemoval, _Mapping]]] = ...) -> None: ...

class ArtifactRemoval(_message.Message):
    __slots__ = ("root", "folders")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    root: str
    folders: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, root: _Optional[str] = ..., folders: _Optional[_Iterable[str]] = ...) -> None: ...

class AttemptStarted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AttemptProgressed(_message.Message):
    __slots__ = ("secondary_state",)
    SECONDARY_STATE_FIELD_NUMBER: _ClassVar[int]
    secondary_state: _training_job_pb2.SecondaryState
    def __init__(self, secondary_state: _Optional[_Union[_training_job_pb2.SecondaryState, str]] = ...) -> None: ...

class AttemptMetrics(_message.Message):
    __slots__ = ("points",)
    POINTS_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[_training_job_pb2.MetricPoint]
    def __init__(self, points: _Optional[_Iterable[_Union[_training_job_pb2.MetricPoint, _Mapping]]] = ...) -> None: ...

class AttemptResumed(_message.Message):
    __slots__ = ("step", "problem")
    STEP_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    step: int
    problem: str
    def __init__(self, step: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class AttemptCheckpointed(_message.Message):
    __slots__ = ("checkpoint",)
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    checkpoint: Checkpoint
    def __init__(self, checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ...) -> None: ...

class AttemptLog(_message.Message):
    __slots__ = ("lines",)
    LINES_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_training_job_pb2.LogLine]
    def __init__(self, lines: _Optional[_Iterable[_Union[_training_job_pb2.LogLine, _Mapping]]] = ...) -> None: ...

class AttemptEnded(_message.Message):
    __slots__ = ("outcome", "artifact_uri", "final_metrics", "failure_cause", "failure_reason")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[AttemptEnded.Outcome]
        OUTCOME_COMPLETED: _ClassVar[AttemptEnded.Outcome]
        OUTCOME_FAILED: _ClassVar[AttemptEnded.Outcome]
        OUTCOME_STOPPED: _ClassVar[AttemptEnded.Outcome]
        OUTCOME_LOST: _ClassVar[AttemptEnded.Outcome]
        OUTCOME_HANDED_BACK: _ClassVar[AttemptEnded.Outcome]
    OUTCOME_UNSPECIFIED: AttemptEnded.Outcome
    OUTCOME_COMPLETED: AttemptEnded.Outcome
    OUTCOME_FAILED: AttemptEnded.Outcome
    OUTCOME_STOPPED: AttemptEnded.Outcome
    OUTCOME_LOST: AttemptEnded.Outcome
    OUTCOME_HANDED_BACK: AttemptEnded.Outcome
    class FinalMetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_URI_FIELD_NUMBER: _ClassVar[int]
    FINAL_METRICS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_CAUSE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    outcome: AttemptEnded.Outcome
    artifact_uri: str
    final_metrics: _containers.ScalarMap[str, float]
    failure_cause: _training_job_pb2.FailureCause
    failure_reason: str
    def __init__(self, outcome: _Optional[_Union[AttemptEnded.Outcome, str]] = ..., artifact_uri: _Optional[str] = ..., final_metrics: _Optional[_Mapping[str, float]] = ..., failure_cause: _Optional[_Union[_training_job_pb2.FailureCause, str]] = ..., failure_reason: _Optional[str] = ...) -> None: ...

class AttemptReport(_message.Message):
    __slots__ = ("ref", "worker_id", "started", "progressed", "metrics", "ended", "resumed", "checkpointed", "log")
    REF_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    PROGRESSED_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTED_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    ref: AttemptRef
    worker_id: str
    started: AttemptStarted
    progressed: AttemptProgressed
    metrics: AttemptMetrics
    ended: AttemptEnded
    resumed: AttemptResumed
    checkpointed: AttemptCheckpointed
    log: AttemptLog
    def __init__(self, ref: _Optional[_Union[AttemptRef, _Mapping]] = ..., worker_id: _Optional[str] = ..., started: _Optional[_Union[AttemptStarted, _Mapping]] = ..., progressed: _Optional[_Union[AttemptProgressed, _Mapping]] = ..., metrics: _Optional[_Union[AttemptMetrics, _Mapping]] = ..., ended: _Optional[_Union[AttemptEnded, _Mapping]] = ..., resumed: _Optional[_Union[AttemptResumed, _Mapping]] = ..., checkpointed: _Optional[_Union[AttemptCheckpointed, _Mapping]] = ..., log: _Optional[_Union[AttemptLog, _Mapping]] = ...) -> None: ...

class WorkerHeartbeat(_message.Message):
    __slots__ = ("worker_id", "resource_class", "slots", "running", "leaving")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_CLASS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    resource_class: str
    slots: int
    running: _containers.RepeatedCompositeFieldContainer[AttemptRef]
    leaving: bool
    def __init__(self, worker_id: _Optional[str] = ..., resource_class: _Optional[str] = ..., slots: _Optional[int] = ..., running: _Optional[_Iterable[_Union[AttemptRef, _Mapping]]] = ..., leaving: bool = ...) -> None: ...

class IngestProbe(_message.Message):
    __slots__ = ("scheduler_id", "sequence")
    SCHEDULER_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    scheduler_id: str
    sequence: int
    def __init__(self, scheduler_id: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("attempt", "heartbeat", "probe")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    attempt: AttemptReport
    heartbeat: WorkerHeartbeat
    probe: IngestProbe
    def __init__(self, attempt: _Optional[_Union[AttemptReport, _Mapping]] = ..., heartbeat: _Optional[_Union[WorkerHeartbeat, _Mapping]] = ..., probe: _Optional[_Union[IngestProbe, _Mapping]] = ...) -> None: ...

class Control(_message.Message):
    __slots__ = ("ref", "command", "step")
    class Command(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        COMMAND_UNSPECIFIED: _ClassVar[Control.Command]
        COMMAND_GO: _ClassVar[Control.Command]
        COMMAND_STOP: _ClassVar[Control.Command]
        COMMAND_SUPERSEDED: _ClassVar[Control.Command]
        COMMAND_STOP_AND_KEEP: _ClassVar[Control.Command]
        COMMAND_CHECKPOINT_RECORDED: _ClassVar[Control.Command]
    COMMAND_UNSPECIFIED: Control.Command
    COMMAND_GO: Control.Command
    COMMAND_STOP: Control.Command
    COMMAND_SUPERSEDED: Control.Command
    COMMAND_STOP_AND_KEEP: Control.Command
    COMMAND_CHECKPOINT_RECORDED: Control.Command
    REF_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ref: AttemptRef
    command: Control.Command
    step: int
    def __init__(self, ref: _Optional[_Union[AttemptRef, _Mapping]] = ..., command: _Optional[_Union[Control.Command, str]] = ..., step: _Optional[int] = ...) -> None: ...

class JobHint(_message.Message):
    __slots__ = ("tuning_job_id",)
    TUNING_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    tuning_job_id: str
    def __init__(self, tuning_job_id: _Optional[str] = ...) -> None: ...
