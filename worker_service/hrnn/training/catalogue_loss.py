"""The loss that the hyperparameters and the size of the catalogue ask for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.network.loss import ExtraScores, full_softmax_loss
from worker_service.hrnn.network.metadata import ItemVectors
from worker_service.hrnn.network.sampled_loss import NegativeSampler, sampled_softmax_loss
from worker_service.hrnn.settings import HrnnSettings

#: From this size of the catalogue on, ``loss=auto`` samples.
FULL_SOFTMAX_ITEMS = 50_000

#: Gives the summed weighted loss of queries [M, H] for targets (rows of the catalogue) [M] and weights [M].
CatalogueLoss = Callable[[ItemVectors, Tensor, Tensor, Tensor, ExtraScores | None], Tensor]


def choose_loss(data: TrainingData, settings: HrnnSettings, generator: torch.Generator) -> CatalogueLoss:
    """Chooses between all items and a sample of them.

    Args:
        data: With the counts that negatives are drawn by.
        settings: The hyperparameters.
        generator: Draws negatives, on the device of the training.
    """
    size = data.trained_items  # others cannot be a target, and as mere negatives they would be learnt to be bad
    if settings.loss == "full" or (settings.loss == "auto" and size <= FULL_SOFTMAX_ITEMS):
        products = torch.bfloat16 if _rounds(settings.precision, generator.device) else None
        return lambda items, queries, targets, weights, extra: full_softmax_loss(
            queries, items.item_rows[:size], items.bias[:size], targets, weights, extra, products
        )
    counts = torch.from_numpy(np.bincount(data.events_item, minlength=size + 1)[1:])
    sampler = NegativeSampler(counts.to(generator.device), generator)

    def sampled(
        items: ItemVectors, queries: Tensor, targets: Tensor, weights: Tensor, extra: ExtraScores | None
    ) -> Tensor:
        negatives = sampler.draw(settings.negative_samples)
        rows, bias = items.item_rows[:size], items.bias[:size]
        return sampled_softmax_loss(queries, rows, bias, targets, weights, negatives, extra)

    return sampled


def _rounds(precision: str, device: torch.device) -> bool:
    """Whether the softmax's products are made in bfloat16, which only GPUs of compute capability 8 do faster."""
    if precision != "auto":
        return precision == "bfloat16"
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
