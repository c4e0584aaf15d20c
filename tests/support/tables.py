"""Tables as files, for tests of what reads them."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet


def write_table(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], types: Sequence[pa.DataType] | None = None
) -> Path:
    """Writes rows as CSV, gzipped CSV or Parquet, by the name; returns the path.

    In CSV None is an empty field and booleans are lower case, as Amazon Personalize has them; in Parquet the columns
    have these types, or those of their values.
    """
    if path.suffix == ".parquet":
        kinds: Sequence[pa.DataType | None] = types or [None] * len(header)
        columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
        pyarrow.parquet.write_table(pa.Table.from_arrays(columns, list(header)), path)
        return path
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_field(value) for value in row] for row in rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _field(value: object) -> object:
    """A value as CSV shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
