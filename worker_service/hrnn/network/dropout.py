"""Dropout that training jobs cannot disturb in each other."""

from __future__ import annotations

import torch
from torch import Tensor


class Dropout:
    """Inverted dropout with a random generator of its own, so that training jobs cannot disturb each other's draws.

    Args:
        share: Share of single values that are zeroed.
        generator: On the device of the training.
        identities: Share of items that are scored without their identity in a step, by their metadata alone.
    """

    def __init__(self, share: float, generator: torch.Generator, *, identities: float = 0.0) -> None:
        self.identities = identities
        self._keep = 1.0 - share
        self._generator = generator

    def __call__(self, values: Tensor) -> Tensor:
        """Zeroes each value with the given probability and scales the others up to the same mean."""
        if self._keep >= 1.0:
            return values
        draws = torch.empty_like(values, requires_grad=False).uniform_(generator=self._generator)
        return values * draws.lt_(self._keep).div_(self._keep)  # half the time of bernoulli_ on a CPU

    def kept_rows(self, count: int, share: float) -> Tensor:
        """Draws which of some rows are kept, 1 or 0, where this share of them is not [count, 1]."""
        draws = torch.empty(count, 1, device=self._generator.device).uniform_(generator=self._generator)
        return draws.ge_(share)
