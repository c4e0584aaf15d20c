"""Stands in for the scheduler: a worker on the in-memory broker, driven through its queues by hand."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrnn_tuner.broker.contract import Broker, BrokerUnavailable, Delivery, Message, MessageRefused
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    DEAD_QUEUE,
    TASKS_EXCHANGE,
    build_topology,
    reports_queue,
    worker_key,
)
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import queue_pb2 as pb
from hrnn_tuner.v1.parameters_pb2 import HyperparameterValue
from hrnn_tuner.v1.training_job_pb2 import LogLine, SecondaryState
from tests.support.synthetic_algorithm import ALGORITHM
from tests.support.waiting import wait_until
from worker_service.supervisor import Supervisor

RESOURCE_CLASS = "default"
GO = pb.Control.COMMAND_GO
STOP = pb.Control.COMMAND_STOP
STOP_AND_KEEP = pb.Control.COMMAND_STOP_AND_KEEP
SUPERSEDED = pb.Control.COMMAND_SUPERSEDED
TIMEOUT_S = 30.0


def hyperparameter(value: object) -> HyperparameterValue:
    """The message form of a value."""
    kind = {bool: "bool_value", int: "integer_value", float: "double_value", str: "string_value"}[type(value)]
    return HyperparameterValue(**{kind: value})  # type: ignore[arg-type]


def assignment(folder: Path, number: int = 1, **changes: Any) -> pb.TrainingAssignment:
    """An assignment of the synthetic algorithm; ``changes`` are hyperparameters or fields of the message."""
    names = {item.name for item in ALGORITHM.hyperparameters}
    values = ALGORITHM.defaults() | {name: changes.pop(name) for name in list(changes) if name in names}
    fields: dict[str, Any] = {
        "ref": pb.AttemptRef(tuning_job_id="job", number=number, attempt=1, token=f"token-{number}"),
        "training_job_name": f"job-{number}",
        "algorithm": "synthetic",
        "objective_metric": "score",
        "maximize": True,
        "seed": 1,
        "split_seed": 2,
        "artifact_uri": str(folder / f"job-{number}" / "attempt-1"),
    }
    message = pb.TrainingAssignment(**(fields | changes))
    for name, value in values.items():
        message.hyperparameters[name].CopyFrom(hyperparameter(value))
    return message


def worker_settings(folder: Path, **changes: Any) -> Settings:
    """Settings of a worker that trains the synthetic algorithm into ``folder``."""
    fields: dict[str, Any] = {
        "artifacts_url": str(folder),
        "algorithms": ("tests.support.synthetic_algorithm:ALGORITHM",),
        "worker_devices": ("cpu",),  # so that the trainer need not import torch to look for GPUs
        "worker_warm_up": False,  # nor for algorithms that no test here trains
        "worker_go_wait_s": 0.0,
        "worker_stop_grace_s": 5.0,
        "heartbeat_interval_s": 0.2,
        "cache_dir": folder / "cache",
        "log_level": "WARNING",
    }
    return Settings(**(fields | changes))


def worker_environment(folder: Path, **changes: Any) -> dict[str, str]:
    """The same settings as environment variables, for a worker that is a process of its own."""
    wanted = worker_settings(folder, **changes).model_dump(mode="json", exclude_unset=True)
    return {
        f"HRNN_TUNER_{name.upper()}": json.dumps(value) if isinstance(value, list) else str(value)
        for name, value in wanted.items()
    }


class FakeScheduler:
    """Reads every report, publishes tasks and commands."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.heartbeats: queue.Queue[pb.WorkerHeartbeat] = queue.Queue()
        self.reports: queue.Queue[tuple[float, pb.AttemptReport]] = queue.Queue()
        self.dead: queue.Queue[Message] = queue.Queue()
        self.log: list[tuple[int, LogLine]] = []
        broker.subscribe(reports_queue(), self._report, prefetch=64)
        broker.subscribe(DEAD_QUEUE, self._dead, prefetch=64)

    def _report(self, delivery: Delivery) -> None:
        report = pb.Report.FromString(delivery.message.body)
        if report.HasField("heartbeat"):
            self.heartbeats.put(report.heartbeat)
        elif report.attempt.HasField("log"):
            self.log += [(report.attempt.ref.number, line) for line in report.attempt.log.lines]
        else:
            self.reports.put((time.monotonic(), report.attempt))
        delivery.ack()

    def _dead(self, delivery: Delivery) -> None:
        self.dead.put(delivery.message)
        delivery.ack()

    def enqueue(self, *assignments: pb.TrainingAssignment) -> float:
        """Publishes a task; returns when, by the monotonic clock."""
        body = pb.Task(assignments=assignments).SerializeToString()
        self.enqueue_raw(Message(type=pb.Task.DESCRIPTOR.full_name, body=body))
        return time.monotonic()

    def enqueue_raw(self, message: Message) -> None:
        """Publishes anything on the tasks queue; a RabbitMQ that has just started refuses at first."""
        wait_until(lambda: self._published(message), TIMEOUT_S, "a broker that takes the task")

    def _published(self, message: Message) -> bool:
        try:
            self.broker.publish(TASKS_EXCHANGE, RESOURCE_CLASS, message)
        except (BrokerUnavailable, MessageRefused):
            return False
        return True

    def command(self, worker_id: str, ref: pb.AttemptRef, command: pb.Control.Command) -> None:
        """Publishes a command; a worker that is gone takes none."""
        self.send(worker_id, pb.Control(ref=ref, command=command))

    def send(self, worker_id: str, control: pb.Control) -> None:
        """Publishes a control message."""
        message = Message(type=pb.Control.DESCRIPTOR.full_name, body=control.SerializeToString(), persistent=False)
        self.broker.publish(CONTROL_EXCHANGE, worker_key(worker_id), message)

    def next_report(self, timeout_s: float = TIMEOUT_S) -> tuple[float, pb.AttemptReport]:
        """The next report about an attempt, with its time of arrival."""
        return self.reports.get(timeout=timeout_s)

    def until(self, event: str, number: int = 1) -> list[pb.AttemptReport]:
        """Reports up to the first of this kind about this training job, that one included."""
        found = []
        while True:
            _, report = self.next_report()
            found.append(report)
            if report.ref.number == number and report.WhichOneof("event") == event:
                return found

    def ended(self, number: int = 1) -> pb.AttemptEnded:
        """How a training job ended."""
        return self.until("ended", number)[-1].ended

    def heartbeat(self, accept: Callable[[pb.WorkerHeartbeat], bool]) -> pb.WorkerHeartbeat:
        """The next heartbeat that is like this."""
        while True:
            beat = self.heartbeats.get(timeout=TIMEOUT_S)
            if accept(beat):
                return beat


