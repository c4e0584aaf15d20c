"""``python -m worker_service`` as a real process on RabbitMQ."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.topology import tasks_queue
from hrnn_tuner.v1 import queue_pb2 as pb
from tests.support.rabbitmq import new_node
from tests.support.rabbitmq_node import QUEUES_ON_DISK_S, RabbitMqNode
from tests.support.waiting import wait_until
from tests.support.worker_harness import (
    RESOURCE_CLASS,
    TIMEOUT_S,
    FakeScheduler,
    alive,
    assignment,
    names,
    worker_environment,
)

STOP_LIMIT_S = 10.0
ORPHAN_LIMIT_S = 5.0


@contextmanager
def _scheduler(url: str) -> Iterator[FakeScheduler]:
    with open_broker(url, name="scheduler", resource_classes=[RESOURCE_CLASS]) as broker:
        yield FakeScheduler(broker)


@contextmanager
def _worker(url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | worker_environment(folder, broker_url=url)
    process = subprocess.Popen([sys.executable, "-m", "worker_service"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait(TIMEOUT_S)


def _once(url: str, folder: Path, *, wait_s: float) -> int:
    """Runs a worker for one task; returns its exit status."""
    environment = worker_environment(folder, broker_url=url) | {"HRNN_TUNER_WORKER_ONCE_WAIT_S": str(wait_s)}
    command = [sys.executable, "-m", "worker_service", "--once"]
    return subprocess.run(command, env=os.environ | environment, check=False, timeout=100).returncode


@pytest.fixture
def scheduler(amqp_vhost_url: str) -> Iterator[FakeScheduler]:
    with _scheduler(amqp_vhost_url) as scheduler:
        yield scheduler


@pytest.fixture
def worker(amqp_vhost_url: str, scheduler: FakeScheduler, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with _worker(amqp_vhost_url, tmp_path) as worker:
        yield worker


def _trainer_of(worker: subprocess.Popen[bytes]) -> int:
    """Id of the worker's one child, which a thread of it started."""
    children = [path.read_text().split() for path in Path(f"/proc/{worker.pid}/task").glob("*/children")]
    ((child,),) = filter(None, children)
    return int(child)


def _long_job(scheduler: FakeScheduler, folder: Path) -> None:
    """Starts a training job that would take a minute."""
    scheduler.enqueue(assignment(folder, epochs=1000, epoch_seconds=0.05))
    scheduler.until("metrics")


def test_a_training_job_runs_over_rabbitmq(
    scheduler: FakeScheduler, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    scheduler.enqueue(assignment(tmp_path))
    kinds = names(scheduler.until("ended"))
    assert kinds[:3] == ["started", "DOWNLOADING", "TRAINING"]
    assert kinds[-2:] == ["UPLOADING", "ended"]
    assert (tmp_path / "job-1" / "attempt-1" / "manifest.json").exists()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_gives_running_attempts_up_and_ends_the_worker_with_status_0(
    scheduler: FakeScheduler, worker: subprocess.Popen[bytes], tmp_path: Path, sign: signal.Signals
) -> None:
    _long_job(scheduler, tmp_path)
    trainer = _trainer_of(worker)
    worker.send_signal(sign)
    assert worker.wait(STOP_LIMIT_S) == 0
    ended = scheduler.ended()
    assert (ended.outcome, ended.failure_reason) == (pb.AttemptEnded.OUTCOME_HANDED_BACK, "worker shut down")
    scheduler.heartbeat(lambda beat: beat.leaving)
    assert not alive(trainer)


def test_a_supervisor_that_is_killed_takes_its_trainer_along(
    scheduler: FakeScheduler, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    _long_job(scheduler, tmp_path)
    trainer = _trainer_of(worker)
    worker.kill()
    wait_until(lambda: not alive(trainer), ORPHAN_LIMIT_S, "the end of the orphan")


def test_a_signal_to_the_trainer_alone_does_not_end_a_training_job(
    scheduler: FakeScheduler, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    scheduler.enqueue(assignment(tmp_path, epochs=10, epoch_seconds=0.05))
    scheduler.until("metrics")
    for sign in (signal.SIGINT, signal.SIGTERM):
        os.kill(_trainer_of(worker), sign)
    assert scheduler.ended().outcome == pb.AttemptEnded.OUTCOME_COMPLETED


def test_a_worker_whose_broker_hangs_ends_all_the_same(
    rabbitmq_node: RabbitMqNode, scheduler: FakeScheduler, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    _long_job(scheduler, tmp_path)
    trainer = _trainer_of(worker)
    rabbitmq_node.freeze()
    try:
        worker.terminate()
        assert worker.wait(STOP_LIMIT_S * 1.5) == 0
    finally:
        rabbitmq_node.thaw()
    assert not alive(trainer)


def test_while_the_broker_is_away_training_goes_on_and_every_report_arrives_afterwards(tmp_path: Path) -> None:
    # a node of its own: another test may have declared queues just now
    (tmp_path / "node").mkdir()
    node = new_node(tmp_path / "node")
    try:
        node.start()
        with _scheduler(node.url()) as scheduler, _worker(node.url(), tmp_path):
            time.sleep(QUEUES_ON_DISK_S)
            scheduler.enqueue(assignment(tmp_path, epochs=40, epoch_seconds=0.05))
            reports = scheduler.until("metrics")
            node.kill()
            model = tmp_path / "job-1" / "attempt-1"
            wait_until(model.exists, TIMEOUT_S, "the model, without a broker")
            node.start()
            reports += scheduler.until("ended")
    finally:
        node.stop()
    assert reports[-1].ended.outcome == pb.AttemptEnded.OUTCOME_COMPLETED
    steps = [point.step for report in reports for point in report.metrics.points]
    assert list(dict.fromkeys(steps)) == list(range(1, 41))  # a report may come twice, never out of order


def test_a_worker_for_one_task_trains_it_reports_its_end_and_exits(
    scheduler: FakeScheduler, amqp_vhost_url: str, tmp_path: Path
) -> None:
    first, second = assignment(tmp_path, number=1), assignment(tmp_path, number=2)
    scheduler.enqueue(first)
    scheduler.enqueue(second)
    assert _once(amqp_vhost_url, tmp_path, wait_s=60) == 0
    reports = scheduler.until("ended")
    assert names(reports)[-1] == "ended"
    assert {report.ref.number for report in reports} == {1}
    with open_broker(amqp_vhost_url, name="counter", resource_classes=[RESOURCE_CLASS]) as broker:
        assert broker.depth(tasks_queue(RESOURCE_CLASS)) == 1, "the other task waits for another worker"


def test_a_worker_for_one_task_exits_when_none_comes(
    scheduler: FakeScheduler, amqp_vhost_url: str, tmp_path: Path
) -> None:
    assert _once(amqp_vhost_url, tmp_path, wait_s=0.5) == 0
