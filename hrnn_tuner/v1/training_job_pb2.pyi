import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hrnn_tuner.v1 import parameters_pb2 as _parameters_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrainingJobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_JOB_STATE_UNSPECIFIED: _ClassVar[TrainingJobState]
    TRAINING_JOB_STATE_IN_PROGRESS: _ClassVar[TrainingJobState]
    TRAINING_JOB_STATE_COMPLETED: _ClassVar[TrainingJobState]
    TRAINING_JOB_STATE_FAILED: _ClassVar[TrainingJobState]
    TRAINING_JOB_STATE_STOPPING: _ClassVar[TrainingJobState]
    TRAINING_JOB_STATE_STOPPED: _ClassVar[TrainingJobState]

class SecondaryState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SECONDARY_STATE_UNSPECIFIED: _ClassVar[SecondaryState]
    SECONDARY_STATE_PENDING: _ClassVar[SecondaryState]
    SECONDARY_STATE_QUEUED: _ClassVar[SecondaryState]
    SECONDARY_STATE_STARTING: _ClassVar[SecondaryState]
    SECONDARY_STATE_DOWNLOADING: _ClassVar[SecondaryState]
    SECONDARY_STATE_TRAINING: _ClassVar[SecondaryState]
    SECONDARY_STATE_UPLOADING: _ClassVar[SecondaryState]
    SECONDARY_STATE_RESTARTING: _ClassVar[SecondaryState]
    SECONDARY_STATE_STOPPING: _ClassVar[SecondaryState]
    SECONDARY_STATE_COMPLETED: _ClassVar[SecondaryState]
    SECONDARY_STATE_FAILED: _ClassVar[SecondaryState]
    SECONDARY_STATE_STOPPED: _ClassVar[SecondaryState]
    SECONDARY_STATE_EARLY_STOPPED: _ClassVar[SecondaryState]
    SECONDARY_STATE_MAX_RUNTIME_EXCEEDED: _ClassVar[SecondaryState]

class ObjectiveStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECTIVE_STATUS_UNSPECIFIED: _ClassVar[ObjectiveStatus]
    OBJECTIVE_STATUS_SUCCEEDED: _ClassVar[ObjectiveStatus]
    OBJECTIVE_STATUS_PENDING: _ClassVar[ObjectiveStatus]
    OBJECTIVE_STATUS_FAILED: _ClassVar[ObjectiveStatus]

class FailureCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILURE_CAUSE_UNSPECIFIED: _ClassVar[FailureCause]
    FAILURE_CAUSE_ALGORITHM_ERROR: _ClassVar[FailureCause]
    FAILURE_CAUSE_WORKER_LOST: _ClassVar[FailureCause]
    FAILURE_CAUSE_DISPATCH_LIMIT: _ClassVar[FailureCause]
    FAILURE_CAUSE_OUT_OF_MEMORY: _ClassVar[FailureCause]
    FAILURE_CAUSE_INVALID_OBJECTIVE: _ClassVar[FailureCause]

class LogSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOG_SOURCE_UNSPECIFIED: _ClassVar[LogSource]
    LOG_SOURCE_STDOUT: _ClassVar[LogSource]
    LOG_SOURCE_STDERR: _ClassVar[LogSource]
    LOG_SOURCE_WORKER: _ClassVar[LogSource]
TRAINING_JOB_STATE_UNSPECIFIED: TrainingJobState
TRAINING_JOB_STATE_IN_PROGRESS: TrainingJobState
TRAINING_JOB_STATE_COMPLETED: TrainingJobState
TRAINING_JOB_STATE_FAILED: TrainingJobState
TRAINING_JOB_STATE_STOPPING: TrainingJobState
TRAINING_JOB_STATE_STOPPED: TrainingJobState
SECONDARY_STATE_UNSPECIFIED: SecondaryState
SECONDARY_STATE_PENDING: SecondaryState
SECONDARY_STATE_QUEUED: SecondaryState
SECONDARY_STATE_STARTING: SecondaryState
SECONDARY_STATE_DOWNLOADING: SecondaryState
SECONDARY_STATE_TRAINING: SecondaryState
SECONDARY_STATE_UPLOADING: SecondaryState
SECONDARY_STATE_RESTARTING: SecondaryState
SECONDARY_STATE_STOPPING: SecondaryState
SECONDARY_STATE_COMPLETED: SecondaryState
SECONDARY_STATE_FAILED: SecondaryState
SECONDARY_STATE_STOPPED: SecondaryState
SECONDARY_STATE_EARLY_STOPPED: SecondaryState
SECONDARY_STATE_MAX_RUNTIME_EXCEEDED: SecondaryState
OBJECTIVE_STATUS_UNSPECIFIED: ObjectiveStatus
OBJECTIVE_STATUS_SUCCEEDED: ObjectiveStatus
OBJECTIVE_STATUS_PENDING: ObjectiveStatus
OBJECTIVE_STATUS_FAILED: ObjectiveStatus
FAILURE_CAUSE_UNSPECIFIED: FailureCause
FAILURE_CAUSE_ALGORITHM_ERROR: FailureCause
FAILURE_CAUSE_WORKER_LOST: FailureCause
FAILURE_CAUSE_DISPATCH_LIMIT: FailureCause
FAILURE_CAUSE_OUT_OF_MEMORY: FailureCause
FAILURE_CAUSE_INVALID_OBJECTIVE: FailureCause
LOG_SOURCE_UNSPECIFIED: LogSource
LOG_SOURCE_STDOUT: LogSource
LOG_SOURCE_STDERR: LogSource
LOG_SOURCE_WORKER: LogSource

