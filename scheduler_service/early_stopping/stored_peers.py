"""The other training jobs as the database knows them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from hrnn_tuner.domain.objective import ObjectiveType
from hrnn_tuner.store import StandingRepository
from scheduler_service.early_stopping.contract import Peers


@dataclass(frozen=True)
class StoredPeers(Peers):
    """The peers of training job ``number`` at a level of its pool, as the transaction finds them."""

    standings: StandingRepository
    objective: ObjectiveType
    tuning_job_id: str
    number: int
    pool: int
    level: int

    def count(self) -> int:
        """See `Peers.count`."""
        return self.standings.count(self.tuning_job_id, self.pool, self.level, without=self.number)

    def median(self) -> float:
        """See `Peers.median`."""
        count = self.count()
        if count == 0:
            raise ValueError("no other training job has come to this level")
        first, width = (count - 1) // 2, 2 - count % 2
        return fmean(
            self.standings.ranked(
                self.tuning_job_id, self.pool, self.level, without=self.number, first=first, limit=width
            )
        )

    def better_than(self, score: float) -> int:
        """See `Peers.better_than`."""
        return self.standings.count_better(
            self.tuning_job_id, self.pool, self.level, score, self.objective, without=self.number
        )
