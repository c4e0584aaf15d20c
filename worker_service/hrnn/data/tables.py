"""Reads columns of CSV, gzipped CSV and Parquet files."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.domain.data_channel import DataChannel


@dataclass(frozen=True)
class Table:
    """Some columns of one file.

    Attributes:
        path: The file, for messages.
        channel: How it is read.
        columns: One pyarrow array [E] per column, by the algorithm's names. Those of a CSV file are text, and null
            where the field is empty.
        typed: Whether the file says what type a column has, as Parquet does and CSV does not.
    """

    path: str
    channel: DataChannel
    columns: Mapping[str, Any]
    typed: bool

    def error(self, name: str, row: int, problem: object, allowed: str) -> DataError:
        """The error that a column has a bad value in a row, counted from 0 here and from 1 in the message."""
        return DataError(f"{self.path} has {self.channel.shown(name)} {problem} in row {row + 1}; allowed: {allowed}")

    def type_error(self, name: str, allowed: str) -> DataError:
        """The error that a column has a senseless type."""
        kind = self.columns[name].type
        return DataError(f"{self.path} has {self.channel.shown(name)} of type {kind}; allowed: {allowed}")


def column_names(filesystem: Any, path: str) -> list[str]:
    """The names of all columns of a file, in its order; none for an empty file.

    Raises:
        DataError: When the file cannot be read.
    """
    with _errors_naming(path), filesystem.open(path, "rb") as raw:
        if _is_parquet(path):
            return list(pyarrow.parquet.ParquetFile(raw).schema_arrow.names)
        with _unpacked(raw, path) as stream:
            return next(csv.reader([stream.readline().decode("utf-8-sig")]), [])


def read_table(filesystem: Any, path: str, channel: DataChannel, names: Sequence[str]) -> Table:
    """Reads some columns of a file, given by the algorithm's names.

    Raises:
        DataError: When the file cannot be read, or does not have each of the columns exactly once.
    """
    _check_columns(column_names(filesystem, path), path, channel, names)
    wanted = list(dict.fromkeys(channel.in_files(name) for name in names))
    with _errors_naming(path), filesystem.open(path, "rb") as raw:
        table = _parquet(raw, wanted) if _is_parquet(path) else _csv(raw, path, wanted)
    columns = {name: _whole(table.column(channel.in_files(name))) for name in names}
    return Table(path, channel, columns, typed=_is_parquet(path))


def _is_parquet(path: str) -> bool:
    return path.lower().endswith(".parquet")


def _parquet(raw: IO[bytes], columns: list[str]) -> Any:
    """Columns of a Parquet file, with its types."""
    return pyarrow.parquet.ParquetFile(raw).read(columns=columns)


def _csv(raw: IO[bytes], path: str, columns: list[str]) -> Any:
    """Columns of a CSV file as text; empty fields are null."""
    options = pyarrow.csv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.large_string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    with _unpacked(raw, path) as stream:
        return pyarrow.csv.read_csv(stream, convert_options=options)


def _unpacked(raw: IO[bytes], path: str) -> IO[bytes]:
    """The content of a file that may be gzipped."""
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if path.lower().endswith(".gz") else raw


@contextmanager
def _errors_naming(path: str) -> Iterator[None]:
    """Turns what libraries say about a file into one error that names it."""
    try:
        yield
    except (pa.ArrowInvalid, gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be parsed: {str(error).splitlines()[0]}") from error
    except PermissionError as error:
        raise DataError(f"{path} may not be read: permission denied") from error
    except FileNotFoundError as error:
        raise DataError(f"{path} vanished while it was read") from error


def _check_columns(found: list[str], path: str, channel: DataChannel, names: Sequence[str]) -> None:
    """Checks that a file has each of the needed columns once."""
    if not any(found):
        needed = ", ".join(map(channel.shown, names))
        raise DataError(f"{path} is empty; needed: a header with the columns {needed}, and rows")
    missing = [channel.shown(name) for name in names if channel.in_files(name) not in found]
    if missing:
        raise DataError(f"{path} is missing the columns: {', '.join(missing)}; found: {', '.join(found)}")
    double = [channel.shown(name) for name in names if found.count(channel.in_files(name)) > 1]
    if double:
        raise DataError(f"{path} has the columns {', '.join(double)} more than once; found: {', '.join(found)}")


def _whole(column: Any) -> Any:
    """A column as one array; dictionaries become what they stand for."""
    column = column.combine_chunks()
    column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
