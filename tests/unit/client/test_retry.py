from __future__ import annotations

import random

import grpc
import pytest

from hrnn_tuner.client.errors import DeadlineExceededError, NotFoundError, ResourceExhaustedError, UnavailableError
from hrnn_tuner.client.retry import Attempts, Backoff, RetryPolicy
from hrnn_tuner.client.watching import WatchCursor
from hrnn_tuner.v1.tuning_service_pb2 import WatchHeartbeat, WatchTuningJobResponse
from tests.unit.client.canned import event, tuning_job


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def unavailable(retry_after_s: float | None = None) -> UnavailableError:
    return UnavailableError("away", code=grpc.StatusCode.UNAVAILABLE, retry_after_s=retry_after_s)


def cursor(clock: Clock, *, max_unavailable_s: float | None = 60.0, timeout_s: float | None = None) -> WatchCursor:
    return WatchCursor(
        "demo",
        "t0",
        policy=RetryPolicy(),
        max_unavailable_s=max_unavailable_s,
        timeout_s=timeout_s,
        clock=clock,
    )


def test_pauses_double_up_to_the_longest_and_are_jittered() -> None:
    backoff = Backoff(RetryPolicy(initial_backoff_s=1.0, max_backoff_s=4.0), rng=random.Random(0))
    pauses = [backoff.next_delay_s(unavailable()) for _ in range(5)]
    assert all(ceiling / 2 <= pause <= ceiling for pause, ceiling in zip(pauses, [1, 2, 4, 4, 4], strict=True))
    assert pauses[3] != pauses[4]


def test_a_pause_is_never_shorter_than_the_server_asks() -> None:
    assert Backoff(RetryPolicy()).next_delay_s(unavailable(retry_after_s=7.0)) == 7.0


def test_a_unary_call_gives_up_after_the_last_attempt() -> None:
    attempts = Attempts(RetryPolicy(max_attempts=3), 30.0, clock=Clock())
    attempts.delay_after(unavailable())
    attempts.delay_after(unavailable())
    with pytest.raises(UnavailableError) as caught:
        attempts.delay_after(unavailable())
    assert caught.value.attempts == 3


def test_a_unary_call_does_not_pause_beyond_its_deadline() -> None:
    attempts = Attempts(RetryPolicy(), 5.0, clock=Clock())
    with pytest.raises(UnavailableError):
        attempts.delay_after(unavailable(retry_after_s=6.0))


def test_each_attempt_gets_what_is_left_of_the_deadline() -> None:
    clock = Clock()
    attempts = Attempts(RetryPolicy(), 30.0, clock=clock)
    clock.now += 12
    assert attempts.remaining_s() == 18.0


def test_an_answer_that_would_be_the_same_again_is_not_retried() -> None:
    with pytest.raises(NotFoundError):
        Attempts(RetryPolicy(), 30.0).delay_after(NotFoundError("gone", code=grpc.StatusCode.NOT_FOUND))


def test_an_exhausted_quota_is_retried_only_when_the_server_says_when() -> None:
    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    assert Attempts(RetryPolicy(), 30.0).delay_after(ResourceExhaustedError("full", code=code, retry_after_s=1.0)) == 1
    with pytest.raises(ResourceExhaustedError):
        Attempts(RetryPolicy(), 30.0).delay_after(ResourceExhaustedError("full", code=code))


def test_a_watch_gives_up_when_the_server_stays_away_too_long() -> None:
    clock = Clock()
    watch = cursor(clock)
    watch.delay_after(unavailable())
    clock.now += 61
    with pytest.raises(UnavailableError):
        watch.delay_after(unavailable())


def test_any_event_ends_the_time_of_unavailability() -> None:
    clock = Clock()
    watch = cursor(clock)
    watch.delay_after(unavailable())
    clock.now += 59
    assert not watch.accept(event("t1", WatchHeartbeat()))
    clock.now += 59
    assert watch.delay_after(unavailable()) < 1.0


def test_a_watch_without_a_bound_never_gives_up() -> None:
    clock = Clock()
    watch = cursor(clock, max_unavailable_s=None)
    for _ in range(2000):  # also: the exponent stays finite
        clock.now += 3600
        assert watch.delay_after(unavailable()) <= RetryPolicy().max_backoff_s


def test_a_watch_resumes_behind_the_last_event_even_if_it_was_a_heartbeat() -> None:
    watch = cursor(Clock())
    assert watch.request().resume_token == "t0"
    assert watch.accept(event("t1", tuning_job()))
    watch.accept(event("t2", WatchHeartbeat()))
    watch.accept(WatchTuningJobResponse())
    assert watch.request().resume_token == "t2"


def test_a_watch_that_takes_too_long_is_overdue() -> None:
    clock = Clock()
    watch = cursor(clock, timeout_s=10.0)
    clock.now += 10
    assert watch.remaining_s() == 0.0
    with pytest.raises(DeadlineExceededError, match="within 10 seconds"):
        watch.delay_after(unavailable())
