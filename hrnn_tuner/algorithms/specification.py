"""The declared interface of an algorithm: hyperparameters, metrics and data channels, as frozen data."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from hrnn_tuner.domain.objective import ObjectiveType
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    Scaling,
    Value,
)


class HyperparameterType(enum.Enum):
    """The kind of value a hyperparameter takes."""

    INTEGER = "INTEGER"
    CONTINUOUS = "CONTINUOUS"
    CATEGORICAL = "CATEGORICAL"
    BOOLEAN = "BOOLEAN"


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter.

    Attributes:
        name: The name in requests.
        type: Kind of value.
        default: Used when a request neither fixes nor tunes it.
        description: One or two sentences for people.
        minimum: Inclusive lower limit (INTEGER, CONTINUOUS), None for no limit.
        maximum: Inclusive upper limit (INTEGER, CONTINUOUS), None for no limit.
        choices: Allowed values (CATEGORICAL).
        tunable: Whether it may be named in parameter ranges.
        recommended: The range that the published recipe tunes, as (minimum, maximum); a request that leaves it is
            answered with a warning.
        tuned: What is tuned when a request names no range: (minimum, maximum) of an INTEGER or CONTINUOUS one, the
            values of another; empty for one that is then not tuned.
        scaling: How its range is searched when a request does not say it.
    """

    name: str
    type: HyperparameterType
    default: Value
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Value, ...] = ()
    tunable: bool = True
    recommended: tuple[float, float] | None = None
    tuned: tuple[Value, ...] = ()
    scaling: Scaling = Scaling.AUTO

    @property
    def default_range(self) -> ParameterRange | None:
        """The range that is tuned when a request names none; None for a hyperparameter that is then not tuned."""
        if not self.tuned:
            return None
        if self.type in {HyperparameterType.CATEGORICAL, HyperparameterType.BOOLEAN}:
            return CategoricalRange(self.name, self.tuned)
        low, high = self.tuned
        if self.type is HyperparameterType.INTEGER:
            return IntegerRange(self.name, int(low), int(high), self.scaling)
        return ContinuousRange(self.name, float(low), float(high), self.scaling)

    def violation(self, value: Value) -> str | None:
        """Says what is wrong with a value, naming it and what is allowed; None when it is allowed."""
        allowed = self.allowed()
        if self.type is HyperparameterType.BOOLEAN:
            return None if isinstance(value, bool) else f"got {value!r}; {allowed}"
        if self.type is HyperparameterType.CATEGORICAL:
            return None if value in self.choices else f"got {value!r}; {allowed}"
        wanted = int if self.type is HyperparameterType.INTEGER else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted):
            return f"got {value!r}; {allowed}"
        too_low = self.minimum is not None and not value >= self.minimum  # `not >=` also catches NaN
        too_high = self.maximum is not None and not value <= self.maximum
        return f"got {value!r}; {allowed}" if too_low or too_high else None

    def allowed(self) -> str:
        """Describes the allowed values, for error messages."""
        if self.type is HyperparameterType.BOOLEAN:
            return "allowed: true or false"
        if self.type is HyperparameterType.CATEGORICAL:
            return "allowed: " + ", ".join(repr(choice) for choice in self.choices)
        kind = "an integer" if self.type is HyperparameterType.INTEGER else "a number"
        low = "-inf" if self.minimum is None else f"{self.minimum:g}"
        high = "inf" if self.maximum is None else f"{self.maximum:g}"
        return f"allowed: {kind} in [{low}, {high}]"


@dataclass(frozen=True)
class Metric:
    """A metric that an algorithm reports once per epoch, and the direction in which it is better."""

    name: str
    objective_type: ObjectiveType
    description: str


class ChannelOption(enum.Enum):
    """A field of a request's data channel beside its name and URI; the value is the field's name."""

    COLUMNS = "columns"
    EVENT_TYPE = "event_type"
    EVENT_VALUE_THRESHOLD = "event_value_threshold"


@dataclass(frozen=True)
class MetadataColumns:
    """The columns of a channel that are read as metadata: those that are neither the channel's own nor reserved.

    Attributes:
        minimum: Least number of them.
        maximum: Most of them.
        reserved: Columns with a meaning of their own that are not read.
    """

    minimum: int
    maximum: int
    reserved: tuple[str, ...] = ()


@dataclass(frozen=True)
class Channel:
    """A named input of an algorithm.

    Attributes:
        name: The channel's name in requests.
        required: Whether a request must give it.
        required_columns: Columns that the data must have, for a check before anything is trained.
        description: One or two sentences for people.
        optional_columns: Columns that are read where an option asks for them.
        options: The options that a request may set; one that sets another is refused.
        metadata: Which other columns are read as metadata; None for none.
    """

    name: str
    required: bool
    required_columns: tuple[str, ...]
    description: str
    optional_columns: tuple[str, ...] = ()
    options: tuple[ChannelOption, ...] = ()
    metadata: MetadataColumns | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that may be read, but for metadata."""
        return (*self.required_columns, *self.optional_columns)

    def metadata_among(self, found: Iterable[str]) -> tuple[str, ...]:
        """Those columns, by the algorithm's names, that are metadata, in the order of their names."""
        if self.metadata is None:
            return ()
        return tuple(sorted(set(found) - {*self.columns, *self.metadata.reserved}))


@dataclass(frozen=True)
class Algorithm:
    """An algorithm: its declaration, and where its code is.

    Attributes:
        name: The name in requests, e.g. ``hrnn``.
        description: One paragraph for people.
        hyperparameters: What can be set; names are unique.
        metrics: What is reported each epoch; names are unique.
        channels: The data it reads.
        trainer: ``module:Class`` of its `Trainer`, imported by workers only.
        recommender: ``module:Class`` of its `Recommender`, or None when its model recommends nothing.
        aliases: Other names that requests may use; answers never do.
        needs_metadata: Whether at least one of the channels that are all about metadata must be given, or another one
            must have columns of metadata.
    """

    name: str
    description: str
    hyperparameters: tuple[Hyperparameter, ...]
    metrics: tuple[Metric, ...]
    channels: tuple[Channel, ...]
    trainer: str
    recommender: str | None = None
    aliases: tuple[str, ...] = ()
    needs_metadata: bool = False

    def hyperparameter(self, name: str) -> Hyperparameter | None:
        """Finds a hyperparameter by name."""
        return next((item for item in self.hyperparameters if item.name == name), None)

    def metric(self, name: str) -> Metric | None:
        """Finds a metric by name."""
        return next((item for item in self.metrics if item.name == name), None)

    def channel(self, name: str) -> Channel | None:
        """Finds a channel by name."""
        return next((item for item in self.channels if item.name == name), None)

    def default_ranges(self) -> tuple[ParameterRange, ...]:
        """What is tuned when a request names no range."""
        return tuple(item.default_range for item in self.hyperparameters if item.default_range is not None)

    def defaults(self) -> dict[str, Value]:
        """Every hyperparameter with its default value."""
        return {item.name: item.default for item in self.hyperparameters}
