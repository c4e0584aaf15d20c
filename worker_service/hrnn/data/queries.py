"""The questions a model is measured by: a user's older events, and what came next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.sessions import SessionRule, gaps_of


@dataclass(frozen=True)
class Asked:
    """Q questions as rows of the interactions: a user's events before ``start`` are known, what came next is asked.

    Attributes:
        user: User number; the questions of one user stand side by side, oldest first, int64 [Q].
        start: Row of the first event to be predicted, int64 [Q].
        end: Row behind the last event to be predicted, int64 [Q].
    """

    user: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


@dataclass(frozen=True)
class Queries:
    """Q questions, sorted by length of history, shortest first.

    Attributes:
        items: Catalogue numbers of each history, oldest first; Q arrays int64 [n_q]. Items outside the catalogue are
            left out, as they are when the model serves.
        times: Their Unix seconds, Q arrays int64 [n_q].
        features: Their features, Q arrays float32 [n_q, 4].
        ask_times: Unix seconds of the asking, int64 [Q].
        ask_features: Features of the asking itself, made of the time since the last event, float32 [Q, 4].
        truth: Catalogue numbers of the held-out events, distinct; Q arrays int64. Unknown items are left
            out: no list can hold them, so they are misses.
        truth_sizes: Distinct items of the held-out events, unknown ones included, int64 [Q].
        users: User number of each question, int64 [Q].
        rows: The histories' rows in the interactions, Q arrays int64 [n_q]; empty where they do not come from any.
        ask_rows: Rows of the first held-out events, which were used in the context of the asking, int64 [Q]; like
            ``rows``.
    """

    items: tuple[NDArray[np.int64], ...]
    times: tuple[NDArray[np.int64], ...]
    features: tuple[NDArray[np.float32], ...]
    ask_times: NDArray[np.int64]
    ask_features: NDArray[np.float32]
    truth: tuple[NDArray[np.int64], ...]
    truth_sizes: NDArray[np.int64]
    users: NDArray[np.int64]
    rows: tuple[NDArray[np.int64], ...] = ()
    ask_rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, part: slice) -> Queries:
        return Queries(**{own.name: getattr(self, own.name)[part] for own in fields(self)})

    def chosen(self, places: NDArray[np.int64]) -> Queries:
        """The questions at some places, in this order."""

        def of(values: Any) -> Any:
            if isinstance(values, tuple):
                return tuple(values[place] for place in places if values)
            return values[places] if len(values) else values

        return Queries(**{own.name: of(getattr(self, own.name)) for own in fields(self)})

    @property
    def unknown_truth_share(self) -> float:
        """Share of the items to be predicted that are not in the catalogue; 0 without any question."""
        known = sum(len(truth) for truth in self.truth)
        return 1.0 - known / int(self.truth_sizes.sum()) if len(self) else 0.0


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
    interactions: Interactions, asked: Asked, to_catalogue: NDArray[np.int64], rule: SessionRule, longest: int
) -> Queries:
    """Makes the questions ready for a model. The histories of one user's questions are views on the same arrays.

    Args:
        interactions: All users.
        asked: The questions.
        to_catalogue: Catalogue number by item number, 0 for items outside the catalogue [I].
        rule: The session rule of the training data.
        longest: Keep at most this many events before a user's first question; later questions only add to them.
    """
    found: list[_Question] = []
    bounds = np.flatnonzero(np.diff(asked.user, prepend=-1, append=-1))
    for of_user in map(slice, bounds[:-1], bounds[1:]):
        first = int(interactions.offsets[asked.user[of_user.start]])
        rows = slice(first, int(asked.end[of_user].max()))
        raw, times = np.asarray(interactions.item[rows]), np.asarray(interactions.timestamp[rows])
        starts, ends = asked.start[of_user] - first, asked.end[of_user] - first
        found += _questions(first, raw, to_catalogue[raw], times, starts, ends, rule, longest)
    order = sorted(range(len(found)), key=lambda place: len(found[place].items))  # stable: users stay in order
    ask_times = np.asarray(interactions.timestamp[asked.start])
    since = (
        asked_at - question.times[-1] if len(question.times) else rule.typical_start_gap_s
        for asked_at, question in zip(ask_times, found, strict=True)
    )
    gaps = np.fromiter(since, np.int64, len(found))
    return Queries(
        items=tuple(found[place].items for place in order),
        times=tuple(found[place].times for place in order),
        features=tuple(found[place].features for place in order),
        ask_times=ask_times[order],
        ask_features=rule.features(gaps, np.zeros(len(gaps), np.bool_))[order],
        truth=tuple(found[place].truth for place in order),
        truth_sizes=np.fromiter((found[place].truth_size for place in order), np.int64, len(found)),
        users=asked.user[order],
        rows=tuple(found[place].rows for place in order),
        ask_rows=asked.start[order],
    )


class _Question(NamedTuple):
    """One question, without its asking; see `Queries`."""

    items: NDArray[np.int64]
    times: NDArray[np.int64]
    features: NDArray[np.float32]
    truth: NDArray[np.int64]
    truth_size: int
    rows: NDArray[np.int64]


def _questions(
    first: int,
    raw: NDArray[np.int32],
    numbers: NDArray[np.int64],
    times: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    rule: SessionRule,
    longest: int,
) -> Iterator[_Question]:
    """The questions of one user, q of them.

    Args:
        first: Row of the user's first event.
        raw: Item number of each event, oldest first [n].
        numbers: Its catalogue number, 0 for unknown ones [n].
        times: Unix seconds [n].
        starts: Place of the first event to be predicted, rising and at least 1 [q].
        ends: Place behind the last event to be predicted [q].
        rule: The session rule of the training data.
        longest: Known events that are kept before the first question.
    """
    known = np.cumsum(numbers > 0)[starts - 1]  # events before each question that a model knows
    last, kept = int(starts[-1]), longest + int(known[-1] - known[0])
    items, known_times, features = encode_history(numbers[:last], times[:last], rule, kept)
    rows = first + np.flatnonzero(numbers[:last])[-kept:]
    for start, end, length in zip(starts, ends, known - known[-1] + len(items), strict=True):
        truth = np.unique(numbers[start:end])
        yield _Question(
            items=items[:length],
            times=known_times[:length],
            features=features[:length],
            truth=truth[truth > 0],
            truth_size=len(np.unique(raw[start:end])),
            rows=rows[:length],
        )
