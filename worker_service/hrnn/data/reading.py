"""Reads interactions into checked columns, leaving out what the channel's filters leave out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hrnn_tuner.domain.data_channel import EVENT_TYPE, EVENT_VALUE, DataChannel
from worker_service.hrnn.data.columns import ids, numbers, texts, timestamps
from worker_service.hrnn.data.sources import Source
from worker_service.hrnn.data.tables import Table, read_table

COLUMNS = ("USER_ID", "ITEM_ID", "TIMESTAMP")


@dataclass(frozen=True)
class RawInteractions:
    """The columns of all files, one behind the other, in file order, without the rows that the filters leave out.

    Attributes:
        users: USER_ID, pyarrow ``large_binary`` array [E] in UTF-8.
        items: ITEM_ID, pyarrow ``large_binary`` array [E] in UTF-8.
        timestamps: TIMESTAMP in Unix seconds, int64 [E].
        left_out: Number of rows that the filters leave out.
    """

    users: Any
    items: Any
    timestamps: NDArray[np.int64]
    left_out: int


def read_interactions(source: Source, channel: DataChannel) -> RawInteractions:
    """Reads every file of a source; columns other than those needed are skipped.

    Rows are checked before they are filtered: an error does not come and go with a filter.

    Raises:
        DataError: For unreadable files, missing columns, missing or long ids, bad timestamps and values; it names the
            file, the column, the row (counting from 1 behind the header) and the value.
    """
    names = (*COLUMNS, *channel.filter_columns)
    return interactions_of(read_table(source.filesystem, path, channel, names) for path in source.paths)


def interactions_of(tables: Iterable[Table]) -> RawInteractions:
    """The interactions of at least one table; like `read_interactions`."""
    parts = []
    left_out = 0
    for table in tables:
        columns = [ids(table, "USER_ID"), ids(table, "ITEM_ID"), timestamps(table, "TIMESTAMP")]
        mask = passing(table)
        if mask is not None:
            left_out += len(mask) - mask.true_count
            columns = [column.filter(mask) for column in columns]
        parts.append(columns)
    users, items, times = (pa.concat_arrays(arrays) for arrays in zip(*parts, strict=True))
    return RawInteractions(users, items, times.to_numpy(), left_out)


def passing(table: Table) -> Any:
    """Which rows of a table pass the filters of its channel, boolean [E]; None without filters."""
    channel = table.channel
    masks = []
    if channel.event_type is not None:
        wanted = pa.scalar(channel.event_type, pa.large_string())
        masks.append(pc.equal(texts(table, EVENT_TYPE), wanted))
    if channel.event_value_threshold is not None:
        masks.append(pc.greater_equal(numbers(table, EVENT_VALUE), pa.scalar(channel.event_value_threshold)))
    if not masks:
        return None
    mask = masks[0] if len(masks) == 1 else pc.and_(*masks)
    return mask.fill_null(False)  # a row without a type or value does not pass
