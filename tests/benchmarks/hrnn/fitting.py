"""Trains one model of a table: the epoch is chosen on validation, the test is looked at once."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from hrnn_tuner.algorithms.contract import TrainingContext
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value
from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.training_job import HrnnTraining


@dataclass
class BenchContext:
    """A training context that prints every epoch."""

    title: str
    seed: int
    objective_metric: str
    hyperparameters: Mapping[str, Value]
    device: str = "cpu"
    split_seed: int = 0
    channels: Mapping[str, DataChannel] = field(default_factory=dict)
    artifact_dir: Path = Path()
    cache_dir: Path = Path()
    checkpoint_dir: Path | None = None

    def training_started(self) -> None:
        """Nothing to say."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Prints the epoch."""
        print(f"{self.title}: epoch {step}, {self.objective_metric} {metrics[self.objective_metric]:.4f}", flush=True)

    def resumed(self, step: int) -> None:
        """Never happens."""

    def checkpointed(self, step: int) -> None:
        """Never happens."""

    def should_stop(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True)
class Fitted:
    """A trained model and what it cost.

    Attributes:
        training: Holds the model of the chosen epoch.
        epoch: The chosen epoch.
        seconds: Wall time of all training, evaluation included.
        peak_mb: Largest resident memory of the process so far.
    """

    training: HrnnTraining
    epoch: int
    seconds: float
    peak_mb: float


def fit(title: str, data: TrainingData, hyperparameters: Mapping[str, Value], seed: int, metric: str) -> Fitted:
    """Trains with early stop on the validation queries and keeps the best epoch by one metric."""
    torch.set_num_threads(1)
    settings = HrnnSettings.from_hyperparameters(hyperparameters)
    context: TrainingContext = BenchContext(title, seed, metric, hyperparameters)
    started = time.monotonic()
    training = HrnnTraining(data, settings, context)
    best = training.run()
    if best is None:
        raise RuntimeError("a training that nobody stops has an epoch")
    training.model.load_state_dict(best.weights)
    return Fitted(training, best.epoch, time.monotonic() - started, _peak_mb())


def refit(
    title: str, data: TrainingData, hyperparameters: Mapping[str, Value], seed: int, metric: str, epochs: int
) -> HrnnTraining:
    """Trains anew on data that include the validation window, for a number of epochs that is already chosen.

    The learning rate takes the course that it took when the epoch was chosen.
    """
    torch.set_num_threads(1)
    settings = HrnnSettings.from_hyperparameters(hyperparameters)
    training = HrnnTraining(data, settings, BenchContext(title, seed, metric, hyperparameters))
    for epoch in range(1, epochs + 1):
        loss = training.train_epoch(epoch)
        print(f"{title}: refit epoch {epoch} of {epochs}, loss {loss:.4f}", flush=True)
    return training


def _peak_mb() -> float:
    """Largest resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
