import datetime

from hrnn_tuner.v1.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hrnn_tuner.v1 import algorithm_pb2 as _algorithm_pb2
from hrnn_tuner.v1 import explanation_pb2 as _explanation_pb2
from hrnn_tuner.v1 import training_job_pb2 as _training_job_pb2
from hrnn_tuner.v1 import tuning_job_pb2 as _tuning_job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TuningJobOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TUNING_JOB_ORDER_UNSPECIFIED: _ClassVar[TuningJobOrder]
    TUNING_JOB_ORDER_NAME: _ClassVar[TuningJobOrder]
    TUNING_JOB_ORDER_STATE: _ClassVar[TuningJobOrder]
    TUNING_JOB_ORDER_CREATE_TIME: _ClassVar[TuningJobOrder]

class TrainingJobOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_JOB_ORDER_UNSPECIFIED: _ClassVar[TrainingJobOrder]
    TRAINING_JOB_ORDER_NAME: _ClassVar[TrainingJobOrder]
    TRAINING_JOB_ORDER_CREATE_TIME: _ClassVar[TrainingJobOrder]
    TRAINING_JOB_ORDER_STATE: _ClassVar[TrainingJobOrder]
    TRAINING_JOB_ORDER_FINAL_OBJECTIVE_VALUE: _ClassVar[TrainingJobOrder]
TUNING_JOB_ORDER_UNSPECIFIED: TuningJobOrder
TUNING_JOB_ORDER_NAME: TuningJobOrder
TUNING_JOB_ORDER_STATE: TuningJobOrder
TUNING_JOB_ORDER_CREATE_TIME: TuningJobOrder
TRAINING_JOB_ORDER_UNSPECIFIED: TrainingJobOrder
TRAINING_JOB_ORDER_NAME: TrainingJobOrder
TRAINING_JOB_ORDER_CREATE_TIME: TrainingJobOrder
TRAINING_JOB_ORDER_STATE: TrainingJobOrder
TRAINING_JOB_ORDER_FINAL_OBJECTIVE_VALUE: TrainingJobOrder

