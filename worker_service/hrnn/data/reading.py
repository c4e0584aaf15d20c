"""Reads interactions from CSV, gzipped CSV and Parquet into checked columns."""

from __future__ import annotations

import csv
import gzip
import zlib
from dataclasses import dataclass
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from hrnn_tuner.algorithms.contract import DataError
from worker_service.hrnn.data.sources import Source

COLUMNS = ("USER_ID", "ITEM_ID", "TIMESTAMP")
#: Unix seconds of the year 5138; larger numbers are milliseconds taken for seconds.
TIMESTAMP_LIMIT_S = 100_000_000_000
_ALLOWED_TIMESTAMP = f"allowed: Unix time in whole seconds, from 0 to {TIMESTAMP_LIMIT_S - 1}"


@dataclass(frozen=True)
class RawInteractions:
    """The columns of all files, one behind the other, in file order.

    Attributes:
        users: USER_ID, pyarrow ``large_binary`` array [E] in UTF-8.
        items: ITEM_ID, pyarrow ``large_binary`` array [E] in UTF-8.
        timestamps: TIMESTAMP in Unix seconds, int64 [E].
    """

    users: Any
    items: Any
    timestamps: NDArray[np.int64]


def read_interactions(source: Source) -> RawInteractions:
    """Reads every file of a source; columns other than the three needed are skipped.

    Raises:
        DataError: For unreadable files, missing columns, null ids and bad timestamps; it names the file, the column,
            the row (counting from 1 behind the header) and the value.
    """
    tables = [_read_file(source.filesystem, path) for path in source.paths]
    users, items, times = (pa.concat_arrays(parts) for parts in zip(*tables, strict=True))
    return RawInteractions(users, items, times.to_numpy())


def _read_file(filesystem: Any, path: str) -> tuple[Any, Any, Any]:
    """Reads one file into (users, items, timestamps)."""
    try:
        table = _read_parquet(filesystem, path) if path.lower().endswith(".parquet") else _read_csv(filesystem, path)
    except (pa.ArrowInvalid, gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be parsed: {str(error).splitlines()[0]}") from error
    except PermissionError as error:
        raise DataError(f"{path} may not be read: permission denied") from error
    except FileNotFoundError as error:
        raise DataError(f"{path} vanished while it was read") from error
    return _ids(table, path, "USER_ID"), _ids(table, path, "ITEM_ID"), _timestamps(table, path)


def _read_csv(filesystem: Any, path: str) -> Any:
    """Reads the needed columns of a CSV file as strings; empty fields are null."""
    with filesystem.open(path, "rb") as raw, _unpacked(raw, path) as stream:
        header = stream.readline().decode("utf-8-sig")
    _check_columns(next(csv.reader([header]), []), path)
    options = pyarrow.csv.ConvertOptions(
        include_columns=list(COLUMNS),
        column_types=dict.fromkeys(COLUMNS, pa.large_string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    with filesystem.open(path, "rb") as raw, _unpacked(raw, path) as stream:
        return pyarrow.csv.read_csv(stream, convert_options=options)


def _unpacked(raw: IO[bytes], path: str) -> IO[bytes]:
    """The content of a file that may be gzipped."""
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if path.lower().endswith(".gz") else raw


def _read_parquet(filesystem: Any, path: str) -> Any:
    """Reads the needed columns of a Parquet file."""
    with filesystem.open(path, "rb") as stream:
        file = pyarrow.parquet.ParquetFile(stream)
        _check_columns(file.schema_arrow.names, path)
        return file.read(columns=list(COLUMNS))


def _check_columns(found: list[str], path: str) -> None:
    """Checks that the needed columns are among those of the file."""
    if not any(found):
        raise DataError(f"{path} is empty; needed: a header with the columns {', '.join(COLUMNS)}, and rows")
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise DataError(f"{path} is missing the columns: {', '.join(missing)}; found: {', '.join(found)}")
    double = [name for name in COLUMNS if found.count(name) > 1]
    if double:
        raise DataError(f"{path} has the columns {', '.join(double)} more than once; found: {', '.join(found)}")


def _column(table: Any, path: str, name: str) -> Any:
    """One column as one array without nulls."""
    column = table.column(name).combine_chunks()
    column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    if column.null_count:
        row = pc.index(pc.is_null(column), pa.scalar(True)).as_py() + 1
        raise DataError(f"{path} has no {name} in row {row}; every row needs one")
    return column


def _ids(table: Any, path: str, name: str) -> Any:
    """A column of ids as UTF-8 bytes; numbers and dictionaries become their text."""
    column = _column(table, path, name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (
        pa.types.is_integer(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    ):
        raise DataError(f"{path} has {name} of type {column.type}; allowed: text or whole numbers")
    column = column.cast(pa.large_string())
    empty = pc.index(pc.equal(column, pa.scalar("", pa.large_string())), pa.scalar(True)).as_py()
    if empty >= 0:  # only Parquet tells an empty text from a null
        raise DataError(f"{path} has no {name} in row {empty + 1}; every row needs one")
    return column.cast(pa.large_binary())


def _timestamps(table: Any, path: str) -> Any:
    """The column TIMESTAMP as int64 seconds."""
    column = _column(table, path, "TIMESTAMP")
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        # Eleven digits stay below the limit and inside int64, so that the cast cannot fail.
        good = pc.match_substring_regex(column, r"^\s*[0-9]{1,11}\s*$")
        _refuse_first(column, good, path)
        return pc.utf8_trim_whitespace(column).cast(pa.int64())
    if pa.types.is_floating(column.type):
        good = pc.equal(pc.floor(column), column)
        _refuse_first(
            column,
            pc.and_(
                good, pc.and_(pc.greater_equal(column, pa.scalar(0)), pc.less(column, pa.scalar(TIMESTAMP_LIMIT_S)))
            ),
            path,
        )
        return column.cast(pa.int64())
    if not pa.types.is_integer(column.type):
        raise DataError(f"{path} has TIMESTAMP of type {column.type}; {_ALLOWED_TIMESTAMP}")
    column = column.cast(pa.int64(), safe=False)  # an unsigned overflow turns negative and is refused below
    _refuse_first(
        column, pc.and_(pc.greater_equal(column, pa.scalar(0)), pc.less(column, pa.scalar(TIMESTAMP_LIMIT_S))), path
    )
    return column


def _refuse_first(column: Any, good: Any, path: str) -> None:
    """Refuses the first timestamp that is not good."""
    bad = pc.index(good, pa.scalar(False)).as_py()
    if bad >= 0:
        raise DataError(f"{path} has TIMESTAMP {column[bad].as_py()!r} in row {bad + 1}; {_ALLOWED_TIMESTAMP}")
