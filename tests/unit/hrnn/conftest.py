from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch

from hrnn_tuner.algorithms import DataChannel
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.domain.search_space import Value
from tests.support.interactions import write_interactions
from tests.unit.hrnn.context import ContextFactory, RecordingContext
from worker_service.hrnn.data import cache, dataset
from worker_service.hrnn.data.metadata import loading

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


@pytest.fixture(autouse=True)
def fresh_process_state() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cache.forget_in_process()
    loading.forget_in_process()
    dataset.forget_in_process()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def interactions_path(tmp_path: Path) -> Path:
    return write_interactions(tmp_path / "interactions.csv", users=60, events_per_user=20, items=40, seed=3)


@pytest.fixture
def make_context(tmp_path: Path, interactions_path: Path) -> ContextFactory:
    made = 0

    def make(uri: str | None = None, *, seed: int = 1, **hyperparameters: Value) -> RecordingContext:
        nonlocal made
        made += 1
        artifact_dir = tmp_path / f"artifact-{made}"
        artifact_dir.mkdir()
        return RecordingContext(
            channels={"interactions": DataChannel(uri or str(interactions_path))},
            artifact_dir=artifact_dir,
            cache_dir=tmp_path / "cache",
            hyperparameters={**ALGORITHM.defaults(), **SMALL, **hyperparameters},
            seed=seed,
        )

    return make
