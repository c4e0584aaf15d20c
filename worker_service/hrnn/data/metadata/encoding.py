"""Turns metadata into features, in the same way for training and for values that come later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.metadata.category_column import CategoryColumn
from worker_service.hrnn.data.metadata.kinds import Column, ColumnKind, Metadata, cells_of
from worker_service.hrnn.data.metadata.number_column import NumberColumn
from worker_service.hrnn.data.metadata.rows import FeatureRows
from worker_service.hrnn.data.tables import Table


@dataclass(frozen=True)
class FeatureEncoding:
    """What was learnt from the metadata that a model was trained with.

    Attributes:
        numbers: The numeric columns by name; they fill the dense part, two values each.
        categories: The other columns by name; their features are numbered one column behind the other.
    """

    numbers: tuple[NumberColumn, ...]
    categories: tuple[CategoryColumn, ...]

    @property
    def number_width(self) -> int:
        """Width d of the dense part."""
        return 2 * len(self.numbers)

    @property
    def feature_count(self) -> int:
        """Number F of categorical features."""
        return sum(column.size for column in self.categories)

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        """What the cells of each column are."""
        found = {column.name: ColumnKind.NUMBER for column in self.numbers}
        return found | {column.name: column.kind for column in self.categories}

    @classmethod
    def fit(cls, columns: Mapping[str, Column], min_count: int) -> FeatureEncoding:
        """Learns means, deviations and categories.

        Args:
            columns: The cells of the entities, by name.
            min_count: Categories that fewer entities have count as unknown.
        """
        ordered = sorted(columns.items())
        return cls(
            numbers=tuple(
                NumberColumn.fit(name, column.cells) for name, column in ordered if column.kind is ColumnKind.NUMBER
            ),
            categories=tuple(
                CategoryColumn.fit(name, column, min_count)
                for name, column in ordered
                if column.kind is not ColumnKind.NUMBER
            ),
        )

    def encode(self, metadata: Metadata) -> FeatureRows:
        """The features of n entities whose metadata have the columns of this encoding, each of its kind."""
        columns, count = metadata.columns, metadata.count
        numbers = [column.encode(columns[column.name].cells) for column in self.numbers]
        parts: list[tuple[NDArray[Any], ...]] = []
        base = 0
        for column in self.categories:
            row, feature, weight = column.encode(columns[column.name].cells)
            parts.append((row, feature + base, weight))
            base += column.size
        empty: tuple[NDArray[Any], ...] = (np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
        row, feature, weight = (np.concatenate(arrays) for arrays in zip(empty, *parts, strict=True))
        order = np.argsort(row, kind="stable")  # within a row the columns, and so the features, stay in order
        offsets = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=count)))).astype(np.int64)
        return FeatureRows(
            offsets=offsets,
            feature=feature[order].astype(np.int32),
            weight=weight[order].astype(np.float32),
            numbers=np.concatenate([np.zeros((count, 0), np.float32), *numbers], axis=1),
        )

    def encode_values(self, rows: Sequence[Mapping[str, str]]) -> FeatureRows:
        """The features of new entities or requests, from texts as they would stand in a CSV file.

        Args:
            rows: Text by column; a missing column and an empty text are empty cells.

        Raises:
            DataError: For a column that is not part of this encoding, and a text that does not fit its column.
        """
        kinds = self.kinds
        unknown = sorted({name for row in rows for name in row} - set(kinds))
        if unknown:
            raise DataError(f"unknown metadata columns: {', '.join(unknown)}; known: {', '.join(sorted(kinds))}")
        texts = {name: pa.array([row.get(name) or None for row in rows], pa.large_string()) for name in kinds}
        table = Table("the request", DataChannel(""), texts, typed=False)
        columns = {name: Column(kind, cells_of(table, name, kind)) for name, kind in kinds.items()}
        return self.encode(Metadata(columns, len(rows)))

    def to_json(self) -> dict[str, Any]:
        """This encoding as JSON values."""
        return {
            "numbers": [column.to_json() for column in self.numbers],
            "categories": [column.to_json() for column in self.categories],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> FeatureEncoding:
        """Inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: When the document is damaged.
        """
        return cls(
            numbers=tuple(map(NumberColumn.from_json, document["numbers"])),
            categories=tuple(map(CategoryColumn.from_json, document["categories"])),
        )
