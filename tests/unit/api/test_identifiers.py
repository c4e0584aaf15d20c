"""Identifiers: version 7 UUIDs, sorted by the time at which they were made."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.identifiers import time_ordered_id

TIMES = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))


@given(now=TIMES, noise=st.integers(0, 2**74 - 1))
def test_an_id_is_a_uuid_of_version_7_with_its_time_and_its_noise(now: datetime, noise: int) -> None:
    made = uuid.UUID(time_ordered_id(now, lambda bits: noise & ((1 << bits) - 1)))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert abs((made.int >> 80) - now.timestamp() * 1000) <= 1
    assert (made.int >> 64 & 0xFFF) << 62 | made.int & ((1 << 62) - 1) == noise


@given(now=TIMES, later_ms=st.integers(2, 10**9))
def test_a_later_id_sorts_behind_an_earlier_one_whatever_the_noise(now: datetime, later_ms: int) -> None:
    first = time_ordered_id(now, lambda bits: (1 << bits) - 1)
    assert first < time_ordered_id(now + timedelta(milliseconds=later_ms), lambda bits: 0)


def test_ids_of_one_moment_differ() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert len({time_ordered_id(now) for _ in range(1000)}) == 1000
