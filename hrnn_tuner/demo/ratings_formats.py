"""Reads MovieLens ratings and titles from the forms in which they are handed around."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

WHEEL_FOLDER = "recbole/dataset_example/ml-100k"
RATINGS_MEMBER = "ml-100k.inter"
MOVIES_MEMBER = "ml-100k.item"

Rows = Iterable[Sequence[str]]


class DatasetError(Exception):
    """The data cannot be had or are not what they should be; the message says what to do."""


def read_source(source: Path) -> tuple[Rows, Rows]:
    """Reads a RecBole wheel, or a folder in RecBole's or in GroupLens' form.

    Returns:
        Ratings as (user, item, timestamp, rating) and movies as (item, title).

    Raises:
        DatasetError: When the source is none of these.
    """
    if source.suffix == ".whl":
        try:
            with zipfile.ZipFile(source) as wheel:
                texts = [wheel.read(f"{WHEEL_FOLDER}/{name}").decode() for name in (RATINGS_MEMBER, MOVIES_MEMBER)]
        except (KeyError, OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
            raise DatasetError(f"{source} does not carry {WHEEL_FOLDER}: {error}") from error
        return _recbole_ratings(texts[0]), _recbole_movies(texts[1])
    if (source / RATINGS_MEMBER).is_file() and (source / MOVIES_MEMBER).is_file():
        texts = [(source / name).read_text(encoding="utf-8") for name in (RATINGS_MEMBER, MOVIES_MEMBER)]
        return _recbole_ratings(texts[0]), _recbole_movies(texts[1])
    if (source / "u.data").is_file() and (source / "u.item").is_file():
        lines = (line.split("\t") for line in (source / "u.data").read_text(encoding="utf-8").splitlines())
        movies = ((source / "u.item").read_text(encoding="latin-1")).splitlines()
        return (
            ((user, item, timestamp, rating) for user, item, rating, timestamp in lines),
            (tuple(line.split("|", 2)[:2]) for line in movies),
        )
    raise DatasetError(f"{source} holds neither {RATINGS_MEMBER} and {MOVIES_MEMBER} nor u.data and u.item")


def _rows(text: str, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The given columns of RecBole's tab-separated table, whose header says name:type."""
    table = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    names = [name.partition(":")[0] for name in next(table, [])]
    missing = [column for column in columns if column not in names]
    if missing:
        raise DatasetError(f"the data lack the column {', '.join(missing)}")
    places = [names.index(column) for column in columns]
    return (tuple(row[place] for place in places) for row in table if row)


def _recbole_ratings(text: str) -> Iterator[Sequence[str]]:
    """(user, item, timestamp, rating); the timestamp, a float to RecBole, becomes whole seconds."""
    for user, item, timestamp, rating in _rows(text, ("user_id", "item_id", "timestamp", "rating")):
        yield user, item, str(int(float(timestamp))), rating


def _recbole_movies(text: str) -> Iterator[Sequence[str]]:
    """(item, title with the year in parentheses)."""
    for item, title, year in _rows(text, ("item_id", "movie_title", "release_year")):
        yield item, f"{title} ({year})" if year.isdigit() else title
