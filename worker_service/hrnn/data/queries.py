"""The questions a model is measured by: a user's older events, and what came next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.sessions import FEATURES, SessionRule, gaps_of
from worker_service.hrnn.data.split import held_out


@dataclass(frozen=True)
class Queries:
    """Q questions, sorted by length of history, shortest first.

    Attributes:
        items: Catalogue numbers of each history, oldest first; Q arrays int64 [n_q]. Items that no training user has
            are left out, as they are when the model serves.
        times: Their Unix seconds, Q arrays int64 [n_q].
        features: Their features, Q arrays float32 [n_q, 4].
        ask_times: Unix seconds of the asking, int64 [Q].
        ask_features: Features of the asking itself, made of the time since the last event, float32 [Q, 4].
        truth: Catalogue numbers of the held-out events, distinct; Q arrays int64. Unknown items are left
            out: no list can hold them, so they are misses.
    """

    items: tuple[NDArray[np.int64], ...]
    times: tuple[NDArray[np.int64], ...]
    features: tuple[NDArray[np.float32], ...]
    ask_times: NDArray[np.int64]
    ask_features: NDArray[np.float32]
    truth: tuple[NDArray[np.int64], ...]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, part: slice) -> Queries:
        return Queries(
            self.items[part],
            self.times[part],
            self.features[part],
            self.ask_times[part],
            self.ask_features[part],
            self.truth[part],
        )


def encode_history(
    items: NDArray[np.int64], times: NDArray[np.int64], rule: SessionRule, longest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Prepares one history for the model.

    Args:
        items: Catalogue numbers, oldest first, 0 for unknown items [n].
        times: Unix seconds [n].
        rule: The session rule of the training data.
        longest: Keep at most this many newest events.

    Returns:
        Items [m], times [m] and features [m, 4] of the known events.
    """
    known = np.flatnonzero(items)[-longest:]
    first = np.zeros(len(known), np.bool_)
    first[:1] = True
    return items[known], times[known], rule.features(gaps_of(times[known]), first)


def ask_features(rule: SessionRule, last_time: int | None, now: int | None) -> NDArray[np.float32]:
    """Features of a request at ``now`` after a last event, float32 [4].

    An unknown time counts as a typical session start; a request before the last event counts as made with it.
    """
    gap = rule.typical_start_gap_s if last_time is None or now is None else now - last_time
    return rule.features(np.asarray(gap, np.int64), np.asarray(False))


def build_queries(
    interactions: Interactions,
    users: NDArray[np.int64],
    to_catalogue: NDArray[np.int64],
    rule: SessionRule,
    longest: int,
) -> Queries:
    """One query per user with two events: the newest tenth is the truth, the rest is the history.

    Args:
        interactions: All users.
        users: The users to ask about.
        to_catalogue: Catalogue number by item number, 0 for items of no training user [I].
        rule: The session rule of the training data.
        longest: Keep at most this many events of a history.
    """
    found = []
    for user in users:
        rows = interactions.history(int(user))
        length = rows.stop - rows.start
        if length < 2:
            continue
        raw, times = interactions.item[rows], np.asarray(interactions.timestamp[rows])
        cut = length - held_out(length)
        numbers = to_catalogue[raw]
        items, known_times, features = encode_history(numbers[:cut], times[:cut], rule, longest)
        last = int(known_times[-1]) if len(known_times) else None
        asked = int(times[cut])
        truth = np.unique(numbers[cut:])
        found.append((items, known_times, features, asked, ask_features(rule, last, asked), truth[truth > 0]))
    found.sort(key=lambda query: len(query[0]))
    return Queries(
        items=tuple(query[0] for query in found),
        times=tuple(query[1] for query in found),
        features=tuple(query[2] for query in found),
        ask_times=np.array([query[3] for query in found], np.int64),
        ask_features=np.array([query[4] for query in found], np.float32).reshape(-1, FEATURES),
        truth=tuple(query[5] for query in found),
    )
