"""The three services as separate processes on RabbitMQ and PostgreSQL."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hrnn_tuner.broker import Message
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    DEAD_EXCHANGE,
    DEAD_QUEUE,
    EVENTS_EXCHANGE,
    JOBS_EXCHANGE,
    JOBS_KEY,
    JOBS_QUEUE,
    REPORTS_EXCHANGE,
    REPORTS_SHARD,
    TASKS_EXCHANGE,
    job_key,
    reports_queue,
    tasks_queue,
    worker_key,
)
from hrnn_tuner.v1 import training_job_pb2, tuning_job_pb2
from tests.support.interactions import write_interactions
from tests.support.specifications import hrnn_spec, synthetic_spec
from tests.support.stack import COLD, REPOSITORY, Stack
from tests.support.synthetic_algorithm import score
from tests.support.waiting import wait_until

END_TIMEOUT_S = 100.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture
def stack(folder: Path, tmp_path: Path, postgres_database: str, amqp_vhost_url: str) -> Iterator[Stack]:
    settings = COLD | {"LEASE_TTL_S": "4", "HEARTBEAT_INTERVAL_S": "0.5", "DATA_PREFIXES": str(folder)}
    with Stack(
        tmp_path, database_url=postgres_database, broker_url=amqp_vhost_url, schedulers=2, settings=settings
    ) as running:
        yield running


def test_an_hrnn_job_runs_to_its_end_and_its_best_model_recommends(stack: Stack, folder: Path) -> None:
    interactions = write_interactions(folder / "interactions.csv")
    stack.client.create_tuning_job(hrnn_spec("real", interactions))
    ended = stack.client.wait("real", timeout_s=END_TIMEOUT_S)
    assert ended.state == tuning_job_pb2.TUNING_JOB_STATE_COMPLETED
    jobs = list(stack.client.list_training_jobs("real"))
    assert [job.state for job in jobs] == [training_job_pb2.TRAINING_JOB_STATE_COMPLETED] * 2
    values = [job.final_objective_value for job in jobs]
    assert ended.best_training_job.final_objective_value == max(values)
    steps = {point.step for point in stack.client.list_metrics(jobs[0].name) if point.metric_name == "precision_at_25"}
    assert steps == {1, 2}
    user = interactions.read_text().splitlines()[1].split(",")[0]
    program = str(REPOSITORY / ".venv/bin/hrnn-tuner")
    options = ["--job", "real", "--user", user, "-k", "5", "-o", "json"]
    command = [program, "--server", stack.address, "recommend", *options]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert len(answer.stdout.strip().splitlines()) >= 1
    assert "score" in answer.stdout


def test_a_node_client_submits_watches_to_the_end_and_reads_the_best(
    stack: Stack, tmp_path: Path, node_client_dir: Path
) -> None:
    spec = tmp_path / "job.json"
    spec.write_text(json.dumps(synthetic_spec("from-node", epochs=3)))
    answer = subprocess.run(
        ["node", "client.js", stack.address, str(spec), str(REPOSITORY / "protos")],
        cwd=node_client_dir, capture_output=True, text=True, timeout=END_TIMEOUT_S, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout.strip().splitlines()[-1])
    assert result["state"] == "TUNING_JOB_STATE_COMPLETED"
    best = stack.client.get_tuning_job("from-node").best_training_job
    assert (result["best"]["name"], result["best"]["finalObjectiveValue"]) == (best.name, best.final_objective_value)


def test_the_best_is_the_one_that_theory_says(stack: Stack) -> None:
    stack.client.create_tuning_job(synthetic_spec("theory", max_training_jobs=8, max_parallel=4))
    ended = stack.client.wait("theory", timeout_s=END_TIMEOUT_S)
    jobs = list(stack.client.list_training_jobs("theory"))
    expected = {
        job.name: score(
            x=job.tuned_hyperparameters["x"].double_value, k=job.tuned_hyperparameters["k"].integer_value, epoch=2
        )
        for job in jobs
    }
    assert ended.best_training_job.name == max(expected, key=lambda name: expected[name])
    assert ended.best_training_job.final_objective_value == pytest.approx(max(expected.values()))


def test_every_process_may_be_killed_and_the_answer_stays_right(stack: Stack) -> None:
    stack.client.create_tuning_job(
        synthetic_spec("killed", max_training_jobs=8, max_parallel=2, epochs=4, epoch_seconds=0.3)
    )
    order = [stack.workers[0], stack.schedulers[0], stack.schedulers[1], stack.api]
    seen = 0
    for event in stack.client.watch_tuning_job("killed"):
        ended = event.WhichOneof("event") == "training_job" and event.training_job.HasField("end_time")
        seen += ended
        if ended and order and seen >= 1:
            victim = order.pop(0)
            victim.kill()
            victim.restart()
    job = stack.client.get_tuning_job("killed")
    assert job.state == tuning_job_pb2.TUNING_JOB_STATE_COMPLETED
    assert job.training_job_state_counters.completed == 8
    assert not order, "every kind of process was killed"


def test_a_stop_frees_the_slots_within_two_seconds(stack: Stack) -> None:
    stack.client.create_tuning_job(synthetic_spec("stopped", max_training_jobs=20, epochs=100, epoch_seconds=1))
    for event in stack.client.watch_tuning_job("stopped"):
        if event.training_job.secondary_state == training_job_pb2.SECONDARY_STATE_TRAINING:
            break
    asked = stack.client.stop_tuning_job("stopped")
    assert asked.state in {tuning_job_pb2.TUNING_JOB_STATE_STOPPING, tuning_job_pb2.TUNING_JOB_STATE_STOPPED}
    ended = stack.client.wait("stopped", timeout_s=20)
    assert ended.state == tuning_job_pb2.TUNING_JOB_STATE_STOPPED
    seconds = ended.end_time.ToDatetime() - asked.update_time.ToDatetime()
    assert seconds.total_seconds() < 2


@pytest.mark.parametrize("fail", ["error", "crash", "nan", "oom"])
def test_a_failing_training_job_ends_as_failed_with_its_reason(stack: Stack, fail: str) -> None:
    # A crash comes after each epoch, and the next attempt goes on from its checkpoint: more epochs than attempts.
    stack.client.create_tuning_job(synthetic_spec(f"fails-{fail}", max_training_jobs=2, epochs=9, fail=fail))
    ended = stack.client.wait(f"fails-{fail}", timeout_s=END_TIMEOUT_S)
    assert ended.state == tuning_job_pb2.TUNING_JOB_STATE_FAILED
    cause = {
        "error": training_job_pb2.FAILURE_CAUSE_ALGORITHM_ERROR,
        "crash": training_job_pb2.FAILURE_CAUSE_WORKER_LOST,
        "nan": training_job_pb2.FAILURE_CAUSE_INVALID_OBJECTIVE,
        "oom": training_job_pb2.FAILURE_CAUSE_OUT_OF_MEMORY,
    }[fail]
    for job in stack.client.list_training_jobs(f"fails-{fail}"):
        assert job.failure_cause == cause
        assert job.failure_reason


def test_garbage_in_every_queue_harms_nobody(stack: Stack) -> None:
    garbage = [
        Message("nonsense", b"\xff\xfe\x00"),
        Message("hrnn_tuner.v1.Task", b"\xff\xfe\x00"),
        Message("hrnn_tuner.v1.Task", b""),
        Message("hrnn_tuner.v1.Report", b"\xff\xfe\x00"),
        Message("hrnn_tuner.v1.Control", b"\xff\xfe\x00"),
        Message("hrnn_tuner.v1.JobHint", b"\xff\xfe\x00"),
    ]
    stack.client.create_tuning_job(synthetic_spec("before", epoch_seconds=0.2))
    running = next(
        event.training_job
        for event in stack.client.watch_tuning_job("before")
        if event.training_job.secondary_state == training_job_pb2.SECONDARY_STATE_TRAINING
    )
    addresses = [
        (TASKS_EXCHANGE, "default"),
        (REPORTS_EXCHANGE, REPORTS_SHARD),
        (CONTROL_EXCHANGE, worker_key(running.worker_id)),
        (JOBS_EXCHANGE, JOBS_KEY),
        (EVENTS_EXCHANGE, job_key("nobody")),
        (DEAD_EXCHANGE, ""),
    ]
    with open_broker(stack.broker_url, name="vandal", resource_classes=["default"]) as vandal:
        for exchange, routing_key in addresses:
            for message in garbage:
                vandal.publish(exchange, routing_key, message)
        assert stack.client.wait("before", timeout_s=END_TIMEOUT_S).state == tuning_job_pb2.TUNING_JOB_STATE_COMPLETED
        stack.client.create_tuning_job(synthetic_spec("after"))
        assert stack.client.wait("after", timeout_s=END_TIMEOUT_S).state == tuning_job_pb2.TUNING_JOB_STATE_COMPLETED
        queues = [tasks_queue("default"), reports_queue(), JOBS_QUEUE, DEAD_QUEUE]
        wait_until(lambda: all(vandal.depth(queue) == 0 for queue in queues), 20, "all garbage to be taken")
    assert all(service.process.poll() is None for service in stack.services), "no process ended"
    assert not any("Traceback" in service.log for service in stack.services)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("u1,i1,yesterday\n" * 1200, "yesterday"),
        ("u1,i1,1000\nu2,i2,2000\n", "1000"),
    ],
    ids=["unparsable timestamps", "too few interactions"],
)
def test_data_that_cannot_be_trained_on_fail_the_training_job_with_the_reason(
    stack: Stack, folder: Path, rows: str, says: str
) -> None:
    path = folder / "unusable.csv"
    path.write_text("USER_ID,ITEM_ID,TIMESTAMP\n" + rows)
    stack.client.create_tuning_job(hrnn_spec("unusable", path, max_training_jobs=1))
    ended = stack.client.wait("unusable", timeout_s=END_TIMEOUT_S)
    assert ended.state == tuning_job_pb2.TUNING_JOB_STATE_FAILED
    (job,) = stack.client.list_training_jobs("unusable")
    assert job.failure_cause == training_job_pb2.FAILURE_CAUSE_ALGORITHM_ERROR
    assert says in job.failure_reason
