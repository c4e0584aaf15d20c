"""Which rows of the interactions a channel's options let through, and under which names columns are found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hrnn_tuner.algorithms import DataChannel, DataError
from tests.support.interactions import make_interactions
from tests.support.tables import write_table
from tests.unit.hrnn.context import ContextFactory
from worker_service.hrnn.data import cache
from worker_service.hrnn.data.cache import forget_in_process, load_interactions
from worker_service.hrnn.data.preparation import Interactions, check_trainable
from worker_service.hrnn.recommender import HrnnRecommender
from worker_service.hrnn.trainer import HrnnTrainer

HEADER = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE")
Row = tuple[str, str, int, str | None, float | None]
ROWS: list[Row] = [
    ("a", "i1", 1, "watch", 5.0),
    ("a", "i2", 2, "watch", 2.5),
    ("a", "i3", 3, "click", 4.0),
    ("b", "i4", 4, "watch", None),
    ("b", "i5", 5, None, 3.0),
]


def _write(path: Path, rows: Sequence[Sequence[Any]] = tuple(ROWS), header: Sequence[str] = HEADER) -> DataChannel:
    types: list[pa.DataType] = [pa.string(), pa.string(), pa.int64(), pa.string(), pa.float64()]
    return DataChannel(str(write_table(path, header, rows, types)))


def _items(channel: DataChannel) -> list[str]:
    """The items of the rows that pass, by name."""
    return list(load_interactions(channel, None).items)


@pytest.mark.parametrize(
    ("options", "items"),
    [
        ({}, ["i1", "i2", "i3", "i4", "i5"]),
        ({"event_type": "watch"}, ["i1", "i2", "i4"]),
        ({"event_type": "Watch"}, []),
        ({"event_value_threshold": 3.0}, ["i1", "i3", "i5"]),
        ({"event_value_threshold": -1e9}, ["i1", "i2", "i3", "i5"]),
        ({"event_type": "watch", "event_value_threshold": 2.5}, ["i1", "i2"]),
    ],
)
@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.parquet"])
def test_rows_pass_by_their_type_and_at_least_the_threshold(
    tmp_path: Path, name: str, options: dict[str, Any], items: list[str]
) -> None:
    channel = _write(tmp_path / name)
    assert _items(replace(channel, **options)) == items


def test_a_value_that_is_not_a_number_of_parquet_does_not_pass(tmp_path: Path) -> None:
    channel = _write(tmp_path / "data.parquet", [("a", "i1", 1, "w", float("nan")), ("a", "i2", 2, "w", 1.0)])
    assert _items(replace(channel, event_value_threshold=0)) == ["i2"]


def test_whole_numbers_pass_as_types_and_values_of_parquet(tmp_path: Path) -> None:
    path = write_table(tmp_path / "data.parquet", HEADER, [(1, 1, 1, 1, 1), (2, 2, 2, 2, 2)])
    assert _items(DataChannel(str(path), event_type="2", event_value_threshold=2)) == ["2"]


def test_types_and_values_are_not_read_without_a_filter(tmp_path: Path) -> None:
    _write(tmp_path / "data.csv", [("a", "i", 1, "w", "five")])
    assert _items(DataChannel(str(tmp_path / "data.csv"), event_type="w")) == ["i"]
    _write(tmp_path / "data.csv", [("a", "i", 1)], HEADER[:3])
    assert _items(DataChannel(str(tmp_path / "data.csv"))) == ["i"]


@pytest.mark.parametrize("value", ["five", "1,5", "0x10", "4 stars", "--1"])
def test_a_value_that_is_no_number_is_named_with_its_row(tmp_path: Path, value: str) -> None:
    rows = [("a", "i", 1, "w", 1.0), ("a", "i", 2, "w", None), ("a", "i", 3, "w", value), ("a", "i", 4, "w", "bad")]
    _write(tmp_path / "data.csv", rows)
    with pytest.raises(DataError) as caught:
        load_interactions(DataChannel(str(tmp_path / "data.csv"), event_value_threshold=0), None)
    assert str(caught.value).endswith(f"has EVENT_VALUE {value!r} in row 3; allowed: a number, or nothing")


def test_blanks_around_a_value_do_not_matter_and_blanks_alone_are_no_value(tmp_path: Path) -> None:
    _write(tmp_path / "data.csv", [("a", "i1", 1, "w", " 5 "), ("a", "i2", 2, "w", "  ")])
    assert _items(DataChannel(str(tmp_path / "data.csv"), event_value_threshold=5)) == ["i1"]


def test_values_of_a_senseless_type_are_an_error(tmp_path: Path) -> None:
    channel = DataChannel(str(write_table(tmp_path / "data.parquet", HEADER, [("a", "i", 1, 1.5, True)])))
    with pytest.raises(DataError, match="has EVENT_VALUE of type bool; allowed: numbers"):
        load_interactions(replace(channel, event_value_threshold=1), None)
    with pytest.raises(DataError, match="has EVENT_TYPE of type double; allowed: text"):
        load_interactions(replace(channel, event_type="1"), None)


def test_a_row_that_a_filter_leaves_out_must_be_sound_all_the_same(tmp_path: Path) -> None:
    channel = _write(tmp_path / "data.csv", [("a", "i", 1, "w", 1.0), ("a", "", 2, "x", 1.0)])
    with pytest.raises(DataError, match="has no ITEM_ID in row 2"):
        load_interactions(replace(channel, event_type="w"), None)


@pytest.mark.parametrize(
    ("options", "missing"),
    [({"event_type": "w"}, "EVENT_TYPE"), ({"event_value_threshold": 1}, "kind .for EVENT_VALUE.")],
)
def test_a_filter_needs_its_column(tmp_path: Path, options: dict[str, Any], missing: str) -> None:
    _write(tmp_path / "data.csv", [("a", "i", 1)], HEADER[:3])
    channel = DataChannel(str(tmp_path / "data.csv"), {"EVENT_VALUE": "kind"}, **options)
    with pytest.raises(DataError, match=f"is missing the columns: {missing}; found: USER_ID, ITEM_ID, TIMESTAMP"):
        load_interactions(channel, None)


def test_errors_call_a_column_as_the_file_does(tmp_path: Path) -> None:
    _write(tmp_path / "data.csv", [("a", "i", "never")], ("USER_ID", "ITEM_ID", "when"))
    with pytest.raises(DataError, match=r"has when \(for TIMESTAMP\) 'never' in row 1"):
        load_interactions(DataChannel(str(tmp_path / "data.csv"), {"TIMESTAMP": "when"}), None)


def test_a_renamed_column_wins_over_one_of_the_algorithms_name(tmp_path: Path) -> None:
    _write(tmp_path / "data.csv", [("a", "i1", 1, "real")], ("USER_ID", "ITEM_ID", "TIMESTAMP", "sku"))
    assert _items(DataChannel(str(tmp_path / "data.csv"), {"ITEM_ID": "sku"})) == ["real"]


def test_filters_apply_before_duplicates_are_dropped(tmp_path: Path) -> None:
    rows: list[Row] = [("a", "i", 1, "click", None), ("a", "i", 1, "watch", None), ("a", "i", 1, "watch", None)]
    found = load_interactions(replace(_write(tmp_path / "data.csv", rows), event_type="watch"), None)
    assert (len(found.item), found.duplicates, found.left_out) == (1, 1, 1)


@pytest.fixture
def rated(tmp_path: Path) -> DataChannel:
    """1200 interactions of 60 users, half of them watched, and each watched one twice in the file."""
    interactions = make_interactions(60, 20, 40, seed=3)
    rows: list[Row] = [(*row, "watch" if number % 2 else "click", 1.0) for number, row in enumerate(interactions)]
    return _write(tmp_path / "data.csv", rows + rows[1::2])


def test_the_minimum_counts_what_the_filters_left_and_says_how_much_that_was(rated: DataChannel) -> None:
    check_trainable(load_interactions(rated, None), rated)
    filtered = replace(rated, event_type="watch")
    with pytest.raises(DataError) as caught:
        check_trainable(load_interactions(filtered, None), filtered)
    assert str(caught.value) == (
        f"{rated.uri} has 600 interactions after event_type 'watch' left 1200 of 1800 rows and 600 exact duplicates "
        "were dropped; at least 1000 are needed"
    )


def test_a_filter_that_lets_nothing_through_is_named(rated: DataChannel) -> None:
    filtered = replace(rated, event_type="wach", event_value_threshold=4)
    with pytest.raises(
        DataError, match="has 0 interactions after event_type 'wach' and event_value_threshold 4 left 0 of"
    ):
        check_trainable(load_interactions(filtered, None), filtered)


def test_prepared_data_are_kept_apart_by_every_option(
    tmp_path: Path, rated: DataChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = [
        rated,
        replace(rated, event_type="watch"),
        replace(rated, event_value_threshold=2.0),
        replace(rated, columns={"USER_ID": "ITEM_ID", "ITEM_ID": "USER_ID"}),
    ]

    def load() -> list[Interactions]:
        return [load_interactions(channel, tmp_path / "cache") for channel in channels]

    first = load()
    assert len({item.fingerprint for item in first}) == len(channels)
    assert all(again is item for again, item in zip(load(), first, strict=True)), "the process keeps all of them"
    forget_in_process()
    monkeypatch.setattr(cache, "read_interactions", None)
    again = load()
    assert [item.fingerprint for item in again] == [item.fingerprint for item in first]
    assert [(item.left_out, item.duplicates) for item in again] == [(item.left_out, item.duplicates) for item in first]


def test_training_and_recommending_see_only_what_passes(make_context: ContextFactory, tmp_path: Path) -> None:
    watched = make_interactions(60, 20, 40, seed=3)
    clicked = [(user, "clicked", time) for user, _, time in watched]
    header = ("USER_ID", "ITEM_ID", "when", "EVENT_TYPE")
    rows = [*((*row, "watch") for row in watched), *((*row, "click") for row in clicked)]
    path = write_table(tmp_path / "data.csv", header, rows)
    channel = DataChannel(str(path), {"TIMESTAMP": "when"}, event_type="watch")
    context = make_context(epochs=1)
    context.channels = {"interactions": channel}
    HrnnTrainer().train(context)
    manifest = json.loads((context.artifact_dir / "manifest.json").read_text())
    assert manifest["data_fingerprint"] == load_interactions(channel, None).fingerprint
    recommender = HrnnRecommender(context.artifact_dir)
    history = [(item, time) for user, item, time in watched if user == "u7"]
    assert recommender.recommend_for_user("u7", channel, 5) == recommender.recommend(history, None, 5)
    assert "clicked" not in {item.item_id for item in recommender.recommend(history, None, 1000)}
