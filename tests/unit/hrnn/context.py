from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hrnn_tuner.algorithms import DataChannel
from hrnn_tuner.domain.search_space import Value


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
    asked: int = 0

    def training_started(self) -> None:
        assert not self.reports
        self.started += 1

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        self.reports.append((step, dict(metrics)))

    def should_stop(self) -> bool:
        self.asked += 1
        return self.stop_after_steps is not None and self.asked > self.stop_after_steps


ContextFactory = Callable[..., RecordingContext]
