"""Encoded metadata as arrays that a network takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FeatureRows:
    """The encoded metadata of n entities.

    The categorical part is a sparse matrix [n, F] in CSR form over one feature vocabulary for all columns; the values
    of one column sum to 1 in each row that has any. The numeric part is dense.

    Attributes:
        offsets: The features of row r are ``offsets[r]:offsets[r + 1]``, int64 [n + 1].
        feature: Feature number of each value, int32 [m]; rising within a row.
        weight: The share of the feature among the row's categories of its column, float32 [m], in (0, 1].
        numbers: Two values per numeric column, float32 [n, d]: the standardised number (0 when it is missing), and 1
            when it is missing, else 0.
    """

    offsets: NDArray[np.int64]
    feature: NDArray[np.int32]
    weight: NDArray[np.float32]
    numbers: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, rows: NDArray[np.int64]) -> FeatureRows:
        """The features of these rows [k], in this order."""
        starts, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return FeatureRows(offsets, self.feature[places], self.weight[places], self.numbers[rows])
