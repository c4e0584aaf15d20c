"""Which items are new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.algorithms.declarations.cold_start import MAX_COLD_ITEMS, MIN_COLD_ITEMS
from hrnn_tuner.domain.search_space import Value
from worker_service.hrnn.data.metadata.item_records import UNKNOWN_TIME
from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.sessions import DAY_S


@dataclass(frozen=True)
class ColdItemRule:
    """When an item is new; the declaration of the hyperparameters says what each means."""

    max_interactions: int
    max_duration_days: float
    relative_from: str

    @classmethod
    def from_hyperparameters(cls, values: Mapping[str, Value]) -> ColdItemRule:
        """Takes the three from all hyperparameters of a training job."""
        return cls(
            cast(int, values["cold_start_max_interactions"]),
            cast(float, values["cold_start_max_duration"]),
            cast(str, values["cold_start_relative_from"]),
        )

    def find(self, interactions: Interactions, created: NDArray[np.int64], now: int) -> NDArray[np.bool_]:
        """Which items are new, by item number [I]; only listed ones can be.

        Args:
            interactions: With the listed items.
            created: When each listed item came into being, `UNKNOWN_TIME` for unknown [L].
            now: The current time in Unix seconds.

        Raises:
            DataError: When they are too few or too many.
        """
        counts = np.bincount(interactions.item, minlength=len(interactions.items))[interactions.listed]
        born = np.where(created == UNKNOWN_TIME, _first_times(interactions)[interactions.listed], created)
        known = born != UNKNOWN_TIME
        reference = now if self.relative_from == "currentTime" else born[known].max(initial=0)
        young = ~known | (reference - born <= self.max_duration_days * DAY_S)
        cold = np.zeros(len(interactions.items), np.bool_)
        cold[interactions.listed] = young & (counts <= self.max_interactions)
        self._check(int(cold.sum()))
        return cold

    def _check(self, found: int) -> None:
        """Refuses a number of cold items that the published recipe refuses."""
        if MIN_COLD_ITEMS <= found <= MAX_COLD_ITEMS:
            return
        reference = "the current time" if self.relative_from == "currentTime" else "the latest item"
        raise DataError(
            f"there are {found} cold items: items of the items data with at most {self.max_interactions} interactions "
            f"that appeared at most {self.max_duration_days:g} days before {reference}; allowed: {MIN_COLD_ITEMS} to "
            f"{MAX_COLD_ITEMS:,} (cold_start_max_interactions and cold_start_max_duration decide)"
        )


def _first_times(interactions: Interactions) -> NDArray[np.int64]:
    """Unix seconds of each item's first event, `UNKNOWN_TIME` where there is none [I]."""
    latest = np.iinfo(np.int64).max
    first = np.full(len(interactions.items), latest)
    np.minimum.at(first, interactions.item, interactions.timestamp)
    return np.where(first == latest, UNKNOWN_TIME, first)
