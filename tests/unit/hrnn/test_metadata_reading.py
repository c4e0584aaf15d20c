"""Metadata of users and items: what files may look like, and what is said about those that may not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hrnn_tuner.algorithms import DataChannel, DataError
from tests.support.metadata import UNKNOWN, shares, vocabulary_of
from tests.support.tables import write_table
from worker_service.hrnn.data.metadata.datasets import ITEMS, USERS, DatasetType
from worker_service.hrnn.data.metadata.features import EntityFeatures
from worker_service.hrnn.data.metadata.loading import load_entity_features

HEADER = ("ITEM_ID", "GENRES", "PRICE", "NEW")
ROWS = [("a", "Drama|War", 1.5, True), ("b", "Drama", 2.5, False), ("c", None, None, None)]


def _items(path: Path, ids: Sequence[str] = ("a", "b", "c"), **options: Any) -> EntityFeatures:
    return load_entity_features(DataChannel(str(path)), ITEMS, vocabulary_of(ids), None, **({"min_count": 1} | options))


def _error(path: Path, dataset: DatasetType = ITEMS, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_entity_features(DataChannel(str(path)), dataset, vocabulary_of(["a"]), None, **options)
    return str(caught.value)


def _csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.parquet"])
def test_every_format_gives_numbers_categories_and_booleans(tmp_path: Path, name: str) -> None:
    features = _items(write_table(tmp_path / name, HEADER, ROWS))
    assert shares(features.encoding, features.rows) == [
        {("GENRES", "Drama"): 0.5, ("GENRES", "War"): 0.5, ("NEW", "true"): 1.0},
        {("GENRES", "Drama"): 1.0, ("NEW", "false"): 1.0},
        {},
    ]
    assert features.rows.numbers.tolist() == [[-1, 0], [1, 0], [0, 1]]


def test_lists_of_parquet_are_several_categories(tmp_path: Path) -> None:
    rows = [("a", ["x", "y|z", ""]), ("b", []), ("c", None)]
    types = [pa.string(), pa.list_(pa.string())]
    features = _items(write_table(tmp_path / "data.parquet", ("ITEM_ID", "TAGS"), rows, types))
    assert shares(features.encoding, features.rows) == [{("TAGS", "x"): 0.5, ("TAGS", "y|z"): 0.5}, {}, {}]


def test_entities_stand_in_the_order_of_the_vocabulary_and_strangers_count_for_nothing(tmp_path: Path) -> None:
    rows = [("stranger", "alien", 1e9, True), *reversed(ROWS)]
    features = _items(write_table(tmp_path / "data.csv", HEADER, rows), ids=("b", "missing", "a"))
    assert list(vocabulary_of(("b", "missing", "a"))) == ["a", "b", "missing"]
    assert shares(features.encoding, features.rows)[1:] == [{("GENRES", "Drama"): 1.0, ("NEW", "false"): 1.0}, {}]
    assert features.rows.numbers.tolist() == [[-1, 0], [1, 0], [0, 1]]
    assert "alien" not in features.encoding.categories[0].categories


def test_a_folder_is_read_as_one_table(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    write_table(tmp_path / "many" / "1.csv", HEADER, ROWS[:1])
    write_table(tmp_path / "many" / "2.parquet", HEADER, ROWS[1:2])
    write_table(tmp_path / "many" / "3.csv.gz", HEADER[::-1], [row[::-1] for row in ROWS[2:]])
    whole = _items(write_table(tmp_path / "data.csv", HEADER, ROWS))
    assert _items(tmp_path / "many").fingerprint == whole.fingerprint


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2.5", " 3e5 ", "", "+.5"], "number"),
        (["true", "FALSE", ""], "boolean"),
        (["1", "two"], "category"),
        (["007", "12"], "category"),
        (["1|2"], "category"),
        (["nan", "1"], "category"),
        (["true", "1"], "category"),
        (["", ""], "category"),
    ],
)
def test_the_kind_of_a_csv_column_is_the_one_that_fits_every_cell(tmp_path: Path, cells: list[str], kind: str) -> None:
    path = _csv(tmp_path, "ITEM_ID,X\n" + "".join(f"i{number},{cell}\n" for number, cell in enumerate(cells)))
    encoding = _items(path).encoding
    assert [column.kind.value for column in encoding.categories] + ["number"] * len(encoding.numbers) == [kind]


def test_text_of_parquet_stays_text_and_draws_the_csv_files_beside_it_along(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    write_table(tmp_path / "many" / "1.csv", ("ITEM_ID", "CODE"), [("a", 1)])
    write_table(tmp_path / "many" / "2.parquet", ("ITEM_ID", "CODE"), [("b", "2")])
    assert _items(tmp_path / "many").encoding.categories[0].categories == ("1", "2")


def test_columns_are_found_under_their_own_names(tmp_path: Path) -> None:
    header = ("sku", "class", "created", "GENRES")
    path = write_table(tmp_path / "data.csv", header, [("a", "War", 5, "shadowed")])
    columns = {"ITEM_ID": "sku", "GENRES": "class", "CREATION_TIMESTAMP": "created"}
    features = load_entity_features(DataChannel(str(path), columns), ITEMS, vocabulary_of(["a"]), None, min_count=1)
    assert shares(features.encoding, features.rows) == [{("GENRES", "War"): 1.0}]


def test_the_creation_timestamp_of_items_is_no_metadata(tmp_path: Path) -> None:
    path = write_table(tmp_path / "data.csv", ("ITEM_ID", "CREATION_TIMESTAMP", "G"), [("a", 5, "x")])
    features = _items(path)
    assert [column.name for column in features.encoding.categories] == ["G"]
    assert not features.encoding.numbers
    write_table(path, ("ITEM_ID", "CREATION_TIMESTAMP"), [("a", 5)])
    assert "has 0 metadata columns; allowed: 1 to 50 beside ITEM_ID, CREATION_TIMESTAMP" in _error(path)


def test_named_columns_are_the_only_ones_taken(tmp_path: Path) -> None:
    path = write_table(tmp_path / "data.csv", HEADER, ROWS)
    assert [column.name for column in _items(path, included=["GENRES"]).encoding.categories] == ["GENRES"]
    assert "is missing the columns: COLOUR; found: ITEM_ID, GENRES" in _error(path, included=["COLOUR"])


def test_users_have_one_to_five_columns_and_items_up_to_fifty(tmp_path: Path) -> None:
    many = tuple(f"M{number}" for number in range(51))
    path = write_table(tmp_path / "data.csv", ("USER_ID", *many[:5]), [("a", *many[:5])])
    load_entity_features(DataChannel(str(path)), USERS, vocabulary_of(["a"]), None)
    write_table(path, ("USER_ID", *many[:6]), [("a", *many[:6])])
    says = "has 6 metadata columns (M0, M1, M2, M3, M4, M5); allowed: 1 to 5 beside USER_ID"
    assert says in _error(path, USERS)
    write_table(path, ("ITEM_ID", *many[:50]), [("a", *many[:50])])
    _items(path)
    write_table(path, ("ITEM_ID", *many), [("a", *many)])
    assert "has 51 metadata columns" in _error(path)


def test_a_missing_id_column_is_named(tmp_path: Path) -> None:
    says = "is missing the columns: ITEM_ID; found: ITEM, GENRES"
    assert says in _error(write_table(tmp_path / "data.csv", ("ITEM", "GENRES"), [("a", "b")]))


def test_an_id_in_two_rows_is_an_error_that_names_both(tmp_path: Path) -> None:
    path = write_table(tmp_path / "data.csv", HEADER, [*ROWS, ROWS[1]])
    assert f"{path} has ITEM_ID 'b' in row 4 again, after row 2 of {path}" in _error(path)
    (tmp_path / "many").mkdir()
    for name in ("1.csv", "2.csv"):
        write_table(tmp_path / "many" / name, HEADER, ROWS[1:])
    says = f"2.csv has ITEM_ID 'b' in row 1 again, after row 1 of {tmp_path}/many/1.csv; allowed: one row each"
    assert says in _error(tmp_path / "many")


def test_long_ids_and_categories_are_refused(tmp_path: Path) -> None:
    path = write_table(tmp_path / "data.csv", ("ITEM_ID", "G"), [("a", "x"), ("b" * 257, "y")])
    assert "has ITEM_ID of 257 characters in row 2; allowed: at most 256" in _error(path)
    write_table(path, ("ITEM_ID", "G"), [("a", None), ("b", "x|" + "y" * 1000), ("c", "x|" + "z" * 1001)])
    assert "has G with a category of 1001 characters in row 3; allowed: at most 1000" in _error(path)


@pytest.mark.parametrize(
    ("csv", "says"),
    [
        ("", "is empty; needed: a header with the columns ITEM_ID, and rows"),
        ("ITEM_ID,\na,b\n", "has a column without a name; found: 'ITEM_ID', ''"),
        ("ITEM_ID,G,G\na,b,c\n", "has the columns G more than once"),
        ("ITEM_ID,G\n,b\n", "has no ITEM_ID in row 1; every row needs one"),
        ("ITEM_ID,P\na,1\nb,1e999\n", "has P '1e999' in row 2; allowed: finite numbers"),
    ],
)
def test_malformed_files_are_refused(tmp_path: Path, csv: str, says: str) -> None:
    assert says in _error(_csv(tmp_path, csv))


def test_data_that_do_not_exist_are_named_by_their_channel(tmp_path: Path) -> None:
    assert "users data" in _error(tmp_path / "none.csv", USERS)


def test_files_of_a_folder_need_the_same_columns_and_kinds(tmp_path: Path) -> None:
    write_table(tmp_path / "1.parquet", ("ITEM_ID", "G"), [("a", "x")])
    write_table(tmp_path / "2.parquet", ("ITEM_ID", "H"), [("b", "x")])
    assert "has the metadata columns H, and" in _error(tmp_path)
    write_table(tmp_path / "2.parquet", ("ITEM_ID", "G"), [("b", 5)])
    assert "have G as category and number; allowed: one kind of value" in _error(tmp_path)
    (tmp_path / "1.parquet").unlink()
    write_table(tmp_path / "1.csv", ("ITEM_ID", "G"), [("a", "x")])
    assert "has G 'x' in row 1; allowed: a number, or nothing" in _error(tmp_path)
    write_table(tmp_path / "2.parquet", ("ITEM_ID", "G"), [("b", True)])
    assert "has G 'x' in row 1; allowed: true, false, or nothing" in _error(tmp_path)
    write_table(tmp_path / "2.parquet", ("ITEM_ID", "G"), [("b", b"raw")])
    assert "has G of type binary; allowed: numbers, booleans, text, lists of text" in _error(tmp_path)


def test_rare_categories_are_unknown(tmp_path: Path) -> None:
    rows = [("a", "common|rare|scarce"), ("b", "common")]
    features = _items(write_table(tmp_path / "data.csv", ("ITEM_ID", "G"), rows), min_count=2)
    first, second, _ = shares(features.encoding, features.rows)
    assert first == {("G", "common"): round(1 / 3, 6), ("G", UNKNOWN): round(2 / 3, 6)}
    assert second == {("G", "common"): 1.0}
