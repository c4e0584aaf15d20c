from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from hrnn_tuner.algorithms import DataChannel, DataError
from tests.support.interactions import write_rows
from worker_service.hrnn.data.reading import RawInteractions, read_interactions
from worker_service.hrnn.data.sources import find_source

HEADER = "USER_ID,ITEM_ID,TIMESTAMP\n"
ROWS = [("u1", "i1", 100), ("u2", "i2", 50)]


def _read(path: Path | str) -> RawInteractions:
    return read_interactions(find_source(str(path), "interactions"), DataChannel(str(path)))


def _rows(raw: RawInteractions) -> list[tuple[str, str, int]]:
    users, items = (column.cast("large_string").to_pylist() for column in (raw.users, raw.items))
    return list(zip(users, items, raw.timestamps.tolist(), strict=True))


def _write(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(content, encoding="utf-8")
    return path


def _parquet(tmp_path: Path, **columns: pa.Array[Any]) -> Path:
    path = tmp_path / "data.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz"])
def test_csv_is_read_plain_and_gzipped(tmp_path: Path, name: str) -> None:
    assert _rows(_read(write_rows(tmp_path / name, ROWS))) == ROWS


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_plain_path_and_a_file_uri_mean_the_same(tmp_path: Path, prefix: str) -> None:
    assert _rows(_read(f"{prefix}{write_rows(tmp_path / 'data.csv', ROWS)}")) == ROWS


def test_the_files_of_a_folder_are_read_in_order_of_their_names(tmp_path: Path) -> None:
    write_rows(tmp_path / "b.csv", ROWS[1:])
    write_rows(tmp_path / "a.csv.gz", ROWS[:1])
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "notes.txt").write_text("not data")
    assert _rows(_read(tmp_path)) == ROWS


def test_other_columns_and_their_order_do_not_matter(tmp_path: Path) -> None:
    path = _write(
        tmp_path, "\ufeffEVENT_TYPE,TIMESTAMP,EVENT_VALUE,ITEM_ID,USER_ID\nwatch,100,,i1,u1\nbuy,50,3.5,i2,u2\n"
    )
    assert _rows(_read(path)) == ROWS


def test_quoted_ids_and_ids_that_look_like_numbers_or_nulls_stay_text(tmp_path: Path) -> None:
    path = _write(tmp_path, HEADER + '"a,b",007,1\nNA,null,2\n')
    assert _rows(_read(path)) == [("a,b", "007", 1), ("NA", "null", 2)]


def test_parquet_with_numbers_dictionaries_and_times_is_read(tmp_path: Path) -> None:
    path = _parquet(
        tmp_path,
        USER_ID=pa.array([1, 2]),
        ITEM_ID=pa.array(["i1", "i2"]).dictionary_encode(),
        TIMESTAMP=pa.array([100_900, 50_000], pa.timestamp("ms")),
        EXTRA=pa.array([True, False]),
    )
    assert _rows(_read(path)) == [("1", "i1", 100), ("2", "i2", 50)]


def test_parquet_with_whole_floating_timestamps_is_read(tmp_path: Path) -> None:
    path = _parquet(tmp_path, USER_ID=pa.array(["u"]), ITEM_ID=pa.array(["i"]), TIMESTAMP=pa.array([5.0]))
    assert _read(path).timestamps.tolist() == [5]


def test_timestamps_are_int64_seconds(tmp_path: Path) -> None:
    assert _read(write_rows(tmp_path / "data.csv", ROWS)).timestamps.dtype == np.int64


def test_data_that_do_not_exist_are_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv do not exist"):
        _read(tmp_path / "nothing.csv")


def test_an_unknown_scheme_is_a_data_error() -> None:
    with pytest.raises(DataError, match="cannot be opened: Protocol not known: nowhere"):
        _read("nowhere://bucket/data.csv")


def test_an_unknown_format_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("{}")
    with pytest.raises(DataError, match=r"unknown format; allowed: \.csv, \.csv\.gz, \.parquet, or a folder"):
        _read(tmp_path / "data.json")


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no interactions data"):
        _read(tmp_path)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.csv is empty; needed: a header with the columns USER_ID"):
        _read(_write(tmp_path, ""))


