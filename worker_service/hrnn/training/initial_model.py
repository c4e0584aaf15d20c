"""The model that a training job begins with."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.data.side_information import SideInformation
from worker_service.hrnn.network.features import FeatureShape
from worker_service.hrnn.network.metadata import MetadataShape
from worker_service.hrnn.network.model import HrnnModel, ModelShape
from worker_service.hrnn.settings import HrnnSettings


def initial_model(
    data: TrainingData,
    settings: HrnnSettings,
    counts: NDArray[np.float32],
    side: SideInformation | None,
    seed: int,
) -> HrnnModel:
    """Builds it on the CPU, so that a seed means the same on every device.

    Args:
        data: What is learnt from.
        settings: The hyperparameters.
        counts: Events per item, decayed or plain [N].
        side: What else is known; None for nothing.
        seed: Decides about the random weights.
    """
    items = None if side is None or side.items is None else side.items.rows.take(data.catalogue)
    shape = ModelShape(
        items=len(data.catalogue),
        hidden_dimension=settings.hidden_dimension,
        cell=settings.cell,
        use_query_gap=settings.use_query_gap,
        own_items=settings.own_items,
        metadata=None if side is None else _metadata_shape(side, 0 if items is None else len(items.feature)),
    )
    model = HrnnModel(shape, torch.Generator().manual_seed(seed), torch.from_numpy(counts))
    if model.metadata is not None:
        identified = np.arange(len(data.catalogue)) < data.trained_items
        if side is not None and side.cold is not None:
            identified &= ~side.cold[data.catalogue]
        model.metadata.describe_items(items, identified)
    return model


def _metadata_shape(side: SideInformation, item_values: int) -> MetadataShape:
    """Which metadata enter the model."""
    known = side.encodings
    items, users, context = (
        None if part is None else FeatureShape.of(part) for part in (known.items, known.users, known.context)
    )
    return MetadataShape(items, users, context, item_values)
