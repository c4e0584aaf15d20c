from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from api_service.access.rate_limit import RateLimiter
from hrnn_tuner.domain.errors import TooFast

PER_S = 4.0
BURST = 5


@given(st.lists(st.tuples(st.floats(0, 2), st.sampled_from("ab")), max_size=60))
def test_no_caller_gets_more_than_its_burst_and_its_rate_and_none_is_refused_for_longer_than_it_is_told(
    calls: list[tuple[float, str]],
) -> None:
    now = 0.0
    limiter = RateLimiter(PER_S, BURST, lambda: now)
    served = {"a": 0, "b": 0}
    for pause, caller in calls:
        now += pause
        try:
            limiter.take(caller)
        except TooFast as error:
            refused_at, now = now, now + error.retry_after_s + 1e-6
            limiter.take(caller)
            assert now > refused_at
        served[caller] += 1
    assert all(count <= BURST + PER_S * now + 1e-6 for count in served.values())


def test_a_caller_that_goes_on_against_refusals_is_still_served_at_its_rate() -> None:
    now = 0.0
    limiter = RateLimiter(PER_S, BURST, lambda: now)
    served = 0
    for _ in range(1000):
        now += 0.01
        with contextlib.suppress(TooFast):
            limiter.take("eager")
            served += 1
    assert served in range(int(PER_S * 10) + BURST - 1, int(PER_S * 10) + BURST + 1)
