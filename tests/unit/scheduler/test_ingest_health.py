"""What a scheduler knows about how far it has heard its workers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scheduler_service.ingest_health import MAX_LAG, MAX_SILENCE, Heard, IngestHealth
from tests.support.tuning import START

SECOND = timedelta(seconds=1)


@pytest.fixture
def health() -> IngestHealth:
    return IngestHealth()


def probe(health: IngestHealth, sent: timedelta, returned: timedelta) -> None:
    health.probe_returned(health.next_probe(START + sent), START + returned)


def test_nothing_is_known_before_a_probe_has_come_back(health: IngestHealth) -> None:
    health.next_probe(START)
    assert health.heard(START) is None


def test_reports_are_heard_from_the_first_probe_to_the_sending_of_the_last(health: IngestHealth) -> None:
    probe(health, 0 * SECOND, 1 * SECOND)
    probe(health, 2 * SECOND, 3 * SECOND)
    assert health.heard(START + 4 * SECOND) == Heard(START + SECOND, START + 2 * SECOND)


def test_time_that_passes_without_a_probe_adds_nothing_to_what_was_heard(health: IngestHealth) -> None:
    probe(health, 0 * SECOND, 1 * SECOND)
    known = health.heard(START + SECOND)
    assert health.heard(START + SECOND + MAX_SILENCE) == known  # e.g. this process was frozen in between


def test_a_probe_that_took_long_says_that_reports_were_waiting(health: IngestHealth) -> None:
    probe(health, 0 * SECOND, 1 * SECOND)
    probe(health, 2 * SECOND, 2 * SECOND + MAX_LAG + SECOND)
    assert health.heard(START + 6 * SECOND) is None


def test_after_a_silence_the_time_begins_anew(health: IngestHealth) -> None:
    probe(health, 0 * SECOND, 1 * SECOND)
    assert health.heard(START + 2 * SECOND + MAX_SILENCE) is None
    probe(health, 20 * SECOND, 21 * SECOND)
    assert health.heard(START + 21 * SECOND) == Heard(START + 21 * SECOND, START + 20 * SECOND)


def test_a_probe_of_another_scheduler_or_an_old_one_says_nothing(health: IngestHealth) -> None:
    health.probe_returned(7, START)
    assert health.heard(START) is None
