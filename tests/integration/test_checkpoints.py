"""Training jobs that survive their workers: a real scheduler and real workers on both databases."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner import failpoints
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.early_stopping import HyperbandConfig
from hrnn_tuner.domain.search_space import ContinuousRange, Value
from hrnn_tuner.domain.states import FailureCause, SecondaryState, TrainingJobState, TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import StrategyName, TuningJob
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import EventKind, Store
from scheduler_service.early_stopping import MedianActivation
from scheduler_service.replay import replay
from scheduler_service.service import SchedulerService
from tests.support.curves import listed_curve, watched_curve
from tests.support.invariants import check_invariants, read_events, read_training_jobs
from tests.support.synthetic_algorithm import CHECKPOINT, score
from tests.support.tuning import create_job, make_spec
from tests.support.waiting import wait_until
from tests.support.worker_harness import worker_settings
from worker_service.composition import build_worker
from worker_service.supervisor import Supervisor

SCHEDULER = Settings(lease_ttl_s=20.0, planner_interval_s=0.1, control_resend_s=0.3)
TIMEOUT_S = 90.0


class Site:
    """A scheduler, and workers as they are asked for."""

    def __init__(self, store: Store, folder: Path, stack: ExitStack) -> None:
        self.store = store
        self.folder = folder
        self._hub = InMemoryHub(build_topology(["default"]))
        self._stack = stack
        scheduler = SchedulerService(SCHEDULER, store, stack.enter_context(self._hub.connect("scheduler")))
        scheduler.start()
        stack.callback(scheduler.stop)

    def worker(self, **changes: Any) -> Supervisor:
        link = self._stack.enter_context(self._hub.connect("worker"))
        worker = build_worker(worker_settings(self.folder, **changes), link)
        worker.start()
        self._stack.callback(worker.stop)
        return worker

    def submit(
        self, *, epochs: int, epoch_seconds: float, spec: Mapping[str, Any] | None = None, **definition: Any
    ) -> TuningJob:
        static: dict[str, Value] = {"epochs": epochs, "epoch_seconds": epoch_seconds, "fail": "none"}
        made = make_spec(
            max_training_jobs=1,
            max_parallel=1,
            ranges=(ContinuousRange("x", 0.0, 1.0),),
            static=static,
            output_uri=str(self.folder / "out"),
            **(spec or {}),
        )
        changed = replace(made.definitions[0], **definition)
        return create_job(self.store, replace(made, definitions=(changed,)), now=utc_now())

    def row(self, job: TuningJob) -> TrainingJob | None:
        return next(iter(read_training_jobs(self.store, job.id)), None)

    def wait_for(self, job: TuningJob, condition: Callable[[TrainingJob], bool], what: str) -> TrainingJob:
        def met() -> bool:
            row = self.row(job)
            return row is not None and condition(row)

        wait_until(met, TIMEOUT_S, what)
        row = self.row(job)
        assert row is not None
        return row

    def wait_for_end(self, job: TuningJob) -> TrainingJob:
        row = self.wait_for(job, lambda row: not row.active, "the end")
        check_invariants(self.store, job)
        return row

    def wait_for_checkpoint(self, job: TuningJob) -> TrainingJob:
        return self.wait_for(job, lambda row: row.checkpoint is not None, "a checkpoint")

    def decisions(self, job: TuningJob) -> list[str]:
        events = read_events(self.store, job.id)
        return [event.body["kind"] for event in events if event.kind is EventKind.DECISION]

    def manifest(self, row: TrainingJob) -> dict[str, Any]:
        return dict(json.loads((Path(row.artifact_uri) / "manifest.json").read_text()))


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(store, tmp_path, stack)


def assert_one_curve(site: Site, job: TuningJob, epochs: int) -> list[int]:
    """Checks that every view shows each epoch once with the right value; returns the attempt of each."""
    curve = listed_curve(site.store, job.id, 1)
    assert curve == watched_curve(site.store, job.id, 1)
    row = site.row(job)
    assert row is not None
    x, steps = float(row.hyperparameters["x"]), range(1, epochs + 1)
    expected = [score(x=x, flag=True, epoch=step) for step in steps]
    assert [curve["score", step][0] for step in steps] == expected
    assert len(curve) == epochs
    return [curve["score", step][1] for step in steps]


def test_a_trainer_that_dies_is_followed_by_an_attempt_behind_the_last_checkpoint(site: Site) -> None:
    worker = site.worker()
    job = site.submit(epochs=12, epoch_seconds=0.3, checkpoint_uri=str(site.folder / "elsewhere"))
    site.wait_for_checkpoint(job)
    (pid,) = worker.trainer_pids
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    ended = site.wait_for_end(job)
    assert (ended.state, ended.attempt) == (TrainingJobState.COMPLETED, 2)
    assert ended.failures == (FailureCause.WORKER_LOST,)
    first = site.manifest(ended)["first_epoch"]
    assert first > 1
    assert assert_one_curve(site, job, 12) == [1] * (first - 1) + [2] * (13 - first)
    assert {"RETRIED", "RESUMED"} <= set(site.decisions(job))
    assert ended.final_objective == listed_curve(site.store, job.id, 1)["score", 12][0]
    folder = site.folder / "elsewhere" / "job" / ended.name
    wait_until(lambda: folder.is_dir() and not any(folder.iterdir()), TIMEOUT_S, "the checkpoints to go")


def test_a_drained_worker_hands_on_and_nothing_has_failed(site: Site) -> None:
    first = site.worker()
    job = site.submit(epochs=12, epoch_seconds=0.5, max_attempts=1)
    before = site.wait_for_checkpoint(job).checkpoint
    assert before is not None
    first.stop(drain_s=TIMEOUT_S)
    waiting = site.wait_for(job, lambda row: row.attempt == 2, "the hand-back")
    assert waiting.failures == ()
    assert waiting.checkpoint is not None
    assert waiting.checkpoint.step > before.step
    with site.store.read() as tx:
        row = tx.tuning_jobs.get(job.id)
    assert row is not None
    assert (row.counters.in_progress, row.counters.retryable) == (1, 0)
    site.worker()
    ended = site.wait_for_end(job)
    assert (ended.state, ended.failures) == (TrainingJobState.COMPLETED, ())
    assert site.manifest(ended)["first_epoch"] == waiting.checkpoint.step + 1
    assert_one_curve(site, job, 12)


def test_a_corrupt_checkpoint_is_said_and_costs_the_epochs_before_it(site: Site) -> None:
    first = site.worker()
    job = site.submit(epochs=12, epoch_seconds=0.5)
    site.wait_for_checkpoint(job)
    first.stop()
    waiting = site.wait_for(job, lambda row: row.attempt == 2, "the hand-back")
    assert waiting.checkpoint is not None
    (Path(waiting.checkpoint.uri) / CHECKPOINT).write_text("7")
    site.worker()
    ended = site.wait_for_end(job)
    assert ended.state is TrainingJobState.COMPLETED
    assert site.manifest(ended)["first_epoch"] == 1
    assert "CHECKPOINT_UNUSABLE" in site.decisions(job)
    assert assert_one_curve(site, job, 12) == [2] * 12


@pytest.fixture
def slow_uploads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Trainers that stop before their model is in its place, until this is called."""
    monkeypatch.setenv(failpoints.VARIABLE, f"upload.copied=sleep:{TIMEOUT_S}")
    return lambda: monkeypatch.delenv(failpoints.VARIABLE)


