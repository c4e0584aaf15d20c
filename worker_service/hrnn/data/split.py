"""Who trains, who validates and who tests: whole users, drawn by a hash of their id."""

from __future__ import annotations

import enum
import zlib

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.algorithms.contract import DataError
from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.vocabulary import Vocabulary

#: Out of ten users, how many train; of the others, half validate and half test.
_TRAIN_TENTHS = 8


class Role(enum.IntEnum):
    """What a user's events are for."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


def assign_roles(users: Vocabulary, lengths: NDArray[np.int64], split_seed: int) -> NDArray[np.int8]:
    """Draws each user's role from crc32(``split_seed:user``): 80% train, 10% validation, 10% test.

    A user's role depends on no other user, but for one case: when no user with two events fell to validation, the one
    with the highest hash is moved there, because a training job without an objective is worth nothing.

    Args:
        users: USER_ID by number, U of them.
        lengths: Events per user [U].
        split_seed: The same for every training job of a tuning job.

    Returns:
        A `Role` per user, int8 [U].
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


def held_out(length: int) -> int:
    """How many of a user's newest events are the truth: a tenth, at least one. Needs ``length`` >= 2."""
    return max(1, length // 10)


def select_training_users(
    interactions: Interactions, roles: NDArray[np.int8], minimum: float, maximum: float
) -> NDArray[np.int64]:
    """The training users whose history length lies between two percentiles, both included.

    The percentiles are taken over training users only, and rounded outward to lengths that occur, so that 0 and 1 keep
    everybody. Validation and test users are never filtered.

    Args:
        interactions: All users.
        roles: A `Role` per user [U].
        minimum: Lower percentile in [0, 1].
        maximum: Upper percentile in [0, 1].

    Returns:
        User numbers, ascending.

    Raises:
        DataError: When the percentiles are in the wrong order or nobody with two events is left.
    """
    if minimum > maximum:
        raise DataError(
            f"min_user_history_length_percentile is {minimum:g} and max_user_history_length_percentile is {maximum:g}; "
            "the minimum must not exceed the maximum"
        )
    lengths = np.diff(interactions.offsets)
    training = np.flatnonzero(roles == Role.TRAIN)
    kept = training
    if len(training):
        low = np.quantile(lengths[training], minimum, method="lower")
        high = np.quantile(lengths[training], maximum, method="higher")
        kept = training[(lengths[training] >= low) & (lengths[training] <= high)]
    if not (lengths[kept] >= 2).any():
        raise DataError(
            f"no training user with at least 2 interactions is left between the history length percentiles {minimum:g} "
            f"and {maximum:g}; widen them or give more data"
        )
    return kept
