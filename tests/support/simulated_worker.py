"""A worker without trainer processes: it speaks the protocol and reports what a function of the assignment says."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from hrnn_tuner.broker import Broker, BrokerUnavailable, Delivery, Message
from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    REPORTS_EXCHANGE,
    REPORTS_SHARD,
    tasks_queue,
    worker_key,
)
from hrnn_tuner.v1 import queue_pb2, training_job_pb2

_Control = queue_pb2.Control


@dataclass
class Faults:
    """What goes wrong, as probabilities per training job."""

    vanish: float = 0.0  #: taken, and never heard of again
    lose: float = 0.0  #: given back, at its end or when its model is to be kept
    fail: float = 0.0  #: ends with an algorithm error
    repeat: float = 0.0  #: every report is sent twice


def score(assignment: queue_pb2.TrainingAssignment) -> float:
    """A deterministic objective of the hyperparameters."""
    return round(1.0 - (assignment.hyperparameters["x"].double_value - 0.3) ** 2, 6)


class SimulatedWorker:
    """Some slots, each a thread. Not for use after `stop`."""

    def __init__(
        self,
        broker: Broker,
        *,
        slots: int = 1,
        train_s: float = 0.0,
        epochs: int = 2,
        heartbeat_s: float = 0.2,
        faults: Faults | None = None,
        seed: int = 0,
        objective: Callable[[queue_pb2.TrainingAssignment], float] = score,
        on_start: Callable[[str, queue_pb2.TrainingAssignment], None] = lambda *_: None,
        on_end: Callable[[str, queue_pb2.TrainingAssignment], None] = lambda *_: None,
    ) -> None:
        self.id = f"sim-{uuid4().hex[:8]}"
        self._broker = broker
        self._slots = slots
        self._train_s = train_s
        self._epochs = epochs
        self._heartbeat_s = heartbeat_s
        self._faults = faults or Faults()
        self._rng = random.Random(seed)
        self._objective = objective
        self._on_start = on_start
        self._on_end = on_end
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int, int], queue_pb2.AttemptRef] = {}
        self._commands: dict[tuple[str, int, int], queue.Queue[int]] = {}
        self._threads = [
            threading.Thread(target=self._slot, args=(index,), name=f"{self.id}-{index}", daemon=True)
            for index in range(slots)
        ]
        self._threads.append(threading.Thread(target=self._heartbeat, name=f"{self.id}-heartbeat", daemon=True))

    def start(self) -> SimulatedWorker:
        """Starts taking tasks."""
        self._broker.subscribe_exclusive(CONTROL_EXCHANGE, [worker_key(self.id)], self._control)
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Stops without a word, as a killed worker does."""
        self._stop.set()
        for thread in self._threads:
            thread.join(5)

    def _control(self, delivery: Delivery) -> None:
        command = _Control.FromString(delivery.message.body)
        key = (command.ref.tuning_job_id, command.ref.number, command.ref.attempt)
        with self._lock:
            inbox = self._commands.get(key)
        if inbox is not None:
            inbox.put(command.command)

    def _publish(self, report: queue_pb2.Report) -> None:
        message = Message(report.DESCRIPTOR.full_name, report.SerializeToString())
        while not self._stop.is_set():
            try:
                self._broker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, message)
                return
            except BrokerUnavailable:
                self._stop.wait(0.1)

    def _report(self, assignment: queue_pb2.TrainingAssignment, **event: object) -> None:
        report = queue_pb2.Report(
            attempt=queue_pb2.AttemptReport(ref=assignment.ref, worker_id=self.id, **event)  # type: ignore[arg-type]
        )
        self._publish(report)
        if self._rng.random() < self._faults.repeat:
            self._publish(report)

    def _heartbeat(self) -> None:
        while True:
            with self._lock:
                running = list(self._running.values())
            beat = queue_pb2.WorkerHeartbeat(
                worker_id=self.id, resource_class="default", slots=self._slots, running=running
            )
            self._publish(queue_pb2.Report(heartbeat=beat))
            if self._stop.wait(self._heartbeat_s):
                return

    def _slot(self, _index: int) -> None:
        inbox: queue.Queue[Delivery] = queue.Queue()
        while not self._stop.is_set():
            subscription = self._broker.subscribe(tasks_queue("default"), inbox.put, prefetch=1, limit=1)
            delivery = None
            while delivery is None and not self._stop.is_set():
                try:
                    delivery = inbox.get(timeout=0.2)
                except queue.Empty:
                    continue
            if delivery is None:
                subscription.cancel()
                return
            task = queue_pb2.Task.FromString(delivery.message.body)
            if not task.assignments:
                delivery.ack()
            for assignment in task.assignments:
                self._run(assignment, delivery)

    def _run(self, assignment: queue_pb2.TrainingAssignment, delivery: Delivery) -> None:
        ref = assignment.ref
        key = (ref.tuning_job_id, ref.number, ref.attempt)
        commands: queue.Queue[int] = queue.Queue()
        with self._lock:
            self._commands[key] = commands
        self._report(assignment, started=queue_pb2.AttemptStarted())
        delivery.ack()
        if self._rng.random() < self._faults.vanish:
            return
        with self._lock:
            self._running[key] = ref
        try:
            self._train(assignment, commands)
        finally:
            with self._lock:
                del self._running[key]
                self._commands.pop(key, None)

    def _train(self, assignment: queue_pb2.TrainingAssignment, commands: queue.Queue[int]) -> None:
        reported: list[float] = []
        try:
            command = commands.get(timeout=2.0)
        except queue.Empty:
            command = _Control.COMMAND_GO
        if command == _Control.COMMAND_GO:
            self._on_start(self.id, assignment)
            self._report(
                assignment,
                progressed=queue_pb2.AttemptProgressed(secondary_state=training_job_pb2.SECONDARY_STATE_TRAINING),
            )
            value = self._objective(assignment)
            for epoch in range(1, self._epochs + 1):
                reported.append(value * epoch / self._epochs)
                point = training_job_pb2.MetricPoint(metric_name="score", step=epoch, value=reported[-1])
                self._report(assignment, metrics=queue_pb2.AttemptMetrics(points=[point]))
                try:
                    command = commands.get(timeout=max(self._train_s / self._epochs, 1e-4))
                    if command != _Control.COMMAND_GO:
                        break
                except queue.Empty:
                    continue
            self._on_end(self.id, assignment)
        if command != _Control.COMMAND_SUPERSEDED:
            self._report(assignment, ended=self._end(assignment, command, reported))

    def _end(
        self, assignment: queue_pb2.TrainingAssignment, command: int, reported: list[float]
    ) -> queue_pb2.AttemptEnded:
        ended = queue_pb2.AttemptEnded
        if command == _Control.COMMAND_STOP_AND_KEEP and self._rng.random() < self._faults.lose:
            return ended(outcome=ended.OUTCOME_LOST, failure_reason="trainer died")
        if command == _Control.COMMAND_STOP_AND_KEEP and reported:
            return ended(
                outcome=ended.OUTCOME_STOPPED,
                artifact_uri=assignment.artifact_uri,
                final_metrics={"score": max(reported) if assignment.maximize else min(reported)},
            )
        if command == _Control.COMMAND_STOP:
            return ended(outcome=ended.OUTCOME_STOPPED)
        draw = self._rng.random()
        if draw < self._faults.fail:
            return ended(
                outcome=ended.OUTCOME_FAILED,
                failure_cause=training_job_pb2.FAILURE_CAUSE_ALGORITHM_ERROR,
                failure_reason="no luck",
            )
        if draw < self._faults.fail + self._faults.lose:
            return ended(outcome=ended.OUTCOME_LOST, failure_reason="trainer died")
        return ended(
            outcome=ended.OUTCOME_COMPLETED,
            artifact_uri=assignment.artifact_uri,
            final_metrics={"score": self._objective(assignment)},
        )
