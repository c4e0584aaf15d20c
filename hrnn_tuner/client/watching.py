"""The reader's side of WatchTuningJob: where to go on after a broken stream, and when to give up. No I/O."""

from __future__ import annotations

import time

import grpc

from hrnn_tuner.client.errors import DeadlineExceededError, NotFoundError, TuningError
from hrnn_tuner.client.retry import Backoff, Clock, RetryPolicy, is_retryable
from hrnn_tuner.v1.tuning_job_pb2 import (
    TUNING_JOB_STATE_COMPLETED,
    TUNING_JOB_STATE_FAILED,
    TUNING_JOB_STATE_STOPPED,
    TuningJob,
)
from hrnn_tuner.v1.tuning_service_pb2 import WatchTuningJobRequest, WatchTuningJobResponse

_TERMINAL = frozenset({TUNING_JOB_STATE_COMPLETED, TUNING_JOB_STATE_FAILED, TUNING_JOB_STATE_STOPPED})


def is_terminal(job: TuningJob) -> bool:
    """Whether a tuning job has ended."""
    return job.state in _TERMINAL


def require_same(job: TuningJob, earlier: TuningJob) -> TuningJob:
    """Returns ``job``, unless its name was given to another job meanwhile.

    Raises:
        NotFoundError: When the job that was waited for is gone.
    """
    if job.id != earlier.id:
        raise NotFoundError(f"tuning job {earlier.name!r} was deleted", code=grpc.StatusCode.NOT_FOUND)
    return job


class WatchCursor:
    """Position of one watch over all its streams.

    Args:
        name: Name of the tuning job.
        resume_token: Where to begin; empty for the creation.
        policy: Pauses between two streams.
        max_unavailable_s: Longest time without any answer before it gives up; None for never.
        timeout_s: Seconds after which the whole watch ends; None for never.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        resume_token: str,
        *,
        policy: RetryPolicy,
        max_unavailable_s: float | None,
        timeout_s: float | None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._name = name
        self._token = resume_token
        self._backoff = Backoff(policy)
        self._max_unavailable_s = max_unavailable_s
        self._clock = clock
        self._timeout_s = timeout_s
        self._deadline = None if timeout_s is None else clock() + timeout_s
        self._away_since: float | None = None

    def request(self) -> WatchTuningJobRequest:
        """The request that goes on behind the last event."""
        return WatchTuningJobRequest(name=self._name, resume_token=self._token)

    def remaining_s(self) -> float | None:
        """Deadline of the next stream; None for none."""
        return None if self._deadline is None else max(self._deadline - self._clock(), 0.0)

    def accept(self, event: WatchTuningJobResponse) -> bool:
        """Notes an event; False for a heartbeat, which only says that the connection lives."""
        self._token = event.resume_token or self._token
        self._away_since = None
        self._backoff.reset()
        return event.WhichOneof("event") not in {None, "heartbeat"}

    def delay_after(self, error: TuningError) -> float:
        """Seconds to pause before the next stream.

        Raises:
            DeadlineExceededError: When the watch took longer than allowed.
            TuningError: ``error`` itself, when trying again does not help or the server was away for too long.
        """
        if error.code is grpc.StatusCode.DEADLINE_EXCEEDED and self._deadline is not None:
            raise self._overdue() from error
        # CANCELLED comes from a server that was stopped before its streams had drained; this side never cancels first.
        if not is_retryable(error) and error.code is not grpc.StatusCode.CANCELLED:
            raise error
        now = self._clock()
        self._away_since = now if self._away_since is None else self._away_since
        delay_s = self._backoff.next_delay_s(error)
        error.attempts = self._backoff.failures
        if self._max_unavailable_s is not None and now + delay_s - self._away_since > self._max_unavailable_s:
            raise error
        if self._deadline is not None and now + delay_s >= self._deadline:
            raise self._overdue() from error
        return delay_s

    def _overdue(self) -> DeadlineExceededError:
        """The error for a watch that took too long."""
        return DeadlineExceededError(
            f"tuning job {self._name!r} has not ended within {self._timeout_s:g} seconds",
            code=grpc.StatusCode.DEADLINE_EXCEEDED,
        )
