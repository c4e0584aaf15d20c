"""Proposals that were made ahead, and whether they may still be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import TrialStatus
from hrnn_tuner.domain.tuning_job import TuningJob
from scheduler_service.strategies import History

#: A fresh proposal is waited for when that takes less than this share of a training job; otherwise the slot gets one
#: that does not know the latest results.
WAIT_SHARE = 0.05


class Progress(NamedTuple):
    """What proposals depend on: how many training jobs were launched, and how many of them have ended."""

    launched: int
    ended: int

    @classmethod
    def of(cls, job: TuningJob) -> Progress:
        """Of the only definition of a tuning job, as it is now."""
        counters = job.counters
        return cls(counters.launched, counters.objective_succeeded + counters.objective_failed)

    @classmethod
    def of_history(cls, history: History) -> Progress:
        """Of one definition, by its trials."""
        return cls(history.launched, sum(trial.status is not TrialStatus.PENDING for trial in history.trials))


class Ready(NamedTuple):
    """Proposals for the next training jobs; ``exhausted`` when there can be no more of them."""

    proposals: tuple[Proposal, ...]
    exhausted: bool = False


@dataclass(frozen=True)
class Prepared:
    """Proposals for the training jobs that follow a state of a tuning job.

    Attributes:
        progress: That state.
        proposals: For the numbers behind ``progress.launched``.
        exhausted: Whether no other proposals follow them.
        seconds: How long they took, from when they were asked for.
        training_s: How long a training job takes; None when none has ended.
        alone: Whether training jobs run one at a time: the next one then knows all results, however long it takes to
            propose it, so that the same seed and results give the same sequence on any machine.
        taken: How many of the proposals were handed out.
    """

    progress: Progress
    proposals: tuple[Proposal, ...]
    exhausted: bool
    seconds: float
    training_s: float | None
    alone: bool = False
    taken: int = 0

    @property
    def worth_waiting(self) -> bool:
        """Whether a slot should rather wait for a fresh proposal than get one that misses results."""
        return self.alone or self.training_s is None or self.seconds <= WAIT_SHARE * self.training_s

    def take(self, progress: Progress, count: int) -> tuple[Prepared, Ready | None]:
        """Hands out proposals for a tuning job that has come to ``progress``.

        Returns:
            What is left to be handed out, and up to ``count`` proposals; None when new ones must be made: these are
            used up, or miss results that are worth waiting for, or another scheduler launched something else.
        """
        if not self.proposals and not self.exhausted and progress == self.progress:
            return self, Ready(())  # nothing to launch until something ends
        place = progress.launched - self.progress.launched
        if not 0 <= place <= self.taken:  # fewer than were taken: the transaction that took them was rolled back
            return self, None
        if progress.ended > self.progress.ended and self.worth_waiting and not self.exhausted:
            return self, None
        found = self.proposals[place : place + count]
        exhausted = self.exhausted and place + len(found) == len(self.proposals)
        if not found and not exhausted:
            return self, None
        return replace(self, taken=place + len(found)), Ready(found, exhausted)
