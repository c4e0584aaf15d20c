from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner.demo.movielens import download_wheel, prepare
from hrnn_tuner.demo.ratings_formats import DatasetError

RATINGS = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n186\t302\t4.5\t891717742.0\n"
)
MOVIES = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    '242\tKolya\t1996\tComedy\n302\t"L.A., Confidential"\t1997\tCrime\n267\tunknown\t\t\n'
)
INTERACTIONS_CSV = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE\n196,242,881250949,3\n186,302,891717742,4.5\n"


def make_wheel(path: Path, *, members: bool = True) -> None:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("recbole/__init__.py", "raise RuntimeError('never imported')")
        if members:
            wheel.writestr("recbole/dataset_example/ml-100k/ml-100k.inter", RATINGS)
            wheel.writestr("recbole/dataset_example/ml-100k/ml-100k.item", MOVIES)


def downloading(folder: Path) -> None:
    make_wheel(folder / "recbole-1.2.1-py3-none-any.whl")


def refusing(folder: Path) -> None:
    raise AssertionError("it must not download")


def test_the_wheel_is_converted_to_interactions_and_titles(tmp_path: Path) -> None:
    said: list[str] = []
    dataset = prepare(tmp_path / "cache", None, said.append, download=downloading)
    assert dataset.interactions.read_text() == INTERACTIONS_CSV
    assert dataset.titles is not None
    assert dataset.titles.read_text().splitlines() == [
        "ITEM_ID,TITLE",
        "242,Kolya (1996)",
        '302,"""L.A., Confidential"" (1997)"',
        "267,unknown",
    ]
    assert dataset.first_user() == "196"
    assert said[0].startswith("downloading MovieLens 100K")


def test_nothing_but_the_two_files_is_left(tmp_path: Path) -> None:
    dataset = prepare(tmp_path, None, lambda _: None, download=downloading)
    names = sorted(path.name for path in dataset.interactions.parent.rglob("*"))
    assert names == ["interactions.csv", "titles.csv"]


def test_what_is_there_is_used_again(tmp_path: Path) -> None:
    first = prepare(tmp_path, None, lambda _: None, download=downloading)
    assert prepare(tmp_path, None, lambda _: None, download=refusing) == first


def test_an_interrupted_conversion_is_done_again(tmp_path: Path) -> None:
    first = prepare(tmp_path, None, lambda _: None, download=downloading)
    first.interactions.unlink()
    again = prepare(tmp_path, None, lambda _: None, download=downloading)
    assert again.interactions.read_text() == INTERACTIONS_CSV


@pytest.mark.parametrize("form", ["wheel", "recbole", "grouplens"])
def test_each_form_of_the_data_can_be_given(tmp_path: Path, form: str) -> None:
    given = tmp_path / "given"
    given.mkdir()
    if form == "wheel":
        make_wheel(given / "recbole.whl")
        given = given / "recbole.whl"
    elif form == "recbole":
        (given / "ml-100k.inter").write_text(RATINGS)
        (given / "ml-100k.item").write_text(MOVIES)
    else:
        (given / "u.data").write_text("196\t242\t3\t881250949\n186\t302\t4.5\t891717742\n")
        (given / "u.item").write_text("242|Misérables, Les (1995)|01-Jan-1995||x\n", encoding="latin-1")
    dataset = prepare(tmp_path / "cache", given, lambda _: None, download=refusing)
    assert dataset.interactions.read_text() == INTERACTIONS_CSV
    assert dataset.titles is not None
    expected = '242,"Misérables, Les (1995)"' if form == "grouplens" else "242,Kolya (1996)"
    assert dataset.titles.read_text(encoding="utf-8").splitlines()[1] == expected


def test_given_data_do_not_replace_downloaded_ones(tmp_path: Path) -> None:
    downloaded = prepare(tmp_path, None, lambda _: None, download=downloading)
    make_wheel(tmp_path / "own.whl")
    given = prepare(tmp_path, tmp_path / "own.whl", lambda _: None, download=refusing)
    assert given.interactions != downloaded.interactions


def test_a_csv_is_used_as_it_is_with_titles_beside_it(tmp_path: Path) -> None:
    csv = tmp_path / "interactions.csv"
    csv.write_text(INTERACTIONS_CSV)
    assert prepare(tmp_path / "cache", csv, lambda _: None, download=refusing).titles is None
    (tmp_path / "titles.csv").write_text("ITEM_ID,TITLE\n")
    dataset = prepare(tmp_path / "cache", csv, lambda _: None, download=refusing)
    assert (dataset.interactions, dataset.titles) == (csv, tmp_path / "titles.csv")


@pytest.mark.parametrize("name", ["nothing", "nothing.csv", "empty.whl", "wrong.whl"])
def test_data_that_are_not_movielens_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.whl").write_bytes(b"")
    make_wheel(tmp_path / "wrong.whl", members=False)
    with pytest.raises(DatasetError, match=name.replace(".", r"\.")):
        prepare(tmp_path / "cache", tmp_path / name, lambda _: None, download=refusing)


def test_data_without_a_column_or_without_rows_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ml-100k.item").write_text(MOVIES)
    (tmp_path / "ml-100k.inter").write_text("user_id:token\titem_id:token\n1\t2\n")
    with pytest.raises(DatasetError, match="lack the column timestamp, rating"):
        prepare(tmp_path / "cache", tmp_path, lambda _: None)
    (tmp_path / "ml-100k.inter").write_text(RATINGS.splitlines()[0] + "\n")
    with pytest.raises(DatasetError, match="has no ratings"):
        prepare(tmp_path / "cache", tmp_path, lambda _: None)
    assert not (tmp_path / "cache" / "given" / "interactions.csv").exists()


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], **_: Any) -> None:
        raise subprocess.CalledProcessError(1, command, stderr="noise\nERROR: no route to host\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(DatasetError, match=r"no route to host.*--data PATH"):
        download_wheel(tmp_path)


def test_a_download_that_leaves_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="left no wheel"):
        prepare(tmp_path, None, lambda _: None, download=lambda _: None)
