"""A first look at training data, without reading them: do they exist, and have they the needed columns?

Everything that needs the whole data (types, counts) is the worker's business.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import fsspec

from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.uris import is_allowed

#: Enough for any header and the row behind it.
_HEAD_BYTES = 64 * 1024
#: Files of a folder that are opened: a caller waits for each, and the worker reads all of them anyway.
_MAX_FILES = 32


def complaint_about(channel: DataChannel, required_columns: Sequence[str], prefixes: Sequence[str]) -> str | None:
    """Says what is wrong with a file or the first files of a folder of data; None for nothing.

    Args:
        channel: Data at a location that is allowed.
        required_columns: Columns, by the algorithm's names, that a CSV file's header must have beside those that the
            channel's filters look at; Parquet files are left to the worker.
        prefixes: The operator's; a link in a folder must not lead out of them, or errors would show what is there.
    """
    uri = channel.uri
    needed = {channel.in_files(name): channel.shown(name) for name in (*required_columns, *channel.filter_columns)}
    try:
        system, path = fsspec.core.url_to_fs(uri)
        if not system.exists(path):
            return f"got {uri!r}: there is no such file or folder"
        files = _data_files(system, path)
        if not files:
            return f"got {uri!r}: the folder has no .csv, .csv.gz or .parquet file"
        for name in files[:_MAX_FILES]:
            if not is_allowed(system.unstrip_protocol(name), prefixes):
                return (
                    f"got {uri!r}: {name.rsplit('/', 1)[-1]} leads outside; allowed: files below {', '.join(prefixes)}"
                )
            complaint = _file_complaint(system, name, needed)
            if complaint is not None:
                return f"got {uri!r}: {complaint}"
    except Exception as error:  # noqa: BLE001 - csv, gzip and every file system have errors of their own
        return f"got {uri!r}: it cannot be read ({type(error).__name__}: {error})"
    return None


def columns_of(channel: DataChannel) -> list[str] | None:
    """The columns of a CSV file, or the first one of a folder, by the algorithm's names; None if it cannot be told."""
    try:
        system, path = fsspec.core.url_to_fs(channel.uri)
        file = next(iter(_data_files(system, path)), "")
        if not file.endswith((".csv", ".csv.gz")):
            return None
        header, _ = _lines(system, file)
    except Exception:  # noqa: BLE001 - csv, gzip and every file system have errors of their own
        return None
    return channel.own_names(header)


def _data_files(system: Any, path: str) -> list[str]:
    """The file itself, or the data files of the folder."""
    if not system.isdir(path):
        return [path]
    names = sorted(str(name) for name in system.find(path))
    return [name for name in names if name.endswith((".csv", ".csv.gz", ".parquet"))]


def _file_complaint(system: Any, path: str, needed: Mapping[str, str]) -> str | None:
    """Says what is wrong with one file that needs these columns, each with how to show it."""
    name = path.rsplit("/", 1)[-1]
    if system.size(path) == 0:
        return f"{name} is empty"
    if path.endswith(".parquet"):
        return None
    header, lines = _lines(system, path)
    missing = [shown for column, shown in needed.items() if column not in header]
    if missing:
        return f"{name} is missing the columns: {', '.join(missing)}; found: {', '.join(header) or 'none'}"
    if not any(row for row in lines):
        return f"{name} has a header and no rows"
    return None


def _lines(system: Any, path: str) -> tuple[list[str], Iterator[list[str]]]:
    """The header of a CSV file, and the first lines behind it."""
    with system.open(path, "rb") as file:
        source = gzip.GzipFile(fileobj=file) if path.endswith(".gz") else file
        head = bytes(source.read(_HEAD_BYTES)).decode("utf-8-sig", errors="replace")
    lines = csv.reader(io.StringIO(head))
    return [column.strip() for column in next(lines, [])], lines
