"""Recommends from a trained model: softmax scores over the whole catalogue after a user's history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrnn_tuner.algorithms.contract import AlgorithmError, Recommendation
from worker_service.hrnn.artifact import load_artifact
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import MAX_HISTORY
from worker_service.hrnn.data.queries import ask_features, encode_history


class HrnnRecommender:
    """Serves the model of one artifact; safe for threads, as nothing is changed after construction.

    Args:
        artifact_dir: Local directory of the artifact.
        device: A torch device string.
        cache_dir: Where prepared interactions are kept between processes; None keeps them in this process only.

    Raises:
        AlgorithmError: When there is no usable model.
    """

    def __init__(self, artifact_dir: str | Path, device: str = "cpu", cache_dir: Path | None = None) -> None:
        self._artifact = load_artifact(Path(artifact_dir), device)
        self._numbers = {item: row + 1 for row, item in enumerate(self._artifact.items)}
        self._device = device
        self._cache_dir = cache_dir

    def recommend_for_user(
        self, user_id: str, interactions_uri: str, k: int, *, filter_seen: bool = False
    ) -> Sequence[Recommendation]:
        """The best ``k`` items for a user of the interactions data, by the user's whole history there.

        The time of the request counts as a typical session start.

        Args:
            user_id: USER_ID; an unknown user gets popular items.
            interactions_uri: CSV or Parquet data, as for training; any number of rows will do.
            k: Length of the list, at least 1; shorter when the catalogue is.
            filter_seen: Leave out the items of the history.

        Raises:
            DataError: When the data are missing or malformed.
        """
        interactions = load_interactions(interactions_uri, self._cache_dir)
        user = interactions.users.find(user_id)
        rows = slice(0, 0) if user is None else interactions.history(user)
        events = zip(interactions.item[rows].tolist(), interactions.timestamp[rows].tolist(), strict=True)
        history = [(interactions.items[item], time) for item, time in events]
        return self.recommend(history, None, k, filter_seen=filter_seen)

    def recommend(
        self, history: Sequence[tuple[str, int]], now: int | None, k: int, *, filter_seen: bool = False
    ) -> list[Recommendation]:
        """The best ``k`` items after a history.

        Args:
            history: (ITEM_ID, Unix seconds) of each event, in any order; exact duplicates and items that the model does
                not know are left out. Without any known item, popular items come first.
            now: Unix seconds of the request; None counts as a typical session start.
            k: Length of the list, at least 1.
            filter_seen: Leave out the items of the history.

        Returns:
            At most ``k`` items, best first, each with its share of the softmax over the whole catalogue.

        Raises:
            AlgorithmError: When ``k`` is below 1.
        """
        if k < 1:
            raise AlgorithmError(f"the number of recommendations is {k}; allowed: at least 1")
        events = sorted(dict.fromkeys(history), key=lambda event: event[1])
        numbers = np.array([self._numbers.get(item, 0) for item, _ in events], np.int64)
        times = np.array([time for _, time in events], np.int64)
        known = numbers > 0
        shares = self._shares(numbers[known], times[known], now) if known.any() else self._popularity()
        ranked = shares.clone()
        if filter_seen:
            ranked[torch.from_numpy(numbers[known] - 1).to(self._device)] = -1.0
        best = ranked.topk(min(k, len(ranked)))
        rows = [row for row, value in zip(best.indices.tolist(), best.values.tolist(), strict=True) if value >= 0]
        return [Recommendation(self._artifact.items[row], float(shares[row])) for row in rows]

    @torch.no_grad()
    def _shares(self, numbers: NDArray[np.int64], times: NDArray[np.int64], now: int | None) -> Tensor:
        """Softmax over the catalogue after a history of known items [N]."""
        model, rule = self._artifact.model, self._artifact.rule
        items, _, features = encode_history(numbers, times, rule, MAX_HISTORY)
        _, state = model.encode(
            torch.from_numpy(items[:, None]).to(self._device),
            torch.from_numpy(features[:, None]).to(self._device),
            model.initial_state(1),
        )
        asked = torch.from_numpy(ask_features(rule, int(times[-1]), now)).to(self._device)
        return model.scores(model.ask(model.output(state), asked))[0].softmax(dim=0)

    def _popularity(self) -> Tensor:
        """Shares of the items in the training events [N]; one more for each, so that none is zero."""
        counts = self._artifact.item_counts + 1.0
        return counts / counts.sum()
