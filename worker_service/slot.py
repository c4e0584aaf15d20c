"""One slot: takes a task, announces it, runs it, takes the next.

Whenever a slot is killed, nothing is lost: before the announcement is confirmed the task is still the broker's, and
afterwards the attempt has a lease, which ends when this worker's heartbeats do.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from hrnn_tuner.broker.contract import Broker, Delivery
from hrnn_tuner.broker.topology import tasks_queue
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.settings import Settings
from worker_service import convert
from worker_service.assignment import InvalidTask
from worker_service.attempt import Attempt, Attempts
from worker_service.attempt_run import SHUT_DOWN, AttemptRun
from worker_service.departure import Departure
from worker_service.inbox import Delivered, Inbox
from worker_service.messages import Setup
from worker_service.removal import Remover
from worker_service.reports import PUBLISH_ERRORS, Reporter
from worker_service.scratch import Scratch
from worker_service.trainer_host import TrainerHost

_log = structlog.get_logger(__name__)

#: A few seconds in all: the task is unacknowledged meanwhile, and another worker may have a better connection.
_ANNOUNCE_BACK_OFF_S = (0.1, 0.5, 2.0)
_MAX_DEFECT_BACK_OFF_S = 30.0
_CANCEL_TIMEOUT_S = 2.0


class Slot:
    """A thread with a warm trainer process of its own."""

    def __init__(
        self,
        setup: Setup,
        *,
        worker_id: str,
        settings: Settings,
        broker: Broker,
        attempts: Attempts,
        reporter: Reporter,
        scratch: Scratch,
        on_single_task: Callable[[], None] | None = None,
    ) -> None:
        """Starts nothing yet; with ``on_single_task`` it ends after one task or when none comes, and calls that."""
        self._worker_id = worker_id
        self._settings = settings
        self._broker = broker
        self._attempts = attempts
        self._reporter = reporter
        self._scratch = scratch
        self._on_single_task = on_single_task
        self._remover = Remover(settings)
        self._inbox = Inbox()
        self._host = TrainerHost(setup, self._inbox)
        self._held: list[Attempt] = []
        self._departure = Departure()
        self._thread = threading.Thread(target=self._run, name=f"slot-{setup.slot}", daemon=True)

    @property
    def trainer_pid(self) -> int | None:
        """Id of the trainer process, None while there is none."""
        return self._host.pid

    @property
    def warm(self) -> bool:
        """Whether the trainer process is warm."""
        return self._host.warm

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def request_stop(self, grace_s: float = 0.0) -> None:
        """Makes the slot end, after what it runs had some time to save a checkpoint; returns at once."""
        self._departure.request(grace_s)
        self._inbox.wake()

    def join(self, timeout_s: float) -> bool:
        """Waits for the end; False when it has not come in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _leaving(self) -> bool:
        return self._departure.requested

    def _run(self) -> None:
        """Serves until asked to stop. A defect ends what the slot holds as lost, not the slot."""
        back_off_s = 1.0
        try:
            while not self._departure.requested:
                try:
                    self._serve()
                except Exception:  # noqa: BLE001 - the boundary of the thread; logged, reported, retried with back-off
                    _log.exception("slot failed", back_off_s=back_off_s)
                    self._host.discard("the slot failed")
                    self._lose_held("the worker failed; its log has the details")
                    self._departure.wait(back_off_s)
                    back_off_s = min(_MAX_DEFECT_BACK_OFF_S, back_off_s * 2)
        finally:
            self._host.discard(SHUT_DOWN)
            if self._on_single_task is not None:
                self._on_single_task()

    def _serve(self) -> None:
        while not self._departure.requested:
            if not self._host.ensure_warm(self._leaving):
                continue
            delivery = self._take()
            if delivery is None:
                continue
            failpoint("slot.delivered")
            if self._take_up(delivery):
                failpoint("slot.acked")
                self._run_held()
                if self._on_single_task is not None:
                    self._departure.request(0.0)

    def _take(self) -> Delivery | None:
        """Waits for a task; None when the slot has something else to do first."""
        queue = tasks_queue(self._settings.worker_resource_class)
        subscription = self._broker.subscribe(
            queue, lambda delivery: self._inbox.put(Delivered(delivery)), prefetch=1, limit=1
        )
        give_up_at = None if self._on_single_task is None else time.monotonic() + self._settings.worker_once_wait_s
        while self._host.warm and not self._departure.requested:
            event = self._inbox.get(give_up_at)
            if give_up_at is not None and time.monotonic() >= give_up_at and event is None:
                _log.info("no task came", waited_s=self._settings.worker_once_wait_s)
                self._departure.request(0.0)
                break
            if isinstance(event, Delivered):
                return event.delivery  # the subscription ended itself, so that a busy slot holds nothing
            self._host.accept(event)
        subscription.cancel(timeout_s=_CANCEL_TIMEOUT_S)
        while not self._inbox.empty():  # a task that came before the end of the subscription
            event = self._inbox.get_nowait()
            if isinstance(event, Delivered):
                event.delivery.reject(requeue=True)
            self._host.accept(event)
        return None

    def _take_up(self, delivery: Delivery) -> bool:
        """Makes a task this slot's own; False when it was given back, or is no task."""
        try:
            return self._accept(delivery)
        except Exception:
            delivery.reject(requeue=False)  # what makes this code fail must not come again and again
            raise

    def _accept(self, delivery: Delivery) -> bool:
        try:
            work = convert.parse_task(delivery.message)
        except InvalidTask as error:
            _log.error("task rejected", message_id=delivery.message.message_id, reason=str(error))
            delivery.reject(requeue=False)
            return False
        if not self._remover.done(work):
            delivery.reject(requeue=False)
            return False
        if not work.assignments:  # what it names is gone: nothing that fails from here on may make a dead letter of it
            delivery.ack()
            return True
        taken = [Attempt(item, delivery.message.headers, self._inbox.wake) for item in work.assignments]
        self._held = [attempt for attempt in taken if self._attempts.open(attempt)]
        if not self._announce(delivery, self._held):
            for attempt in self._held:
                self._attempts.forget(attempt.key)
            self._held = []
            delivery.reject(requeue=True)
            return False
        failpoint("slot.announced")
        for attempt in taken:
            if attempt not in self._held:
                self._report_again(attempt)
        delivery.ack()
        return True

    def _report_again(self, attempt: Attempt) -> None:
        """Answers a task that this worker took before.

        A task comes twice when the scheduler does not know that it was taken. Often that is news on its way; when the
        broker lost the report, nobody else could tell.
        """
        ending = self._attempts.ending(attempt.key)
        if ending is not None:
            self._reporter.submit(attempt, ending)
        elif self._attempts.find(attempt.key) is not None:
            self._reporter.submit(attempt, convert.started())

    def _run_held(self) -> None:
        while self._held:
            AttemptRun(
                self._held[0],
                worker_id=self._worker_id,
                settings=self._settings,
                attempts=self._attempts,
                reporter=self._reporter,
                scratch=self._scratch,
                host=self._host,
                inbox=self._inbox,
                departure=self._departure,
            ).run()
            self._held.pop(0)

    def _announce(self, delivery: Delivery, attempts: Sequence[Attempt]) -> bool:
        """Publishes the start of each attempt; False when that failed and the task must go back."""
        for attempt in attempts:
            for back_off_s in (*_ANNOUNCE_BACK_OFF_S, None):
                if not delivery.current or self._departure.requested:
                    return False
                try:
                    self._reporter.publish_started(attempt)
                    break
                except PUBLISH_ERRORS as error:
                    _log.warning("a start was not confirmed", attempt=str(attempt.key), error=str(error))
                    if back_off_s is None:
                        return False
                    self._departure.wait(back_off_s)
        return True

    def _lose_held(self, reason: str) -> None:
        """Reports what the slot holds as lost."""
        for attempt in self._held:
            attempt.ending = convert.lost(reason)
            close = functools.partial(self._attempts.close, attempt.key)
            self._reporter.submit(attempt, attempt.ending, on_confirmed=close)
        self._held = []
