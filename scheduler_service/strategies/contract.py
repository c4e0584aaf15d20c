"""What a strategy is.

A strategy is pure: the same space, history, numbers and seed give the same proposals, in whatever order results
arrived and whether or not the scheduler was restarted in between. It keeps nothing between calls.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence, Set
from dataclasses import dataclass

from hrnn_tuner.domain.objective import Objective
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial
from scheduler_service.strategies.parents import ParentTrials


class Reads(enum.IntEnum):
    """What a strategy looks at in the trials before; each includes those above it."""

    NOTHING = 0
    CONFIGURATIONS = 1
    RESULTS = 2


@dataclass(frozen=True)
class History:
    """What a strategy may look at.

    Attributes:
        space: The search space.
        objective: Metric and direction.
        launched: How many training jobs were launched in this space so far.
        trials: All of them by number; empty for a strategy that does not read results, and may know `keys`.
        parents: What warm-start parents found out, in the order given; the same at every call.
        levels: The epochs at which trials pause, ascending; empty when each trains to its end.
        budget: How many training jobs may be launched in all, without the parents'; 0 where it does not matter.
        keys: Keys of the configurations of the trials, see `SearchSpace.key`, for a strategy that reads nothing else of
            them: they can be kept, however many they are. None where the trials are there.
    """

    space: SearchSpace
    objective: Objective
    launched: int = 0
    trials: tuple[Trial, ...] = ()
    parents: tuple[ParentTrials, ...] = ()
    levels: tuple[int, ...] = ()
    budget: int = 0
    keys: Set[Hashable] | None = None

    @property
    def tried(self) -> set[Hashable]:
        """The keys of all configurations that are known; a copy."""
        trials = () if self.keys is not None else self.trials
        inherited = (trial for parent in self.parents for trial in parent.like_own)
        own = {self.space.key(trial.configuration) for trial in (*inherited, *trials)}
        return own if self.keys is None else own | self.keys

    @property
    def known(self) -> tuple[Trial, ...]:
        """Own trials, and before them those of parents that say the same as own ones would; numbers may repeat."""
        return (*(trial for parent in self.parents for trial in parent.like_own), *self.trials)


class Strategy(ABC):
    """Proposes hyperparameter sets."""

    #: After how many launched training jobs a proposal takes so long that it is made outside of the transaction that
    #: launches it, in a process of its own; None for never.
    expensive_after: int | None = None

    @abstractmethod
    def reads(self, space: SearchSpace) -> Reads:
        """What `propose` looks at in this space."""

    def exhausted(self, history: History, wanted: int, found: int) -> bool:  # noqa: ARG002 - for other strategies
        """Whether nothing is left to be proposed, also not when more results are known.

        Args:
            history: What `propose` was asked with.
            wanted: How many proposals were asked for.
            found: How many there were.
        """
        return found < wanted

    @abstractmethod
    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """Proposes one hyperparameter set for each training job number.

        Args:
            history: Space and results so far.
            numbers: Ascending numbers of the training jobs to propose for, above those of all trials.
            seed: Seed of the tuning job.

        Returns:
            One proposal per number, or fewer when there are no more, see `exhausted`.
        """
