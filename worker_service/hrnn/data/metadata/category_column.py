"""A column of categories, of which a cell may have several, as numbered features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from worker_service.hrnn.data.metadata.kinds import Column, ColumnKind

_BOOLEANS = ("false", "true")


@dataclass(frozen=True)
class CategoryColumn:
    """The features of a column: 0 for unknown categories, then one per category.

    Attributes:
        name: The column.
        kind: CATEGORY or BOOLEAN.
        categories: The categories in the order of their bytes.
    """

    name: str
    kind: ColumnKind
    categories: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of features."""
        return 1 + len(self.categories)

    @classmethod
    def fit(cls, name: str, column: Column, min_count: int) -> CategoryColumn:
        """Learns the categories that at least ``min_count`` cells have; a boolean column always has both."""
        if column.kind is ColumnKind.BOOLEAN:
            return cls(name, column.kind, _BOOLEANS)
        _, values = _distinct(column.cells)
        counted = values.value_counts()
        frequent = counted.field("values").filter(pc.greater_equal(counted.field("counts"), pa.scalar(min_count)))
        return cls(name, column.kind, tuple(sorted(frequent.to_pylist())))

    def encode(self, cells: Any) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """The features of lists of categories [n].

        Returns:
            Row, feature and share of the row's different categories that the feature stands for, each [m], by row and
            feature. Several unknown categories of a row are one feature.
        """
        row, values = _distinct(cells)
        known = pc.index_in(values, value_set=pa.array(self.categories, pa.large_string()))
        feature = pc.add(pc.fill_null(known, -1), pa.scalar(1)).to_numpy(zero_copy_only=False)
        pairs, counts = np.unique(row * self.size + feature, return_counts=True)
        row, feature = np.divmod(pairs, self.size)
        return row, feature, counts / np.bincount(row, weights=counts)[row]

    def to_json(self) -> dict[str, Any]:
        """This column as JSON values."""
        return {"name": self.name, "kind": self.kind.value, "categories": list(self.categories)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CategoryColumn:
        """Inverse of `to_json`."""
        return cls(document["name"], ColumnKind(document["kind"]), tuple(map(str, document["categories"])))


def _distinct(lists: Any) -> tuple[NDArray[np.int64], Any]:
    """The different categories of each row, without blanks around them: rows [m], and texts as an array [m]."""
    values = pc.utf8_trim_whitespace(pc.list_flatten(lists))
    row = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    filled = pc.fill_null(pc.greater(pc.utf8_length(values), pa.scalar(0)), False)
    values, row = values.filter(filled), row[filled.to_numpy(zero_copy_only=False)]
    coded = values.dictionary_encode()
    size = max(len(coded.dictionary), 1)
    pairs = np.unique(row * size + coded.indices.to_numpy())
    row, code = np.divmod(pairs, size)
    return row, coded.dictionary.take(pa.array(code))
