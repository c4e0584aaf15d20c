"""A training job as a search strategy sees it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hrnn_tuner.domain.search_space import Value
from hrnn_tuner.domain.states import SecondaryState, state_of
from hrnn_tuner.domain.training_job import Proposal


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
        continues: Number of the trial that it goes on from, with the same configuration; 0 for none.
        until_epoch: The epoch after which it pauses; None when it trains to its end.
        paused: Whether it paused there, see `may_go_on`.
        before: Values at the epochs where the trials that it continues had paused, ascending; only where it stands for
            all of them.
    """

    number: int
    configuration: Mapping[str, Value]
    status: TrialStatus = TrialStatus.PENDING
    value: float | None = None
    continues: int = 0
    until_epoch: int | None = None
    paused: bool = False
    before: tuple[tuple[int, float], ...] = ()

    def may_go_on(self, levels: Sequence[int]) -> bool:
        """Whether it paused below the highest of the epochs at which trials pause: there, none was to be longer."""
        return self.paused and bool(levels) and (self.until_epoch or 0) < levels[-1]

    @classmethod
    def of(cls, number: int, proposal: Proposal, secondary: SecondaryState, value: float | None) -> Trial:
        """The trial of a training job in this state, with its final objective value or none."""
        active = not state_of(secondary).terminal
        status = TrialStatus.PENDING if active else TrialStatus.FAILED if value is None else TrialStatus.OBSERVED
        return cls(
            number,
            proposal.hyperparameters,
            status,
            None if active else value,
            proposal.continues,
            proposal.until_epoch,
            paused=secondary is SecondaryState.EARLY_STOPPED and value is not None and proposal.until_epoch is not None,
        )
