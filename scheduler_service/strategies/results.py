"""What a model learns from: the trials of a history as columns, in an order that does not depend on their arrival."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.search_space import Value
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies.contract import History

Floats: TypeAlias = NDArray[np.float64]
Configuration: TypeAlias = Mapping[str, Value]

#: Values beyond it are cut to it: squares of larger ones are not finite.
_LARGEST = 1e100


@dataclass(frozen=True)
class Results:
    """Ended trials with a value for each, larger is better; and the configurations that are still in flight.

    Attributes:
        configurations: Those of ended trials, by number.
        values: Their objective values with the sign that makes larger better, shape (n,), all finite. A failed trial
            has the worst value observed: it says that its surroundings are bad, and does not stretch the scale.
        failed: Which of them failed, shape (n,).
        pending: Configurations without a result yet, by number.
        lengths: How long was trained for each value, shape (n,): 1 for a whole training, 0 for one epoch, and the
            logarithm of the epochs in between.
    """

    configurations: tuple[Configuration, ...]
    values: Floats
    failed: NDArray[np.bool_]
    pending: tuple[Configuration, ...]
    lengths: Floats

    @property
    def observed(self) -> Floats:
        """The values that were observed, larger is better."""
        return self.values[~self.failed]

    @classmethod
    def of(cls, history: History) -> Results:
        """Those of a history."""
        trials = in_order(history)
        sign = history.objective.sign
        pending = tuple(trial.configuration for trial in trials if trial.status is TrialStatus.PENDING)
        ended = [trial for trial in trials if trial.status is not TrialStatus.PENDING]
        found = [_finite_value(trial) for trial in ended]
        known = [sign * value for value in found if value is not None]
        worst = min(known, default=0.0)
        values = np.array([worst if value is None else sign * value for value in found], dtype=np.float64)
        failed = np.array([value is None for value in found], dtype=np.bool_)
        lengths = np.array([_length(trial, history.levels) for trial in ended], dtype=np.float64)
        return cls(tuple(trial.configuration for trial in ended), values, failed, pending, lengths)


def in_order(history: History) -> list[Trial]:
    """The trials of a history by number; those of the same number by configuration."""
    return sorted(history.known, key=lambda trial: (trial.number, repr(history.space.key(trial.configuration))))


def _length(trial: Trial, levels: Sequence[int]) -> float:
    """How long a trial was; one that ended by itself was whole."""
    if not trial.paused or trial.until_epoch is None or trial.until_epoch >= levels[-1]:
        return 1.0
    return math.log(trial.until_epoch) / math.log(levels[-1])


def _finite_value(trial: Trial) -> float | None:
    """The value of a trial that has a finite one."""
    value = trial.value if trial.status is TrialStatus.OBSERVED else None
    if value is None or not math.isfinite(value):
        return None
    return min(max(float(value), -_LARGEST), _LARGEST)
