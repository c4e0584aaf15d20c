"""Rules that end training jobs early."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class StoppingRule(ABC):
    """Decides after every epoch of a training job whether it goes on."""

    @abstractmethod
    def goes_on(self, number: int, curves: Mapping[int, Sequence[float]]) -> bool:
        """Whether a training job goes on.

        Args:
            number: Of the training job.
            curves: The objective after every epoch so far of every training job so far, higher is better.
        """


class NeverStops(StoppingRule):
    """Every training job has all its epochs."""

    def goes_on(self, number: int, curves: Mapping[int, Sequence[float]]) -> bool:
        """See `StoppingRule.goes_on`."""
        return True


@dataclass(frozen=True)
class AsynchronousHalving(StoppingRule):
    """Successive halving without waiting (Li et al. 2020, ASHA), in the form that stops and never resumes.

    Attributes:
        first_rung: The epoch of the first decision.
        reduction: At each rung, one in so many goes on; the next rung is so many times as far.
    """

    first_rung: int = 1
    reduction: int = 3

    def goes_on(self, number: int, curves: Mapping[int, Sequence[float]]) -> bool:
        """See `StoppingRule.goes_on`."""
        epoch = len(curves[number])
        if not self._is_rung(epoch):
            return True
        reached = sorted((max(curve[:epoch]) for curve in curves.values() if len(curve) >= epoch), reverse=True)
        # The first at a rung have nobody to be compared with.
        going_on = max(1, len(reached) // self.reduction)
        return max(curves[number]) >= reached[going_on - 1]

    def _is_rung(self, epoch: int) -> bool:
        """Whether it is decided at this epoch."""
        rung = self.first_rung
        while rung < epoch:
            rung *= self.reduction
        return rung == epoch
