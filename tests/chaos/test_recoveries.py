"""From when the time of a recovery counts."""

from __future__ import annotations

import pytest

from tests.chaos.findings import Findings
from tests.chaos.recoveries import Recoveries
from tests.chaos.schedule import APIS, SCHEDULERS, Fault


class _Timer:
    """Seconds that tests let pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class _Course:
    """Faults and recoveries at given times."""

    def __init__(self) -> None:
        self.timer = _Timer()
        self.findings = Findings()
        self.recoveries = Recoveries(self.findings, timer=self.timer)

    def begins(self, at: float, *targets: str) -> None:
        self.timer.now = at
        for target in targets:
            self.recoveries.begins(Fault(0.0, "kill", target))

    def ended(self, at: float, *targets: str) -> None:
        self.timer.now = at
        for target in targets:
            self.recoveries.ended(Fault(0.0, "kill", target))

    def hit(self, at: float, *targets: str) -> None:
        self.begins(at, *targets)
        self.ended(at, *targets)

    def seconds(self, at: float, target: str) -> float:
        """How long a recovery took whose progress is seen at a time."""
        self.timer.now = at
        self.recoveries.progressed(self.recoveries.waits()[target])
        return self.findings.recoveries[-1][0]


@pytest.fixture
def course() -> _Course:
    return _Course()


def test_a_recovery_lasts_from_the_end_of_the_fault_to_the_first_progress(course: _Course) -> None:
    course.begins(1.0, "api-0")
    course.ended(3.0, "api-0")
    assert course.seconds(5.0, "api-0") == pytest.approx(2.0)
    assert not course.recoveries.waits()


@pytest.mark.parametrize("target", ["api-0", "scheduler-0", "worker-0", "worker-2"])
@pytest.mark.parametrize("server", ["broker", "database"])
def test_nobody_recovers_without_broker_and_database_also_if_nobody_looked(
    course: _Course, target: str, server: str
) -> None:
    course.hit(0.0, target)
    course.begins(1.0, server)
    course.ended(10.0, server)
    assert course.seconds(12.0, target) == pytest.approx(2.0)


def test_a_target_that_is_hit_again_recovers_from_the_last_fault_only(course: _Course) -> None:
    course.hit(0.0, "worker-0")
    first = course.recoveries.waits()["worker-0"]
    course.hit(5.0, "worker-0")
    course.recoveries.progressed(first)  # what was seen belongs to the first
    assert not course.findings.recoveries
    assert course.findings.superseded == 1
    assert course.seconds(6.0, "worker-0") == pytest.approx(1.0)


def test_a_scheduler_shows_progress_only_while_an_api_creates_tuning_jobs(course: _Course) -> None:
    course.hit(0.0, "scheduler-0")
    course.begins(1.0, *APIS)
    course.ended(6.0, "api-0")
    assert course.seconds(7.0, "api-0") == pytest.approx(1.0)
    assert course.seconds(9.0, "scheduler-0") == pytest.approx(2.0)


def test_a_worker_needs_a_scheduler_and_no_api(course: _Course) -> None:
    course.hit(0.0, "worker-0", "worker-1")
    course.begins(1.0, *APIS)
    assert course.seconds(4.0, "worker-0") == pytest.approx(4.0)
    course.begins(5.0, *SCHEDULERS)
    course.ended(8.0, "scheduler-1")
    assert course.seconds(9.0, "worker-1") == pytest.approx(1.0)


def test_who_does_not_recover_is_told(course: _Course) -> None:
    course.hit(0.0, "api-0")
    course.timer.now = 99.0
    assert course.recoveries.overdue(100.0) is None
    course.timer.now = 101.0
    overdue = course.recoveries.overdue(100.0)
    assert overdue is not None
    assert overdue.fault.target == "api-0"
