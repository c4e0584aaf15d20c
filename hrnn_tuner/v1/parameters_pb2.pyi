from hrnn_tuner.v1.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScalingType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCALING_TYPE_UNSPECIFIED: _ClassVar[ScalingType]
    SCALING_TYPE_AUTO: _ClassVar[ScalingType]
    SCALING_TYPE_LINEAR: _ClassVar[ScalingType]
    SCALING_TYPE_LOGARITHMIC: _ClassVar[ScalingType]
    SCALING_TYPE_REVERSE_LOGARITHMIC: _ClassVar[ScalingType]
SCALING_TYPE_UNSPECIFIED: ScalingType
SCALING_TYPE_AUTO: ScalingType
SCALING_TYPE_LINEAR: ScalingType
SCALING_TYPE_LOGARITHMIC: ScalingType
SCALING_TYPE_REVERSE_LOGARITHMIC: ScalingType

class HyperparameterValue(_message.Message):
    __slots__ = ("integer_value", "double_value", "string_value", "bool_value")
    INTEGER_VALUE_FIELD_NUMBER: _ClassVar[int]
    DOUBLE_VALUE_FIELD_NUMBER: _ClassVar[int]
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    integer_value: int
    double_value: float
    string_value: str
    bool_value: bool
    def __init__(self, integer_value: _Optional[int] = ..., double_value: _Optional[float] = ..., string_value: _Optional[str] = ..., bool_value: bool = ...) -> None: ...

class ParameterCondition(_message.Message):
    __slots__ = ("name", "values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedCompositeFieldContainer[HyperparameterValue]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[_Union[HyperparameterValue, _Mapping]]] = ...) -> None: ...

class IntegerParameterRange(_message.Message):
    __slots__ = ("name", "min_value", "max_value", "scaling_type", "condition", "grid_points")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    SCALING_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    GRID_POINTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    min_value: int
    max_value: int
    scaling_type: ScalingType
    condition: ParameterCondition
    grid_points: int
    def __init__(self, name: _Optional[str] = ..., min_value: _Optional[int] = ..., max_value: _Optional[int] = ..., scaling_type: _Optional[_Union[ScalingType, str]] = ..., condition: _Optional[_Union[ParameterCondition, _Mapping]] = ..., grid_points: _Optional[int] = ...) -> None: ...

class ContinuousParameterRange(_message.Message):
    __slots__ = ("name", "min_value", "max_value", "scaling_type", "condition", "grid_points")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    SCALING_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    GRID_POINTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    min_value: float
    max_value: float
    scaling_type: ScalingType
    condition: ParameterCondition
    grid_points: int
    def __init__(self, name: _Optional[str] = ..., min_value: _Optional[float] = ..., max_value: _Optional[float] = ..., scaling_type: _Optional[_Union[ScalingType, str]] = ..., condition: _Optional[_Union[ParameterCondition, _Mapping]] = ..., grid_points: _Optional[int] = ...) -> None: ...

class CategoricalParameterRange(_message.Message):
    __slots__ = ("name", "values", "condition")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedCompositeFieldContainer[HyperparameterValue]
    condition: ParameterCondition
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[_Union[HyperparameterValue, _Mapping]]] = ..., condition: _Optional[_Union[ParameterCondition, _Mapping]] = ...) -> None: ...

class AutoParameter(_message.Message):
    __slots__ = ("name", "value_hint")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_HINT_FIELD_NUMBER: _ClassVar[int]
    name: str
    value_hint: HyperparameterValue
    def __init__(self, name: _Optional[str] = ..., value_hint: _Optional[_Union[HyperparameterValue, _Mapping]] = ...) -> None: ...

class ParameterRanges(_message.Message):
    __slots__ = ("integer_parameter_ranges", "continuous_parameter_ranges", "categorical_parameter_ranges", "auto_parameters")
    INTEGER_PARAMETER_RANGES_FIELD_NUMBER: _ClassVar[int]
    CONTINUOUS_PARAMETER_RANGES_FIELD_NUMBER: _ClassVar[int]
    CATEGORICAL_PARAMETER_RANGES_FIELD_NUMBER: _ClassVar[int]
    AUTO_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    integer_parameter_ranges: _containers.RepeatedCompositeFieldContainer[IntegerParameterRange]
    continuous_parameter_ranges: _containers.RepeatedCompositeFieldContainer[ContinuousParameterRange]
    categorical_parameter_ranges: _containers.RepeatedCompositeFieldContainer[CategoricalParameterRange]
    auto_parameters: _containers.RepeatedCompositeFieldContainer[AutoParameter]
    def __init__(self, integer_parameter_ranges: _Optional[_Iterable[_Union[IntegerParameterRange, _Mapping]]] = ..., continuous_parameter_ranges: _Optional[_Iterable[_Union[ContinuousParameterRange, _Mapping]]] = ..., categorical_parameter_ranges: _Optional[_Iterable[_Union[CategoricalParameterRange, _Mapping]]] = ..., auto_parameters: _Optional[_Iterable[_Union[AutoParameter, _Mapping]]] = ...) -> None: ...
