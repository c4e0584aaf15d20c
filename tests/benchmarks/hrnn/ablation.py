"""Takes away from a model what the ablation asks about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.sessions import FIRST, SessionRule

#: What each row of the table means.
VARIANTS = {
    "hrnn": "time discount, user level above the sessions, and query-time gate",
    "flat": "one GRU that sees gaps and session starts in its inputs, and the query-time gate",
    "no session information": "the flat cell, all times removed: no gaps, no session starts, no query time, own items "
    "by order and count only",
    "without own items": "hrnn without the scores of own items",
}
_ENDLESS = SessionRule(session_gap_s=10**15, long_break_s=10**15, typical_start_gap_s=1)


def without_sessions(data: TrainingData) -> TrainingData:
    """The same events in the same order, at no time; popularity is no longer decayed."""
    positions = replace(
        data.positions,
        features=_only_first(data.positions.features),
        target_features=_only_first(data.positions.target_features),
    )
    return replace(
        data,
        rule=_ENDLESS,
        positions=positions,
        events_time=np.zeros_like(data.events_time),
        validation=_timeless(data.validation),
        test=_timeless(data.test),
    )


def _timeless(queries: Queries) -> Queries:
    """Queries whose histories tell order only."""
    return replace(
        queries,
        times=tuple(np.zeros_like(times) for times in queries.times),
        features=tuple(_only_first(features) for features in queries.features),
        ask_times=np.zeros_like(queries.ask_times),
        ask_features=_only_first(queries.ask_features),
    )


def _only_first(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features that tell a user's first event from the others, and nothing else."""
    result = np.zeros_like(features)
    result[..., FIRST] = features[..., FIRST]
    return result
