import datetime

from hrnn_tuner.v1.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from hrnn_tuner.v1 import parameters_pb2 as _parameters_pb2
from hrnn_tuner.v1 import training_job_pb2 as _training_job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Strategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRATEGY_UNSPECIFIED: _ClassVar[Strategy]
    STRATEGY_BAYESIAN: _ClassVar[Strategy]
    STRATEGY_RANDOM: _ClassVar[Strategy]
    STRATEGY_HYPERBAND: _ClassVar[Strategy]
    STRATEGY_GRID: _ClassVar[Strategy]
    STRATEGY_SOBOL: _ClassVar[Strategy]
    STRATEGY_ASHA: _ClassVar[Strategy]
    STRATEGY_BAYESIAN_ASHA: _ClassVar[Strategy]

class ObjectiveType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECTIVE_TYPE_UNSPECIFIED: _ClassVar[ObjectiveType]
    OBJECTIVE_TYPE_MAXIMIZE: _ClassVar[ObjectiveType]
    OBJECTIVE_TYPE_MINIMIZE: _ClassVar[ObjectiveType]

class TrainingJobEarlyStoppingType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAINING_JOB_EARLY_STOPPING_TYPE_UNSPECIFIED: _ClassVar[TrainingJobEarlyStoppingType]
    TRAINING_JOB_EARLY_STOPPING_TYPE_OFF: _ClassVar[TrainingJobEarlyStoppingType]
    TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO: _ClassVar[TrainingJobEarlyStoppingType]

class WarmStartType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WARM_START_TYPE_UNSPECIFIED: _ClassVar[WarmStartType]
    WARM_START_TYPE_IDENTICAL_DATA_AND_ALGORITHM: _ClassVar[WarmStartType]
    WARM_START_TYPE_TRANSFER_LEARNING: _ClassVar[WarmStartType]

class TuningJobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TUNING_JOB_STATE_UNSPECIFIED: _ClassVar[TuningJobState]
    TUNING_JOB_STATE_IN_PROGRESS: _ClassVar[TuningJobState]
    TUNING_JOB_STATE_COMPLETED: _ClassVar[TuningJobState]
    TUNING_JOB_STATE_FAILED: _ClassVar[TuningJobState]
    TUNING_JOB_STATE_STOPPING: _ClassVar[TuningJobState]
    TUNING_JOB_STATE_STOPPED: _ClassVar[TuningJobState]
    TUNING_JOB_STATE_DELETING: _ClassVar[TuningJobState]

class CompletionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPLETION_REASON_UNSPECIFIED: _ClassVar[CompletionReason]
    COMPLETION_REASON_MAX_JOBS: _ClassVar[CompletionReason]
    COMPLETION_REASON_TARGET_REACHED: _ClassVar[CompletionReason]
    COMPLETION_REASON_NO_IMPROVEMENT: _ClassVar[CompletionReason]
    COMPLETION_REASON_CONVERGED: _ClassVar[CompletionReason]
    COMPLETION_REASON_MAX_RUNTIME: _ClassVar[CompletionReason]
    COMPLETION_REASON_SPACE_EXHAUSTED: _ClassVar[CompletionReason]
STRATEGY_UNSPECIFIED: Strategy
STRATEGY_BAYESIAN: Strategy
STRATEGY_RANDOM: Strategy
STRATEGY_HYPERBAND: Strategy
STRATEGY_GRID: Strategy
STRATEGY_SOBOL: Strategy
STRATEGY_ASHA: Strategy
STRATEGY_BAYESIAN_ASHA: Strategy
OBJECTIVE_TYPE_UNSPECIFIED: ObjectiveType
OBJECTIVE_TYPE_MAXIMIZE: ObjectiveType
OBJECTIVE_TYPE_MINIMIZE: ObjectiveType
TRAINING_JOB_EARLY_STOPPING_TYPE_UNSPECIFIED: TrainingJobEarlyStoppingType
TRAINING_JOB_EARLY_STOPPING_TYPE_OFF: TrainingJobEarlyStoppingType
TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO: TrainingJobEarlyStoppingType
WARM_START_TYPE_UNSPECIFIED: WarmStartType
WARM_START_TYPE_IDENTICAL_DATA_AND_ALGORITHM: WarmStartType
WARM_START_TYPE_TRANSFER_LEARNING: WarmStartType
TUNING_JOB_STATE_UNSPECIFIED: TuningJobState
TUNING_JOB_STATE_IN_PROGRESS: TuningJobState
TUNING_JOB_STATE_COMPLETED: TuningJobState
TUNING_JOB_STATE_FAILED: TuningJobState
TUNING_JOB_STATE_STOPPING: TuningJobState
TUNING_JOB_STATE_STOPPED: TuningJobState
TUNING_JOB_STATE_DELETING: TuningJobState
COMPLETION_REASON_UNSPECIFIED: CompletionReason
COMPLETION_REASON_MAX_JOBS: CompletionReason
COMPLETION_REASON_TARGET_REACHED: CompletionReason
COMPLETION_REASON_NO_IMPROVEMENT: CompletionReason
COMPLETION_REASON_CONVERGED: CompletionReason
COMPLETION_REASON_MAX_RUNTIME: CompletionReason
COMPLETION_REASON_SPACE_EXHAUSTED: CompletionReason