def wait_until_it_keeps_its_model(site: Site, job: TuningJob, step: int) -> TrainingJob:
    """Waits for a stop, and for a checkpoint after a step."""

    def met(row: TrainingJob) -> bool:
        saved = row.checkpoint is not None and row.checkpoint.step >= step
        return row.secondary is SecondaryState.STOPPING and saved

    return site.wait_for(job, met, "the stop and a checkpoint")


@pytest.mark.parametrize("ending", ["killed", "drained"])
def test_a_pause_whose_model_was_not_kept_yet_is_made_good_by_another_attempt(
    site: Site, slow_uploads: Callable[[], None], ending: str
) -> None:
    worker = site.worker()
    config = HyperbandConfig(1, 3)
    job = site.submit(epochs=3, epoch_seconds=2.0, spec={"strategy": StrategyName.ASHA, "hyperband": config})
    wait_until_it_keeps_its_model(site, job, step=1)
    slow_uploads()
    if ending == "killed":
        (pid,) = worker.trainer_pids
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    else:
        worker.stop(drain_s=0.2)
        site.worker()
    ended = site.wait_for_end(job)
    assert (ended.secondary, ended.stopping_rule, ended.attempt) == (SecondaryState.EARLY_STOPPED, "PAUSED", 2)
    assert ended.failures == ((FailureCause.WORKER_LOST,) if ending == "killed" else ())
    assert ended.final_objective == score(x=float(ended.hyperparameters["x"]), flag=True, epoch=1)
    assert site.manifest(ended)["first_epoch"] == 2
    assert site.decisions(job).count("EARLY_STOPPED") == 1
    followed = replay(site.store, "job", MedianActivation(1, 1))
    assert followed is not None
    assert followed.differences == []


