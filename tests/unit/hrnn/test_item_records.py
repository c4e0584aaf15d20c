"""Which items the data about items name, and when they came into being."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hrnn_tuner.algorithms import DataChannel
from hrnn_tuner.algorithms.contract import DataError
from tests.support.interactions import make_interactions, write_rows
from tests.support.metadata import vocabulary_of
from tests.support.tables import write_table
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.metadata import loading
from worker_service.hrnn.data.metadata.item_records import UNKNOWN_TIME, ItemRecords
from worker_service.hrnn.data.metadata.loading import load_item_records
from worker_service.hrnn.data.preparation import with_listed_items
from worker_service.hrnn.settings import HrnnSettings

HEADER = ("ITEM_ID", "GENRE", "CREATION_TIMESTAMP")


def _records(path: Path, rows: Sequence[Sequence[Any]], header: Sequence[str] = HEADER, **options: Any) -> ItemRecords:
    return load_item_records(DataChannel(str(write_table(path, header, rows, **options))), None)


@pytest.mark.parametrize("name", ["items.csv", "items.csv.gz", "items.parquet"])
def test_items_stand_in_the_order_of_their_ids_with_their_times_where_there_are_any(tmp_path: Path, name: str) -> None:
    found = _records(tmp_path / name, [("b", "x", 20), ("c", "y", None), ("a", "x", 10)])
    assert list(found.ids) == ["a", "b", "c"]
    assert found.created.tolist() == [10, 20, UNKNOWN_TIME]


def test_whole_floats_and_times_of_parquet_are_times(tmp_path: Path) -> None:
    types = [pa.string(), pa.string(), pa.float64()]
    found = _records(tmp_path / "a.parquet", [("a", "x", 10.0), ("b", "x", float("nan"))], types=types)
    assert found.created.tolist() == [10, UNKNOWN_TIME]
    types = [pa.string(), pa.string(), pa.timestamp("ms")]
    found = _records(tmp_path / "b.parquet", [("a", "x", 10_000), ("b", "x", None)], types=types)
    assert found.created.tolist() == [10, UNKNOWN_TIME]
    assert _records(tmp_path / "c.parquet", [("a", "x", None)]).created.tolist() == [UNKNOWN_TIME]


def test_data_without_the_column_know_no_times(tmp_path: Path) -> None:
    assert _records(tmp_path / "a.csv", [("a", "x")], HEADER[:2]).created.tolist() == [UNKNOWN_TIME]


def test_the_column_may_have_another_name(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.csv", ("ITEM_ID", "GENRE", "BORN"), [("a", "x", 7)])
    channel = DataChannel(str(path), columns={"CREATION_TIMESTAMP": "BORN"})
    assert load_item_records(channel, None).created.tolist() == [7]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("a", "x", 5), ("b", "x", "soon")], "has CREATION_TIMESTAMP 'soon' in row 2; allowed: Unix time"),
        ([("a", "x", 5_000_000_000_000)], "has CREATION_TIMESTAMP '5000000000000' in row 1; allowed: Unix time"),
        ([("a", "x", 5), ("a", "y", 6)], "has ITEM_ID 'a' in row 2 again, after row 1"),
        ([(None, "x", 5)], "has no ITEM_ID in row 1; every row needs one"),
    ],
)
def test_bad_records_are_errors_that_name_the_row(tmp_path: Path, rows: Sequence[Sequence[Any]], says: str) -> None:
    with pytest.raises(DataError, match=says):
        _records(tmp_path / "items.csv", rows)


def test_a_second_process_reads_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = DataChannel(str(write_table(tmp_path / "items.csv", HEADER, [("b", "x", 1), ("a", "y", None)])))
    first = load_item_records(channel, tmp_path / "cache")
    loading.forget_in_process()
    monkeypatch.setattr(loading, "read_item_records", None)
    second = load_item_records(channel, tmp_path / "cache")
    assert list(second.ids) == list(first.ids)
    assert second.created.tolist() == first.created.tolist()


def test_listing_items_renumbers_the_events_and_changes_nothing_else(tmp_path: Path) -> None:
    rows = [("u", "b", 1), ("u", "d", 2), ("v", "b", 3)]
    plain = load_interactions(DataChannel(str(write_rows(tmp_path / "few.csv", rows))), None)
    listed = with_listed_items(plain, vocabulary_of(["a", "d", "e"]))
    assert list(listed.items) == ["a", "b", "d", "e"]
    assert [listed.items[item] for item in listed.item.tolist()] == ["b", "d", "b"]
    assert [listed.items[item] for item in listed.listed.tolist()] == ["a", "d", "e"]
    assert listed.timestamp.tolist() == plain.timestamp.tolist()
    fewer = with_listed_items(plain, vocabulary_of(["a", "e"]))
    assert len({plain.fingerprint, listed.fingerprint, fewer.fingerprint}) == 3


def test_the_catalogue_has_the_items_of_training_events_first_and_then_the_other_listed_ones(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "data.csv", make_interactions(60, 20, 40, seed=1))
    plain = load_interactions(DataChannel(str(path)), None)
    settings = HrnnSettings.from_hyperparameters({"max_user_history_length_percentile": 1.0})
    before = training_data(plain, settings, 0)
    data = training_data(with_listed_items(plain, vocabulary_of(["i3", "aaa", "zzz"])), settings, 0)
    listed = with_listed_items(plain, vocabulary_of(["i3", "aaa", "zzz"]))
    names = [listed.items[int(item)] for item in data.catalogue]
    assert data.trained_items == len(before.catalogue) == before.trained_items
    assert names[: data.trained_items] == [plain.items[int(item)] for item in before.catalogue]
    assert names[data.trained_items :] == ["aaa", "zzz"]
    assert data.total_items == before.total_items + 2
    assert np.array_equal(data.events_item, before.events_item)