class Objective(_message.Message):
    __slots__ = ("type", "metric_name")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    METRIC_NAME_FIELD_NUMBER: _ClassVar[int]
    type: ObjectiveType
    metric_name: str
    def __init__(self, type: _Optional[_Union[ObjectiveType, str]] = ..., metric_name: _Optional[str] = ...) -> None: ...

class ResourceLimits(_message.Message):
    __slots__ = ("max_number_of_training_jobs", "max_parallel_training_jobs", "max_runtime_in_seconds")
    MAX_NUMBER_OF_TRAINING_JOBS_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_TRAINING_JOBS_FIELD_NUMBER: _ClassVar[int]
    MAX_RUNTIME_IN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    max_number_of_training_jobs: int
    max_parallel_training_jobs: int
    max_runtime_in_seconds: int
    def __init__(self, max_number_of_training_jobs: _Optional[int] = ..., max_parallel_training_jobs: _Optional[int] = ..., max_runtime_in_seconds: _Optional[int] = ...) -> None: ...

class HyperbandStrategyConfig(_message.Message):
    __slots__ = ("min_resource", "max_resource")
    MIN_RESOURCE_FIELD_NUMBER: _ClassVar[int]
    MAX_RESOURCE_FIELD_NUMBER: _ClassVar[int]
    min_resource: int
    max_resource: int
    def __init__(self, min_resource: _Optional[int] = ..., max_resource: _Optional[int] = ...) -> None: ...

class StrategyConfig(_message.Message):
    __slots__ = ("hyperband",)
    HYPERBAND_FIELD_NUMBER: _ClassVar[int]
    hyperband: HyperbandStrategyConfig
    def __init__(self, hyperband: _Optional[_Union[HyperbandStrategyConfig, _Mapping]] = ...) -> None: ...

class BestObjectiveNotImproving(_message.Message):
    __slots__ = ("max_number_of_training_jobs_not_improving",)
    MAX_NUMBER_OF_TRAINING_JOBS_NOT_IMPROVING_FIELD_NUMBER: _ClassVar[int]
    max_number_of_training_jobs_not_improving: int
    def __init__(self, max_number_of_training_jobs_not_improving: _Optional[int] = ...) -> None: ...

class ConvergenceDetected(_message.Message):
    __slots__ = ("complete_on_convergence",)
    COMPLETE_ON_CONVERGENCE_FIELD_NUMBER: _ClassVar[int]
    complete_on_convergence: bool
    def __init__(self, complete_on_convergence: bool = ...) -> None: ...

class TuningJobCompletionCriteria(_message.Message):
    __slots__ = ("target_objective_metric_value", "best_objective_not_improving", "convergence_detected")
    TARGET_OBJECTIVE_METRIC_VALUE_FIELD_NUMBER: _ClassVar[int]
    BEST_OBJECTIVE_NOT_IMPROVING_FIELD_NUMBER: _ClassVar[int]
    CONVERGENCE_DETECTED_FIELD_NUMBER: _ClassVar[int]
    target_objective_metric_value: float
    best_objective_not_improving: BestObjectiveNotImproving
    convergence_detected: ConvergenceDetected
    def __init__(self, target_objective_metric_value: _Optional[float] = ..., best_objective_not_improving: _Optional[_Union[BestObjectiveNotImproving, _Mapping]] = ..., convergence_detected: _Optional[_Union[ConvergenceDetected, _Mapping]] = ...) -> None: ...

class Autotune(_message.Message):
    __slots__ = ("enabled",)
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    def __init__(self, enabled: bool = ...) -> None: ...

class DataChannel(_message.Message):
    __slots__ = ("name", "uri", "columns", "event_type", "event_value_threshold")
    class ColumnsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_VALUE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    name: str
    uri: str
    columns: _containers.ScalarMap[str, str]
    event_type: str
    event_value_threshold: float
    def __init__(self, name: _Optional[str] = ..., uri: _Optional[str] = ..., columns: _Optional[_Mapping[str, str]] = ..., event_type: _Optional[str] = ..., event_value_threshold: _Optional[float] = ...) -> None: ...

