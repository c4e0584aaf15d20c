"""Features of users and events on a device, and those of any chunk of histories."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker_service.hrnn.data.metadata.features import EntityFeatures
from worker_service.hrnn.data.side_information import SideInformation
from worker_service.hrnn.network.features import FeatureBag
from worker_service.hrnn.network.metadata import AskingMetadata, EventMetadata

#: Stands for an event that is none, or that is not a user's first.
NOBODY = -1


class MetadataTensors:
    """Moved to the device once per training job.

    Args:
        side: The side information.
        device: A torch device string.
    """

    def __init__(self, side: SideInformation, device: torch.device | str) -> None:
        self._device = device
        self._users = _bag(side.users, device)
        self._context = _bag(side.context, device)

    def events(self, rows: NDArray[np.int64], first_users: NDArray[np.int64]) -> EventMetadata:
        """Metadata of the events of a chunk.

        Args:
            rows: Row of each event in the interactions, `NOBODY` for padding [T, B].
            first_users: User number of each first event, `NOBODY` for all others [T, B].
        """
        places = np.flatnonzero(first_users != NOBODY)
        return EventMetadata(
            context=self._take(self._context, rows.ravel()),
            first_users=self._take(self._users, first_users.ravel()[places]) if len(places) else None,
            first_places=self._moved(places),
        )

    def asking(self, users: NDArray[np.int64], rows: NDArray[np.int64]) -> AskingMetadata:
        """Metadata of askings.

        Args:
            users: User numbers [M].
            rows: Rows of the interactions whose context is that of the askings [M].
        """
        return AskingMetadata(self._take(self._users, users), self._take(self._context, rows))

    def _take(self, bag: FeatureBag | None, rows: NDArray[np.int64]) -> FeatureBag | None:
        """Features of these rows, none of them known for `NOBODY`."""
        return None if bag is None else bag.take(self._moved(rows % (len(bag.offsets) - 1)))

    def _moved(self, values: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(values).to(self._device)


def _bag(features: EntityFeatures | None, device: torch.device | str) -> FeatureBag | None:
    """Features on the device; the last row is `NOBODY`'s."""
    return None if features is None else FeatureBag.of(features.rows, device).with_empty_row()
