"""The training events as all baselines take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from worker_service.hrnn.data.dataset import TrainingData


@dataclass(frozen=True)
class TrainingEvents:
    """E events of V histories with N items.

    Attributes:
        item: Catalogue number of each event, 1 to ``size`` [E].
        time: Unix seconds, not decreasing within a history [E].
        offsets: Events of history v are ``offsets[v]:offsets[v + 1]`` [V + 1].
        size: N.
    """

    item: NDArray[np.integer]
    time: NDArray[np.int64]
    offsets: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, data: TrainingData) -> TrainingEvents:
        """What a model learns from, too."""
        return cls(data.events_item, data.events_time, data.events_offsets, len(data.catalogue))

    def starts(self) -> NDArray[np.bool_]:
        """Whether an event is its history's first [E]."""
        result = np.zeros(len(self.item), np.bool_)
        result[self.offsets[:-1]] = True
        return result

    def contents(self, group: NDArray[np.int64], groups: int) -> sparse.csr_array:
        """Which groups of events hold which items, 0 or 1, float64 [groups, N].

        Args:
            group: Number of each event's group [E].
            groups: How many there are.
        """
        held = np.unique(group * self.size + (self.item - 1))  # int64: groups times items is far below its limit
        ones = np.ones(len(held))
        return sparse.csr_array((ones, (held // self.size, held % self.size)), shape=(groups, self.size))
