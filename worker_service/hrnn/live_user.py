"""A user who is followed event by event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from hrnn_tuner.algorithms.contract import Recommendation
from worker_service.hrnn.data.dataset import MAX_HISTORY
from worker_service.hrnn.data.metadata.rows import FeatureRows
from worker_service.hrnn.network.features import FeatureBag
from worker_service.hrnn.ranking import best_items, popularity_shares
from worker_service.hrnn.served_model import ServedModel, Texts
from worker_service.hrnn.user_history import UserHistory


class LiveUser:
    """One user whose events are read as they come; `HrnnRecommender.user` makes one.

    Each event costs one step of the model, and leaves what reading the whole history anew would, up to the 2,560 events
    that a history is cut to. Not for several threads at once.

    Args:
        model: The model.
        history: (ITEM_ID, Unix seconds) of each event [n], in any order.
        contexts: Features of their contexts [n]; None for none.
        user: Features of the user [1]; None when nothing is known.
    """

    def __init__(
        self,
        model: ServedModel,
        history: Sequence[tuple[str, int]],
        contexts: FeatureRows | None,
        user: FeatureRows | None,
    ) -> None:
        self._model = model
        self._history = UserHistory(
            model.artifact.model, model.artifact.rule, model.items, None if user is None else self._bag(user)
        )
        first = {event: place for place, event in reversed(list(enumerate(history)))}
        events = sorted((place for place in first.values()), key=lambda place: (history[place][1], place))
        known = [place for place in events if history[place][0] in model.numbers][-MAX_HISTORY:]
        self._history.read(
            [model.numbers[history[place][0]] for place in known],
            [history[place][1] for place in known],
            None if contexts is None else self._bag(contexts.take(np.array(known, np.int64))),
        )

    def add(self, item_id: str, timestamp: int, *, context: Texts | None = None) -> None:
        """Reads an event; an exact duplicate, or an item that the model does not know, changes nothing.

        Raises:
            AlgorithmError: When it is older than the latest event read.
            DataError: When its context does not fit the model.
        """
        number = self._model.numbers.get(item_id)
        if number is not None and not self._history.has(number, timestamp):
            self._history.read([number], [timestamp], self._context(context))

    def recommend(
        self, now: int | None, k: int, *, filter_seen: bool = False, context: Texts | None = None
    ) -> list[Recommendation]:
        """The best ``k`` items now; see `HrnnRecommender.recommend`.

        Raises:
            AlgorithmError: When ``k`` is below 1.
            DataError: When the context does not fit the model.
        """
        artifact = self._model.artifact
        asked = self._context(context)
        left_out = None if artifact.recommendable is None else ~artifact.recommendable
        if len(self._history):
            scores = self._history.scores(now, asked)
            shares = (scores if left_out is None else scores.masked_fill(left_out, float("-inf"))).softmax(dim=0)
        else:
            shares = popularity_shares(artifact.item_counts, artifact.recommendable)
        if filter_seen:
            left_out = torch.zeros_like(shares, dtype=torch.bool) if left_out is None else left_out
            left_out[torch.from_numpy(self._history.items - 1).to(left_out.device)] = True
        return best_items(artifact.items, shares, k, left_out)

    def _context(self, context: Texts | None) -> FeatureBag | None:
        """Features of one context."""
        encoded = self._model.encode_context(None if context is None else [context])
        return None if encoded is None else self._bag(encoded)

    def _bag(self, rows: FeatureRows) -> FeatureBag:
        """Features on the model's device."""
        return FeatureBag.of(rows, self._model.device)
