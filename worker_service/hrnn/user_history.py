"""One user as a model sees them: reads events as they come and scores items at any time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrnn_tuner.algorithms.contract import AlgorithmError
from worker_service.hrnn.data.own_history import own_items
from worker_service.hrnn.data.queries import ask_features
from worker_service.hrnn.data.sessions import SessionRule
from worker_service.hrnn.network.features import FeatureBag
from worker_service.hrnn.network.metadata import AskingMetadata, EventMetadata, ItemVectors
from worker_service.hrnn.network.model import HrnnModel


class UserHistory:
    """Keeps the recurrent state, so that an event costs one step.

    Reading events one by one or all at once leaves the same.

    Args:
        model: On its device.
        rule: The session rule of its training data.
        vectors: The items as the model sees them; None makes them anew for each step.
        user: Features of the user [1]; None when nothing is known.
    """

    def __init__(
        self, model: HrnnModel, rule: SessionRule, vectors: ItemVectors | None = None, user: FeatureBag | None = None
    ) -> None:
        self._model = model
        self._rule = rule
        self._vectors = vectors
        self._user = user
        self._state = model.initial_state(1)
        self._items = np.zeros(0, np.int64)
        self._times = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> NDArray[np.int64]:
        """Catalogue number of each event read [n]."""
        return self._items

    def has(self, item: int, time: int) -> bool:
        """Whether this very event was read."""
        return bool(((self._times == time) & (self._items == item)).any())

    @torch.no_grad()
    def read(
        self,
        items: Sequence[int] | NDArray[np.int64],
        times: Sequence[int] | NDArray[np.int64],
        contexts: FeatureBag | None = None,
    ) -> None:
        """Reads events.

        Args:
            items: Catalogue numbers, at least 1 [m].
            times: Unix seconds, not decreasing, none before the latest event read [m].
            contexts: Features of their contexts [m]; None for none.

        Raises:
            AlgorithmError: When the times are out of order.
        """
        if not len(items):
            return
        new = np.asarray(times, np.int64)
        before = self._times[-1:] if len(self) else new[:1]
        gaps = np.diff(new, prepend=before)
        if (gaps < 0).any():
            late = int(np.argmax(gaps < 0))
            latest = new[late] - gaps[late]
            raise AlgorithmError(f"an event at {new[late]} comes after one at {latest}; events must come in order")
        first = np.zeros(len(new), np.bool_)
        first[0] = not len(self)
        numbers = np.asarray(items, np.int64)
        device = self._model.table.device
        user = None if len(self) else self._user
        _, self._state = self._model.encode(
            torch.from_numpy(numbers[:, None]).to(device),
            torch.from_numpy(self._rule.features(gaps, first)[:, None]).to(device),
            self._state,
            vectors=self._vectors,
            events=EventMetadata(contexts, user, torch.zeros(1, dtype=torch.int64, device=device)),
        )
        self._items = np.concatenate((self._items, numbers))
        self._times = np.concatenate((self._times, new))

    @torch.no_grad()
    def scores(self, now: int | None, context: FeatureBag | None = None) -> Tensor:
        """Scores (logits) of all items [N]; needs at least one event.

        Args:
            now: Unix seconds of the asking; None counts as a typical session start.
            context: Features of the asking's context [1]; None for none.
        """
        last = int(self._times[-1])
        asked_at = last + self._rule.typical_start_gap_s if now is None else max(now, last)
        device = self._model.table.device
        shape, own = self._model.shape, None
        if shape.own_items:
            known = np.array([asked_at]) if shape.use_query_gap else None
            own = own_items([self._items], [self._times], known, self._rule, device)
        asked = torch.from_numpy(ask_features(self._rule, last, asked_at)[None]).to(device)
        outputs, asking = self._model.output(self._state), AskingMetadata(self._user, context)
        return self._model.scores(outputs, asked, own, vectors=self._vectors, asking=asking)[0]