class CreateTuningJobRequest(_message.Message):
    __slots__ = ("tuning_job", "request_id", "validate_only")
    TUNING_JOB_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    tuning_job: _tuning_job_pb2.TuningJobSpec
    request_id: str
    validate_only: bool
    def __init__(self, tuning_job: _Optional[_Union[_tuning_job_pb2.TuningJobSpec, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class CreateTuningJobResponse(_message.Message):
    __slots__ = ("tuning_job", "warnings")
    TUNING_JOB_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    tuning_job: _tuning_job_pb2.TuningJob
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tuning_job: _Optional[_Union[_tuning_job_pb2.TuningJob, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class GetTuningJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetTuningJobResponse(_message.Message):
    __slots__ = ("tuning_job",)
    TUNING_JOB_FIELD_NUMBER: _ClassVar[int]
    tuning_job: _tuning_job_pb2.TuningJob
    def __init__(self, tuning_job: _Optional[_Union[_tuning_job_pb2.TuningJob, _Mapping]] = ...) -> None: ...

class ListTuningJobsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "order_by", "descending", "name_contains", "state", "created_after", "created_before", "updated_after", "updated_before")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    DESCENDING_FIELD_NUMBER: _ClassVar[int]
    NAME_CONTAINS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AFTER_FIELD_NUMBER: _ClassVar[int]
    CREATED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AFTER_FIELD_NUMBER: _ClassVar[int]
    UPDATED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    order_by: TuningJobOrder
    descending: bool
    name_contains: str
    state: _tuning_job_pb2.TuningJobState
    created_after: _timestamp_pb2.Timestamp
    created_before: _timestamp_pb2.Timestamp
    updated_after: _timestamp_pb2.Timestamp
    updated_before: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., order_by: _Optional[_Union[TuningJobOrder, str]] = ..., descending: bool = ..., name_contains: _Optional[str] = ..., state: _Optional[_Union[_tuning_job_pb2.TuningJobState, str]] = ..., created_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListTuningJobsResponse(_message.Message):
    __slots__ = ("tuning_jobs", "next_page_token")
    TUNING_JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tuning_jobs: _containers.RepeatedCompositeFieldContainer[_tuning_job_pb2.TuningJob]
    next_page_token: str
    def __init__(self, tuning_jobs: _Optional[_Iterable[_Union[_tuning_job_pb2.TuningJob, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StopTuningJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class StopTuningJobResponse(_message.Message):
    __slots__ = ("tuning_job",)
    TUNING_JOB_FIELD_NUMBER: _ClassVar[int]
    tuning_job: _tuning_job_pb2.TuningJob
    def __init__(self, tuning_job: _Optional[_Union[_tuning_job_pb2.TuningJob, _Mapping]] = ...) -> None: ...

class DeleteTuningJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteTuningJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchTuningJobRequest(_message.Message):
    __slots__ = ("name", "resume_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    resume_token: str
    def __init__(self, name: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class MetricBatch(_message.Message):
    __slots__ = ("training_job_name", "points", "superseded_after")
    TRAINING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_AFTER_FIELD_NUMBER: _ClassVar[int]
    training_job_name: str
    points: _containers.RepeatedCompositeFieldContainer[_training_job_pb2.MetricPoint]
    superseded_after: int
    def __init__(self, training_job_name: _Optional[str] = ..., points: _Optional[_Iterable[_Union[_training_job_pb2.MetricPoint, _Mapping]]] = ..., superseded_after: _Optional[int] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("kind", "training_job_number", "explanation", "figures")
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_NUMBER_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    training_job_number: int
    explanation: str
    figures: _containers.ScalarMap[str, float]
    def __init__(self, kind: _Optional[str] = ..., training_job_number: _Optional[int] = ..., explanation: _Optional[str] = ..., figures: _Optional[_Mapping[str, float]] = ...) -> None: ...

class TuningJobDeleted(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchHeartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchTuningJobResponse(_message.Message):
    __slots__ = ("resume_token", "time", "tuning_job", "training_job", "metrics", "decision", "deleted", "heartbeat")
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TUNING_JOB_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    time: _timestamp_pb2.Timestamp
    tuning_job: _tuning_job_pb2.TuningJob
    training_job: _training_job_pb2.TrainingJob
    metrics: MetricBatch
    decision: Decision
    deleted: TuningJobDeleted
    heartbeat: WatchHeartbeat
    def __init__(self, resume_token: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tuning_job: _Optional[_Union[_tuning_job_pb2.TuningJob, _Mapping]] = ..., training_job: _Optional[_Union[_training_job_pb2.TrainingJob, _Mapping]] = ..., metrics: _Optional[_Union[MetricBatch, _Mapping]] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., deleted: _Optional[_Union[TuningJobDeleted, _Mapping]] = ..., heartbeat: _Optional[_Union[WatchHeartbeat, _Mapping]] = ...) -> None: ...

class ExplainTuningJobRequest(_message.Message):
    __slots__ = ("name", "page_size", "page_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    page_size: int
    page_token: str
    def __init__(self, name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ExplainTuningJobResponse(_message.Message):
    __slots__ = ("name", "insights", "decisions", "proposals", "next_page_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INSIGHTS_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    insights: _containers.RepeatedCompositeFieldContainer[_explanation_pb2.TrainingJobDefinitionInsight]
    decisions: _containers.RepeatedCompositeFieldContainer[_explanation_pb2.ExplainedDecision]
    proposals: _containers.RepeatedCompositeFieldContainer[_explanation_pb2.ProposalExplanation]
    next_page_token: str
    def __init__(self, name: _Optional[str] = ..., insights: _Optional[_Iterable[_Union[_explanation_pb2.TrainingJobDefinitionInsight, _Mapping]]] = ..., decisions: _Optional[_Iterable[_Union[_explanation_pb2.ExplainedDecision, _Mapping]]] = ..., proposals: _Optional[_Iterable[_Union[_explanation_pb2.ProposalExplanation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetTrainingJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetTrainingJobResponse(_message.Message):
    __slots__ = ("training_job",)
    TRAINING_JOB_FIELD_NUMBER: _ClassVar[int]
    training_job: _training_job_pb2.TrainingJob
    def __init__(self, training_job: _Optional[_Union[_training_job_pb2.TrainingJob, _Mapping]] = ...) -> None: ...

class ListTrainingJobsRequest(_message.Message):
    __slots__ = ("tuning_job_name", "page_size", "page_token", "order_by", "descending", "state")
    TUNING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    DESCENDING_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    tuning_job_name: str
    page_size: int
    page_token: str
    order_by: TrainingJobOrder
    descending: bool
    state: _training_job_pb2.TrainingJobState
    def __init__(self, tuning_job_name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., order_by: _Optional[_Union[TrainingJobOrder, str]] = ..., descending: bool = ..., state: _Optional[_Union[_training_job_pb2.TrainingJobState, str]] = ...) -> None: ...

class ListTrainingJobsResponse(_message.Message):
    __slots__ = ("training_jobs", "next_page_token")
    TRAINING_JOBS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    training_jobs: _containers.RepeatedCompositeFieldContainer[_training_job_pb2.TrainingJob]
    next_page_token: str
    def __init__(self, training_jobs: _Optional[_Iterable[_Union[_training_job_pb2.TrainingJob, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StopTrainingJobRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class StopTrainingJobResponse(_message.Message):
    __slots__ = ("training_job",)
    TRAINING_JOB_FIELD_NUMBER: _ClassVar[int]
    training_job: _training_job_pb2.TrainingJob
    def __init__(self, training_job: _Optional[_Union[_training_job_pb2.TrainingJob, _Mapping]] = ...) -> None: ...

class ListMetricsRequest(_message.Message):
    __slots__ = ("training_job_name", "page_size", "page_token", "metric_names")
    TRAINING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    METRIC_NAMES_FIELD_NUMBER: _ClassVar[int]
    training_job_name: str
    page_size: int
    page_token: str
    metric_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, training_job_name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., metric_names: _Optional[_Iterable[str]] = ...) -> None: ...

class ListMetricsResponse(_message.Message):
    __slots__ = ("points", "next_page_token")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[_training_job_pb2.MetricPoint]
    next_page_token: str
    def __init__(self, points: _Optional[_Iterable[_Union[_training_job_pb2.MetricPoint, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListTrainingJobLogsRequest(_message.Message):
    __slots__ = ("training_job_name", "page_size", "page_token", "attempt")
    TRAINING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    training_job_name: str
    page_size: int
    page_token: str
    attempt: int
    def __init__(self, training_job_name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class ListTrainingJobLogsResponse(_message.Message):
    __slots__ = ("lines", "next_page_token", "resume_token")
    LINES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[_training_job_pb2.LogLine]
    next_page_token: str
    resume_token: str
    def __init__(self, lines: _Optional[_Iterable[_Union[_training_job_pb2.LogLine, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class ListAlgorithmsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListAlgorithmsResponse(_message.Message):
    __slots__ = ("algorithms",)
    ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    algorithms: _containers.RepeatedCompositeFieldContainer[_algorithm_pb2.Algorithm]
    def __init__(self, algorithms: _Optional[_Iterable[_Union[_algorithm_pb2.Algorithm, _Mapping]]] = ...) -> None: ...

class GetAlgorithmRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetAlgorithmResponse(_message.Message):
    __slots__ = ("algorithm",)
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    algorithm: _algorithm_pb2.Algorithm
    def __init__(self, algorithm: _Optional[_Union[_algorithm_pb2.Algorithm, _Mapping]] = ...) -> None: ...

class TagResourceRequest(_message.Message):
    __slots__ = ("tuning_job_name", "tags")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TUNING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tuning_job_name: str
    tags: _containers.ScalarMap[str, str]
    def __init__(self, tuning_job_name: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class TagResourceResponse(_message.Message):
    __slots__ = ("tags",)
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.ScalarMap[str, str]
    def __init__(self, tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UntagResourceRequest(_message.Message):
    __slots__ = ("tuning_job_name", "tag_keys")
    TUNING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    TAG_KEYS_FIELD_NUMBER: _ClassVar[int]
    tuning_job_name: str
    tag_keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tuning_job_name: _Optional[str] = ..., tag_keys: _Optional[_Iterable[str]] = ...) -> None: ...

class UntagResourceResponse(_message.Message):
    __slots__ = ("tags",)
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.ScalarMap[str, str]
    def __init__(self, tags: _Optional[_Mapping[str, str]] = ...) -> None: ...
