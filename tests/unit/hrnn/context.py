from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hrnn_tuner.algorithms import Algorithm, DataChannel
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.domain.search_space import Value

#: A model small enough for a test, that still learns.
SMALL: Mapping[str, Value] = {
    "hidden_dimension": 8,
    "bptt": 8,
    "epochs": 2,
    "batch_tokens": 128,
    "learning_rate": 0.02,
    "dropout": 0.1,
    "max_user_history_length_percentile": 1.0,
}


@dataclass
class RecordingContext:
    """A training context that keeps what the trainer tells it, and stops after a number of epochs or steps."""

    channels: Mapping[str, DataChannel]
    artifact_dir: Path
    cache_dir: Path
    hyperparameters: Mapping[str, Value]
    seed: int = 1
    split_seed: int = 1
    objective_metric: str = "precision_at_25"
    device: str = "cpu"
    checkpoint_dir: Path | None = None
    stop_after_steps: int | None = None
    reports: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    started: int = 0
    resumed_steps: list[int] = field(default_factory=list)
    checkpointed_steps: list[int] = field(default_factory=list)
    asked: int = 0

    def training_started(self) -> None:
        assert not self.reports
        self.started += 1

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        self.reports.append((step, dict(metrics)))

    def resumed(self, step: int) -> None:
        assert not self.reports
        self.resumed_steps.append(step)

    def checkpointed(self, step: int) -> None:
        self.checkpointed_steps.append(step)

    def should_stop(self) -> bool:
        self.asked += 1
        return self.stop_after_steps is not None and self.asked > self.stop_after_steps


ContextFactory = Callable[..., RecordingContext]


def new_context(
    folder: Path,
    channels: Mapping[str, DataChannel],
    *,
    number: int = 1,
    algorithm: Algorithm = ALGORITHM,
    seed: int = 1,
    **hyperparameters: Value,
) -> RecordingContext:
    """A context for a small model, with its artifact and its cache in a folder."""
    artifact_dir = folder / f"artifact-{number}"
    artifact_dir.mkdir()
    small = {name: value for name, value in SMALL.items() if algorithm.hyperparameter(name) is not None}
    return RecordingContext(
        channels=channels,
        artifact_dir=artifact_dir,
        cache_dir=folder / "cache",
        hyperparameters={**algorithm.defaults(), **small, **hyperparameters},
        seed=seed,
    )
