"""The worker: its slots, and the threads that talk to the scheduler for all of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from hrnn_tuner.telemetry.worker_metrics import SLOTS
from worker_service.control import ControlListener
from worker_service.heartbeat import Heartbeat
from worker_service.reports import Reporter
from worker_service.scratch import Scratch
from worker_service.slot import Slot

_log = structlog.get_logger(__name__)

#: The part of a stop's time that is kept for the last reports.
_REPORTS_SHARE = 0.5


class Supervisor:
    """Starts and stops a worker. Made by `worker_service.composition.build_worker`.

    Attributes:
        worker_id: This worker's id, new for each start of a process.
    """

    def __init__(
        self,
        worker_id: str,
        *,
        slots: Sequence[Slot],
        control: ControlListener,
        reporters: Sequence[Reporter],
        heartbeat: Heartbeat,
        scratch: Scratch,
    ) -> None:
        """Takes the parts; none is started yet."""
        self.worker_id = worker_id
        self._slots = slots
        self._control = control
        self._reporters = reporters
        self._heartbeat = heartbeat
        self._scratch = scratch

    @property
    def warm_slots(self) -> int:
        """Number of slots whose trainer process is warm."""
        return sum(slot.warm for slot in self._slots)

    @property
    def trainer_pids(self) -> list[int | None]:
        """Id of each slot's trainer process, None while there is none."""
        return [slot.trainer_pid for slot in self._slots]

    def start(self) -> None:
        """Starts all threads; each slot takes tasks once its trainer is warm."""
        self._scratch.open()
        self._control.start()
        for reporter in self._reporters:
            reporter.start()
        self._heartbeat.start()
        SLOTS.inc(len(self._slots))
        for slot in self._slots:
            slot.start()
        _log.info("worker started", worker_id=self.worker_id, slots=len(self._slots))

    def stop(self, timeout_s: float = 10.0, *, drain_s: float = 0.0) -> None:
        """Takes no more tasks, hands what runs back (it goes on elsewhere), and says good-bye.

        Args:
            timeout_s: About how long it may take when broker or trainers do not answer.
            drain_s: How long before that running attempts may wait for their next checkpoint; 0 to break them off at
                once.
        """
        drained = time.monotonic() + drain_s
        for slot in self._slots:
            slot.request_stop(drain_s)
        for slot in self._slots:  # with heartbeats: a drain may last longer than a lease
            slot.join(max(0.0, drained - time.monotonic()))
        end = time.monotonic() + timeout_s
        SLOTS.dec(len(self._slots))
        self._heartbeat.request_stop()  # it may be in the middle of a publication that takes its time
        slots_end = end - timeout_s * _REPORTS_SHARE
        late = [slot for slot in self._slots if not slot.join(max(0.0, slots_end - time.monotonic()))]
        if late:
            _log.error("slots did not end in time", slots=len(late))
        left = [reporter for reporter in self._reporters if not reporter.stop(max(0.0, end - time.monotonic()))]
        self._heartbeat.stop(good_bye=not left)  # a broker that took no report would not take this either
        self._control.stop()
        self._scratch.close()
        _log.info("worker stopped", worker_id=self.worker_id)
