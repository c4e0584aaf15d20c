"""Which events train a model, and which questions validate and test it: by whole users, or by time."""

from __future__ import annotations

import enum
import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.algorithms.contract import DataError
from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.queries import Asked
from worker_service.hrnn.data.sessions import SessionRule
from worker_service.hrnn.data.vocabulary import Vocabulary

#: Out of ten users, how many train; of the others, half validate and half test.
_TRAIN_TENTHS = 8


class Role(enum.IntEnum):
    """What a user's events are for."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


class Truth(enum.StrEnum):
    """Which of a held-out user's events are to be predicted."""

    NEWEST_TENTH = "newest_tenth"
    LAST_ITEM = "last_item"

    def sizes(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Held-out events of histories of at least 2 events, the shape of ``lengths``."""
        return np.maximum(1, lengths // 10) if self is Truth.NEWEST_TENTH else np.ones_like(lengths)


@dataclass(frozen=True)
class Division:
    """What a split makes of the interactions of U users.

    Attributes:
        training_ends: Row behind each user's last training event, their first row if none of theirs train, int64 [U].
        validation: The questions that choose the epoch and the winner.
        test: The questions that measure the winner.
        rule: The session rule that the division rests on; None leaves its choice to the training events.
    """

    training_ends: NDArray[np.int64]
    validation: Asked
    test: Asked
    rule: SessionRule | None


@dataclass(frozen=True)
class UserHoldout:
    """Most users train with all their events; of the others, the newest events are to be predicted.

    This is the published recipe's protocol. Models train on events later than the questions.

    Attributes:
        split_seed: Decides together with a user's id what the user is for.
        truth: What is to be predicted.
        has_validation: False lets the validation users train, for a model whose epoch is already chosen.
    """

    split_seed: int
    truth: Truth = Truth.NEWEST_TENTH
    has_validation: bool = True

    def divide(self, interactions: Interactions, session_gap_s: int) -> Division:  # noqa: ARG002 - as TemporalSplit
        """Divides by users; sessions play no part."""
        lengths, ends = np.diff(interactions.offsets), interactions.offsets[1:]
        roles = assign_roles(interactions.users, lengths, self.split_seed)
        if not self.has_validation:
            roles[roles == Role.VALIDATION] = Role.TRAIN

        def asked(role: Role) -> Asked:
            users = np.flatnonzero((roles == role) & (lengths >= 2))
            return Asked(users, ends[users] - self.truth.sizes(lengths[users]), ends[users])

        training_ends = np.where(roles == Role.TRAIN, ends, interactions.offsets[:-1])
        return Division(training_ends, asked(Role.VALIDATION), asked(Role.TEST), rule=None)


@dataclass(frozen=True)
class TemporalSplit:
    """All users train with what they did before a moment, and are asked about what they did after it.

    Moments are quantiles of the times of all events. A session is never cut: an event behind a moment that goes on with
    a session from before it belongs before it.

    Attributes:
        train_until: Quantile where training ends; the validation window lasts from there to ``test_from``, and where
            the two are equal there is none.
        test_from: Quantile where the test window starts.
        every_event: Ask about every event of a window that has a history, which grows by the true events; False asks
            once per user with events before the window, about its first event.
    """

    train_until: float = 0.8
    test_from: float = 0.9
    every_event: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.train_until <= self.test_from < 1.0:
            raise ValueError(f"the quantiles must rise between 0 and 1; got {self.train_until}, {self.test_from}")

    @property
    def has_validation(self) -> bool:
        """Whether there is a validation window."""
        return self.train_until < self.test_from

    def divide(self, interactions: Interactions, session_gap_s: int) -> Division:
        """Divides by time; the session rule is chosen from gaps before the end of training alone."""
        times, offsets = np.asarray(interactions.timestamp), interactions.offsets
        gaps = np.diff(times, prepend=times[:1])
        first = np.zeros(len(times), np.bool_)
        first[offsets[:-1]] = True
        # Just behind an event that trains: nothing that happens in a window can move its start.
        test_time = int(np.quantile(times, self.test_from, method="lower")) + 1
        train_time = int(np.quantile(times, self.train_until, method="lower")) + 1
        rule = SessionRule.choose(session_gap_s, gaps[~first & (times < train_time)])
        session_starts = first | (gaps > rule.session_gap_s)

        def first_rows(moment: int) -> NDArray[np.int64]:
            """Row of each user's first session that starts at or behind a moment, the end of the history if none."""
            rows = np.append(np.flatnonzero(session_starts & (times >= moment)), len(times))
            return np.asarray(np.minimum(rows[np.searchsorted(rows, offsets[:-1])], offsets[1:]))

        training_ends, test_starts = first_rows(train_time), first_rows(test_time)
        validation = self._asked(offsets, training_ends, test_starts)
        return Division(training_ends, validation, self._asked(offsets, test_starts, offsets[1:]), rule)

    def _asked(self, offsets: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Asked:
        """Questions about the rows from ``starts`` to ``ends`` of each user [U]; a first event has no history."""
        user = np.repeat(np.arange(len(starts)), np.diff(offsets))
        row = np.arange(len(user))
        chosen = (row >= starts[user]) & (row < ends[user]) & (row > offsets[user])
        if not self.every_event:
            chosen &= row == starts[user]
        rows = np.flatnonzero(chosen)
        return Asked(user[rows], rows, rows + 1)


class Split(Protocol):
    """A protocol of evaluation; a hashable value, because training data are kept by it."""

    @property
    def has_validation(self) -> bool:
        """Whether some questions choose the epoch and the winner."""

    def divide(self, interactions: Interactions, session_gap_s: int) -> Division:
        """Says which events train, and what is asked."""


def assign_roles(users: Vocabulary, lengths: NDArray[np.int64], split_seed: int) -> NDArray[np.int8]:
    """Draws each user's `Role` [U] from crc32(``split_seed:user``): 80% train, 10% validation, 10% test.

    A user's role depends on no other user, but for one case: when no user with two events fell to validation, the one
    with the highest hash is moved there, because a training job without an objective is worth nothing.
    """
    prefix = zlib.crc32(f"{split_seed}:".encode())
    hashes = np.fromiter((zlib.crc32(users.raw(user), prefix) for user in range(len(users))), np.int64, len(users))
    tenths = hashes % 10
    roles = np.full(len(users), Role.TRAIN, np.int8)
    roles[tenths == _TRAIN_TENTHS] = Role.VALIDATION
    roles[tenths > _TRAIN_TENTHS] = Role.TEST
    usable = lengths >= 2
    if usable.any() and not (usable & (roles == Role.VALIDATION)).any():
        roles[np.argmax(np.where(usable, hashes, -1))] = Role.VALIDATION
    return roles


def select_training_users(lengths: NDArray[np.int64], minimum: float, maximum: float) -> NDArray[np.int64]:
    """The training users whose history length lies between two percentiles, both included; ascending.

    The percentiles are taken over training users only, and rounded outward to lengths that occur, so that 0 and 1 keep
    everybody. Who is asked about is never filtered.

    Args:
        lengths: Training events per user, 0 for users that do not train [U].
        minimum: Lower percentile in [0, 1].
        maximum: Upper percentile in [0, 1].

    Raises:
        DataError: When the percentiles are in the wrong order or nobody with two events is left.
    """
    if minimum > maximum:
        raise DataError(
            f"min_user_history_length_percentile is {minimum:g} and max_user_history_length_percentile is {maximum:g}; "
            "the minimum must not exceed the maximum"
        )
    kept = np.flatnonzero(lengths)
    if len(kept):
        low = np.quantile(lengths[kept], minimum, method="lower")
        high = np.quantile(lengths[kept], maximum, method="higher")
        kept = kept[(lengths[kept] >= low) & (lengths[kept] <= high)]
    if not (lengths[kept] >= 2).any():
        raise DataError(
            f"no training user with at least 2 interactions is left between the history length percentiles {minimum:g} "
            f"and {maximum:g}; widen them or give more data"
        )
    return kept
