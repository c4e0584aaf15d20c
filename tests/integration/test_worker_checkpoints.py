"""Checkpoints of a whole worker on the in-memory broker, driven through its queues."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner import failpoints
from hrnn_tuner.broker.contract import Message
from hrnn_tuner.v1 import queue_pb2 as pb
from hrnn_tuner.v1.training_job_pb2 import FAILURE_CAUSE_OUT_OF_MEMORY
from tests.support.synthetic_algorithm import CHECKPOINT, score
from tests.support.waiting import wait_until
from tests.support.worker_harness import TIMEOUT_S, Rig, in_memory, names, worker_settings
from worker_service import trainer_link
from worker_service.checkpoint_store import digest_of
from worker_service.composition import build_worker

Outcome = pb.AttemptEnded
WARM_UP_S = 100.0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with in_memory() as (hub, scheduler), hub.connect("worker") as broker:
        worker = build_worker(worker_settings(tmp_path), broker)
        worker.start()
        wait_until(lambda: worker.warm_slots == 1, WARM_UP_S, "a warm trainer")
        yield Rig(scheduler, worker, tmp_path)
        worker.stop()


def checkpoints(rig: Rig) -> Path:
    """Where all attempts at a training job keep their checkpoints."""
    return rig.folder / "job-1" / "checkpoints"


def wanted(rig: Rig, **changes: Any) -> pb.TrainingAssignment:
    return rig.assignment(checkpoint_uri=str(checkpoints(rig) / "attempt-1"), **changes)


def recorded(rig: Rig, assignment: pb.TrainingAssignment, step: int) -> None:
    """Tells the worker that a checkpoint was recorded."""
    command = pb.Control(ref=assignment.ref, command=pb.Control.COMMAND_CHECKPOINT_RECORDED, step=step)
    rig.scheduler.send(rig.worker.worker_id, command)


def test_every_checkpoint_is_reported_complete_and_after_the_metrics_it_stands_for(rig: Rig) -> None:
    rig.scheduler.enqueue(wanted(rig, epochs=2, epoch_seconds=0.5))
    reports = rig.scheduler.until("checkpointed")
    assert "metrics" in names(reports)
    found = reports[-1].checkpointed.checkpoint
    assert (found.step, Path(found.uri)) == (1, checkpoints(rig) / "attempt-1" / "epoch-1")
    assert (Path(found.uri) / CHECKPOINT).read_text() == "1"
    assert found.digest == digest_of(Path(found.uri))


def test_checkpoints_before_a_recorded_one_go_those_of_earlier_attempts_included(rig: Rig) -> None:
    rig.scheduler.enqueue(wanted(rig, epochs=1000, epoch_seconds=0.2))
    first = rig.scheduler.until("checkpointed")[-1].checkpointed.checkpoint
    second = rig.scheduler.until("checkpointed")[-1].checkpointed.checkpoint
    assert Path(first.uri).exists()
    recorded(rig, wanted(rig), second.step)
    wait_until(lambda: not Path(first.uri).exists(), TIMEOUT_S, "the first one to go")
    assert Path(second.uri).exists()


def test_an_attempt_goes_on_behind_the_checkpoint_of_its_assignment(rig: Rig) -> None:
    rig.scheduler.enqueue(wanted(rig, epochs=2, epoch_seconds=0.5))
    found = rig.scheduler.until("checkpointed")[-1].checkpointed.checkpoint
    rig.scheduler.ended()
    ref = pb.AttemptRef(tuning_job_id="job", number=1, attempt=2, token="other")
    rig.scheduler.enqueue(wanted(rig, epochs=3, ref=ref, resume_from=found, x=0.3))
    reports = rig.scheduler.until("ended")
    kinds = names(reports)
    assert kinds.index("resumed") < kinds.index("metrics")
    (resumed,) = (report.resumed for report in reports if report.HasField("resumed"))
    assert (resumed.step, resumed.problem) == (found.step, "")
    points = [(point.step, point.value) for report in reports for point in report.metrics.points]
    assert points == [(step, score(x=0.3, epoch=step)) for step in (1, 2, 3)]


def test_a_stop_that_keeps_the_model_ends_with_the_best_epoch_so_far(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(epochs=1000, epoch_seconds=0.1, x=0.3))
    seen = rig.scheduler.until("metrics")
    command = pb.Control(ref=rig.assignment().ref, command=pb.Control.COMMAND_STOP_AND_KEEP)
    rig.scheduler.send(rig.worker.worker_id, command)
    reports = [*seen, *rig.scheduler.until("ended")]
    last = max(point.step for report in reports for point in report.metrics.points)
    ended = reports[-1].ended
    assert (ended.outcome, ended.artifact_uri) == (Outcome.OUTCOME_STOPPED, rig.assignment().artifact_uri)
    assert dict(ended.final_metrics) == {"score": score(x=0.3, epoch=last)}
    assert rig.manifest()["hyperparameters"]["x"] == 0.3


def test_an_attempt_that_is_stopped_before_it_begins_keeps_the_model_of_its_checkpoint(rig: Rig) -> None:
    rig.scheduler.enqueue(wanted(rig, epochs=2, epoch_seconds=0.5, x=0.3))
    found = rig.scheduler.until("checkpointed")[-1].checkpointed.checkpoint
    rig.scheduler.ended()
    ref = pb.AttemptRef(tuning_job_id="job", number=1, attempt=2, token="other")
    rig.scheduler.enqueue(wanted(rig, epochs=1000, epoch_seconds=TIMEOUT_S, ref=ref, resume_from=found, x=0.3))
    rig.scheduler.until("started")
    rig.scheduler.send(rig.worker.worker_id, pb.Control(ref=ref, command=pb.Control.COMMAND_STOP_AND_KEEP))
    ended = rig.scheduler.ended()
    assert (ended.outcome, dict(ended.final_metrics)) == (
        Outcome.OUTCOME_STOPPED,
        {"score": score(x=0.3, epoch=found.step)},
    )


def test_a_trainer_that_the_kernel_kills_for_its_memory_ran_out_of_memory(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = itertools.count()  # a kill since the last look, every time
    monkeypatch.setattr(trainer_link, "oom_kills", lambda: next(counter))
    rig.scheduler.enqueue(rig.assignment(epochs=1000, epoch_seconds=0.05))
    rig.scheduler.until("metrics")
    os.kill(rig.pid(), signal.SIGKILL)
    ended = rig.scheduler.ended()
    assert (ended.outcome, ended.failure_cause) == (Outcome.OUTCOME_FAILED, FAILURE_CAUSE_OUT_OF_MEMORY)
    assert "ran out of memory" in ended.failure_reason


def removal(*folders: Path) -> Message:
    """A task that has folders removed."""
    body = pb.Task(remove_checkpoints=[str(folder) for folder in folders]).SerializeToString()
    return Message(type=pb.Task.DESCRIPTOR.full_name, body=body)


def test_a_removal_that_is_done_becomes_no_dead_letter_where_the_worker_fails_at_training_jobs(rig: Rig) -> None:
    folder = checkpoints(rig) / "attempt-1"
    (folder / "epoch-1").mkdir(parents=True)
    rig.wait_warm()
    failpoints.arm("slot.announced=raise")
    try:
        rig.scheduler.enqueue_raw(removal(checkpoints(rig)))
        wait_until(lambda: not folder.exists(), TIMEOUT_S, "the checkpoints to go")
        rig.scheduler.enqueue(rig.assignment())
        dead = rig.scheduler.dead.get(timeout=TIMEOUT_S)
    finally:
        failpoints.arm("")
    assert pb.Task.FromString(dead.body).assignments, "the training job's task, not the removal"


def test_checkpoints_of_an_ended_training_job_are_removed_and_nothing_else_ever_is(rig: Rig) -> None:
    for folder in (checkpoints(rig), rig.folder / "job-1" / "attempt-1"):
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")
    rig.scheduler.enqueue_raw(removal(checkpoints(rig)))
    wait_until(lambda: not checkpoints(rig).exists(), TIMEOUT_S, "the checkpoints to go")
    rig.scheduler.enqueue_raw(removal(rig.folder / "job-1" / "attempt-1"))
    rig.scheduler.dead.get(timeout=TIMEOUT_S)
    assert (rig.folder / "job-1" / "attempt-1" / "file").exists()