class SecondaryStateTransition(_message.Message):
    __slots__ = ("state", "start_time", "attempt", "message")
    STATE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    state: SecondaryState
    start_time: _timestamp_pb2.Timestamp
    attempt: int
    message: str
    def __init__(self, state: _Optional[_Union[SecondaryState, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempt: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class Proposal(_message.Message):
    __slots__ = ("strategy", "seed", "explanation", "continues", "until_epoch")
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    CONTINUES_FIELD_NUMBER: _ClassVar[int]
    UNTIL_EPOCH_FIELD_NUMBER: _ClassVar[int]
    strategy: str
    seed: int
    explanation: str
    continues: int
    until_epoch: int
    def __init__(self, strategy: _Optional[str] = ..., seed: _Optional[int] = ..., explanation: _Optional[str] = ..., continues: _Optional[int] = ..., until_epoch: _Optional[int] = ...) -> None: ...

class TrainingJob(_message.Message):
    __slots__ = ("name", "tuning_job_name", "number", "definition_name", "state", "secondary_state", "secondary_state_transitions", "attempt", "tuned_hyperparameters", "hyperparameters", "objective_status", "final_objective_value", "final_metrics", "failure_cause", "failure_reason", "artifact_uri", "create_time", "start_time", "end_time", "worker_id", "proposal", "tags")
    class TunedHyperparametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _parameters_pb2.HyperparameterValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_parameters_pb2.HyperparameterValue, _Mapping]] = ...) -> None: ...
    class HyperparametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _parameters_pb2.HyperparameterValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_parameters_pb2.HyperparameterValue, _Mapping]] = ...) -> None: ...
    class FinalMetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    TUNING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_STATE_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_STATE_TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TUNED_HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_STATUS_FIELD_NUMBER: _ClassVar[int]
    FINAL_OBJECTIVE_VALUE_FIELD_NUMBER: _ClassVar[int]
    FINAL_METRICS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_CAUSE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_URI_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    tuning_job_name: str
    number: int
    definition_name: str
    state: TrainingJobState
    secondary_state: SecondaryState
    secondary_state_transitions: _containers.RepeatedCompositeFieldContainer[SecondaryStateTransition]
    attempt: int
    tuned_hyperparameters: _containers.MessageMap[str, _parameters_pb2.HyperparameterValue]
    hyperparameters: _containers.MessageMap[str, _parameters_pb2.HyperparameterValue]
    objective_status: ObjectiveStatus
    final_objective_value: float
    final_metrics: _containers.ScalarMap[str, float]
    failure_cause: FailureCause
    failure_reason: str
    artifact_uri: str
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    worker_id: str
    proposal: Proposal
    tags: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., tuning_job_name: _Optional[str] = ..., number: _Optional[int] = ..., definition_name: _Optional[str] = ..., state: _Optional[_Union[TrainingJobState, str]] = ..., secondary_state: _Optional[_Union[SecondaryState, str]] = ..., secondary_state_transitions: _Optional[_Iterable[_Union[SecondaryStateTransition, _Mapping]]] = ..., attempt: _Optional[int] = ..., tuned_hyperparameters: _Optional[_Mapping[str, _parameters_pb2.HyperparameterValue]] = ..., hyperparameters: _Optional[_Mapping[str, _parameters_pb2.HyperparameterValue]] = ..., objective_status: _Optional[_Union[ObjectiveStatus, str]] = ..., final_objective_value: _Optional[float] = ..., final_metrics: _Optional[_Mapping[str, float]] = ..., failure_cause: _Optional[_Union[FailureCause, str]] = ..., failure_reason: _Optional[str] = ..., artifact_uri: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., worker_id: _Optional[str] = ..., proposal: _Optional[_Union[Proposal, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class MetricPoint(_message.Message):
    __slots__ = ("metric_name", "step", "value", "attempt", "time")
    METRIC_NAME_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    metric_name: str
    step: int
    value: float
    attempt: int
    time: _timestamp_pb2.Timestamp
    def __init__(self, metric_name: _Optional[str] = ..., step: _Optional[int] = ..., value: _Optional[float] = ..., attempt: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LogLine(_message.Message):
    __slots__ = ("attempt", "position", "time", "source", "text")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    position: int
    time: _timestamp_pb2.Timestamp
    source: LogSource
    text: str
    def __init__(self, attempt: _Optional[int] = ..., position: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[_Union[LogSource, str]] = ..., text: _Optional[str] = ...) -> None: ...
