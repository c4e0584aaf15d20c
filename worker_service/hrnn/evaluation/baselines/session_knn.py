"""What similar sessions went on to: nearest neighbours among sessions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.sessions import SessionRule
from worker_service.hrnn.evaluation.baselines.events import TrainingEvents
from worker_service.hrnn.evaluation.baselines.popularity import Popularity


class SessionKnn:
    """VS-kNN (Ludewig & Jannach 2018, "Evaluation of session-based recommendation algorithms").

    Of the training sessions that share an item with the query's current session, the latest ``sample`` are compared
    with it, and the ``neighbours`` most similar vote for their items.

    * Similarity: the sum of the weights of the shared items, by the number of items of the current session; the weight
      of the i-th of n items is i / n.
    * A neighbour's vote: its similarity / s, where its latest shared item is the s-th from the end of the current
      session.

    The current session is the last of the query's history. Items of it may be recommended again.

    Args:
        events: The training events.
        rule: Where sessions start.
        sample: Sessions that are compared, at most.
        neighbours: Sessions that vote, at most.
    """

    def __init__(self, events: TrainingEvents, rule: SessionRule, sample: int = 1000, neighbours: int = 100) -> None:
        self._popularity = Popularity(events)
        self._rule, self._sample, self._neighbours = rule, sample, neighbours
        starts = events.starts()
        starts[1:] |= np.diff(events.time) > rule.session_gap_s
        last_times = events.time[np.append(np.flatnonzero(starts)[1:], len(starts)) - 1]
        by_age = np.empty(len(last_times), np.int64)  # sessions are numbered by their last event: higher is later
        by_age[np.argsort(last_times, kind="stable")] = np.arange(len(last_times))
        self._sessions = events.contents(by_age[np.cumsum(starts) - 1], len(last_times))
        self._by_item = self._sessions.T.tocsr()

    def __call__(self, queries: Queries) -> Tensor:
        """Scores [Q, N]."""
        own = np.zeros((len(queries), len(self._popularity.shares)))
        for row, (items, times) in enumerate(zip(queries.items, queries.times, strict=True)):
            if len(items):
                own[row] = self._votes(self._current(items, times))
        return self._popularity.below(own)

    def _current(self, items: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Distinct catalogue rows of the last session in the order of their latest events."""
        breaks = np.flatnonzero(np.diff(times) > self._rule.session_gap_s)
        session = items[breaks[-1] + 1 :] if len(breaks) else items
        distinct, from_end = np.unique(session[::-1], return_index=True)
        return distinct[np.argsort(-from_end)] - 1

    def _votes(self, current: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sum of the neighbours' votes for each item [N]."""
        bounds = self._by_item.indptr
        holders = [self._by_item.indices[bounds[item] : bounds[item + 1]] for item in current]
        position = np.repeat(np.arange(1, len(current) + 1), [len(sessions) for sessions in holders])
        found, place = np.unique(np.concatenate(holders), return_inverse=True)
        similarity = np.bincount(place, position / len(current), len(found)) / len(current)
        latest = np.zeros(len(found), np.int64)
        np.maximum.at(latest, place, position)
        sampled = np.arange(len(found))[-self._sample :]
        nearest = sampled[np.lexsort((sampled, similarity[sampled]))][-self._neighbours :]
        vote = similarity[nearest] / (len(current) + 1 - latest[nearest])
        votes: NDArray[np.float64] = self._sessions[found[nearest]].T @ vote
        return votes
