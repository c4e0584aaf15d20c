"""What metadata add to the network: to items, to where a history starts, to events, and to what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from worker_service.hrnn.data.metadata.rows import FeatureRows
from worker_service.hrnn.network.dropout import Dropout
from worker_service.hrnn.network.features import FeatureBag, FeatureProjection, FeatureShape

#: Share of the askings that are trained without their context, because requests may come without one.
_WITHOUT_CONTEXT = 0.5


@dataclass(frozen=True)
class MetadataShape:
    """Which metadata there are.

    Attributes:
        items: Features of items; None for none, as for the others.
        users: Features of users.
        context: Features of events.
        item_values: Number of values in the categorical part of all items.
    """

    items: FeatureShape | None
    users: FeatureShape | None
    context: FeatureShape | None
    item_values: int

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> MetadataShape:
        """Inverse of `dataclasses.asdict`."""
        parts = {
            name: None if document[name] is None else FeatureShape(**document[name])
            for name in ("items", "users", "context")
        }
        return cls(**parts, item_values=document["item_values"])


class ItemVectors(NamedTuple):
    """The items as a network sees them at one moment.

    Attributes:
        table: As inputs, by catalogue number, row 0 for padding [N + 1, H].
        item_rows: As outputs, by catalogue row [N, H].
        bias: Of their scores [N].
    """

    table: Tensor
    item_rows: Tensor
    bias: Tensor


class EventMetadata(NamedTuple):
    """What is known of the T * B events of a chunk beside items and times, step by step.

    Attributes:
        context: Of each event [T * B]; None where there is none.
        first_users: The users with a first event among them [R]; None where nothing is known of users.
        first_places: Where their first events are among the T * B, int64 [R].
    """

    context: FeatureBag | None
    first_users: FeatureBag | None
    first_places: Tensor


class AskingMetadata(NamedTuple):
    """What is known of M askings beside their times.

    Attributes:
        users: Who asks [M]; None where nothing is known of users.
        context: Of each asking [M]; None where there is none.
    """

    users: FeatureBag | None
    context: FeatureBag | None


class MetadataTerms(nn.Module):
    """The additive terms, all of them zero at the start.

    An item's vector and bias are those of its identity plus those of its metadata, as in a factorisation machine. An
    item may have no identity; then something learnt, the same for all such items, stands in for it.

    Args:
        shape: Which metadata there are.
        items: N.
        hidden: H.
    """

    identified: Tensor
    item_offsets: Tensor
    item_feature: Tensor
    item_weight: Tensor
    item_numbers: Tensor

    def __init__(self, shape: MetadataShape, items: int, hidden: int) -> None:
        super().__init__()
        described = shape.items or FeatureShape(0, 0)
        self.item = None if shape.items is None else FeatureProjection(shape.items, hidden + 1)
        self.start = None if shape.users is None else FeatureProjection(shape.users, hidden)
        self.user = None if shape.users is None else FeatureProjection(shape.users, hidden)
        self.event = None if shape.context is None else FeatureProjection(shape.context, hidden)
        self.asking = None if shape.context is None else FeatureProjection(shape.context, hidden)
        self.stand_in = nn.Parameter(torch.zeros(hidden + 1))
        self.register_buffer("identified", torch.ones(items, 1))
        self.register_buffer("item_offsets", torch.zeros(items + 1, dtype=torch.int64))
        self.register_buffer("item_feature", torch.zeros(shape.item_values, dtype=torch.int64))
        self.register_buffer("item_weight", torch.zeros(shape.item_values))
        self.register_buffer("item_numbers", torch.zeros(items, described.numbers))

    def describe_items(self, rows: FeatureRows | None, identified: NDArray[np.bool_]) -> None:
        """Sets what is known of the items.

        Args:
            rows: Features of the catalogue [N]; None for a shape without.
            identified: Which items have an identity [N].
        """
        self.identified.copy_(torch.from_numpy(identified[:, None]))
        if rows is not None:
            buffers = (self.item_offsets, self.item_feature, self.item_weight, self.item_numbers)
            for buffer, values in zip(buffers, FeatureBag.of(rows, "cpu"), strict=True):
                buffer.copy_(values)

    def items(self, table: Tensor, bias: Tensor, dropout: Dropout | None, *, by_metadata: bool) -> ItemVectors:
        """The items with their metadata.

        Args:
            table: Of identities, row 0 for padding [N + 1, H].
            bias: Of identities [N].
            dropout: For training.
            by_metadata: Whether the outputs are made without any identity, as if all items were new.
        """
        identities = torch.cat((table[1:], bias[:, None]), dim=1)
        inputs = outputs = torch.lerp(self.stand_in.expand_as(identities), identities, self.identified)
        if by_metadata:
            outputs = self.stand_in.expand_as(identities)
        elif dropout is not None and dropout.identities > 0:
            kept = self.identified * dropout.kept_rows(len(bias), dropout.identities)
            outputs = torch.lerp(self.stand_in.expand_as(identities), identities, kept)
        if self.item is not None:
            bag = FeatureBag(self.item_offsets, self.item_feature, self.item_weight, self.item_numbers)
            added = self.item(bag, dropout)
            inputs, outputs = inputs + added, outputs + added
        padded = torch.cat((table[:1], inputs[:, :-1]))
        return ItemVectors(padded, outputs[:, :-1], outputs[:, -1])

    def of_events(self, events: EventMetadata, dropout: Dropout | None) -> Tensor | None:
        """What is added to the inputs of events [T * B, H]; None for nothing."""
        if self.event is None or events.context is None:
            return None
        added: Tensor = self.event(events.context, dropout)
        return added

    def of_starts(self, events: EventMetadata, count: int, dropout: Dropout | None) -> Tensor | None:
        """The states that histories start from, zero where none starts [count, H]; None for zeros."""
        if self.start is None or events.first_users is None:
            return None
        starts: Tensor = self.start(events.first_users, dropout)
        return starts.new_zeros(count, starts.shape[1]).index_copy(0, events.first_places, starts)

    def of_asking(self, asking: AskingMetadata, dropout: Dropout | None) -> Tensor | None:
        """What is added to queries [M, H]; None for nothing."""
        added: Tensor | None = None
        if self.user is not None and asking.users is not None:
            added = self.user(asking.users, dropout)
        if self.asking is not None and asking.context is not None:
            context: Tensor = self.asking(asking.context, dropout)
            if dropout is not None:
                context = context * dropout.kept_rows(len(context), _WITHOUT_CONTEXT)
            added = context if added is None else added + context
        return added
