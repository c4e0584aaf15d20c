"""From metadata to features: what every encoding holds, and that it can be saved and used again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hrnn_tuner.algorithms import DataChannel, DataError
from tests.support.metadata import UNKNOWN, shares, vocabulary_of
from tests.support.tables import write_table
from worker_service.hrnn.data.metadata.datasets import ITEMS
from worker_service.hrnn.data.metadata.encoding import FeatureEncoding
from worker_service.hrnn.data.metadata.features import EntityFeatures
from worker_service.hrnn.data.metadata.loading import load_entity_features
from worker_service.hrnn.data.metadata.rows import FeatureRows

HEADER = ("ITEM_ID", "AGE", "TAGS", "NEW")
TYPES = (pa.string(), pa.float64(), pa.string(), pa.bool_())
Row = tuple[str, float | None, str | None, bool | None]
#: The first row makes every column's kind plain, also to CSV.
SURE: Row = ("sure", 0.5, "x", True)
TAGS = st.lists(st.sampled_from(["x", "y", "ü", " z ", "", "1"]), max_size=4).map("|".join)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ü", "007", "d,e"]),
        st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53).map(float),
        st.none() | TAGS,
        st.none() | st.booleans(),
    ),
    unique_by=lambda row: row[0],
    max_size=5,
).map(lambda rows: [SURE, *rows])


def _load(path: Path, rows: Sequence[Row], ids: Sequence[str], min_count: int = 1) -> EntityFeatures:
    write_table(path, HEADER, rows, TYPES)
    return load_entity_features(DataChannel(str(path)), ITEMS, vocabulary_of(ids), None, min_count=min_count)


def _ids(rows: Sequence[Row]) -> list[str]:
    return [*(row[0] for row in rows), "unnamed"]


def _equal(left: FeatureRows, right: FeatureRows) -> bool:
    names = ("offsets", "feature", "weight", "numbers")
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in names)


any_folder = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@any_folder
@given(rows=ROWS, cut=st.integers(1, 6), min_count=st.integers(1, 3))
def test_formats_splits_and_orders_give_the_same_features(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], cut: int, min_count: int
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    whole = _load(folder / "data.csv", rows, _ids(rows), min_count)
    for name in ("data.csv.gz", "data.parquet"):
        assert _load(folder / name, rows[::-1], _ids(rows), min_count).fingerprint == whole.fingerprint
    (folder / "split").mkdir()
    write_table(folder / "split" / "1.parquet", HEADER, rows[:cut], TYPES)
    write_table(folder / "split" / "2.csv", HEADER[::-1], [row[::-1] for row in rows[cut:]])
    split = load_entity_features(
        DataChannel(str(folder / "split")), ITEMS, vocabulary_of(_ids(rows)), None, min_count=min_count
    )
    assert split.fingerprint == whole.fingerprint


@any_folder
@given(rows=ROWS, min_count=st.integers(1, 3))
@example(rows=[SURE, ("a", 1.7e308, None, None), ("b", -1.7e308, None, None)], min_count=1)
@example(rows=[("a", 5e-324, None, True), ("b", 1e-323, "x", None)], min_count=1)
@example(rows=[("a", 1e-200, None, True), ("b", 2e-200, "x", None)], min_count=1)
def test_features_are_normalised_and_missing_ones_are_marked(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], min_count: int
) -> None:
    features = _load(tmp_path_factory.mktemp("rows") / "data.csv", rows, _ids(rows), min_count)
    encoding, encoded = features.encoding, features.rows
    assert len(encoded) == len(rows) + 1
    assert encoded.numbers.shape == (len(rows) + 1, encoding.number_width)
    assert np.isfinite(encoded.numbers).all()
    assert (np.abs(encoded.numbers) <= 10).all()
    given_rows = dict(zip([row[0] for row in rows], rows, strict=True))
    for identifier, found, number in zip(
        vocabulary_of(_ids(rows)), shares(encoding, encoded), encoded.numbers.tolist(), strict=True
    ):
        _, age, tags, new = given_rows.get(identifier, (None, None, None, None))
        distinct = {tag.strip() for tag in (tags or "").split("|")} - {""}
        sums = {name: sum(share for (column, _), share in found.items() if column == name) for name in ("TAGS", "NEW")}
        assert sums == {"TAGS": pytest.approx(float(bool(distinct)), abs=1e-5), "NEW": float(new is not None)}
        assert number[1] == (age is None)
        assert age is not None or number[0] == 0
    bounds = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
    assert all((np.diff(encoded.feature[start:end]) > 0).all() for start, end in bounds)
    assert not len(encoded.feature) or 0 <= encoded.feature.min() <= encoded.feature.max() < encoding.feature_count


@any_folder
@given(rows=ROWS, min_count=st.integers(1, 3))
def test_a_saved_encoding_encodes_the_same_values_as_it_did_in_training(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], min_count: int
) -> None:
    features = _load(tmp_path_factory.mktemp("rows") / "data.csv", rows, _ids(rows), min_count)
    saved = FeatureEncoding.from_json(json.loads(json.dumps(features.encoding.to_json())))
    assert saved == features.encoding
    by_id = {row[0]: row for row in rows}
    texts = [_texts(by_id.get(identifier)) for identifier in vocabulary_of(_ids(rows))]
    assert _equal(saved.encode_values(texts), features.rows)


def _texts(row: Row | None) -> dict[str, str]:
    """The metadata of an entity as a request would carry them."""
    if row is None:
        return {}
    _, age, tags, new = row
    values: dict[str, Any] = {"AGE": age, "TAGS": tags, "NEW": None if new is None else str(new)}
    return {name: "" if value is None else str(value) for name, value in values.items()}


@pytest.fixture
def encoding(tmp_path: Path) -> FeatureEncoding:
    rows: list[Row] = [("a", 1.0, "x|y", True), ("b", 3.0, "x", None)]
    return _load(tmp_path / "data.csv", rows, ["a", "b"]).encoding


def test_values_that_training_did_not_see_are_unknown_or_far_away(encoding: FeatureEncoding) -> None:
    rows = encoding.encode_values([{"TAGS": "x|new|newer", "AGE": "1e30"}, {"AGE": "-1e300", "NEW": "false"}])
    assert shares(encoding, rows) == [
        {("TAGS", "x"): round(1 / 3, 6), ("TAGS", UNKNOWN): round(2 / 3, 6)},
        {("NEW", "false"): 1.0},
    ]
    assert rows.numbers.tolist() == [[10, 0], [-10, 0]]


def test_however_far_a_value_is_it_is_a_number(tmp_path: Path) -> None:
    rows: list[Row] = [("a", 1e-200, "x", True), ("b", 2e-200, "x", True)]
    encoding = _load(tmp_path / "data.csv", rows, ["a", "b"]).encoding
    assert encoding.encode_values([{"AGE": "1e300"}, {"AGE": "-1.7e308"}]).numbers[:, 0].tolist() == [10, -10]


def test_values_that_fit_no_column_are_refused(encoding: FeatureEncoding) -> None:
    with pytest.raises(DataError, match="unknown metadata columns: COLOUR; known: AGE, NEW, TAGS"):
        encoding.encode_values([{"COLOUR": "red"}])
    with pytest.raises(DataError, match="the request has AGE 'old' in row 2; allowed: a number, or nothing"):
        encoding.encode_values([{}, {"AGE": "old"}])
    with pytest.raises(DataError, match="the request has NEW 'maybe' in row 1; allowed: true, false, or nothing"):
        encoding.encode_values([{"NEW": "maybe"}])


def test_no_values_are_no_rows(encoding: FeatureEncoding) -> None:
    rows = encoding.encode_values([])
    assert (len(rows), rows.numbers.shape, len(rows.feature)) == (0, (0, 2), 0)


@pytest.mark.parametrize(
    "damage", [{"numbers": []}, {"numbers": [{}], "categories": []}, {"numbers": [], "categories": [{"name": "x"}]}]
)
def test_a_damaged_encoding_is_not_taken(damage: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        FeatureEncoding.from_json(damage)


def test_rows_are_taken_in_any_order_and_number(encoding: FeatureEncoding) -> None:
    texts = [{"TAGS": "x|y", "AGE": "1"}, {}, {"TAGS": "y", "NEW": "true"}]
    rows = encoding.encode_values(texts)
    places = [2, 0, 1, 2]
    assert _equal(rows.take(np.array(places)), encoding.encode_values([texts[place] for place in places]))
    assert len(rows.take(np.zeros(0, np.int64))) == 0
