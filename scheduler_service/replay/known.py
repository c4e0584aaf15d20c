"""What a tuning job knew at each revision of its event log."""

from __future__ import annotations

from bisect import bisect_right

from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.trial import Trial


class Known:
    """The training jobs as the event log told of them, now and at earlier revisions."""

    def __init__(self) -> None:
        """Starts with none."""
        self._states: dict[int, list[tuple[int, TrainingJob]]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._states

    def add(self, revision: int, job: TrainingJob) -> None:
        """Takes note of how a training job was from a revision on."""
        self._states.setdefault(job.number, []).append((revision, job))

    def latest(self, number: int) -> TrainingJob:
        """A training job as it was told of last."""
        return self._states[number][-1][1]

    def all(self) -> list[TrainingJob]:
        """All of them by number, as they were told of last."""
        return [self.latest(number) for number in sorted(self._states)]

    def trials(self, revision: int | None = None) -> list[tuple[str, Trial]]:
        """What strategies read, by number, each with its definition's name; as of a revision, or of now."""
        found = []
        for number in sorted(self._states):
            states = self._states[number]
            end = len(states) if revision is None else bisect_right(states, revision, key=lambda state: state[0])
            if end:
                job = states[end - 1][1]
                trial = Trial.of(number, job.proposal, job.secondary, job.final_objective)
                found.append((job.definition_name, trial))
        return found
