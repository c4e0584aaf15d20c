"""What makes one training job better than another."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass


class ObjectiveType(enum.Enum):
    """Direction of the objective metric."""

    MAXIMIZE = "MAXIMIZE"
    MINIMIZE = "MINIMIZE"


@dataclass(frozen=True)
class Objective:
    """The metric by which training jobs are compared, and the direction."""

    type: ObjectiveType
    metric_name: str

    @property
    def sign(self) -> float:
        """What a value is multiplied with so that larger is better."""
        return 1.0 if self.type is ObjectiveType.MAXIMIZE else -1.0

    def is_better(self, value: float, than: float) -> bool:
        """Whether ``value`` is strictly better than ``than``; NaN and infinities are better than nothing."""
        if not math.isfinite(value):
            return False
        return value > than if self.type is ObjectiveType.MAXIMIZE else value < than


def best_number(objective: Objective, finals: Iterable[tuple[int, float | None]]) -> int | None:
    """Selects the best training job.

    Args:
        objective: The direction.
        finals: (number, final objective value) of each training job that counts; None for no value.

    Returns:
        The number of the best; ties go to the lower number; None when no value is finite. The order of ``finals``
        does not matter.
    """
    best: tuple[int, float] | None = None
    for number, value in sorted(finals):
        if value is None or not math.isfinite(value):
            continue
        if best is None or objective.is_better(value, best[1]):
            best = (number, value)
    return None if best is None else best[0]
