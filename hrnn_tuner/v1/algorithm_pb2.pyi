from hrnn_tuner.v1 import parameters_pb2 as _parameters_pb2
from hrnn_tuner.v1 import tuning_job_pb2 as _tuning_job_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HyperparameterType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HYPERPARAMETER_TYPE_UNSPECIFIED: _ClassVar[HyperparameterType]
    HYPERPARAMETER_TYPE_INTEGER: _ClassVar[HyperparameterType]
    HYPERPARAMETER_TYPE_CONTINUOUS: _ClassVar[HyperparameterType]
    HYPERPARAMETER_TYPE_CATEGORICAL: _ClassVar[HyperparameterType]
    HYPERPARAMETER_TYPE_BOOLEAN: _ClassVar[HyperparameterType]
HYPERPARAMETER_TYPE_UNSPECIFIED: HyperparameterType
HYPERPARAMETER_TYPE_INTEGER: HyperparameterType
HYPERPARAMETER_TYPE_CONTINUOUS: HyperparameterType
HYPERPARAMETER_TYPE_CATEGORICAL: HyperparameterType
HYPERPARAMETER_TYPE_BOOLEAN: HyperparameterType

class HyperparameterSpec(_message.Message):
    __slots__ = ("name", "type", "description", "default_value", "min_value", "max_value", "choices", "tunable", "recommended_min_value", "recommended_max_value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    TUNABLE_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDED_MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDED_MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: HyperparameterType
    description: str
    default_value: _parameters_pb2.HyperparameterValue
    min_value: float
    max_value: float
    choices: _containers.RepeatedCompositeFieldContainer[_parameters_pb2.HyperparameterValue]
    tunable: bool
    recommended_min_value: float
    recommended_max_value: float
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[HyperparameterType, str]] = ..., description: _Optional[str] = ..., default_value: _Optional[_Union[_parameters_pb2.HyperparameterValue, _Mapping]] = ..., min_value: _Optional[float] = ..., max_value: _Optional[float] = ..., choices: _Optional[_Iterable[_Union[_parameters_pb2.HyperparameterValue, _Mapping]]] = ..., tunable: bool = ..., recommended_min_value: _Optional[float] = ..., recommended_max_value: _Optional[float] = ...) -> None: ...

class MetricSpec(_message.Message):
    __slots__ = ("name", "objective_type", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_TYPE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    objective_type: _tuning_job_pb2.ObjectiveType
    description: str
    def __init__(self, name: _Optional[str] = ..., objective_type: _Optional[_Union[_tuning_job_pb2.ObjectiveType, str]] = ..., description: _Optional[str] = ...) -> None: ...

class ChannelSpec(_message.Message):
    __slots__ = ("name", "required", "required_columns", "description", "optional_columns", "options", "min_metadata_columns", "max_metadata_columns", "reserved_columns")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONAL_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    MIN_METADATA_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    MAX_METADATA_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    RESERVED_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    name: str
    required: bool
    required_columns: _containers.RepeatedScalarFieldContainer[str]
    description: str
    optional_columns: _containers.RepeatedScalarFieldContainer[str]
    options: _containers.RepeatedScalarFieldContainer[str]
    min_metadata_columns: int
    max_metadata_columns: int
    reserved_columns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., required: bool = ..., required_columns: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., optional_columns: _Optional[_Iterable[str]] = ..., options: _Optional[_Iterable[str]] = ..., min_metadata_columns: _Optional[int] = ..., max_metadata_columns: _Optional[int] = ..., reserved_columns: _Optional[_Iterable[str]] = ...) -> None: ...

class Algorithm(_message.Message):
    __slots__ = ("name", "description", "hyperparameters", "metrics", "channels", "recommends", "aliases", "needs_metadata", "default_parameter_ranges")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    NEEDS_METADATA_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_PARAMETER_RANGES_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    hyperparameters: _containers.RepeatedCompositeFieldContainer[HyperparameterSpec]
    metrics: _containers.RepeatedCompositeFieldContainer[MetricSpec]
    channels: _containers.RepeatedCompositeFieldContainer[ChannelSpec]
    recommends: bool
    aliases: _containers.RepeatedScalarFieldContainer[str]
    needs_metadata: bool
    default_parameter_ranges: _parameters_pb2.ParameterRanges
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., hyperparameters: _Optional[_Iterable[_Union[HyperparameterSpec, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[MetricSpec, _Mapping]]] = ..., channels: _Optional[_Iterable[_Union[ChannelSpec, _Mapping]]] = ..., recommends: bool = ..., aliases: _Optional[_Iterable[str]] = ..., needs_metadata: bool = ..., default_parameter_ranges: _Optional[_Union[_parameters_pb2.ParameterRanges, _Mapping]] = ...) -> None: ...
