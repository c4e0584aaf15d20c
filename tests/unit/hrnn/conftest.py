from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import torch

from hrnn_tuner.algorithms import Algorithm, DataChannel
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.domain.search_space import Value
from tests.support.interactions import write_interactions
from tests.unit.hrnn.context import ContextFactory, RecordingContext, new_context
from worker_service.hrnn.data import cache, dataset
from worker_service.hrnn.data.metadata import loading


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def fresh_process_state() -> Iterator[None]:
    cache.forget_in_process()
    loading.forget_in_process()
    dataset.forget_in_process()
    yield
    torch.set_num_threads(1)


@pytest.fixture
def interactions_path(tmp_path: Path) -> Path:
    return write_interactions(tmp_path / "interactions.csv", users=60, events_per_user=20, items=40, seed=3)


@pytest.fixture
def make_context(tmp_path: Path, interactions_path: Path) -> ContextFactory:
    made = 0

    def make(
        uri: str | None = None,
        *,
        algorithm: Algorithm = ALGORITHM,
        channels: Mapping[str, DataChannel] | None = None,
        seed: int = 1,
        **hyperparameters: Value,
    ) -> RecordingContext:
        nonlocal made
        made += 1
        given = channels or {"interactions": DataChannel(uri or str(interactions_path))}
        return new_context(tmp_path, given, number=made, algorithm=algorithm, seed=seed, **hyperparameters)

    return make
