"""What training jobs with the same split learn from and are measured on."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.algorithms.contract import DataError
from worker_service.hrnn.data.lru import LruCache
from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.queries import Queries, build_queries
from worker_service.hrnn.data.recency import choose_half_life
from worker_service.hrnn.data.sessions import SessionRule, gaps_of
from worker_service.hrnn.data.split import Split, TemporalSplit, Truth, UserHoldout, select_training_users
from worker_service.hrnn.settings import HrnnSettings

#: Longer histories keep their newest events.
MAX_HISTORY = 2560
_log = logging.getLogger(__name__)
_in_process: LruCache[TrainingData] = LruCache(4)


@dataclass(frozen=True)
class Positions:
    """The training histories as steps: each reads one event and predicts the next, P steps of V users.

    The last event of a history is read by no step: nothing follows it.

    Attributes:
        offsets: Steps of history v are ``offsets[v]:offsets[v + 1]``, int64 [V + 1].
        item: Catalogue number read, int64 [P].
        features: Features of the event read, float32 [P, 4].
        target: Catalogue number of the next event, int64 [P].
        target_features: Features of the next event, float32 [P, 4].
        target_time: Unix seconds of the next event, int64 [P].
    """

    offsets: NDArray[np.int64]
    item: NDArray[np.int64]
    features: NDArray[np.float32]
    target: NDArray[np.int64]
    target_features: NDArray[np.float32]
    target_time: NDArray[np.int64]


@dataclass(frozen=True)
class TrainingData:
    """All that depends on the data and the split, and on no other hyperparameter.

    Attributes:
        fingerprint: That of the interactions.
        catalogue: Item number in the interactions by catalogue number less one, int64 [N]; the items of training
            events, then the other listed ones.
        trained_items: Number of items of training events.
        total_items: Items in the interactions, of training events or not, and listed ones.
        rule: The session rule.
        positions: The training steps.
        events_item: Catalogue number of every training event, int32 [E].
        events_time: Its Unix seconds, int64 [E].
        events_offsets: Events of history v are ``events_offsets[v]:events_offsets[v + 1]``, int64 [V + 1].
        events_row: Row of every training event in the interactions, int64 [E].
        users: User number of history v, int64 [V].
        half_life_days: The half-life that suits the data.
        validation: What the epoch and the winner are chosen by; none where the split has no validation.
        test: What the winner is measured by; may be none.
    """

    fingerprint: str
    catalogue: NDArray[np.int64]
    trained_items: int
    total_items: int
    rule: SessionRule
    positions: Positions
    events_item: NDArray[np.int32]
    events_time: NDArray[np.int64]
    events_offsets: NDArray[np.int64]
    events_row: NDArray[np.int64]
    users: NDArray[np.int64]
    half_life_days: float
    validation: Queries
    test: Queries


def training_data(
    interactions: Interactions, settings: HrnnSettings, split_seed: int, split: Split | None = None
) -> TrainingData:
    """Builds the training data, or takes them from an earlier training job of this process.

    Args:
        interactions: All users.
        settings: The hyperparameters.
        split_seed: Decides with a user's id what the user is for, where whole users are held out.
        split: Overrules what the hyperparameters choose, for benchmarks.

    Raises:
        DataError: When the percentiles leave nobody, or the split leaves nothing to validate by.
    """
    minimum, maximum = settings.min_user_history_length_percentile, settings.max_user_history_length_percentile
    split = split or _chosen_split(settings, split_seed)
    key = (interactions.fingerprint, split, minimum, maximum, settings.session_gap)
    found = _in_process.get(key)
    if found is None:
        found = _build(interactions, settings, split)
        _in_process.put(key, found)
    return found


def forget_in_process() -> None:
    """Drops what this process keeps."""
    _in_process.clear()


def _chosen_split(settings: HrnnSettings, split_seed: int) -> Split:
    """The split that the hyperparameters ask for."""
    if settings.split == "temporal":
        return TemporalSplit()
    return UserHoldout(split_seed, Truth(settings.truth))


def _build(interactions: Interactions, settings: HrnnSettings, split: Split) -> TrainingData:
    """Divides the interactions, and derives everything from the training events alone."""
    division = split.divide(interactions, settings.session_gap)
    users = select_training_users(
        division.training_ends - interactions.offsets[:-1],
        settings.min_user_history_length_percentile,
        settings.max_user_history_length_percentile,
    )
    rows, offsets = _rows(interactions.offsets[users], division.training_ends[users])
    trained, numbers = np.unique(interactions.item[rows], return_inverse=True)
    catalogue = np.concatenate((trained, np.setdiff1d(interactions.listed, trained)))
    items = (numbers + 1).astype(np.int32)  # 0 is padding
    times = np.asarray(interactions.timestamp[rows])
    first = np.zeros(len(rows), np.bool_)
    first[offsets[:-1]] = True
    gaps = np.where(first, 0, gaps_of(times))
    rule = division.rule or SessionRule.choose(settings.session_gap, gaps[~first])
    if rule.session_gap_s != settings.session_gap:
        _log.info("session_gap is %d s, taken from the gaps, not %d s", rule.session_gap_s, settings.session_gap)
    to_catalogue = np.zeros(len(interactions.items), np.int64)
    to_catalogue[catalogue] = np.arange(1, len(catalogue) + 1)
    validation, test = (
        build_queries(interactions, asked, to_catalogue, rule, MAX_HISTORY)
        for asked in (division.validation, division.test)
    )
    if split.has_validation and not len(validation):
        raise DataError(
            "the split leaves nobody to validate by: no user has events before and in the validation window"
        )
    for name, queries in (("validation", validation), ("test", test)):
        unknown = 100 * queries.unknown_truth_share
        _log.info("%s: %d queries, %.1f%% of what they ask for is no training item", name, len(queries), unknown)
    return TrainingData(
        fingerprint=interactions.fingerprint,
        catalogue=catalogue.astype(np.int64),
        trained_items=len(trained),
        total_items=len(interactions.items),
        rule=rule,
        positions=_positions(items, times, rule.features(gaps, first), offsets),
        events_item=items,
        events_time=times,
        events_offsets=offsets,
        events_row=rows,
        users=users,
        half_life_days=choose_half_life(items, times, len(catalogue)),
        validation=validation,
        test=test,
    )


def _rows(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers of the newest events of histories [E] and where each history starts among them [V + 1]."""
    lengths = np.minimum(ends - starts, MAX_HISTORY)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    return np.arange(offsets[-1]) + np.repeat(ends - lengths - offsets[:-1], lengths), offsets


def _positions(
    items: NDArray[np.int32], times: NDArray[np.int64], features: NDArray[np.float32], offsets: NDArray[np.int64]
) -> Positions:
    """Pairs every event with the next one of its user."""
    reads = np.ones(len(items), np.bool_)
    reads[offsets[1:] - 1] = False
    read = np.flatnonzero(reads)
    lengths = np.diff(offsets) - 1
    return Positions(
        offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        item=items[read].astype(np.int64),
        features=features[read],
        target=items[read + 1].astype(np.int64),
        target_features=features[read + 1],
        target_time=times[read + 1],
    )
