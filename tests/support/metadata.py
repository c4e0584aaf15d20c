"""Vocabularies and readable features, for tests of metadata."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from worker_service.hrnn.data.metadata.encoding import FeatureEncoding
from worker_service.hrnn.data.metadata.rows import FeatureRows
from worker_service.hrnn.data.vocabulary import Vocabulary

UNKNOWN = "?"


def vocabulary_of(ids: Sequence[str]) -> Vocabulary:
    """The vocabulary of these ids."""
    return Vocabulary.encode(pa.array([item.encode() for item in ids], pa.large_binary()))[0]


def shares(encoding: FeatureEncoding, rows: FeatureRows) -> list[dict[tuple[str, str], float]]:
    """The categorical part of each row by (column, category); unknown categories are `UNKNOWN`."""
    names = [(column.name, item) for column in encoding.categories for item in (UNKNOWN, *column.categories)]
    return [
        {
            names[feature]: round(float(weight), 6)
            for feature, weight in zip(rows.feature[start:end], rows.weight[start:end], strict=True)
        }
        for start, end in zip(rows.offsets[:-1], rows.offsets[1:], strict=True)
    ]
