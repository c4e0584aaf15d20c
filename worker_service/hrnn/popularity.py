"""``popularity-count``: counts, and recommends what was counted most."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from hrnn_tuner.algorithms.contract import Recommendation, TrainingContext
from hrnn_tuner.algorithms.popularity_count import ALGORITHM
from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.artifact_files import ArtifactFiles, read_files, write_files
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.recency import item_counts
from worker_service.hrnn.evaluation.evaluate import Evaluation, evaluate
from worker_service.hrnn.ranking import best_items, popularity_shares
from worker_service.hrnn.recipes import load_trainable
from worker_service.hrnn.served_model import Texts
from worker_service.hrnn.settings import HrnnSettings, all_values
from worker_service.hrnn.training_facts import training_facts

_COUNTS = "item_counts"
#: Nobody is left out.
_EVERYBODY = {"min_user_history_length_percentile": 0.0, "max_user_history_length_percentile": 1.0}


class PopularityTrainer:
    """Counts the events of the training users; the whole training is one epoch."""

    def warm_up(self, device: str) -> None:
        """Needs nothing."""

    def train(self, context: TrainingContext) -> None:
        """Counts, measures and leaves the counts in ``artifact_dir``, unless asked to stop before.

        Raises:
            DataError: When data are missing, malformed or too few.
        """
        values = all_values(context.hyperparameters, ALGORITHM)
        interactions = load_trainable(context)
        settings = HrnnSettings.from_hyperparameters({**values, **_EVERYBODY})
        data = training_data(interactions, settings, context.split_seed)
        context.training_started()
        half_life = cast(float, values["recency_half_life_days"]) or None
        counts = torch.from_numpy(item_counts(data.events_item, data.events_time, len(data.catalogue), half_life))

        def score(queries: Queries) -> Tensor:
            return counts.expand(len(queries), -1)

        def measured(queries: Queries) -> Evaluation:
            return evaluate(score, queries, len(data.catalogue), data.total_items)

        if context.should_stop():
            return
        shares = popularity_shares(counts).numpy()
        loss = -float(np.log(shares[data.positions.target - 1]).mean())
        metrics = {**measured(data.validation).metrics(), "train_loss": loss}
        context.report(1, metrics)
        test = measured(data.test) if len(data.test) else None
        facts = training_facts(context, data, 1, metrics, test, seed=context.seed)
        items = tuple(interactions.items[int(item)] for item in data.catalogue)
        write_files(context.artifact_dir, ALGORITHM.name, ArtifactFiles(facts, items, {_COUNTS: counts}))


class PopularityRecommender:
    """Serves the counts of one artifact; safe for threads, as nothing is changed after construction.

    Args:
        artifact_dir: Local directory of the artifact.

    Raises:
        AlgorithmError: When there are no usable counts.
    """

    def __init__(self, artifact_dir: str | Path) -> None:
        files = read_files(Path(artifact_dir), "cpu", (ALGORITHM.name,))
        self._items = files.items
        self._shares = popularity_shares(files.tensors[_COUNTS])

    def recommend_for_user(
        self,
        user_id: str,
        interactions: DataChannel,
        k: int,
        *,
        filter_seen: bool = False,
        users: DataChannel | None = None,  # noqa: ARG002 - everybody gets the same
        context: Texts | None = None,  # noqa: ARG002
    ) -> Sequence[Recommendation]:
        """The ``k`` most popular items; the interactions are read only to leave out what the user has seen."""
        seen: set[str] = set()
        if filter_seen:
            found = load_interactions(interactions, None)
            user = found.users.find(user_id)
            rows = slice(0, 0) if user is None else found.history(user)
            seen = {found.items[item] for item in found.item[rows].tolist()}
        left_out = torch.tensor([item in seen for item in self._items])
        return best_items(self._items, self._shares, k, left_out)