def test_missing_columns_are_named_beside_those_found(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.csv is missing the columns: TIMESTAMP; found: USER_ID, ITEM_ID, WHEN"):
        _read(_write(tmp_path, "USER_ID,ITEM_ID,WHEN\na,b,1\n"))


def test_missing_parquet_columns_are_named_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing the columns: ITEM_ID, TIMESTAMP; found: USER_ID"):
        _read(_parquet(tmp_path, USER_ID=pa.array(["u"])))


def test_a_column_given_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has the columns USER_ID more than once"):
        _read(_write(tmp_path, "USER_ID,USER_ID,ITEM_ID,TIMESTAMP\na,a,b,1\n"))


@pytest.mark.parametrize("value", ["yesterday", "1.5", "-3", "1600000000000", "99999999999999999999"])
def test_a_bad_timestamp_is_named_with_its_row(tmp_path: Path, value: str) -> None:
    with pytest.raises(DataError) as caught:
        _read(_write(tmp_path, f"{HEADER}a,b,1\na,b,{value}\na,b,never\n"))
    assert f"has TIMESTAMP '{value}' in row 2; allowed: Unix time in whole seconds" in str(caught.value)


def test_a_bad_timestamp_of_parquet_is_named_with_its_row(tmp_path: Path) -> None:
    path = _parquet(
        tmp_path, USER_ID=pa.array(["u", "u"]), ITEM_ID=pa.array(["i", "i"]), TIMESTAMP=pa.array([1, 1_600_000_000_000])
    )
    with pytest.raises(DataError, match="TIMESTAMP 1600000000000 in row 2"):
        _read(path)


@pytest.mark.parametrize(("row", "column"), [(",b,1", "USER_ID"), ("a,,1", "ITEM_ID"), ("a,b,", "TIMESTAMP")])
def test_an_empty_field_is_an_error_that_names_column_and_row(tmp_path: Path, row: str, column: str) -> None:
    with pytest.raises(DataError, match=rf"has no {column} in row 3; every row needs one"):
        _read(_write(tmp_path, f"{HEADER}a,b,1\na,b,2\n{row}\n"))


def test_an_empty_text_in_parquet_is_no_id(tmp_path: Path) -> None:
    path = _parquet(tmp_path, USER_ID=pa.array(["u", ""]), ITEM_ID=pa.array(["i", "i"]), TIMESTAMP=pa.array([1, 2]))
    with pytest.raises(DataError, match="has no USER_ID in row 2"):
        _read(path)


def test_ids_of_a_senseless_type_are_an_error(tmp_path: Path) -> None:
    path = _parquet(tmp_path, USER_ID=pa.array([1.5]), ITEM_ID=pa.array(["i"]), TIMESTAMP=pa.array([1]))
    with pytest.raises(DataError, match="has USER_ID of type double; allowed: text or whole numbers"):
        _read(path)


def test_an_id_may_have_256_characters_and_no_more(tmp_path: Path) -> None:
    longest = "ü" * 256
    assert _rows(_read(write_rows(tmp_path / "data.csv", [(longest, "i", 1)]))) == [(longest, "i", 1)]
    with pytest.raises(DataError, match="has ITEM_ID of 257 characters in row 2; allowed: at most 256"):
        _read(write_rows(tmp_path / "data.csv", [("u", "i", 1), ("u", "x" * 257, 1)]))


def test_rows_of_different_width_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.csv cannot be parsed"):
        _read(_write(tmp_path, f"{HEADER}a,b,1\na,b\n"))


@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_damaged_archive_is_a_data_error(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "data.csv.gz"
    whole = gzip.compress((HEADER + "a,b,1\n" * 50_000).encode(), mtime=0)
    path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"no archive at all")
    with pytest.raises(DataError, match=r"data\.csv\.gz cannot be parsed"):
        _read(path)


def test_text_that_is_not_utf8_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(HEADER.encode() + b"\xff\xfe,b,1\n")
    with pytest.raises(DataError, match=r"data\.csv cannot be parsed"):
        _read(path)


def test_a_parquet_file_that_is_none_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1 but not really")
    with pytest.raises(DataError, match=r"data\.parquet cannot be parsed"):
        _read(path)


def test_a_link_out_of_the_data_folder_is_refused(tmp_path: Path) -> None:
    secret = write_rows(tmp_path / "secret.csv", ROWS)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").symlink_to(secret)
    with pytest.raises(DataError, match="a link that leads out of its data folder"):
        _read(tmp_path / "data")
