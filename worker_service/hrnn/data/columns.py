"""Columns of a table as checked arrays: ids, times, texts and numbers."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hrnn_tuner.algorithms.contract import DataError
from worker_service.hrnn.data.tables import Table

#: Amazon Personalize's limit.
MAX_ID_CHARACTERS = 256
#: Unix seconds of the year 5138; larger numbers are milliseconds taken for seconds.
TIMESTAMP_LIMIT_S = 100_000_000_000
_ALLOWED_TIMESTAMP = f"Unix time in whole seconds, from 0 to {TIMESTAMP_LIMIT_S - 1}"


def is_text(column: Any) -> bool:
    """Whether an array holds text."""
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def is_number(column: Any) -> bool:
    """Whether an array holds numbers; booleans are none."""
    kind = column.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def first(mask: Any) -> int | None:
    """The first row [E] of a boolean array that is true, None when there is none."""
    row = pc.index(mask, pa.scalar(True)).as_py()
    return row if row >= 0 else None


def ids(table: Table, name: str) -> Any:
    """A column of ids as UTF-8, ``large_binary`` [E]; numbers become their text.

    Raises:
        DataError: For a missing id, one that is too long, and a type that cannot identify anything.
    """
    column = _without_nulls(table, name)
    if not (pa.types.is_integer(column.type) or is_text(column)):
        raise table.type_error(name, "text or whole numbers")
    column = column.cast(pa.large_string())
    empty = first(pc.equal(column, pa.scalar("", pa.large_string())))
    if empty is not None:  # only Parquet tells an empty text from a null
        raise _missing(table, name, empty)
    long = first(pc.greater(pc.utf8_length(column), pa.scalar(MAX_ID_CHARACTERS)))
    if long is not None:
        raise table.error(name, long, f"of {len(column[long].as_py())} characters", f"at most {MAX_ID_CHARACTERS}")
    return column.cast(pa.large_binary())


def texts(table: Table, name: str) -> Any:
    """A column of text, ``large_string`` [E], null where there is none; whole numbers become their text.

    Raises:
        DataError: When the column has another type.
    """
    column = table.columns[name]
    if pa.types.is_integer(column.type) or is_text(column) or pa.types.is_null(column.type):
        return column.cast(pa.large_string())
    raise table.type_error(name, "text")


def numbers(table: Table, name: str) -> Any:
    """A column of numbers, ``double`` [E], null where there is none; text is parsed.

    Raises:
        DataError: For text that is no number, and columns of another type.
    """
    column = table.columns[name]
    if is_number(column) or pa.types.is_null(column.type):
        return column.cast(pa.float64(), safe=False)  # integers beyond 2^53 are rounded
    if not is_text(column):
        raise table.type_error(name, "numbers")
    trimmed = pc.utf8_trim_whitespace(column)
    trimmed = pc.if_else(pc.equal(trimmed, pa.scalar("", trimmed.type)), pa.scalar(None, trimmed.type), trimmed)
    try:
        return trimmed.cast(pa.float64())
    except pa.ArrowInvalid as error:
        row = _first_unparsable(trimmed)
        raise table.error(name, row, repr(column[row].as_py()), "a number, or nothing") from error


def timestamps(table: Table, name: str) -> Any:
    """A column of Unix seconds, int64 [E].

    Raises:
        DataError: For a missing time, one outside the limits, and columns of another type.
    """
    return _times(table, name, _without_nulls(table, name))


def optional_timestamps(table: Table, name: str) -> Any:
    """A column of Unix seconds, int64 [E], null where there is none; what is not a number in Parquet is none.

    Raises:
        DataError: For a time outside the limits, and columns of another type.
    """
    column = table.columns[name]
    if pa.types.is_null(column.type):
        return column.cast(pa.int64())
    given = pc.is_valid(column)
    if pa.types.is_floating(column.type):
        given = pc.and_(given, pc.invert(pc.fill_null(pc.is_nan(column), False)))
    stand_in = pa.scalar("0", column.type) if is_text(column) else pa.scalar(0, column.type)
    times = _times(table, name, pc.if_else(given, column, stand_in))
    return pc.if_else(given, times, pa.scalar(None, pa.int64()))


def _times(table: Table, name: str, column: Any) -> Any:
    """A column without nulls as Unix seconds, int64 [E]."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    if is_text(column):
        # Eleven digits stay below the limit and inside int64, so that the cast cannot fail.
        _refuse_times(table, name, column, pc.match_substring_regex(column, r"^\s*[0-9]{1,11}\s*$"))
        return pc.utf8_trim_whitespace(column).cast(pa.int64())
    if pa.types.is_floating(column.type):
        _refuse_times(table, name, column, pc.and_(pc.equal(pc.floor(column), column), _inside(column)))
        return column.cast(pa.int64())
    if not pa.types.is_integer(column.type):
        raise table.type_error(name, _ALLOWED_TIMESTAMP)
    column = column.cast(pa.int64(), safe=False)  # an unsigned overflow turns negative and is refused below
    _refuse_times(table, name, column, _inside(column))
    return column


def _without_nulls(table: Table, name: str) -> Any:
    """A column in which every row must have a value."""
    column = table.columns[name]
    missing = first(pc.is_null(column))
    if missing is not None:
        raise _missing(table, name, missing)
    return column


def _missing(table: Table, name: str, row: int) -> DataError:
    return DataError(f"{table.path} has no {table.channel.shown(name)} in row {row + 1}; every row needs one")


def _inside(column: Any) -> Any:
    """Which times are inside the limits, boolean [E]."""
    return pc.and_(pc.greater_equal(column, pa.scalar(0)), pc.less(column, pa.scalar(TIMESTAMP_LIMIT_S)))


def _refuse_times(table: Table, name: str, column: Any, good: Any) -> None:
    """Refuses the first time that is not good."""
    bad = first(pc.invert(good))
    if bad is not None:
        raise table.error(name, bad, repr(column[bad].as_py()), _ALLOWED_TIMESTAMP)


def _first_unparsable(column: Any) -> int:
    """The first row whose text is no number, by halving: the cast itself does not say."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            column[low:middle].cast(pa.float64())
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low