class StoppingCondition(_message.Message):
    __slots__ = ("max_runtime_in_seconds",)
    MAX_RUNTIME_IN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    max_runtime_in_seconds: int
    def __init__(self, max_runtime_in_seconds: _Optional[int] = ...) -> None: ...

class CheckpointConfig(_message.Message):
    __slots__ = ("uri",)
    URI_FIELD_NUMBER: _ClassVar[int]
    uri: str
    def __init__(self, uri: _Optional[str] = ...) -> None: ...

class RetryStrategy(_message.Message):
    __slots__ = ("maximum_retry_attempts",)
    MAXIMUM_RETRY_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    maximum_retry_attempts: int
    def __init__(self, maximum_retry_attempts: _Optional[int] = ...) -> None: ...

class TrainingJobDefinition(_message.Message):
    __slots__ = ("definition_name", "algorithm", "objective", "static_hyperparameters", "parameter_ranges", "data_channels", "output_uri", "resource_class", "stopping_condition", "checkpoint_config", "retry_strategy", "environment")
    class StaticHyperparametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _parameters_pb2.HyperparameterValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_parameters_pb2.HyperparameterValue, _Mapping]] = ...) -> None: ...
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DEFINITION_NAME_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    STATIC_HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_RANGES_FIELD_NUMBER: _ClassVar[int]
    DATA_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_URI_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_CLASS_FIELD_NUMBER: _ClassVar[int]
    STOPPING_CONDITION_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_CONFIG_FIELD_NUMBER: _ClassVar[int]
    RETRY_STRATEGY_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    definition_name: str
    algorithm: str
    objective: Objective
    static_hyperparameters: _containers.MessageMap[str, _parameters_pb2.HyperparameterValue]
    parameter_ranges: _parameters_pb2.ParameterRanges
    data_channels: _containers.RepeatedCompositeFieldContainer[DataChannel]
    output_uri: str
    resource_class: str
    stopping_condition: StoppingCondition
    checkpoint_config: CheckpointConfig
    retry_strategy: RetryStrategy
    environment: _containers.ScalarMap[str, str]
    def __init__(self, definition_name: _Optional[str] = ..., algorithm: _Optional[str] = ..., objective: _Optional[_Union[Objective, _Mapping]] = ..., static_hyperparameters: _Optional[_Mapping[str, _parameters_pb2.HyperparameterValue]] = ..., parameter_ranges: _Optional[_Union[_parameters_pb2.ParameterRanges, _Mapping]] = ..., data_channels: _Optional[_Iterable[_Union[DataChannel, _Mapping]]] = ..., output_uri: _Optional[str] = ..., resource_class: _Optional[str] = ..., stopping_condition: _Optional[_Union[StoppingCondition, _Mapping]] = ..., checkpoint_config: _Optional[_Union[CheckpointConfig, _Mapping]] = ..., retry_strategy: _Optional[_Union[RetryStrategy, _Mapping]] = ..., environment: _Optional[_Mapping[str, str]] = ...) -> None: ...

class WarmStartConfig(_message.Message):
    __slots__ = ("parent_tuning_job_names", "type")
    PARENT_TUNING_JOB_NAMES_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    parent_tuning_job_names: _containers.RepeatedScalarFieldContainer[str]
    type: WarmStartType
    def __init__(self, parent_tuning_job_names: _Optional[_Iterable[str]] = ..., type: _Optional[_Union[WarmStartType, str]] = ...) -> None: ...

