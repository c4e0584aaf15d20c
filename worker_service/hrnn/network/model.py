"""The recommender network: item table, recurrent cell, and the scores of every item at the time of asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from worker_service.hrnn.data.own_history import OwnItems
from worker_service.hrnn.data.sessions import FEATURES
from worker_service.hrnn.network.cell import HrnnCell, HrnnState, StepMarks
from worker_service.hrnn.network.dropout import Dropout
from worker_service.hrnn.network.loss import ExtraScores
from worker_service.hrnn.network.metadata import (
    AskingMetadata,
    EventMetadata,
    ItemVectors,
    MetadataShape,
    MetadataTerms,
)
from worker_service.hrnn.network.own_items import OwnItemScores

#: Spread of the initial item table. Half of it leaves the model at popularity for some epochs more on small data sets,
#: double gains nothing.
_TABLE_DEVIATION = 0.1
_TIME_DEVIATION = 0.05


@dataclass(frozen=True)
class ModelShape:
    """What must be known to build a model that takes saved weights.

    Attributes:
        items: N, the size of the catalogue.
        hidden_dimension: H.
        cell: ``hrnn`` or ``flat``.
        use_query_gap: Whether the time of asking enters.
        own_items: Whether the items of a user's own history have scores of their own.
        metadata: Which metadata enter; None for none.
    """

    items: int
    hidden_dimension: int
    cell: str
    use_query_gap: bool
    own_items: bool
    metadata: MetadataShape | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ModelShape:
        """Inverse of `dataclasses.asdict`."""
        metadata = document.get("metadata")
        return cls(**{**document, "metadata": None if metadata is None else MetadataShape.from_json(metadata)})


class HrnnModel(nn.Module):
    """Predicts the next item; the item table serves as input and, tied, as output.

    Row 0 of the table is padding. It is an input only: scores have N columns, and column j belongs to catalogue number
    j + 1, so padding cannot be recommended.

    Args:
        shape: The dimensions.
        generator: Source of the initial weights, on the CPU, so that a seed means the same on every device.
        counts: Events per item, decayed or plain [N]; the start of the output bias. None for zeros.
    """

    def __init__(self, shape: ModelShape, generator: torch.Generator, counts: Tensor | None = None) -> None:
        super().__init__()
        size = shape.hidden_dimension
        hierarchical = shape.cell == "hrnn"
        self.shape = shape
        self.table = nn.Parameter(
            torch.empty(shape.items + 1, size).normal_(0.0, _TABLE_DEVIATION, generator=generator)
        )
        with torch.no_grad():
            self.table[0] = 0.0
        self.time_input = nn.Parameter(torch.empty(size, FEATURES).normal_(0.0, _TIME_DEVIATION, generator=generator))
        self.cell = HrnnCell(size, generator, discount=hierarchical, user_level=hierarchical)
        self.bias = nn.Parameter(torch.zeros(shape.items) if counts is None else 0.5 * torch.log1p(counts))
        # Zero at the start: the model begins as a plain GRU and learns how much user level and time of asking help.
        if hierarchical:
            self.user_output = nn.Parameter(torch.zeros(size, size))
        if shape.use_query_gap:
            self.ask_gate = nn.Parameter(torch.zeros(size, FEATURES))
            self.ask_shift = nn.Parameter(torch.zeros(size, FEATURES))
        self.own_items = OwnItemScores(shape.items, size) if shape.own_items else None
        self.metadata = None if shape.metadata is None else MetadataTerms(shape.metadata, shape.items, size)

    def initial_state(self, batch: int) -> HrnnState:
        """The state of users without a past."""
        return self.cell.initial_state(batch)

    def encode(
        self,
        items: Tensor,
        features: Tensor,
        state: HrnnState,
        marks: StepMarks | None = None,
        dropout: Dropout | None = None,
        *,
        vectors: ItemVectors | None = None,
        events: EventMetadata | None = None,
    ) -> tuple[Tensor, HrnnState]:
        """Reads events.

        Args:
            items: Catalogue numbers [T, B], 0 for padding.
            features: [T, B, 4].
            state: State before them.
            marks: See `HrnnCell.forward`.
            dropout: For training; None leaves everything as it is.
            vectors: See `items`, which makes them if they are not given.
            events: What else is known of the events, for a shape with metadata.

        Returns:
            Outputs o [T, B, H] and the state after the last event. Feeding events one by one gives the same.
        """
        table = self.items().table if vectors is None else vectors.table
        embedded = functional.embedding(items, table, padding_idx=0)
        inputs = embedded + functional.linear(features, self.time_input)
        starts = None
        if self.metadata is not None and events is not None:
            context = self.metadata.of_events(events, dropout)
            inputs = inputs if context is None else inputs + context.view_as(inputs)
            starts = self.metadata.of_starts(events, items.numel(), dropout)
        if dropout is not None:
            inputs = dropout(inputs)
        starts = None if starts is None else starts.view_as(inputs)
        hidden, user, state = self.cell(inputs, embedded, features, state, marks, starts)
        return self._output(hidden, user, dropout), state

    def output(self, state: HrnnState) -> Tensor:
        """The outputs o [B, H] of a state, as `encode` gives them for its last event."""
        return self._output(state.hidden, state.user if self.cell.user_level else None, None)

    def _output(self, hidden: Tensor, user: Tensor | None, dropout: Dropout | None) -> Tensor:
        """Puts session state and user state together."""
        output = hidden if user is None else hidden + functional.linear(user, self.user_output)
        return output if dropout is None else dropout(output)

    def ask(
        self,
        outputs: Tensor,
        features: Tensor,
        asking: AskingMetadata | None = None,
        dropout: Dropout | None = None,
    ) -> Tensor:
        """Shapes outputs into queries.

        Args:
            outputs: o [M, H].
            features: Features of the askings [M, 4].
            asking: What else is known of the askings, for a shape with metadata.
            dropout: For training.

        Returns:
            q [M, H].
        """
        if self.shape.use_query_gap:
            gate = 2.0 * functional.linear(features, self.ask_gate).sigmoid()
            outputs = outputs * gate + functional.linear(features, self.ask_shift)
        added = None if self.metadata is None or asking is None else self.metadata.of_asking(asking, dropout)
        return outputs if added is None else outputs + added

    def items(self, dropout: Dropout | None = None, *, by_metadata: bool = False) -> ItemVectors:
        """The items as inputs and outputs; to be made once for each step of training.

        Args:
            dropout: For training.
            by_metadata: Whether the outputs are made as if all items were new, for a shape with metadata.
        """
        if self.metadata is None:
            return ItemVectors(self.table, self.table[1:], self.bias)
        return self.metadata.items(self.table, self.bias, dropout, by_metadata=by_metadata)

    @property
    def item_rows(self) -> Tensor:
        """The items as outputs [N, H]."""
        return self.items().item_rows

    def own_scores(self, own: OwnItems, queries: Tensor, features: Tensor) -> ExtraScores:
        """What is added to the scores of the items of the users' own histories.

        Args:
            own: Those items; only for a shape with ``own_items``.
            queries: q [M, H].
            features: Features of the askings [M, 4].
        """
        if self.own_items is None:
            raise ValueError("this model has no scores for own items")
        known = features if self.shape.use_query_gap else torch.zeros_like(features)
        return ExtraScores(own.bounds, own.row, own.item, self.own_items(own, queries, known))

    def scores(
        self,
        outputs: Tensor,
        features: Tensor,
        own: OwnItems | None,
        *,
        vectors: ItemVectors | None = None,
        asking: AskingMetadata | None = None,
    ) -> Tensor:
        """Scores (logits) of all items [M, N].

        Args:
            outputs: o [M, H].
            features: Features of the askings [M, 4].
            own: The items of the histories; None for a shape without ``own_items``.
            vectors: See `items`, which makes them if they are not given.
            asking: What else is known of the askings, for a shape with metadata.
        """
        queries = self.ask(outputs, features, asking)
        vectors = self.items() if vectors is None else vectors
        scores = functional.linear(queries, vectors.item_rows, vectors.bias)
        if own is None:
            return scores
        extra = self.own_scores(own, queries, features)
        return scores.index_put((extra.row.long(), extra.column.long()), extra.value, accumulate=True)
