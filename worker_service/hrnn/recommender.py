"""Recommends from a trained model: softmax scores over the whole catalogue after a user's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from hrnn_tuner.algorithms.contract import AlgorithmError, Recommendation
from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.artifact import Artifact, load_artifact
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import MAX_HISTORY
from worker_service.hrnn.user_history import UserHistory


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
        self._cache_dir = cache_dir

    def recommend_for_user(
        self, user_id: str, interactions: DataChannel, k: int, *, filter_seen: bool = False
    ) -> Sequence[Recommendation]:
        """The best ``k`` items for a user of the interactions data, by the user's whole history there.

        The time of the request counts as a typical session start.

        Args:
            user_id: USER_ID; an unknown user gets popular items.
            interactions: CSV or Parquet data, as for training; any number of rows will do.
            k: Length of the list, at least 1; shorter when the catalogue is.
            filter_seen: Leave out the items of the history.

        Raises:
            DataError: When the data are missing or malformed.
        """
        found = load_interactions(interactions, self._cache_dir)
        user = found.users.find(user_id)
        rows = slice(0, 0) if user is None else found.history(user)
        events = zip(found.item[rows].tolist(), found.timestamp[rows].tolist(), strict=True)
        history = [(found.items[item], time) for item, time in events]
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
        return self.user(history).recommend(now, k, filter_seen=filter_seen)

    def user(self, history: Sequence[tuple[str, int]] = ()) -> LiveUser:
        """A user to be followed event by event, after a history as in `recommend`."""
        return LiveUser(self._artifact, self._numbers, history)


class LiveUser:
    """One user whose events are read as they come; `HrnnRecommender.user` makes one.

    Each event costs one step of the model, and leaves what reading the whole history anew would, up to the 2,560 events
    that a history is cut to. Not for several threads at once.
    """

    def __init__(self, artifact: Artifact, numbers: Mapping[str, int], history: Sequence[tuple[str, int]]) -> None:
        self._artifact = artifact
        self._numbers = numbers
        self._history = UserHistory(artifact.model, artifact.rule)
        events = sorted(dict.fromkeys(history), key=lambda event: event[1])
        known = [(numbers[item], time) for item, time in events if item in numbers][-MAX_HISTORY:]
        self._history.read([number for number, _ in known], [time for _, time in known])

    def add(self, item_id: str, timestamp: int) -> None:
        """Reads an event; an exact duplicate, or an item that the model does not know, changes nothing.

        Raises:
            AlgorithmError: When it is older than the latest event read.
        """
        number = self._numbers.get(item_id)
        if number is not None and not self._history.has(number, timestamp):
            self._history.read([number], [timestamp])

    def recommend(self, now: int | None, k: int, *, filter_seen: bool = False) -> list[Recommendation]:
        """The best ``k`` items now; see `HrnnRecommender.recommend`.

        Raises:
            AlgorithmError: When ``k`` is below 1.
        """
        if k < 1:
            raise AlgorithmError(f"the number of recommendations is {k}; allowed: at least 1")
        shares = self._history.scores(now).softmax(dim=0) if len(self._history) else self._popularity()
        ranked = shares.clone()
        if filter_seen:
            ranked[torch.from_numpy(self._history.items - 1).to(ranked.device)] = -1.0
        best = ranked.topk(min(k, len(ranked)))
        rows = [row for row, value in zip(best.indices.tolist(), best.values.tolist(), strict=True) if value >= 0]
        return [Recommendation(self._artifact.items[row], float(shares[row])) for row in rows]

    def _popularity(self) -> Tensor:
        """Shares of the items in the training events [N]; one more for each, so that none is zero."""
        counts = self._artifact.item_counts + 1.0
        return counts / counts.sum()
