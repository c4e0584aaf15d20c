"""What a trainer sees of one training job: the trainer process's `TrainingContext`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from hrnn_tuner.algorithms.contract import AlgorithmError
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value
from worker_service.best_epoch import BestEpoch
from worker_service.messages import CheckpointSaved, EpochMetrics, PipeMessage, Resumed, RunJob, Stage


class StopFlag:
    """The number of the job that was asked to stop; set by the pipe's thread, read by the training thread.

    ``keep``: whether the model of its best epoch is to be kept; set before the number.
    """

    def __init__(self) -> None:
        """Starts with no job to stop."""
        self.job = 0
        self.keep = False


class PipeContext:
    """Implements `TrainingContext` on top of the pipe to the supervisor."""

    def __init__(
        self, job: RunJob, *, device: str, cache_dir: Path, stop: StopFlag, send: Callable[[PipeMessage], None]
    ) -> None:
        """Makes the empty directories."""
        self.hyperparameters: Mapping[str, Value] = job.hyperparameters
        self.channels: Mapping[str, DataChannel] = job.channels
        self.seed = job.seed
        self.split_seed = job.split_seed
        self.objective_metric = job.objective_metric
        self.device = device
        self.artifact_dir = Path(job.work_dir) / "artifact"
        self.artifact_dir.mkdir()
        self.cache_dir = cache_dir
        self.checkpoint_dir = Path(job.work_dir) / "checkpoint" if job.checkpoints else None
        if self.checkpoint_dir is not None:
            self.checkpoint_dir.mkdir()
        self.best = BestEpoch(job.objective_metric, maximize=job.maximize)
        self.stop_seen = False
        self._job = job.job
        self._stop = stop
        self._send = send
        self._last_step = 0
        self._snapshots = Path(job.work_dir) / "snapshots"
        #: Whether a checkpoint waits in ``checkpoint_dir`` and nobody said yet what became of it.
        self.resuming = False

    def training_started(self) -> None:
        """Says that data are ready and the first optimizer step follows."""
        self._send(Stage(self._job, "TRAINING"))

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Reports the metrics of one finished epoch; ``step`` counts from 1.

        Raises:
            AlgorithmError: When steps do not increase: a second value of a step would be ignored silently.
        """
        if step <= self._last_step:
            raise AlgorithmError(f"step {step} was reported after step {self._last_step}; steps must increase from 1")
        self._last_step = step
        if self.resuming:
            self.not_resumed("the trainer did not take it up")
        plain = {str(name): float(value) for name, value in metrics.items()}  # numpy scalars are no JSON
        self.best.add(plain)
        self._send(EpochMetrics(self._job, int(step), plain))

    def resumed(self, step: int) -> None:
        """Says that training goes on behind an epoch."""
        self.resuming = False
        self._send(Resumed(self._job, int(step)))

    def not_resumed(self, problem: str) -> None:
        """Says that the assignment's checkpoint is of no use."""
        self.resuming = False
        self._send(Resumed(self._job, 0, problem))

    def checkpointed(self, step: int) -> None:
        """Hands the supervisor a snapshot of the checkpoint: links, which stay when the trainer replaces a file."""
        if self.checkpoint_dir is None:
            return
        folder = self._snapshots / f"epoch-{int(step)}"
        shutil.copytree(self.checkpoint_dir, folder, copy_function=_link)
        self._send(CheckpointSaved(self._job, int(step), str(folder)))

    def should_stop(self) -> bool:
        """Whether the training job was asked to stop; one comparison."""
        if self._stop.job == self._job:
            self.stop_seen = True
            return True
        return False


def _link(source: str, target: str) -> None:
    """A second name for a file, or a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
