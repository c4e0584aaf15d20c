"""When metric points are reported."""

from __future__ import annotations

from collections.abc import Sequence

from worker_service.messages import Point
from worker_service.metric_buffer import MAX_POINTS, MAX_WAIT_S, QUIET_S, MetricBuffer


class _Rig:
    def __init__(self) -> None:
        self.now = 100.0
        self.batches: list[list[Point]] = []
        self.buffer = MetricBuffer(self._flush, lambda: self.now)

    def _flush(self, points: Sequence[Point]) -> None:
        self.batches.append(list(points))


def test_the_first_epoch_is_reported_at_once() -> None:
    rig = _Rig()
    rig.buffer.flush()  # an empty flush is no report
    rig.buffer.add(1, {"a": 1.0, "b": 2.0})
    assert rig.batches == [[("a", 1, 1.0), ("b", 1, 2.0)]]
    assert rig.buffer.deadline is None


def test_slow_epochs_are_reported_at_once_and_fast_ones_wait() -> None:
    rig = _Rig()
    rig.buffer.add(1, {"a": 1.0})
    rig.now += QUIET_S
    rig.buffer.add(2, {"a": 2.0})
    rig.now += QUIET_S / 2
    rig.buffer.add(3, {"a": 3.0})
    assert [len(batch) for batch in rig.batches] == [1, 1]
    assert rig.buffer.deadline == rig.now + MAX_WAIT_S


def test_no_point_waits_longer_than_the_limit() -> None:
    rig = _Rig()
    rig.buffer.add(1, {"a": 1.0})
    rig.buffer.add(2, {"a": 2.0})
    deadline = rig.buffer.deadline
    assert deadline is not None
    rig.now = deadline - 0.01
    rig.buffer.flush_if_due()
    assert len(rig.batches) == 1
    rig.now = deadline
    rig.buffer.flush_if_due()
    assert rig.batches[1] == [("a", 2, 2.0)]
    assert rig.buffer.deadline is None


def test_a_full_batch_does_not_wait() -> None:
    rig = _Rig()
    for step in range(1, MAX_POINTS + 2):
        rig.buffer.add(step, {"a": 0.0})
    assert [len(batch) for batch in rig.batches] == [1, MAX_POINTS]
