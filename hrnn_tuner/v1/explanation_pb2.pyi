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

class ProposalOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROPOSAL_ORIGIN_UNSPECIFIED: _ClassVar[ProposalOrigin]
    PROPOSAL_ORIGIN_RANDOM: _ClassVar[ProposalOrigin]
    PROPOSAL_ORIGIN_SEQUENCE: _ClassVar[ProposalOrigin]
    PROPOSAL_ORIGIN_GRID: _ClassVar[ProposalOrigin]
    PROPOSAL_ORIGIN_START_DESIGN: _ClassVar[ProposalOrigin]
    PROPOSAL_ORIGIN_MODEL: _ClassVar[ProposalOrigin]
    PROPOSAL_ORIGIN_PARENT: _ClassVar[ProposalOrigin]
    PROPOSAL_ORIGIN_PROMOTION: _ClassVar[ProposalOrigin]

class ProposalIntent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROPOSAL_INTENT_UNSPECIFIED: _ClassVar[ProposalIntent]
    PROPOSAL_INTENT_EXPLORE: _ClassVar[ProposalIntent]
    PROPOSAL_INTENT_EXPLOIT: _ClassVar[ProposalIntent]
PROPOSAL_ORIGIN_UNSPECIFIED: ProposalOrigin
PROPOSAL_ORIGIN_RANDOM: ProposalOrigin
PROPOSAL_ORIGIN_SEQUENCE: ProposalOrigin
PROPOSAL_ORIGIN_GRID: ProposalOrigin
PROPOSAL_ORIGIN_START_DESIGN: ProposalOrigin
PROPOSAL_ORIGIN_MODEL: ProposalOrigin
PROPOSAL_ORIGIN_PARENT: ProposalOrigin
PROPOSAL_ORIGIN_PROMOTION: ProposalOrigin
PROPOSAL_INTENT_UNSPECIFIED: ProposalIntent
PROPOSAL_INTENT_EXPLORE: ProposalIntent
PROPOSAL_INTENT_EXPLOIT: ProposalIntent

class HyperparameterImportance(_message.Message):
    __slots__ = ("name", "main_effect", "total_effect")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MAIN_EFFECT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EFFECT_FIELD_NUMBER: _ClassVar[int]
    name: str
    main_effect: float
    total_effect: float
    def __init__(self, name: _Optional[str] = ..., main_effect: _Optional[float] = ..., total_effect: _Optional[float] = ...) -> None: ...

class PredictedBest(_message.Message):
    __slots__ = ("tuned_hyperparameters", "mean", "standard_deviation", "training_job_number")
    class TunedHyperparametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _parameters_pb2.HyperparameterValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_parameters_pb2.HyperparameterValue, _Mapping]] = ...) -> None: ...
    TUNED_HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STANDARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_NUMBER_FIELD_NUMBER: _ClassVar[int]
    tuned_hyperparameters: _containers.MessageMap[str, _parameters_pb2.HyperparameterValue]
    mean: float
    standard_deviation: float
    training_job_number: int
    def __init__(self, tuned_hyperparameters: _Optional[_Mapping[str, _parameters_pb2.HyperparameterValue]] = ..., mean: _Optional[float] = ..., standard_deviation: _Optional[float] = ..., training_job_number: _Optional[int] = ...) -> None: ...

class TrainingJobDefinitionInsight(_message.Message):
    __slots__ = ("definition_name", "objective", "observed", "failed", "pending", "importances", "predicted_best", "explained_variance", "note")
    DEFINITION_NAME_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCES_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_BEST_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_VARIANCE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    definition_name: str
    objective: _tuning_job_pb2.Objective
    observed: int
    failed: int
    pending: int
    importances: _containers.RepeatedCompositeFieldContainer[HyperparameterImportance]
    predicted_best: PredictedBest
    explained_variance: float
    note: str
    def __init__(self, definition_name: _Optional[str] = ..., objective: _Optional[_Union[_tuning_job_pb2.Objective, _Mapping]] = ..., observed: _Optional[int] = ..., failed: _Optional[int] = ..., pending: _Optional[int] = ..., importances: _Optional[_Iterable[_Union[HyperparameterImportance, _Mapping]]] = ..., predicted_best: _Optional[_Union[PredictedBest, _Mapping]] = ..., explained_variance: _Optional[float] = ..., note: _Optional[str] = ...) -> None: ...

class ExplainedDecision(_message.Message):
    __slots__ = ("kind", "explanation", "figures")
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    explanation: str
    figures: _containers.ScalarMap[str, float]
    def __init__(self, kind: _Optional[str] = ..., explanation: _Optional[str] = ..., figures: _Optional[_Mapping[str, float]] = ...) -> None: ...

class ProposalExplanation(_message.Message):
    __slots__ = ("training_job_number", "training_job_name", "definition_name", "tuned_hyperparameters", "strategy", "origin", "intent", "explanation", "acquisition_value", "predicted_mean", "predicted_standard_deviation", "best_observed", "figures", "state", "objective_status", "final_objective_value", "decisions")
    class TunedHyperparametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _parameters_pb2.HyperparameterValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_parameters_pb2.HyperparameterValue, _Mapping]] = ...) -> None: ...
    class FiguresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    TRAINING_JOB_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JOB_NAME_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_NAME_FIELD_NUMBER: _ClassVar[int]
    TUNED_HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    ACQUISITION_VALUE_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_MEAN_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_STANDARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    BEST_OBSERVED_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_STATUS_FIELD_NUMBER: _ClassVar[int]
    FINAL_OBJECTIVE_VALUE_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    training_job_number: int
    training_job_name: str
    definition_name: str
    tuned_hyperparameters: _containers.MessageMap[str, _parameters_pb2.HyperparameterValue]
    strategy: str
    origin: ProposalOrigin
    intent: ProposalIntent
    explanation: str
    acquisition_value: float
    predicted_mean: float
    predicted_standard_deviation: float
    best_observed: float
    figures: _containers.ScalarMap[str, float]
    state: _training_job_pb2.TrainingJobState
    objective_status: _training_job_pb2.ObjectiveStatus
    final_objective_value: float
    decisions: _containers.RepeatedCompositeFieldContainer[ExplainedDecision]
    def __init__(self, training_job_number: _Optional[int] = ..., training_job_name: _Optional[str] = ..., definition_name: _Optional[str] = ..., tuned_hyperparameters: _Optional[_Mapping[str, _parameters_pb2.HyperparameterValue]] = ..., strategy: _Optional[str] = ..., origin: _Optional[_Union[ProposalOrigin, str]] = ..., intent: _Optional[_Union[ProposalIntent, str]] = ..., explanation: _Optional[str] = ..., acquisition_value: _Optional[float] = ..., predicted_mean: _Optional[float] = ..., predicted_standard_deviation: _Optional[float] = ..., best_observed: _Optional[float] = ..., figures: _Optional[_Mapping[str, float]] = ..., state: _Optional[_Union[_training_job_pb2.TrainingJobState, str]] = ..., objective_status: _Optional[_Union[_training_job_pb2.ObjectiveStatus, str]] = ..., final_objective_value: _Optional[float] = ..., decisions: _Optional[_Iterable[_Union[ExplainedDecision, _Mapping]]] = ...) -> None: ...
