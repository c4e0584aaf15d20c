from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.unit.hrnn.context import ContextFactory
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.recency import item_counts
from worker_service.hrnn.evaluation.evaluate import evaluate
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.trainer import HrnnTrainer

DATA = Path(__file__).parents[4] / "shared" / "data" / "ml-100k" / "interactions.csv.gz"


def test_three_epochs_on_movielens_beat_popularity_in_the_same_harness(make_context: ContextFactory) -> None:
    if not DATA.exists():
        pytest.skip(f"MovieLens 100K is not at {DATA}; it may not be shipped, so this machine proves nothing about it")
    context = make_context(
        str(DATA),
        hidden_dimension=32,
        bptt=20,
        epochs=3,
        batch_tokens=2048,
        learning_rate=0.01,
        max_user_history_length_percentile=0.99,
    )
    HrnnTrainer().train(context)
    settings = HrnnSettings.from_hyperparameters(context.hyperparameters)
    data = training_data(
        load_interactions(context.channels["interactions"], context.cache_dir), settings, context.split_seed
    )
    counts = torch.from_numpy(item_counts(data.events_item, data.events_time, len(data.catalogue), None))

    def popularity(batch: Queries) -> torch.Tensor:
        return counts.expand(len(batch), -1)

    baseline = evaluate(popularity, data.validation, len(data.catalogue), data.total_items).metrics()
    learnt = context.reports[-1][1]
    assert len(data.validation) >= 60
    for name in ("precision_at_25", "normalized_discounted_cumulative_gain_at_25", "coverage"):
        assert learnt[name] > 1.3 * baseline[name], (name, learnt[name], baseline[name])
