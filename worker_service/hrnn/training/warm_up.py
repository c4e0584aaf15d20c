"""A training job of a moment, so that the first real one does not wait for lazy initialisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.preparation import prepare
from worker_service.hrnn.data.reading import RawInteractions
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.training_job import HrnnTraining

_USERS, _EVENTS, _ITEMS = 30, 4, 10
_HYPERPARAMETERS: Mapping[str, Value] = {"hidden_dimension": 8, "epochs": 1}


@dataclass
class _Unheard:
    """A training context that nobody listens to."""

    device: str
    hyperparameters: Mapping[str, Value]
    channels: Mapping[str, DataChannel]
    seed: int = 0
    split_seed: int = 0
    objective_metric: str = "precision_at_25"
    artifact_dir: Path = Path()
    cache_dir: Path = Path()
    checkpoint_dir: Path | None = None

    def training_started(self) -> None:
        """Nothing."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Nothing."""

    def resumed(self, step: int) -> None:
        """Nothing."""

    def checkpointed(self, step: int) -> None:
        """Nothing."""

    def should_stop(self) -> bool:
        """Never."""
        return False


def train_a_moment(device: str) -> None:
    """Trains and measures a tiny model."""
    number = np.arange(_USERS * _EVENTS)
    raw = RawInteractions(
        users=_ids(number // _EVENTS),
        items=_ids(number * 7 % _ITEMS),
        timestamps=number * 1000,
        left_out=0,
    )
    interactions, _ = prepare(raw)
    settings = HrnnSettings.from_hyperparameters(_HYPERPARAMETERS)
    data = training_data(interactions, settings, split_seed=0)
    HrnnTraining(data, settings, _Unheard(device, _HYPERPARAMETERS, {})).run()


def _ids(numbers: NDArray[np.int64]) -> Any:
    """Numbers as a column of ids."""
    return pa.array([str(number).encode() for number in numbers], pa.large_binary())
