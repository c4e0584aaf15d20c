"""Turns raw interactions into sorted, numbered histories without duplicates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.reading import RawInteractions
from worker_service.hrnn.data.vocabulary import Vocabulary

#: Changes whenever the prepared arrays mean something else, so that old caches are not read.
PREPARATION_VERSION = 1
#: What the published recipe asks of a data set before it trains.
MIN_INTERACTIONS = 1000
MIN_USERS = 25


@dataclass(frozen=True)
class Interactions:
    """The histories of all users: E events of U users with I items.

    Attributes:
        fingerprint: Hex digest of the content; equal for equal content, whatever the file format.
        users: USER_ID by number.
        items: ITEM_ID by number.
        offsets: Events of user u are ``offsets[u]:offsets[u + 1]``, int64 [U + 1].
        item: Item number of each event, int32 [E].
        timestamp: Unix seconds of each event, int64 [E]; not decreasing within a user.
        duplicates: Number of exact duplicates that were dropped.
        left_out: Number of rows that the channel's filters left out.
        listed: Items that data about items name, whether they have events or not, int64 [L]; ascending.
    """

    fingerprint: str
    users: Vocabulary
    items: Vocabulary
    offsets: NDArray[np.int64]
    item: NDArray[np.int32]
    timestamp: NDArray[np.int64]
    duplicates: int
    left_out: int = 0
    listed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def history(self, user: int) -> slice:
        """The events of a user."""
        return slice(int(self.offsets[user]), int(self.offsets[user + 1]))


def prepare(raw: RawInteractions) -> tuple[Interactions, NDArray[np.int64]]:
    """Numbers ids, drops exact duplicates and sorts by (user, timestamp, file order).

    Returns:
        The interactions, and for each of their events the raw row that it is, int64 [E].
    """
    users, user = Vocabulary.encode(raw.users)
    items, item = Vocabulary.encode(raw.items)
    rows = np.flatnonzero(_first_of_equals(user, item, raw.timestamps))
    rows = rows[np.lexsort((raw.timestamps[rows], user[rows]))]  # stable: equal timestamps stay in file order
    duplicates = len(user) - len(rows)
    user, item, timestamp = user[rows], item[rows], raw.timestamps[rows]
    counts = np.bincount(user, minlength=len(users))
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    fingerprint = _fingerprint(users, items, offsets, item, timestamp)
    interactions = Interactions(fingerprint, users, items, offsets, item, timestamp, duplicates, raw.left_out)
    return interactions, rows


def with_listed_items(interactions: Interactions, ids: Vocabulary) -> Interactions:
    """The same events among all items that have events or are listed in data about items; items are numbered anew."""
    both = pa.concat_arrays([interactions.items.as_arrow(), ids.as_arrow()])
    items, numbers = Vocabulary.encode(both)
    known = len(interactions.items)
    digest = hashlib.sha256(f"{interactions.fingerprint} {ids.digest}".encode())
    return replace(
        interactions,
        fingerprint=digest.hexdigest()[:32],
        items=items,
        item=numbers[:known][interactions.item],
        listed=np.sort(numbers[known:]).astype(np.int64),
    )


def check_trainable(interactions: Interactions, channel: DataChannel) -> None:
    """Checks that what the channel's filters left is enough to train on.

    Raises:
        DataError: With the number found and the number needed.
    """
    events = len(interactions.item)
    dropped = _dropped(interactions, channel)
    if events < MIN_INTERACTIONS:
        raise DataError(f"{channel.uri} has {events} interactions{dropped}; at least {MIN_INTERACTIONS} are needed")
    users = int((np.diff(interactions.offsets) >= 2).sum())
    if users < MIN_USERS:
        raise DataError(
            f"{channel.uri} has {users} users with at least 2 interactions{dropped}; at least {MIN_USERS} are needed"
        )


def _dropped(interactions: Interactions, channel: DataChannel) -> str:
    """Says what became of the rows that do not count; empty when all of them do."""
    parts = []
    if channel.filters:
        left = len(interactions.item) + interactions.duplicates
        parts.append(f"{channel.filters} left {left} of {left + interactions.left_out} rows")
    if interactions.duplicates:
        parts.append(f"{interactions.duplicates} exact duplicates were dropped")
    return f" after {' and '.join(parts)}" if parts else ""


def _first_of_equals(
    user: NDArray[np.int32], item: NDArray[np.int32], timestamp: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Marks the first of each set of equal (user, item, timestamp), bool [E]."""
    keep = np.ones(len(user), np.bool_)
    order = np.lexsort((item, timestamp, user))
    same = np.ones(max(len(user) - 1, 0), np.bool_)
    for column in (user, item, timestamp):
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    keep[order[1:][same]] = False
    return keep


def _fingerprint(users: Vocabulary, items: Vocabulary, *arrays: NDArray[Any]) -> str:
    """Hex digest of the prepared content."""
    digest = hashlib.sha256(f"hrnn-interactions-{PREPARATION_VERSION}".encode())
    content: tuple[NDArray[Any], ...] = (users.data, users.offsets, items.data, items.offsets, *arrays)
    for array in content:
        digest.update(f"\0{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]
