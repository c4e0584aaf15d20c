"""Metadata of the training positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.network.metadata import AskingMetadata, EventMetadata
from worker_service.hrnn.network.metadata_tensors import NOBODY, MetadataTensors
from worker_service.hrnn.training.streams import PADDING


class PositionMetadata:
    """Finds the metadata of the events that positions read, and of the askings that they answer.

    The context of an asking is that of the event that came next: whoever asks in a context uses something in it.

    Args:
        data: The training data.
        tensors: The metadata.
    """

    def __init__(self, data: TrainingData, tensors: MetadataTensors) -> None:
        self._tensors = tensors
        offsets = data.positions.offsets
        history = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        event = np.arange(len(history)) + history  # every history has one event more than steps
        self._user = data.users[history]
        self._row = data.events_row[event]
        self._target_row = data.events_row[event + 1]
        self._first_user = np.full(len(history), NOBODY)
        starts = offsets[:-1][np.diff(offsets) > 0]
        self._first_user[starts] = self._user[starts]

    def events(self, places: NDArray[np.int64]) -> EventMetadata:
        """Metadata of the events read at some positions [T, B]."""
        nothing = places == PADDING
        rows = np.where(nothing, NOBODY, self._row[places])
        return self._tensors.events(rows, np.where(nothing, NOBODY, self._first_user[places]))

    def asking(self, places: NDArray[np.int64]) -> AskingMetadata:
        """Metadata of the askings behind some positions [M]."""
        return self._tensors.asking(self._user[places], self._target_row[places])
