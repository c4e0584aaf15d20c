"""Scores for the items of a user's own history, on top of those that come out of the recurrent state."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from worker_service.hrnn.data.own_history import AGE_BUCKETS, EVENT_BUCKETS, HABIT_BUCKETS, OwnItems
from worker_service.hrnn.data.sessions import SESSION_START

#: Factor on the few weights of the buckets, so that they move faster than the many of the network.
_SCALE = 3.0


class OwnItemScores(nn.Module):
    """A log-linear model of coming back: what is added to the score of each item of the history.

    One weight for each bucket of `OwnItems`, and another one on top where the asking starts a session; plus how much
    this user, as the query tells, comes back at all; plus how much people come back to this item. All are zero at the
    start.

    Args:
        items: N.
        hidden: H.
    """

    def __init__(self, items: int, hidden: int) -> None:
        super().__init__()
        self.events = nn.Parameter(torch.zeros(2, EVENT_BUCKETS))
        self.age = nn.Parameter(torch.zeros(2, AGE_BUCKETS))
        self.habit = nn.Parameter(torch.zeros(2, HABIT_BUCKETS))
        self.user = nn.Parameter(torch.zeros(hidden))
        self.item = nn.Parameter(torch.zeros(items))

    def forward(self, own: OwnItems, queries: Tensor, features: Tensor) -> Tensor:
        """What is added to each of P scores [P].

        Args:
            own: The items.
            queries: q [M, H].
            features: Features of the askings [M, 4].
        """
        starts = features[:, SESSION_START].int().index_select(0, own.row)

        def weight(buckets: Tensor, bucket: Tensor) -> Tensor:
            """The weight of each pair's bucket [P]; row 1 comes on top of row 0."""
            table = _SCALE * buckets.cumsum(0).flatten()
            return table.index_select(0, bucket + buckets.shape[1] * starts)

        known = weight(self.events, own.events) + weight(self.age, own.age) + weight(self.habit, own.habit)
        return known + (queries @ self.user).index_select(0, own.row) + self.item.index_select(0, own.item)
