"""The same rows in every format, split in any way and under other names, are the same interactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrnn_tuner.algorithms import DataChannel
from tests.support.tables import write_table
from worker_service.hrnn.data.cache import load_interactions

HEADER = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")
TYPES = (pa.string(), pa.string(), pa.int64(), pa.string(), pa.float64())
Row = tuple[str, str, int, str | None, float | None]


def _write(path: Path, rows: Sequence[Row], header: Sequence[str] = HEADER) -> DataChannel:
    return DataChannel(str(write_table(path, header, rows, TYPES)))


ROW = st.tuples(
    st.sampled_from(["u1", "u,2", "ü3"]),
    st.sampled_from(["i1", 'i"2', "007"]),
    st.integers(0, 3),
    st.sampled_from(["watch", "click", "NA", None]),
    st.none() | st.floats(-10, 10) | st.sampled_from([0.1, 1e-300, 3.0]),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "event_type": st.sampled_from(["watch", "NA", "other"]),
        "event_value_threshold": st.floats(-10, 10) | st.sampled_from([0.1, 3.0]),
    },
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=12), cut=st.integers(0, 12), options=OPTIONS)
def test_all_formats_splits_and_names_give_the_same_content_under_any_filter(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], cut: int, options: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    renamed = {name: name.lower() for name in HEADER}

    (folder / "split").mkdir()
    _write(folder / "split" / "1.csv", rows[:cut])
    _write(folder / "split" / "2.parquet", rows[cut:])
    channels = [
        _write(folder / "data.csv", rows),
        _write(folder / "data.parquet", rows),
        _write(folder / "data.csv.gz", rows),
        DataChannel(str(folder / "split")),
        replace(_write(folder / "renamed.csv", rows, list(renamed.values())), columns=renamed),
    ]
    found = [load_interactions(replace(channel, **options), None) for channel in channels]
    assert len({(item.fingerprint, item.duplicates, item.left_out) for item in found}) == 1
    assert len(found[0].item) + found[0].duplicates + found[0].left_out == len(rows)
    expected = {(row[0], row[1], row[2]) for row in rows if _passes(row, options)}
    users, items = list(found[0].users), list(found[0].items)
    histories = {
        (users[user], items[found[0].item[event]], int(found[0].timestamp[event]))
        for user in range(len(users))
        for event in range(found[0].offsets[user], found[0].offsets[user + 1])
    }
    assert histories == expected


def _passes(row: Row, options: dict[str, Any]) -> bool:
    """The rule of the filters, in plain words."""
    kind = options.get("event_type")
    threshold = options.get("event_value_threshold")
    return (kind is None or row[3] == kind) and (threshold is None or (row[4] is not None and row[4] >= threshold))
