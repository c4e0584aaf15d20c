"""The log lines of an attempt on their way to the scheduler."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.tuning import START
from worker_service.log_buffer import INTERVAL_S, MAX_PENDING_BYTES, Line, LogBuffer
from worker_service.log_lines import Source


class Rig:
    """A buffer with a clock that stands still, whose reports are confirmed by hand."""

    def __init__(self) -> None:
        self.time = 100.0
        self.wakes = 0
        self.reports: list[list[Line]] = []
        self.buffer = LogBuffer(self._report, wake=self._wake, clock=lambda: self.time, now=lambda: START)

    def _report(self, lines: Sequence[Line]) -> None:
        self.reports.append(list(lines))

    def _wake(self) -> None:
        self.wakes += 1

    def add(self, *texts: str) -> None:
        for text in texts:
            self.buffer.add(Source.STDOUT, text)

    def texts(self) -> list[list[str]]:
        return [[line.text for line in report] for report in self.reports]


def test_the_first_line_goes_at_once_and_those_after_it_together_a_second_later() -> None:
    rig = Rig()
    rig.add("one")
    rig.buffer.flush_if_due()
    rig.add("two", "three")
    rig.buffer.confirmed()
    rig.buffer.flush_if_due()
    assert rig.texts() == [["one"]]
    rig.time += INTERVAL_S
    rig.buffer.flush_if_due()
    assert rig.texts() == [["one"], ["two", "three"]]
    assert rig.buffer.deadline is None


def test_while_a_report_is_under_way_lines_wait_and_its_confirmation_wakes_the_sender() -> None:
    rig = Rig()
    rig.add("one")
    rig.buffer.flush_if_due()
    rig.time += 10 * INTERVAL_S
    rig.add("two")
    assert rig.buffer.deadline is None
    wakes = rig.wakes
    rig.buffer.confirmed()
    assert rig.wakes == wakes + 1
    rig.buffer.flush_if_due()
    assert rig.texts() == [["one"], ["two"]]


def test_a_flood_costs_bounded_memory_and_positions_say_what_was_dropped() -> None:
    rig = Rig()
    line = "x" * 999
    rig.add(*[line] * 1000)
    rig.buffer.flush()
    (report,) = rig.reports
    assert sum(item.size for item in report) <= MAX_PENDING_BYTES
    assert report[-1].position == 999 * 1000
    assert [after.position for after in report[1:]] == [before.position + before.size for before in report[:-1]]


def test_what_is_left_is_reported_at_the_end_also_behind_a_report_under_way() -> None:
    rig = Rig()
    rig.add("one")
    rig.buffer.flush()
    rig.add("two")
    rig.buffer.flush()
    assert rig.texts() == [["one"], ["two"]]
    rig.buffer.confirmed()
    rig.buffer.confirmed()
    assert rig.buffer.deadline is None
