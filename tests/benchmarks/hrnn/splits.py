"""The published protocols that the product has no split of its own for."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.queries import Asked
from worker_service.hrnn.data.split import Division


@dataclass(frozen=True)
class NewestShare:
    """Amazon's notebook: of every user, the events ranked above 90% are asked for, and all others may be learnt from.

    Nine in ten users train, as the published model did by its own hold-out; the others choose the epoch, by the newest
    tenth of what they may show; without validation, they train as well. All users are asked.
    """

    share: float = 0.1
    has_validation: bool = True

    def divide(self, interactions: Interactions, session_gap_s: int) -> Division:
        """See `worker_service.hrnn.data.split.Split`."""
        offsets, lengths = interactions.offsets, np.diff(interactions.offsets)
        known = self._older(lengths)
        ends = offsets[:-1] + known
        hashes = np.array([zlib.crc32(interactions.users.raw(user)) for user in range(len(lengths))])
        chosen = (hashes % 10 == 0) & self.has_validation
        held = np.flatnonzero(chosen & (known >= 2))
        validation = Asked(held, offsets[held] + self._older(known[held]), ends[held])
        asked = np.flatnonzero((known >= 1) & (known < lengths))
        test = Asked(asked, ends[asked], offsets[asked + 1])
        return Division(np.where(chosen, offsets[:-1], ends), validation, test, rule=None)

    def _older(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Events of which the rank, as a share of all, is at most 1 - share; one less where that would be all."""
        known: NDArray[np.int64] = np.minimum(np.floor(lengths * (1 - self.share) + 1e-9).astype(np.int64), lengths - 1)
        return known


@dataclass(frozen=True)
class LeaveLastOut:
    """SASRec's protocol: the last event of every user is asked for, the one before chooses the epoch."""

    has_validation: bool = True

    def divide(self, interactions: Interactions, session_gap_s: int) -> Division:
        """See `worker_service.hrnn.data.split.Split`."""
        users = np.flatnonzero(np.diff(interactions.offsets) >= 3)
        ends = interactions.offsets[1:]
        training_ends = interactions.offsets[:-1].copy()
        training_ends[users] = ends[users] - 2
        validation = Asked(users, ends[users] - 2, ends[users] - 1)
        return Division(training_ends, validation, Asked(users, ends[users] - 1, ends[users]), rule=None)
