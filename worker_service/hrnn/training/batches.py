"""Training positions on the device, and the batches gathered from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker_service.hrnn.data.dataset import Positions
from worker_service.hrnn.data.own_history import OwnHistories, OwnItems
from worker_service.hrnn.data.sessions import FEATURES, FIRST
from worker_service.hrnn.network.cell import StepMarks
from worker_service.hrnn.network.metadata import AskingMetadata, EventMetadata
from worker_service.hrnn.training.position_metadata import PositionMetadata
from worker_service.hrnn.training.streams import Chunk


@dataclass(frozen=True)
class Batch:
    """One chunk with its data, T steps of B streams of which M targets count.

    Attributes:
        items: Catalogue numbers read [T, B], 0 for padding.
        features: Features of the events read [T, B, 4].
        marks: Where sessions and users start.
        counted: Places of the targets with weight in the flattened [T * B] steps [M].
        targets: Their catalogue rows (catalogue number less one) [M].
        target_features: Their features [M, 4].
        weights: Their weights, above 0 [M].
        own: The items of the histories before the targets; None for a model that does not look at them.
        events: What else is known of the events read; None for nothing.
        asking: What else is known of the askings whose targets count [M]; None for nothing.
    """

    items: Tensor
    features: Tensor
    marks: StepMarks
    counted: Tensor
    targets: Tensor
    target_features: Tensor
    weights: Tensor
    own: OwnItems | None
    events: EventMetadata | None
    asking: AskingMetadata | None


class TrainingTensors:
    """The training positions, moved to the device once per training job, with one row of padding behind them.

    Args:
        positions: P steps.
        weights: Weight of each step's target, 0 for masked ones [P].
        device: A torch device string.
        histories: The histories that the positions are made of; None for a model that does not look at own items.
        ask_times: Unix seconds of the askings, where the model may know them [P].
        metadata: What else is known of the positions; None for nothing.
    """

    def __init__(
        self,
        positions: Positions,
        weights: NDArray[np.float32],
        device: str,
        histories: OwnHistories | None = None,
        ask_times: NDArray[np.int64] | None = None,
        metadata: PositionMetadata | None = None,
    ) -> None:
        padding = np.zeros((1, FEATURES), np.float32)
        padding[0, FIRST] = 1.0
        features = np.concatenate((positions.features, padding))
        self._device = device
        # The host keeps what decides about shapes and branches, so that a GPU is never waited for.
        self._host_features = features
        self._weighted = np.append(weights > 0, False)
        self._item = torch.from_numpy(np.append(positions.item, 0)).to(device)
        self._features = torch.from_numpy(features).to(device)
        self._target = torch.from_numpy(positions.target - 1).to(device)
        self._target_features = torch.from_numpy(positions.target_features).to(device)
        self._weight = torch.from_numpy(weights).to(device)
        self._histories = histories
        self._metadata = metadata
        # Every history has one event more than steps: its last event is read by none.
        history = np.repeat(np.arange(len(positions.offsets) - 1), np.diff(positions.offsets))
        self._event = torch.from_numpy(np.arange(len(history)) + history).to(device)
        self._ask_time = None if ask_times is None else torch.from_numpy(ask_times).to(device)
        self.total_weight = float(weights.sum(dtype=np.float64))

    def batch(self, chunk: Chunk) -> Batch:
        """Gathers one chunk; `streams.PADDING` (-1) finds the last row, the padding."""
        places = chunk.positions
        counted = np.flatnonzero(self._weighted[places])
        asked = places.ravel()[counted]
        chosen = torch.from_numpy(asked).to(self._device)
        read = torch.from_numpy(places % len(self._weighted)).to(self._device)
        return Batch(
            items=self._item[read],
            features=self._features[read],
            marks=StepMarks.of(self._host_features[places], self._device),
            counted=torch.from_numpy(counted).to(self._device),
            targets=self._target[chosen],
            target_features=self._target_features[chosen],
            weights=self._weight[chosen],
            own=self._own(chosen),
            events=None if self._metadata is None else self._metadata.events(places),
            asking=None if self._metadata is None else self._metadata.asking(asked),
        )

    def _own(self, chosen: Tensor) -> OwnItems | None:
        """The items of the histories before some targets."""
        if self._histories is None:
            return None
        asked = None if self._ask_time is None else self._ask_time[chosen]
        return self._histories.items_at(self._event[chosen], asked)
