"""A numeric column as a standardised number and a flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

#: Deviations beyond which numbers count as this far away: one outlier must not drown everything else in a network.
_FARTHEST = 10.0


@dataclass(frozen=True)
class NumberColumn:
    """How a numeric column is standardised.

    Attributes:
        name: The column.
        mean: Mean of its numbers.
        deviation: Their standard deviation; 1 where they do not differ.
    """

    name: str
    mean: float
    deviation: float

    @classmethod
    def fit(cls, name: str, cells: Any) -> NumberColumn:
        """Learns from a ``double`` array [n]; empty cells do not count."""
        values = cells.drop_null().to_numpy(zero_copy_only=False)
        if not len(values):
            return cls(name, 0.0, 1.0)
        scale = float(np.abs(values).max()) or 1.0  # squares of huge numbers would overflow
        shares = values / scale
        return cls(name, float(shares.mean()) * scale, float(shares.std()) * scale or 1.0)

    def encode(self, cells: Any) -> NDArray[np.float32]:
        """Standardised numbers and flags of empty cells, float32 [n, 2], of a ``double`` array [n]."""
        missing = pc.is_null(cells).to_numpy(zero_copy_only=False)
        values = pc.fill_null(cells, self.mean).to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):  # infinitely far away is too far away like any other
            distances = np.clip((values - self.mean) / self.deviation, -_FARTHEST, _FARTHEST)
        return np.stack([np.where(missing, 0.0, distances), missing], axis=1).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """This column as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> NumberColumn:
        """Inverse of `to_json`."""
        return cls(document["name"], float(document["mean"]), float(document["deviation"]))
