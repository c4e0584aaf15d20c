"""When a failed call is sent again, and after how long: the rules, without any I/O."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from hrnn_tuner.client.errors import TuningError

Clock = Callable[[], float]


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds of retries.

    Every method of the service may be repeated: Create carries a request id, the rest is a read or changes nothing
    the second time.

    Attributes:
        max_attempts: How often a unary call is sent in all; its deadline ends it earlier.
        initial_backoff_s: The first pause; each further one is twice as long.
        max_backoff_s: The longest pause.
    """

    max_attempts: int = 5
    initial_backoff_s: float = 0.2
    max_backoff_s: float = 5.0


@dataclass
class Backoff:
    """The pauses of one series of failures: exponential, and jittered so that many clients do not return at once."""

    policy: RetryPolicy
    failures: int = 0
    rng: random.Random = field(default_factory=random.Random)

    def next_delay_s(self, error: TuningError) -> float:
        """Seconds to pause after one more failure; never less than the server asked for."""
        exponent = min(self.failures, 60)  # a float overflows at 1024
        ceiling = min(self.policy.initial_backoff_s * 2.0**exponent, self.policy.max_backoff_s)
        self.failures += 1
        return max(ceiling * self.rng.uniform(0.5, 1.0), error.retry_after_s or 0.0)

    def reset(self) -> None:
        """Begins anew after a success."""
        self.failures = 0


def is_retryable(error: TuningError) -> bool:
    """Whether trying again may help: the server is away, or says itself when to come back."""
    return error.code is grpc.StatusCode.UNAVAILABLE or error.retry_after_s is not None


class Attempts:
    """The attempts at one unary call: a bounded number within one deadline."""

    def __init__(self, policy: RetryPolicy, timeout_s: float, *, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._deadline = clock() + timeout_s
        self._backoff = Backoff(policy)

    def remaining_s(self) -> float:
        """Seconds that the next attempt may take."""
        return max(self._deadline - self._clock(), 0.0)

    def delay_after(self, error: TuningError) -> float:
        """Seconds to pause before the call is sent again.

        Raises:
            TuningError: ``error`` itself, when the call is not to be sent again.
        """
        delay_s = self._backoff.next_delay_s(error)
        error.attempts = self._backoff.failures
        exhausted = self._backoff.failures >= self._backoff.policy.max_attempts or delay_s >= self.remaining_s()
        if exhausted or not is_retryable(error):
            raise error
        return delay_s
