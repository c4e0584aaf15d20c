"""Which items the data about items name, and when each came into being."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hrnn_tuner.algorithms.declarations.channels import CREATION_TIMESTAMP
from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.columns import optional_timestamps
from worker_service.hrnn.data.metadata.datasets import ITEMS
from worker_service.hrnn.data.metadata.reading import distinct_ids
from worker_service.hrnn.data.prepared_files import Prepared
from worker_service.hrnn.data.sources import Source
from worker_service.hrnn.data.tables import Table, column_names, read_table
from worker_service.hrnn.data.vocabulary import Vocabulary

#: Stands for an unknown time.
UNKNOWN_TIME = -1


@dataclass(frozen=True)
class ItemRecords:
    """The items of the data about items.

    Attributes:
        ids: ITEM_ID by record.
        created: CREATION_TIMESTAMP in Unix seconds, `UNKNOWN_TIME` where there is none, int64 [n].
    """

    ids: Vocabulary
    created: NDArray[np.int64]

    def to_prepared(self) -> Prepared:
        """These records as arrays to keep."""
        arrays: dict[str, NDArray[Any]] = {
            "id_bytes": self.ids.data,
            "id_offsets": self.ids.offsets,
            "created": self.created,
        }
        digest = hashlib.sha256(b"hrnn-item-records" + self.ids.digest.encode() + self.created.tobytes())
        return Prepared(digest.hexdigest()[:32], arrays)

    @classmethod
    def from_prepared(cls, prepared: Prepared) -> ItemRecords:
        """Inverse of `to_prepared`."""
        arrays = prepared.arrays
        return cls(Vocabulary(arrays["id_bytes"], arrays["id_offsets"]), arrays["created"])


def read_item_records(source: Source, channel: DataChannel) -> ItemRecords:
    """The items that all files of a source name.

    Raises:
        DataError: For unreadable files, ids that are missing, too long or there twice, and bad times.
    """
    (key,) = ITEMS.keys
    tables, created = [], []
    for path in source.paths:
        known = CREATION_TIMESTAMP in channel.own_names(column_names(source.filesystem, path))
        table = read_table(source.filesystem, path, channel, (key, CREATION_TIMESTAMP) if known else (key,))
        tables.append(table)
        created.append(_times(table, known=known))
    ids, number = Vocabulary.encode(distinct_ids(tables, key))
    times = np.empty(len(number), np.int64)
    times[number] = np.concatenate(created)
    return ItemRecords(ids, times)


def _times(table: Table, *, known: bool) -> Any:
    """Times of creation of a table's items, int64 [n]."""
    if not known:
        return np.full(len(table.columns[ITEMS.keys[0]]), UNKNOWN_TIME)
    times = optional_timestamps(table, CREATION_TIMESTAMP)
    return pc.fill_null(times, pa.scalar(UNKNOWN_TIME, pa.int64())).to_numpy(zero_copy_only=False)
