"""The loss that the hyperparameters and the size of the catalogue ask for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.network.loss import ExtraScores, full_softmax_loss
from worker_service.hrnn.network.model import HrnnModel
from worker_service.hrnn.network.sampled_loss import NegativeSampler, sampled_softmax_loss
from worker_service.hrnn.settings import HrnnSettings

#: From this size of the catalogue on, ``loss=auto`` samples.
FULL_SOFTMAX_ITEMS = 50_000

#: Gives the summed weighted loss of queries [M, H] for targets (rows of the catalogue) [M] and weights [M].
CatalogueLoss = Callable[[HrnnModel, Tensor, Tensor, Tensor, ExtraScores | None], Tensor]


def choose_loss(data: TrainingData, settings: HrnnSettings, generator: torch.Generator) -> CatalogueLoss:
    """Chooses between all items and a sample of them.

    Args:
        data: With the counts that negatives are drawn by.
        settings: The hyperparameters.
        generator: Draws negatives, on the device of the training.
    """
    size = len(data.catalogue)
    if settings.loss == "full" or (settings.loss == "auto" and size <= FULL_SOFTMAX_ITEMS):
        return lambda model, queries, targets, weights, extra: full_softmax_loss(
            queries, model.item_rows, model.bias, targets, weights, extra
        )
    counts = torch.from_numpy(np.bincount(data.events_item, minlength=size + 1)[1:])
    sampler = NegativeSampler(counts.to(generator.device), generator)
    return lambda model, queries, targets, weights, extra: sampled_softmax_loss(
        queries, model.item_rows, model.bias, targets, weights, sampler.draw(settings.negative_samples), extra
    )
