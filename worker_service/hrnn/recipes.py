"""What the recipes of the HRNN family learn from; all else is the same for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from hrnn_tuner.algorithms import hrnn, hrnn_coldstart, hrnn_metadata
from hrnn_tuner.algorithms.contract import DataError, TrainingContext
from hrnn_tuner.algorithms.specification import Algorithm
from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.cold_items import ColdItemRule
from worker_service.hrnn.data.metadata.item_records import ItemRecords
from worker_service.hrnn.data.metadata.loading import load_item_records
from worker_service.hrnn.data.preparation import Interactions, check_trainable, with_listed_items
from worker_service.hrnn.data.side_information import SideInformation, load_side_information
from worker_service.hrnn.settings import all_values

#: Share of the items whose identity is left out as an output in each step, so that metadata learn to do without it.
#: With metadata, a fifth also does better on MovieLens 100K than none.
_IDENTITY_DROPOUT, _IDENTITY_DROPOUT_NEW_ITEMS = 0.2, 0.5


class Material(NamedTuple):
    """What a training job learns from.

    Attributes:
        interactions: Who used what and when.
        side: What else is known; None for nothing.
    """

    interactions: Interactions
    side: SideInformation | None


@dataclass(frozen=True)
class Recipe:
    """One algorithm of the family.

    Attributes:
        algorithm: Its declaration.
        gather: Reads what a training job learns from; raises a `DataError` when that is not to be had.
    """

    algorithm: Algorithm
    gather: Callable[[TrainingContext], Material]


def load_trainable(context: TrainingContext) -> Interactions:
    """The interactions of a training job.

    Raises:
        DataError: When they are missing, malformed or too few.
    """
    channel = _channel(context, "interactions")
    interactions = load_interactions(channel, context.cache_dir)
    check_trainable(interactions, channel)
    return interactions


def _plain(context: TrainingContext) -> Material:
    """Interactions alone."""
    return Material(load_trainable(context), None)


def _with_metadata(context: TrainingContext) -> Material:
    """Interactions with metadata of users and items and the context of events, as far as there are any."""
    interactions = load_trainable(context)
    if "items" in context.channels:
        interactions = with_listed_items(interactions, _item_records(context).ids)
    side = load_side_information(context.channels, interactions, context.cache_dir)
    if side.items is None and side.users is None and side.context is None:
        raise DataError(
            "there are no metadata: give a channel 'users' or 'items', or interactions with columns of context beside "
            "USER_ID, ITEM_ID, TIMESTAMP"
        )
    return Material(interactions, replace(side, identity_dropout=_IDENTITY_DROPOUT))


def _with_new_items(context: TrainingContext) -> Material:
    """Interactions with metadata, and which items are new."""
    _channel(context, "items")
    interactions, side = _with_metadata(context)
    if side is None:
        raise AssertionError("interactions with metadata have side information")
    rule = ColdItemRule.from_hyperparameters(all_values(context.hyperparameters, hrnn_coldstart.ALGORITHM))
    # Records and listed items are both in the order of their ids.
    cold = rule.find(interactions, np.asarray(_item_records(context).created), now=int(time.time()))
    return Material(interactions, replace(side, cold=cold, identity_dropout=_IDENTITY_DROPOUT_NEW_ITEMS))


def _item_records(context: TrainingContext) -> ItemRecords:
    """What the data about items list."""
    return load_item_records(context.channels["items"], context.cache_dir)


def _channel(context: TrainingContext, name: str) -> DataChannel:
    """A channel that must be given."""
    channel = context.channels.get(name)
    if channel is None:
        raise DataError(f"the channel {name!r} is missing; given: {', '.join(context.channels) or 'none'}")
    return channel


HRNN = Recipe(hrnn.ALGORITHM, _plain)
HRNN_METADATA = Recipe(hrnn_metadata.ALGORITHM, _with_metadata)
HRNN_COLDSTART = Recipe(hrnn_coldstart.ALGORITHM, _with_new_items)
