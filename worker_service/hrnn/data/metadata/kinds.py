"""Kinds of metadata columns, and their cells in one form per kind, whatever the file format."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hrnn_tuner.algorithms.contract import DataError
from worker_service.hrnn.data.columns import first, is_number, is_text, numbers
from worker_service.hrnn.data.tables import Table

#: Amazon Personalize's limit.
MAX_CATEGORY_CHARACTERS = 1000
#: Between the categories of a cell that has several.
SEPARATOR = "|"
#: A number as JSON has it, or nothing; leading zeros are those of codes, which are no quantities.
_NUMBER = r"^\s*([-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?)?\s*$"
_BOOLEAN = r"^\s*([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])?\s*$"
_NOTHING = r"^\s*$"


class ColumnKind(enum.Enum):
    """What the cells of a column are."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"


@dataclass(frozen=True)
class Column:
    """The cells of a column.

    Attributes:
        kind: What they are.
        cells: pyarrow array [n], null where a cell is empty: finite ``double`` numbers, or lists of ``large_string``
            categories (``true`` and ``false`` of booleans), in which blanks and repetitions may occur.
    """

    kind: ColumnKind
    cells: Any

    def take(self, rows: Any) -> Column:
        """The cells at these rows; a null takes an empty cell."""
        return Column(self.kind, self.cells.take(rows))


@dataclass(frozen=True)
class Metadata:
    """The metadata of entities.

    Attributes:
        columns: The cells by column.
        count: Number n of entities; there may be no columns.
    """

    columns: Mapping[str, Column]
    count: int


def read_column(tables: Sequence[Table], name: str, kind: ColumnKind | None = None) -> Column:
    """One column of several tables, one behind the other.

    Args:
        tables: At least one.
        name: The column, by the algorithm's name.
        kind: What its cells are; None finds out.

    Raises:
        DataError: When the tables do not agree on its kind, or a cell does not fit it.
    """
    kind = kind or _kind(tables, name)
    return Column(kind, pa.concat_arrays([cells_of(table, name, kind) for table in tables]))


def cells_of(table: Table, name: str, kind: ColumnKind) -> Any:
    """A column of one table in the form of `Column.cells`.

    Raises:
        DataError: When a cell does not fit the kind.
    """
    if kind is ColumnKind.NUMBER:
        return _finite(table, name)
    column = table.columns[name]
    if pa.types.is_boolean(column.type) or pa.types.is_null(column.type):
        column = column.cast(pa.large_string())
    if kind is ColumnKind.BOOLEAN:
        bad = first(pc.invert(pc.match_substring_regex(column, _BOOLEAN)))
        if bad is not None:
            raise table.error(name, bad, repr(column[bad].as_py()), "true, false, or nothing")
        column = pc.utf8_lower(column)
    if is_text(column):
        column = pc.split_pattern(column.cast(pa.large_string()), SEPARATOR)
    column = column.cast(pa.list_(pa.large_string()))
    _check_length(table, name, column)
    return column


def _kind(tables: Sequence[Table], name: str) -> ColumnKind:
    """The kind that the types of Parquet files say, or else the one that fits every cell of the CSV files."""
    said = {_said_kind(table, name) for table in tables if table.typed} - {None}
    if len(said) > 1:
        kinds = " and ".join(sorted(kind.value for kind in said if kind is not None))
        shown = tables[0].channel.shown(name)
        raise DataError(f"the files of {tables[0].channel.uri} have {shown} as {kinds}; allowed: one kind of value")
    for kind in said:
        if kind is not None:
            return kind
    texts = [table.columns[name] for table in tables if not table.typed]
    if all(_all_match(column, _NOTHING) for column in texts):
        return ColumnKind.CATEGORY
    for kind, pattern in ((ColumnKind.BOOLEAN, _BOOLEAN), (ColumnKind.NUMBER, _NUMBER)):
        if all(_all_match(column, pattern) for column in texts):
            return kind
    return ColumnKind.CATEGORY


def _said_kind(table: Table, name: str) -> ColumnKind | None:
    """The kind of a column with a type; None when every cell is empty."""
    column = table.columns[name]
    if pa.types.is_null(column.type):
        return None
    if pa.types.is_boolean(column.type):
        return ColumnKind.BOOLEAN
    if is_number(column):
        return ColumnKind.NUMBER
    lists = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    element = column.type.value_type if lists else column.type
    if pa.types.is_string(element) or pa.types.is_large_string(element):
        return ColumnKind.CATEGORY
    raise table.type_error(name, "numbers, booleans, text, lists of text")


def _all_match(column: Any, pattern: str) -> bool:
    """Whether every cell that is not null matches; true for none."""
    return bool(pc.all(pc.match_substring_regex(column, pattern), min_count=0).as_py())


def _finite(table: Table, name: str) -> Any:
    """Numbers; what is not a number in Parquet is an empty cell."""
    cells = numbers(table, name)
    infinite = first(pc.is_inf(cells))
    if infinite is not None:
        raise table.error(name, infinite, repr(table.columns[name][infinite].as_py()), "finite numbers")
    return pc.if_else(pc.is_nan(cells), pa.scalar(None, pa.float64()), cells)


def _check_length(table: Table, name: str, lists: Any) -> None:
    """Refuses categories that are too long."""
    categories = pc.list_flatten(lists)
    long = first(pc.greater(pc.utf8_length(categories), pa.scalar(MAX_CATEGORY_CHARACTERS)))
    if long is not None:
        row = int(np.asarray(pc.list_parent_indices(lists))[long])
        problem = f"with a category of {len(categories[long].as_py())} characters"
        raise table.error(name, row, problem, f"at most {MAX_CATEGORY_CHARACTERS}")
