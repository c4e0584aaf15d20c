"""Reads the metadata of users and items, and the context of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.columns import ids
from worker_service.hrnn.data.metadata.datasets import CONTEXT, DatasetType
from worker_service.hrnn.data.metadata.kinds import Column, ColumnKind, Metadata, read_column
from worker_service.hrnn.data.preparation import prepare
from worker_service.hrnn.data.reading import interactions_of, passing
from worker_service.hrnn.data.sources import Source
from worker_service.hrnn.data.tables import Table, column_names, read_table
from worker_service.hrnn.data.vocabulary import Vocabulary

#: What the cells of columns are, by column.
Kinds = Mapping[str, ColumnKind]


def read_entities(
    source: Source,
    channel: DataChannel,
    dataset: DatasetType,
    vocabulary: Vocabulary,
    included: Sequence[str] | None = None,
    kinds: Kinds | None = None,
) -> Metadata:
    """The metadata of users or items.

    Args:
        source: The files.
        channel: How they are read.
        dataset: USERS or ITEMS.
        vocabulary: The n entities in whose order the cells are; others are skipped, and those that no file names have
            empty cells.
        included: The columns to take; None for all that are not reserved.
        kinds: The columns to take and what their cells are, where that is known.

    Raises:
        DataError: For unreadable files, ids that are missing, too long or there twice, too few or too many columns,
            and cells that fit no kind; it names the file, the column, the row and the value.
    """
    (key,) = dataset.keys
    tables, names = _read(source, channel, dataset, included if kinds is None else list(kinds))
    identifiers = distinct_ids(tables, key)
    number = pc.index_in(identifiers, value_set=vocabulary.as_arrow())
    known = np.flatnonzero(pc.is_valid(number).to_numpy(zero_copy_only=False))
    row = np.full(len(vocabulary), -1)
    row[number.take(pa.array(known)).to_numpy()] = known
    rows = pa.array(row, mask=row < 0)
    kinds = kinds or {}
    return Metadata({name: read_column(tables, name, kinds.get(name)).take(rows) for name in names}, len(vocabulary))


def read_context(
    source: Source, channel: DataChannel, included: Sequence[str] | None = None, kinds: Kinds | None = None
) -> Metadata:
    """The context of the prepared interactions, in the order of their events [E].

    Args:
        source: The files.
        channel: How they are read.
        included: The columns to take; None for all that are not reserved.
        kinds: The columns to take and what their cells are, where that is known.

    Raises:
        DataError: As for `read_entities`, and for interactions that cannot be read.
    """
    tables, names = _read(source, channel, CONTEXT, included if kinds is None else list(kinds))
    masks = [passing(table) for table in tables]
    _, rows = prepare(interactions_of(tables))
    kept = None if masks[0] is None else pa.concat_arrays(masks)
    columns = {}
    for name in names:
        column = read_column(tables, name, (kinds or {}).get(name))
        left = column if kept is None else Column(column.kind, column.cells.filter(kept))
        columns[name] = left.take(pa.array(rows))
    return Metadata(columns, len(rows))


def _read(
    source: Source, channel: DataChannel, dataset: DatasetType, included: Sequence[str] | None
) -> tuple[list[Table], tuple[str, ...]]:
    """The tables of all files with their keys and metadata, and the names of the latter."""
    tables: list[Table] = []
    expected: tuple[str, ...] = ()
    for path in source.paths:
        found = column_names(source.filesystem, path)
        names = dataset.metadata_columns(found, path, channel, included) if any(found) else expected
        if tables and names != expected:
            raise DataError(
                f"{path} has the metadata columns {', '.join(names) or 'none'}, and {tables[0].path} has "
                f"{', '.join(expected) or 'none'}; allowed: the same columns in every file"
            )
        expected = names
        needed = (*dataset.keys, *channel.filter_columns, *names)
        tables.append(read_table(source.filesystem, path, channel, tuple(dict.fromkeys(needed))))
    return tables, expected


def distinct_ids(tables: Sequence[Table], key: str) -> Any:
    """The ids of all rows, ``large_binary`` [n].

    Raises:
        DataError: For an id that is missing, too long, or stands in two rows.
    """
    parts = [ids(table, key) for table in tables]
    identifiers = pa.concat_arrays(parts)
    _refuse_duplicates(tables, [len(part) for part in parts], identifiers, key)
    return identifiers


def _refuse_duplicates(tables: Sequence[Table], lengths: Sequence[int], identifiers: Any, key: str) -> None:
    """Refuses an id that stands in two rows."""
    codes = identifiers.dictionary_encode().indices.to_numpy()
    _, first_rows = np.unique(codes, return_index=True)
    if len(first_rows) == len(codes):
        return
    again = int(np.setdiff1d(np.arange(len(codes)), first_rows)[0])
    before = int(np.flatnonzero(codes == codes[again])[0])
    (path, row), (earlier_path, earlier_row) = (_place(tables, lengths, place) for place in (again, before))
    shown = tables[0].channel.shown(key)
    raise DataError(
        f"{path} has {shown} {identifiers[again].as_py().decode()!r} in row {row} again, after row {earlier_row} of "
        f"{earlier_path}; allowed: one row each"
    )


def _place(tables: Sequence[Table], lengths: Sequence[int], row: int) -> tuple[str, int]:
    """The file and the row in it, counting from 1, of a row of all files."""
    ends = list(accumulate(lengths))
    file = next(number for number, end in enumerate(ends) if row < end)
    return tables[file].path, row - (ends[file] - lengths[file]) + 1
