"""A fleet of simulated workers: hundreds of slots in one process, on the real broker client and the real protocol.

A task is acknowledged once its `AttemptStarted` is confirmed; the attempt lives on the lease that heartbeats renew; its
metrics and its end are confirmed, in their order; a stop ends it. Two things only are cheaper than in a worker: there
is no trainer, and one subscription takes the tasks of all slots. So a fleet needs at least as many slots as training
jobs can be in flight, or a task would wait in this process.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import queue
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from hrnn_tuner.broker import Broker, Delivery, Letter, Message
from hrnn_tuner.broker.topology import CONTROL_EXCHANGE, REPORTS_EXCHANGE, REPORTS_SHARD, tasks_queue, worker_key
from hrnn_tuner.v1 import queue_pb2, training_job_pb2
from tests.benchmarks.control_plane.algorithm import METRIC

HEARTBEAT_S = 10.0
RESOURCE_CLASS = "default"
#: Metric points of one report, as a worker gathers them at most.
POINTS_PER_REPORT = 64
_BATCH = 256
_REPORT_TYPE = queue_pb2.Report.DESCRIPTOR.full_name
_STOPS = (queue_pb2.Control.COMMAND_STOP, queue_pb2.Control.COMMAND_STOP_AND_KEEP, queue_pb2.Control.COMMAND_SUPERSEDED)

#: Tuning job, number and attempt.
Key = tuple[str, int, int]


@dataclass
class Behaviour:
    """What a training does.

    Attributes:
        seconds: How long it takes.
        reports: How often it reports metrics, evenly over its time.
        points: Metric points of each of these reports.
    """

    seconds: float = 0.0
    reports: int = 0
    points: int = 1


@dataclass
class _Run:
    """An attempt that a slot runs."""

    assignment: queue_pb2.TrainingAssignment
    behaviour: Behaviour
    freed_at: float | None = None  # when its slot became free from another training of the tuning job
    reported: int = 0
    over: bool = False


@dataclass
class Record:
    """What happened, by the host's monotonic clock in seconds.

    Attributes:
        starts: When trainings started, with their tuning jobs.
        gaps: Seconds from handing over a result to the next start on its slot.
        stops: When slots that were told to stop were free, with their tuning jobs.
        ends: How many ends were confirmed.
        points: How many metric points were confirmed.
    """

    starts: list[tuple[str, float]] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    stops: list[tuple[str, float]] = field(default_factory=list)
    ends: int = 0
    points: int = 0


class Fleet:
    """Slots that a thread serves all together; another one sends what they report, many messages at a time."""

    def __init__(self, broker: Broker, slots: int) -> None:
        """Starts nothing yet; the caller closes the broker after `stop`."""
        self.id = f"fleet-{uuid4().hex[:8]}"
        self.behaviour = Behaviour()
        self._broker = broker
        self._slots = slots
        self._record = Record()
        self._freed: defaultdict[str, deque[float]] = defaultdict(deque)  # by tuning job
        self._runs: dict[Key, _Run] = {}
        self._lock = threading.Lock()
        self._due: queue.SimpleQueue[tuple[float, Callable[[], None]] | None] = queue.SimpleQueue()
        self._reports: queue.SimpleQueue[tuple[Letter, Callable[[], None]] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"{self.id}-{name}", daemon=True)
            for name, work in (("time", self._keep_time), ("reports", self._send))
        ]

    def start(self) -> None:
        """Announces the slots and takes tasks."""
        for thread in self._threads:
            thread.start()
        self._broker.subscribe_exclusive(CONTROL_EXCHANGE, [worker_key(self.id)], self._control)
        self._beat()
        self._broker.subscribe(tasks_queue(RESOURCE_CLASS), self._take, prefetch=self._slots)

    def stop(self) -> None:
        """Ends the threads; what runs is abandoned."""
        self._due.put(None)
        self._reports.put(None)
        for thread in self._threads:
            thread.join(5)

    def taken_record(self) -> Record:
        """What happened since the last call."""
        with self._lock:
            record, self._record = self._record, Record()
        return record

    def _take(self, delivery: Delivery) -> None:
        """Takes a task, on the broker's thread."""
        task = queue_pb2.Task.FromString(delivery.message.body)
        if not task.assignments:
            delivery.ack()
        for assignment in task.assignments:
            with self._lock:
                freed = self._freed[assignment.ref.tuning_job_id]
                freed_at = freed.popleft() if freed else None
                run = self._runs[_key(assignment.ref)] = _Run(assignment, self.behaviour, freed_at)
            self._report(run, functools.partial(self._started, run, delivery), started=queue_pb2.AttemptStarted())

    def _started(self, run: _Run, delivery: Delivery) -> None:
        """The start is confirmed: the task is this fleet's."""
        delivery.ack()
        now = time.monotonic()
        with self._lock:
            self._record.starts.append((run.assignment.ref.tuning_job_id, now))
            if run.freed_at is not None:
                self._record.gaps.append(now - run.freed_at)
        self._proceed(run, now)

    def _proceed(self, run: _Run, began: float) -> None:
        """Reports the metrics that are due, and the end when there is nothing else to come."""
        behaviour = run.behaviour
        share = behaviour.seconds / (behaviour.reports or 1)
        while run.reported < behaviour.reports and not run.over:
            at = began + share * (run.reported + 1)
            if at > time.monotonic():
                self._due.put((at, lambda: self._proceed(run, began)))
                return
            self._report_points(run)
        if began + behaviour.seconds > time.monotonic():
            self._due.put((began + behaviour.seconds, lambda: self._proceed(run, began)))
        else:
            self._end(run, queue_pb2.AttemptEnded.OUTCOME_COMPLETED)

    def _report_points(self, run: _Run) -> None:
        """One report with metrics; each point is an epoch's."""
        count = run.behaviour.points
        first = run.reported * count + 1
        run.reported += 1
        points = [
            training_job_pb2.MetricPoint(metric_name=METRIC, step=step, value=1 / step)
            for step in range(first, first + count)
        ]

        def confirmed() -> None:
            with self._lock:
                self._record.points += count

        self._report(run, confirmed, metrics=queue_pb2.AttemptMetrics(points=points))

    def _end(self, run: _Run, outcome: queue_pb2.AttemptEnded.Outcome) -> None:
        """Reports the end, once; from then on the slot is free."""
        with self._lock:
            if run.over:
                return
            run.over = True
            del self._runs[_key(run.assignment.ref)]
            now = time.monotonic()
            self._freed[run.assignment.ref.tuning_job_id].append(now)
            if outcome == queue_pb2.AttemptEnded.OUTCOME_STOPPED:
                self._record.stops.append((run.assignment.ref.tuning_job_id, now))
        value = run.assignment.hyperparameters["learning_rate"].double_value
        completed = outcome == queue_pb2.AttemptEnded.OUTCOME_COMPLETED
        ended = queue_pb2.AttemptEnded(
            outcome=outcome,
            artifact_uri=run.assignment.artifact_uri if completed else "",
            final_metrics={METRIC: value} if completed else {},
        )

        def confirmed() -> None:
            with self._lock:
                self._record.ends += 1

        self._report(run, confirmed, ended=ended)

    def _control(self, delivery: Delivery) -> None:
        """A command, on the broker's thread."""
        command = queue_pb2.Control.FromString(delivery.message.body)
        if command.command in _STOPS:
            with self._lock:
                run = self._runs.get(_key(command.ref))
            if run is not None:
                self._end(run, queue_pb2.AttemptEnded.OUTCOME_STOPPED)

    def _report(self, run: _Run, confirmed: Callable[[], None], **event: Any) -> None:
        """Queues a report behind all earlier ones."""
        attempt = queue_pb2.AttemptReport(ref=run.assignment.ref, worker_id=self.id, **event)
        self._reports.put((_letter(queue_pb2.Report(attempt=attempt)), confirmed))

    def _beat(self) -> None:
        """A heartbeat, and the next one."""
        with self._lock:
            running = [run.assignment.ref for run in self._runs.values()]
        beat = queue_pb2.WorkerHeartbeat(
            worker_id=self.id, resource_class=RESOURCE_CLASS, slots=self._slots, running=running
        )
        self._reports.put((_letter(queue_pb2.Report(heartbeat=beat)), lambda: None))
        self._due.put((time.monotonic() + HEARTBEAT_S, self._beat))

    def _keep_time(self) -> None:
        """Does what is due."""
        numbers = itertools.count()
        waiting: list[tuple[float, int, Callable[[], None]]] = []
        while True:
            timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            try:
                entry = self._due.get(timeout=timeout)
                if entry is None:
                    return
                heapq.heappush(waiting, (entry[0], next(numbers), entry[1]))
            except queue.Empty:
                heapq.heappop(waiting)[2]()

    def _send(self) -> None:
        """Sends reports in their order; those that wait at the same time are confirmed together."""
        while True:
            batch = [self._reports.get()]
            while len(batch) < _BATCH and not self._reports.empty():
                batch.append(self._reports.get())
            waiting = [entry for entry in batch if entry is not None]
            failures = self._broker.publish_all([letter for letter, _ in waiting])
            for (_, confirmed), failure in zip(waiting, failures, strict=True):
                if failure is not None:
                    raise failure
                confirmed()
            if len(waiting) < len(batch):
                return


def _key(ref: queue_pb2.AttemptRef) -> Key:
    """Of an attempt."""
    return ref.tuning_job_id, ref.number, ref.attempt


def _letter(report: queue_pb2.Report) -> Letter:
    """A report, ready to be sent."""
    return Letter(REPORTS_EXCHANGE, REPORTS_SHARD, Message(_REPORT_TYPE, report.SerializeToString()))