class TuningJobSpec(_message.Message):
    __slots__ = ("name", "strategy", "strategy_config", "resource_limits", "training_job_early_stopping_type", "completion_criteria", "random_seed", "autotune", "training_job_definitions", "warm_start_config", "tags", "weight")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_CONFIG_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_LIMITS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_EARLY_STOPPING_TYPE_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_CRITERIA_FIELD_NUMBER: _ClassVar[int]
    RANDOM_SEED_FIELD_NUMBER: _ClassVar[int]
    AUTOTUNE_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    WARM_START_CONFIG_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    name: str
    strategy: Strategy
    strategy_config: StrategyConfig
    resource_limits: ResourceLimits
    training_job_early_stopping_type: TrainingJobEarlyStoppingType
    completion_criteria: TuningJobCompletionCriteria
    random_seed: int
    autotune: Autotune
    training_job_definitions: _containers.RepeatedCompositeFieldContainer[TrainingJobDefinition]
    warm_start_config: WarmStartConfig
    tags: _containers.ScalarMap[str, str]
    weight: int
    def __init__(self, name: _Optional[str] = ..., strategy: _Optional[_Union[Strategy, str]] = ..., strategy_config: _Optional[_Union[StrategyConfig, _Mapping]] = ..., resource_limits: _Optional[_Union[ResourceLimits, _Mapping]] = ..., training_job_early_stopping_type: _Optional[_Union[TrainingJobEarlyStoppingType, str]] = ..., completion_criteria: _Optional[_Union[TuningJobCompletionCriteria, _Mapping]] = ..., random_seed: _Optional[int] = ..., autotune: _Optional[_Union[Autotune, _Mapping]] = ..., training_job_definitions: _Optional[_Iterable[_Union[TrainingJobDefinition, _Mapping]]] = ..., warm_start_config: _Optional[_Union[WarmStartConfig, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ..., weight: _Optional[int] = ...) -> None: ...

class TrainingJobStateCounters(_message.Message):
    __slots__ = ("completed", "in_progress", "retryable_error", "non_retryable_error", "stopped")
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    IN_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_ERROR_FIELD_NUMBER: _ClassVar[int]
    NON_RETRYABLE_ERROR_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    completed: int
    in_progress: int
    retryable_error: int
    non_retryable_error: int
    stopped: int
    def __init__(self, completed: _Optional[int] = ..., in_progress: _Optional[int] = ..., retryable_error: _Optional[int] = ..., non_retryable_error: _Optional[int] = ..., stopped: _Optional[int] = ...) -> None: ...

class ObjectiveStatusCounters(_message.Message):
    __slots__ = ("succeeded", "pending", "failed")
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    succeeded: int
    pending: int
    failed: int
    def __init__(self, succeeded: _Optional[int] = ..., pending: _Optional[int] = ..., failed: _Optional[int] = ...) -> None: ...

class AutotuneChoice(_message.Message):
    __slots__ = ("field", "value", "reason")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    field: str
    value: str
    reason: str
    def __init__(self, field: _Optional[str] = ..., value: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class TuningJobCompletionDetails(_message.Message):
    __slots__ = ("number_of_training_jobs_objective_not_improving", "convergence_detected_time")
    NUMBER_OF_TRAINING_JOBS_OBJECTIVE_NOT_IMPROVING_FIELD_NUMBER: _ClassVar[int]
    CONVERGENCE_DETECTED_TIME_FIELD_NUMBER: _ClassVar[int]
    number_of_training_jobs_objective_not_improving: int
    convergence_detected_time: _timestamp_pb2.Timestamp
    def __init__(self, number_of_training_jobs_objective_not_improving: _Optional[int] = ..., convergence_detected_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TuningJob(_message.Message):
    __slots__ = ("name", "id", "spec", "state", "completion_reason", "failure_reason", "create_time", "update_time", "end_time", "training_job_state_counters", "objective_status_counters", "best_training_job", "overall_best_training_job", "runtime_in_seconds", "resume_token", "warnings", "autotune_choices", "completion_details", "oldest_resume_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_REASON_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_STATE_COUNTERS_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_STATUS_COUNTERS_FIELD_NUMBER: _ClassVar[int]
    BEST_TRAINING_JOB_FIELD_NUMBER: _ClassVar[int]
    OVERALL_BEST_TRAINING_JOB_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_IN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    AUTOTUNE_CHOICES_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_DETAILS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    spec: TuningJobSpec
    state: TuningJobState
    completion_reason: CompletionReason
    failure_reason: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    training_job_state_counters: TrainingJobStateCounters
    objective_status_counters: ObjectiveStatusCounters
    best_training_job: _training_job_pb2.TrainingJob
    overall_best_training_job: _training_job_pb2.TrainingJob
    runtime_in_seconds: float
    resume_token: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    autotune_choices: _containers.RepeatedCompositeFieldContainer[AutotuneChoice]
    completion_details: TuningJobCompletionDetails
    oldest_resume_token: str
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., spec: _Optional[_Union[TuningJobSpec, _Mapping]] = ..., state: _Optional[_Union[TuningJobState, str]] = ..., completion_reason: _Optional[_Union[CompletionReason, str]] = ..., failure_reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., training_job_state_counters: _Optional[_Union[TrainingJobStateCounters, _Mapping]] = ..., objective_status_counters: _Optional[_Union[ObjectiveStatusCounters, _Mapping]] = ..., best_training_job: _Optional[_Union[_training_job_pb2.TrainingJob, _Mapping]] = ..., overall_best_training_job: _Optional[_Union[_training_job_pb2.TrainingJob, _Mapping]] = ..., runtime_in_seconds: _Optional[float] = ..., resume_token: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., autotune_choices: _Optional[_Iterable[_Union[AutotuneChoice, _Mapping]]] = ..., completion_details: _Optional[_Union[TuningJobCompletionDetails, _Mapping]] = ..., oldest_resume_token: _Optional[str] = ...) -> None: ...