@contextmanager
def in_memory() -> Iterator[tuple[InMemoryHub, FakeScheduler]]:
    """A hub and a scheduler on it."""
    hub = InMemoryHub(build_topology([RESOURCE_CLASS]))
    with hub.connect("scheduler") as broker:
        yield hub, FakeScheduler(broker)


def names(reports: list[pb.AttemptReport]) -> list[str]:
    """The kinds of reports in order; stages by their name."""
    return [
        SecondaryState.Name(report.progressed.secondary_state).removeprefix("SECONDARY_STATE_")
        if report.HasField("progressed")
        else str(report.WhichOneof("event"))
        for report in reports
    ]


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@dataclass
class Rig:
    """A worker and its scheduler."""

    scheduler: FakeScheduler
    worker: Supervisor
    folder: Path

    def assignment(self, number: int = 1, **changes: Any) -> pb.TrainingAssignment:
        return assignment(self.folder, number, **changes)

    def command(self, ref: pb.AttemptRef, command: pb.Control.Command) -> None:
        self.scheduler.command(self.worker.worker_id, ref, command)

    def pid(self) -> int:
        (pid,) = self.worker.trainer_pids
        assert pid is not None
        return pid

    def wait_warm(self) -> None:
        wait_until(lambda: self.worker.warm_slots == 1, TIMEOUT_S, "no warm trainer")

    def manifest(self, number: int = 1) -> dict[str, Any]:
        path = self.folder / f"job-{number}" / "attempt-1" / "manifest.json"
        return dict(json.loads(path.read_text()))
