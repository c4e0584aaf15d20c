"""Encoded metadata as vectors that are learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from worker_service.hrnn.data.metadata.encoding import FeatureEncoding
from worker_service.hrnn.data.metadata.rows import FeatureRows
from worker_service.hrnn.network.dropout import Dropout


@dataclass(frozen=True)
class FeatureShape:
    """What an encoding gives.

    Attributes:
        categories: F, the number of categorical features.
        numbers: d, the width of the dense part.
    """

    categories: int
    numbers: int

    @classmethod
    def of(cls, encoding: FeatureEncoding) -> FeatureShape:
        """The shape of the features that an encoding makes."""
        return cls(encoding.feature_count, encoding.number_width)


class FeatureBag(NamedTuple):
    """The features of k entities on a device; see `FeatureRows`.

    Attributes:
        offsets: The categorical features of row r are ``offsets[r]:offsets[r + 1]``, int64 [k + 1].
        feature: Their numbers, int64 [m].
        weight: Their weights [m].
        numbers: The dense part [k, d].
    """

    offsets: Tensor
    feature: Tensor
    weight: Tensor
    numbers: Tensor

    @classmethod
    def of(cls, rows: FeatureRows, device: torch.device | str) -> FeatureBag:
        """All of some rows."""
        return cls(
            torch.from_numpy(np.array(rows.offsets)).to(device),
            torch.from_numpy(rows.feature.astype(np.int64)).to(device),
            torch.from_numpy(np.array(rows.weight)).to(device),
            torch.from_numpy(np.array(rows.numbers)).to(device),
        )

    def take(self, rows: Tensor) -> FeatureBag:
        """The features of these rows [j], in this order."""
        starts = self.offsets.index_select(0, rows)
        lengths = self.offsets.index_select(0, rows + 1) - starts
        offsets = torch.cat((lengths.new_zeros(1), lengths.cumsum(0)))
        owner = torch.repeat_interleave(lengths)
        places = torch.arange(len(owner), device=rows.device) + (starts - offsets[:-1]).index_select(0, owner)
        return FeatureBag(
            offsets,
            self.feature.index_select(0, places),
            self.weight.index_select(0, places),
            self.numbers.index_select(0, rows),
        )

    def with_empty_row(self) -> FeatureBag:
        """These features, and behind them an entity that nothing is known of."""
        nothing = self.numbers.new_zeros(1, self.numbers.shape[1])
        offsets = torch.cat((self.offsets, self.offsets[-1:]))
        return FeatureBag(offsets, self.feature, self.weight, torch.cat((self.numbers, nothing)))


class FeatureProjection(nn.Module):
    """A vector of width w for each entity: its categories' vectors, weighted, and a linear map of its numbers.

    All of it is zero at the start, so that a network begins as the one without metadata.

    Args:
        shape: The features.
        width: w.
    """

    def __init__(self, shape: FeatureShape, width: int) -> None:
        super().__init__()
        self.categories = nn.Parameter(torch.zeros(shape.categories, width))
        self.numbers = nn.Parameter(torch.zeros(shape.numbers, width))

    def forward(self, bag: FeatureBag, dropout: Dropout | None = None) -> Tensor:
        """The vectors [k, w].

        Args:
            bag: The entities' features.
            dropout: For training; what is dropped is dropped for all entities, so that like stays like.
        """
        categories: Tensor = self.categories
        numbers: Tensor = self.numbers
        if dropout is not None:
            categories, numbers = dropout(categories), dropout(numbers)
        vectors = bag.numbers @ numbers
        if not len(categories):
            return vectors
        return vectors + functional.embedding_bag(
            bag.feature, categories, bag.offsets, mode="sum", per_sample_weights=bag.weight, include_last_offset=True
        )
