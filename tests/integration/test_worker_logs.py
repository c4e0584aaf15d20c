"""What a worker reports of what its trainers write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hrnn_tuner.v1.training_job_pb2 import LogSource
from tests.support.synthetic_algorithm import NOTE_VARIABLE
from tests.support.worker_harness import Rig, in_memory, worker_settings
from worker_service.composition import build_worker


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A worker for all tests of the module: a trainer takes long to warm up."""
    folder: Path = tmp_path_factory.mktemp("worker-logs")
    with in_memory() as (hub, scheduler), hub.connect("worker") as broker:
        worker = build_worker(worker_settings(folder), broker)
        worker.start()
        yield Rig(scheduler, worker, folder)
        worker.stop()


def written(rig: Rig, number: int) -> list[tuple[str, str]]:
    """Source and text of the lines of a training job that has ended."""
    rig.scheduler.ended(number)
    lines = [line for owner, line in rig.scheduler.log if owner == number]
    ends = [0, *(line.position + len(line.text.encode()) + 1 for line in lines)]
    assert [line.position for line in lines] == ends[:-1], "nothing is missing"
    return [(LogSource.Name(line.source).removeprefix("LOG_SOURCE_"), line.text) for line in lines]


def test_output_stages_and_epochs_are_lines_and_the_environment_is_hidden(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(1, x=0.3, epochs=2, environment={NOTE_VARIABLE: "secret-value"}))
    lines = written(rig, 1)
    assert ("STDOUT", "synthetic training with x=0.3") in lines
    assert ("STDERR", "the note is '***'") in lines
    worker = [text for source, text in lines if source == "WORKER"]
    assert worker[0] == f"attempt 1 on worker {rig.worker.worker_id}"
    assert [text for text in worker if text.startswith("epoch")] == ["epoch 1: score=0.5", "epoch 2: score=0.75"]
    assert [text for text in worker if text.isupper()] == ["DOWNLOADING", "TRAINING", "UPLOADING"]
    assert worker[-1] == "attempt 1 ended as COMPLETED"


def test_each_line_belongs_to_the_training_job_that_ran_when_it_was_written(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(2, x=0.25), rig.assignment(3, x=0.75))
    for number, x in ((2, 0.25), (3, 0.75)):
        printed = [text for source, text in written(rig, number) if source == "STDOUT"]
        assert printed == [f"synthetic training with x={x}"]


def test_the_last_words_of_a_trainer_that_crashes_are_kept(rig: Rig) -> None:
    rig.scheduler.enqueue(rig.assignment(4, fail="crash"))
    lines = written(rig, 4)
    assert ("STDOUT", "synthetic crash") in lines
    assert lines[-1] == ("WORKER", "attempt 1 ended as LOST: the trainer process exited with status 3")
