"""What a strategy is.

A strategy is pure: the same space, history, numbers and seed give the same proposals, in whatever order results
arrived and whether or not the scheduler was restarted in between. It keeps nothing between calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hrnn_tuner.domain.objective import Objective
from hrnn_tuner.domain.search_space import SearchSpace, Value
from hrnn_tuner.domain.training_job import Proposal


@dataclass(frozen=True)
class History:
    """What a strategy may look at.

    Attributes:
        space: The search space.
        objective: Metric and direction.
        configurations: Tuned hyperparameters of all training jobs so far, by number; empty for a strategy that does
            not read them.
    """

    space: SearchSpace
    objective: Objective
    configurations: tuple[Mapping[str, Value], ...] = ()


class Strategy(ABC):
    """Proposes hyperparameter sets."""

    @abstractmethod
    def reads_configurations(self, space: SearchSpace) -> bool:
        """Whether `propose` looks at the earlier configurations in this space."""

    @abstractmethod
    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """Proposes one hyperparameter set for each training job number.

        Args:
            history: Space and results so far.
            numbers: Consecutive numbers of the training jobs to propose for, the first being the number of
                configurations so far plus one.
            seed: Seed of the tuning job.

        Returns:
            One proposal per number, or fewer when the space is exhausted.
        """
