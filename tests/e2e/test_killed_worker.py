"""A worker that is killed in the middle of a real training: the next attempt goes on as if nothing had happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner.v1.training_job_pb2 import TRAINING_JOB_STATE_COMPLETED, TrainingJob
from tests.support.interactions import write_interactions
from tests.support.specifications import hrnn_spec
from tests.support.stack import Stack
from tests.support.waiting import wait_until

END_TIMEOUT_S = 130.0
EPOCHS = 10


@pytest.fixture
def stack(tmp_path: Path, postgres_database: str, amqp_vhost_url: str) -> Iterator[Stack]:
    settings = {"LEASE_TTL_S": "4", "HEARTBEAT_INTERVAL_S": "0.5"}
    with Stack(
        tmp_path, database_url=postgres_database, broker_url=amqp_vhost_url, slots=1, settings=settings
    ) as running:
        yield running


def run(stack: Stack, name: str, interactions: Path) -> None:
    """Starts a tuning job of one training job; the same seed gives the same hyperparameters and the same training."""
    spec: dict[str, Any] = hrnn_spec(name, interactions, max_training_jobs=1, epochs=EPOCHS)
    spec["training_job_definitions"][0]["static_hyperparameters"]["patience"] = {"integer_value": str(EPOCHS)}
    stack.client.create_tuning_job(spec)


def outcome(stack: Stack, name: str) -> TrainingJob:
    stack.client.wait(name, timeout_s=END_TIMEOUT_S)
    (job,) = stack.client.list_training_jobs(name)
    assert job.state == TRAINING_JOB_STATE_COMPLETED, job.failure_reason
    return job


def recorded_beyond_the_first(folder: Path) -> bool:
    """Whether a checkpoint after the first was recorded: then the first one is gone."""
    found = {path.name for path in folder.glob("*/checkpoints/attempt-1/epoch-*")}
    return bool(found) and "epoch-1" not in found


def curve(stack: Stack, job: TrainingJob) -> list[tuple[str, int, float]]:
    return [(point.metric_name, point.step, point.value) for point in stack.client.list_metrics(job.name)]


def log(stack: Stack, job: TrainingJob) -> dict[int, list[str]]:
    """The lines of each attempt."""
    found: dict[int, list[str]] = defaultdict(list)
    for page in stack.client.list_training_job_logs(job.name):
        for line in page.lines:
            found[line.attempt].append(line.text)
    return found


@pytest.mark.timeout(400)  # two trainings and the start of two trainer processes
def test_after_a_kill_training_goes_on_at_the_checkpoint_and_ends_with_the_same_bits(
    stack: Stack, tmp_path: Path
) -> None:
    interactions = write_interactions(tmp_path / "interactions.csv", users=150, events_per_user=30)
    run(stack, "whole", interactions)
    whole = outcome(stack, "whole")

    run(stack, "killed", interactions)
    folder = stack.artifacts / "killed"
    wait_until(lambda: recorded_beyond_the_first(folder), END_TIMEOUT_S, "a later checkpoint that is recorded")
    (worker,) = stack.workers
    worker.kill()
    worker.restart()
    killed = outcome(stack, "killed")

    assert (whole.attempt, killed.attempt) == (1, 2)
    resumed = [event.decision for event in stack.client.watch_tuning_job("killed") if event.decision.kind == "RESUMED"]
    assert [item.training_job_number for item in resumed] == [1]
    assert dict(killed.final_metrics) == dict(whole.final_metrics)
    assert curve(stack, killed) == curve(stack, whole)
    models = [(Path(job.artifact_uri) / "model.safetensors").read_bytes() for job in (whole, killed)]
    assert models[0] == models[1]
    attempts = [point.attempt for point in stack.client.list_metrics(killed.name)]
    assert sorted(set(attempts)) == [1, 2]
    assert attempts == sorted(attempts)
    text = log(stack, killed)
    # What was sent before the kill stays; the last second of it may not have been.
    assert [attempt for attempt in (1, 2) if f"attempt {attempt} on worker" in " ".join(text[attempt])] == [1, 2]
    assert text[2][-1] == "attempt 2 ended as COMPLETED"
    wait_until(lambda: not any(folder.glob("*/checkpoints/*")), END_TIMEOUT_S, "the checkpoints to go")
