"""One training job inside the trainer process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hrnn_tuner.algorithms import AlgorithmError, Trainer, TrainingContext
from worker_service.checkpoint_store import upload
from worker_service.job_runner import JobRunner
from worker_service.messages import CheckpointSaved, EpochMetrics, JobEnded, PipeMessage, Resumed, RunJob, Stage
from worker_service.training_context import StopFlag


class _Trainer:
    def __init__(self, body: Callable[[TrainingContext], None]) -> None:
        self._body = body

    def warm_up(self, device: str) -> None: ...

    def train(self, context: TrainingContext) -> None:
        self._body(context)


class _Rig:
    def __init__(self, folder: Path) -> None:
        (folder / "work").mkdir()
        self.sent: list[PipeMessage] = []
        self.stop = StopFlag()
        self.target = folder / "out" / "attempt-1"
        self.job = RunJob(
            job=5,
            name="n",
            algorithm="fake",
            hyperparameters={},
            channels={},
            objective_metric="m",
            maximize=True,
            seed=1,
            split_seed=2,
            artifact_uri=str(self.target),
            environment={},
            work_dir=str(folder / "work"),
            fingerprint="f",
            partial_tag="w",
        )
        self.cache = folder

    def run(self, body: Callable[[TrainingContext], None]) -> JobEnded:
        trainers: dict[str, Trainer] = {"fake": _Trainer(body)}
        runner = JobRunner(trainers, device="cpu", cache_dir=self.cache, stop=self.stop, send=self.sent.append)
        return runner.run(self.job)


@pytest.fixture
def rig(tmp_path: Path) -> _Rig:
    return _Rig(tmp_path)


def test_a_success_passes_all_stages_and_is_published_with_its_best_epoch(rig: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        context.training_started()
        context.report(1, {"m": 2.0})
        context.report(2, {"m": 1.0})
        (context.artifact_dir / "model").write_text("x")

    assert rig.run(train) == JobEnded(5, "COMPLETED", metrics={"m": 2.0})
    assert rig.sent == [
        Stage(5, "DOWNLOADING"),
        Stage(5, "TRAINING"),
        EpochMetrics(5, 1, {"m": 2.0}),
        EpochMetrics(5, 2, {"m": 1.0}),
        Stage(5, "UPLOADING"),
    ]
    assert (rig.target / "model").read_text() == "x"


def test_a_stop_that_the_trainer_saw_publishes_nothing(rig: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        assert not context.should_stop()
        rig.stop.job = 5
        context.report(1, {"m": 1.0})
        assert context.should_stop()

    assert rig.run(train).outcome == "STOPPED"
    assert not rig.target.exists()


def test_a_stop_that_keeps_the_model_publishes_that_of_the_best_epoch(rig: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        context.report(1, {"m": 2.0})
        context.report(2, {"m": 1.0})
        rig.stop.keep, rig.stop.job = True, 5
        assert context.should_stop()
        (context.artifact_dir / "model").write_text("best")

    assert rig.run(train) == JobEnded(5, "STOPPED", metrics={"m": 2.0})
    assert (rig.target / "model").read_text() == "best"


@pytest.mark.parametrize(("report", "write"), [(False, True), (True, False)])
def test_a_stop_finds_nothing_to_keep_without_an_epoch_or_a_model(rig: _Rig, report: bool, write: bool) -> None:
    def train(context: TrainingContext) -> None:
        if report:
            context.report(1, {"m": 2.0})
        rig.stop.keep, rig.stop.job = True, 5
        assert context.should_stop()
        if write:
            (context.artifact_dir / "model").write_text("nothing learnt")

    assert rig.run(train) == JobEnded(5, "STOPPED")
    assert not rig.target.exists()


def test_a_stop_of_an_earlier_job_does_not_stop_this_one(rig: _Rig) -> None:
    rig.stop.job = 4
    assert rig.run(lambda context: context.report(1, {"m": float(context.should_stop())})).outcome == "COMPLETED"


@pytest.mark.parametrize("metrics", [{"other": 1.0}, {"m": float("nan")}])
def test_without_a_finite_objective_nothing_is_published(rig: _Rig, metrics: dict[str, float]) -> None:
    ended = rig.run(lambda context: context.report(1, metrics))
    assert (ended.outcome, ended.cause) == ("FAILED", "INVALID_OBJECTIVE")
    assert not rig.target.exists()


def test_an_exception_is_this_jobs_result_and_nothing_is_published(rig: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        context.report(1, {"m": 1.0})
        raise AlgorithmError("because")

    assert rig.run(train) == JobEnded(5, "FAILED", "ALGORITHM_ERROR", "because")
    assert not rig.target.exists()


def test_steps_must_increase(rig: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        context.report(2, {"m": 1.0})
        context.report(2, {"m": 2.0})

    ended = rig.run(train)
    assert ended.cause == "ALGORITHM_ERROR"
    assert "step 2" in ended.reason


def test_an_algorithm_that_is_not_installed_is_named(rig: _Rig) -> None:
    rig.job = replace(rig.job, algorithm="unknown")
    ended = rig.run(lambda _: None)
    assert ended.outcome == "LOST"
    assert "'unknown'" in ended.reason
    assert "installed: fake" in ended.reason


def test_an_artifact_that_cannot_be_written_is_this_workers_fault(rig: _Rig, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where a folder should be")
    ended = rig.run(lambda context: context.report(1, {"m": 1.0}))
    assert (ended.outcome, ended.cause) == ("LOST", "")


def test_a_stop_that_asks_for_the_model_publishes_the_best_epoch_so_far(rig: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        context.report(1, {"m": 2.0})
        context.report(2, {"m": 1.0})
        rig.stop.keep, rig.stop.job = True, 5
        assert context.should_stop()
        (context.artifact_dir / "model").write_text("x")

    assert rig.run(train) == JobEnded(5, "STOPPED", metrics={"m": 2.0})
    assert (rig.target / "model").read_text() == "x"


def test_a_stop_that_asks_for_a_model_where_there_is_none_is_a_plain_stop(rig: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        rig.stop.keep, rig.stop.job = True, 5
        assert context.should_stop()

    assert rig.run(train) == JobEnded(5, "STOPPED")
    assert not rig.target.exists()


def save(context: TrainingContext, text: str, step: int) -> None:
    """Saves a checkpoint as a trainer must: by a rename."""
    assert context.checkpoint_dir is not None
    (context.checkpoint_dir / "draft").write_text(text)
    (context.checkpoint_dir / "draft").rename(context.checkpoint_dir / "state")
    context.checkpointed(step)


def test_a_snapshot_of_a_checkpoint_stays_as_it_was_when_the_trainer_saves_the_next(rig: _Rig) -> None:
    rig.job = replace(rig.job, checkpoints=True)

    def train(context: TrainingContext) -> None:
        for step, text in ((1, "first"), (2, "second")):
            context.report(step, {"m": 1.0})
            save(context, text, step)

    assert rig.run(train).outcome == "COMPLETED"
    saved = [message for message in rig.sent if isinstance(message, CheckpointSaved)]
    assert [(item.step, (Path(item.folder) / "state").read_text()) for item in saved] == [(1, "first"), (2, "second")]


def test_without_a_place_for_checkpoints_none_is_handed_over(rig: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        assert context.checkpoint_dir is None
        context.checkpointed(1)
        context.report(1, {"m": 1.0})

    assert rig.run(train).outcome == "COMPLETED"
    assert not any(isinstance(message, CheckpointSaved) for message in rig.sent)


@pytest.fixture
def resuming(rig: _Rig, tmp_path: Path) -> _Rig:
    """A rig whose job goes on behind step 3."""
    (tmp_path / "earlier").mkdir()
    (tmp_path / "earlier" / "state").write_text("three")
    checkpoint = upload(tmp_path / "earlier", 3, str(tmp_path / "store" / "epoch-3"))
    rig.job = replace(rig.job, checkpoints=True, resume_from=checkpoint)
    return rig


def test_a_job_with_a_checkpoint_finds_it_and_says_that_it_goes_on(resuming: _Rig) -> None:
    def train(context: TrainingContext) -> None:
        assert context.checkpoint_dir is not None
        assert (context.checkpoint_dir / "state").read_text() == "three"
        context.resumed(3)
        for step in range(1, 5):
            context.report(step, {"m": float(-step)})

    assert resuming.run(train) == JobEnded(5, "COMPLETED", metrics={"m": -1.0})
    assert resuming.sent[1] == Resumed(5, 3)


def test_a_corrupt_checkpoint_is_kept_from_the_trainer_and_said(resuming: _Rig) -> None:
    assert resuming.job.resume_from is not None
    (Path(resuming.job.resume_from.uri) / "state").write_text("four")

    def train(context: TrainingContext) -> None:
        assert context.checkpoint_dir is not None
        assert list(context.checkpoint_dir.iterdir()) == []
        context.report(1, {"m": 1.0})

    assert resuming.run(train).outcome == "COMPLETED"
    (said,) = (message for message in resuming.sent if isinstance(message, Resumed))
    assert said.step == 0
    assert "is corrupt" in said.problem


def test_a_trainer_that_leaves_its_checkpoint_alone_is_found_out_at_its_first_report(resuming: _Rig) -> None:
    resuming.run(lambda context: context.report(1, {"m": 1.0}))
    kinds = [type(message) for message in resuming.sent]
    assert kinds.index(Resumed) < kinds.index(EpochMetrics)
    assert Resumed(5, 0, "the trainer did not take it up") in resuming.sent