def test_a_training_job_that_dies_when_its_time_is_over_still_leaves_the_model_of_its_checkpoint(
    site: Site, slow_uploads: Callable[[], None]
) -> None:
    worker = site.worker()
    job = site.submit(epochs=1000, epoch_seconds=0.4, max_runtime_s=2)
    saved = wait_until_it_keeps_its_model(site, job, step=2).checkpoint
    assert saved is not None
    slow_uploads()
    (pid,) = worker.trainer_pids
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    ended = site.wait_for_end(job)
    assert (ended.secondary, ended.attempt) == (SecondaryState.MAX_RUNTIME_EXCEEDED, 2)
    assert site.manifest(ended)["epochs"] >= saved.step
    curve = listed_curve(site.store, job.id, 1)
    assert ended.final_objective == max(value for value, _ in curve.values())


def test_a_training_job_whose_time_is_over_keeps_its_best_epoch(site: Site) -> None:
    site.worker()
    job = site.submit(epochs=1000, epoch_seconds=0.2, max_runtime_s=2)
    ended = site.wait_for_end(job)
    assert (ended.state, ended.secondary) == (TrainingJobState.STOPPED, SecondaryState.MAX_RUNTIME_EXCEEDED)
    curve = listed_curve(site.store, job.id, 1)
    assert ended.final_objective == max(value for value, _ in curve.values())
    assert site.manifest(ended)["first_epoch"] == 1
    with site.store.read() as tx:
        row = tx.tuning_jobs.get(job.id)
    assert row is not None
    assert (row.state, row.best_number) == (TuningJobState.COMPLETED, 1)
    assert "MAX_RUNTIME_EXCEEDED" in site.decisions(job)


def test_the_runtime_counts_over_all_attempts(site: Site) -> None:
    first = site.worker()
    job = site.submit(epochs=1000, epoch_seconds=0.2, max_runtime_s=4)
    site.wait_for_checkpoint(job)
    first.stop()
    waiting = site.wait_for(job, lambda row: row.attempt == 2, "the hand-back")
    assert waiting.runtime_s > 0
    site.worker()
    ended = site.wait_for_end(job)
    assert ended.secondary is SecondaryState.MAX_RUNTIME_EXCEEDED
    taken = [step.at for step in ended.transitions if step.state is SecondaryState.STARTING]
    stopping = next(step.at for step in ended.transitions if step.state is SecondaryState.STOPPING)
    left = 4 - waiting.runtime_s
    assert (stopping - taken[1]).total_seconds() >= left
