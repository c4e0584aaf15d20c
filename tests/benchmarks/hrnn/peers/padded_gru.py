"""The plain way to train a GRU recommender: whole users, cut and padded to one length, ``torch.nn.GRU``.

What a competent tutorial would write: the output tied to the item table, full cross entropy over the real targets only,
Adam, dropout, users shuffled every epoch. No time, no sessions, no state beyond the cut.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.data.queries import Queries

LONGEST = 200
BATCH_USERS = 128
LEARNING_RATE = 0.02
DROPOUT = 0.2


class PaddedGru(nn.Module):
    """Predicts the next item after every event of a history.

    Args:
        items: N; catalogue numbers are 1 to N, 0 is padding.
        hidden: H.
    """

    def __init__(self, items: int, hidden: int) -> None:
        super().__init__()
        self.table = nn.Embedding(items + 1, hidden, padding_idx=0)
        nn.init.xavier_normal_(self.table.weight)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.bias = nn.Parameter(torch.zeros(items))

    def forward(self, histories: Tensor) -> Tensor:
        """Outputs [B, T, H] after the events [B, T]."""
        outputs, _ = self.gru(self.dropout(self.table(histories)))
        return self.dropout(outputs)  # type: ignore[no-any-return]

    def scores(self, outputs: Tensor) -> Tensor:
        """Scores of all items [M, N] for outputs [M, H]."""
        return functional.linear(outputs, self.table.weight[1:], self.bias)

    @torch.no_grad()
    def score_queries(self, queries: Queries) -> Tensor:
        """Scores of all items after the newest events of queries [Q, N]."""
        self.eval()
        outputs = self(_padded([items[-LONGEST:] for items in queries.items]))
        last = [min(len(items), LONGEST) - 1 for items in queries.items]
        return self.scores(outputs[torch.arange(len(queries)), torch.tensor(last)])


class PaddedTraining:
    """Trains a `PaddedGru`.

    Args:
        data: What to learn from.
        hidden: H.
        seed: Of weights, dropout and order.
    """

    def __init__(self, data: TrainingData, hidden: int, seed: int) -> None:
        torch.manual_seed(seed)
        self._order = np.random.default_rng(seed)
        bounds = zip(data.events_offsets[:-1], data.events_offsets[1:], strict=True)
        # One event more than is read: the last is a target only.
        items = data.events_item.astype(np.int64)
        self._histories = [items[max(start, end - LONGEST - 1) : end] for start, end in bounds]
        self.model = PaddedGru(len(data.catalogue), hidden)
        self._optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE)

    @property
    def events(self) -> int:
        """Targets of an epoch."""
        return sum(len(history) - 1 for history in self._histories)

    def train_epoch(self, epoch: int) -> None:
        """One pass over all users."""
        self.model.train()
        for histories in self._batches():
            read, targets = _padded([h[:-1] for h in histories]), _padded([h[1:] for h in histories])
            real = targets > 0
            scores = self.model.scores(self.model(read)[real])
            loss = functional.cross_entropy(scores, targets[real] - 1)
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()

    def _batches(self) -> Iterator[list[NDArray[np.int64]]]:
        """The histories of some users at a time, in a new order."""
        order = self._order.permutation(len(self._histories))
        for start in range(0, len(order), BATCH_USERS):
            yield [self._histories[user] for user in order[start : start + BATCH_USERS]]


def _padded(histories: list[NDArray[np.int64]]) -> Tensor:
    """Histories side by side, zeros behind the shorter ones [B, T]."""
    tensors = [torch.from_numpy(history) for history in histories]
    return nn.utils.rnn.pad_sequence(tensors, batch_first=True)
