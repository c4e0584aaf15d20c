"""A training job as a search strategy sees it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from hrnn_tuner.domain.search_space import Value


class TrialStatus(enum.Enum):
    """What a strategy can learn from a training job."""

    PENDING = "PENDING"  #: in flight: it has no final value yet
    OBSERVED = "OBSERVED"  #: has a final objective value, also when it was stopped early
    FAILED = "FAILED"  #: ended without one


@dataclass(frozen=True)
class Trial:
    """One hyperparameter set and what became of it.

    Attributes:
        number: The training job's number.
        configuration: Its tuned hyperparameters; those that do not apply are absent.
        status: What can be learnt from it.
        value: Final value of the objective metric; None unless observed.
        curve: (epoch, value of the objective metric), by epoch; empty for a strategy that does not read curves.
    """

    number: int
    configuration: Mapping[str, Value]
    status: TrialStatus = TrialStatus.PENDING
    value: float | None = None
    curve: tuple[tuple[int, float], ...] = ()

    @classmethod
    def of(cls, number: int, configuration: Mapping[str, Value], active: bool, value: float | None) -> Trial:
        """The trial of a training job that is active or has ended with a value or none."""
        if active:
            return cls(number, configuration)
        return cls(number, configuration, TrialStatus.FAILED if value is None else TrialStatus.OBSERVED, value)
