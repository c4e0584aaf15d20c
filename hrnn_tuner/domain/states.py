"""States of tuning jobs and training jobs, and the one table of allowed transitions."""

from __future__ import annotations

import enum


class TuningJobState(enum.Enum):
    """State of a tuning job."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    DELETING = "DELETING"

    @property
    def terminal(self) -> bool:
        """Whether nothing but a deletion can follow."""
        return self in {TuningJobState.COMPLETED, TuningJobState.FAILED, TuningJobState.STOPPED}


class CompletionReason(enum.Enum):
    """Why a tuning job ends; set when it is decided, the state follows when the last training job has ended.

    With TARGET_REACHED and MAX_RUNTIME running training jobs are stopped; with the others they run to their end.
    """

    MAX_JOBS = "MAX_JOBS"
    TARGET_REACHED = "TARGET_REACHED"
    NO_IMPROVEMENT = "NO_IMPROVEMENT"
    CONVERGED = "CONVERGED"
    MAX_RUNTIME = "MAX_RUNTIME"
    SPACE_EXHAUSTED = "SPACE_EXHAUSTED"


class TrainingJobState(enum.Enum):
    """State of a training job."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"

    @property
    def terminal(self) -> bool:
        """Whether it holds no slot any more."""
        return self not in {TrainingJobState.IN_PROGRESS, TrainingJobState.STOPPING}


class SecondaryState(enum.Enum):
    """What a training job is doing, or how it ended."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    STARTING = "STARTING"
    DOWNLOADING = "DOWNLOADING"
    TRAINING = "TRAINING"
    UPLOADING = "UPLOADING"
    RESTARTING = "RESTARTING"
    STOPPING = "STOPPING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"
    EARLY_STOPPED = "EARLY_STOPPED"
    MAX_RUNTIME_EXCEEDED = "MAX_RUNTIME_EXCEEDED"


class ObjectiveStatus(enum.Enum):
    """Whether a training job has an objective value."""

    SUCCEEDED = "SUCCEEDED"
    PENDING = "PENDING"
    FAILED = "FAILED"


class FailureCause(enum.Enum):
    """Why a training job, or one attempt at it, failed."""

    ALGORITHM_ERROR = "ALGORITHM_ERROR"
    WORKER_LOST = "WORKER_LOST"
    DISPATCH_LIMIT = "DISPATCH_LIMIT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    INVALID_OBJECTIVE = "INVALID_OBJECTIVE"

    @property
    def max_retries(self) -> int | None:
        """How many more attempts may follow failures of this cause; None when only the retry strategy limits them.

        The algorithm would fail in the same way again. A shortage of memory may be due to a neighbour, once.
        """
        if self in {FailureCause.WORKER_LOST, FailureCause.DISPATCH_LIMIT}:
            return None
        return 1 if self is FailureCause.OUT_OF_MEMORY else 0


_T = TuningJobState
#: From each state, the states that may follow.
TUNING_JOB_TRANSITIONS: dict[TuningJobState, frozenset[TuningJobState]] = {
    _T.IN_PROGRESS: frozenset({_T.COMPLETED, _T.FAILED, _T.STOPPING}),
    _T.STOPPING: frozenset({_T.STOPPED}),
    _T.COMPLETED: frozenset({_T.DELETING}),
    _T.FAILED: frozenset({_T.DELETING}),
    _T.STOPPED: frozenset({_T.DELETING}),
    _T.DELETING: frozenset(),
}

_S = SecondaryState
_ENDS = frozenset({_S.COMPLETED, _S.FAILED, _S.STOPPED, _S.EARLY_STOPPED, _S.MAX_RUNTIME_EXCEEDED})
#: Reports can overtake the broker's confirmation and can be lost with a worker: a later phase may follow any earlier.
SECONDARY_TRANSITIONS: dict[SecondaryState, frozenset[SecondaryState]] = {
    _S.PENDING: frozenset({_S.QUEUED, _S.STARTING, _S.RESTARTING, _S.STOPPING}) | _ENDS,
    _S.QUEUED: frozenset({_S.STARTING, _S.RESTARTING, _S.STOPPING}) | _ENDS,
    _S.STARTING: frozenset({_S.DOWNLOADING, _S.TRAINING, _S.UPLOADING, _S.RESTARTING, _S.STOPPING}) | _ENDS,
    _S.DOWNLOADING: frozenset({_S.TRAINING, _S.UPLOADING, _S.RESTARTING, _S.STOPPING}) | _ENDS,
    _S.TRAINING: frozenset({_S.UPLOADING, _S.RESTARTING, _S.STOPPING}) | _ENDS,
    _S.UPLOADING: frozenset({_S.RESTARTING, _S.STOPPING}) | _ENDS,
    _S.RESTARTING: frozenset({_S.QUEUED, _S.STARTING, _S.RESTARTING, _S.STOPPING}) | _ENDS,
    _S.STOPPING: frozenset({_S.RESTARTING}) | _ENDS,  # its worker was lost while it kept the model
    **{end: frozenset() for end in _ENDS},
}

_STATE_OF: dict[SecondaryState, TrainingJobState] = {
    _S.STOPPING: TrainingJobState.STOPPING,
    _S.COMPLETED: TrainingJobState.COMPLETED,
    _S.FAILED: TrainingJobState.FAILED,
    _S.STOPPED: TrainingJobState.STOPPED,
    _S.EARLY_STOPPED: TrainingJobState.STOPPED,
    _S.MAX_RUNTIME_EXCEEDED: TrainingJobState.STOPPED,
}


def state_of(secondary: SecondaryState) -> TrainingJobState:
    """The state that a secondary state belongs to."""
    return _STATE_OF.get(secondary, TrainingJobState.IN_PROGRESS)


class IllegalTransition(Exception):
    """A transition that the table does not allow: a programming error, never a user's."""
